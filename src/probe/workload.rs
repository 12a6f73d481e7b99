//! What the workload says of itself: options on its command line, settings in its script, and how it writes its log.
//!
//! Nothing is run. The command of `exec` is the workload; otherwise the processes are that can be seen, the oldest first,
//! Jupyter and its kernels aside. [`script`] reads the Python file, [`log`] the end of the log.

mod log;
mod script;

pub use log::{LogEnd, end as end_of_log};

use super::procfs::{command_line, process_ids, seen_from};
use rustix::fs::FileType;
use serde::{Deserialize, Serialize};

use crate::facts::{Fact, Gap, GapKind, NamedFolder, NamedVariable, Workload, cut};
use crate::probe::paths::base_name;
use crate::world::World;

/// Processes whose command lines are read, the lowest numbers first.
const PROCESSES: usize = 128;

/// Options by which servers bound the GPU memory that they take: vLLM, `SGLang`, Hugging Face's TGI.
const MEMORY_OPTIONS: [&str; 4] =
    ["--gpu-memory-utilization", "--gpu_memory_utilization", "--mem-fraction-static", "--cuda-memory-fraction"];

/// Variables that do the same: of MPS, of `HAMi`, of JAX. The second and later GPUs have names of their own, which count too.
const MEMORY_VARIABLES: [&str; 3] =
    ["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "CUDA_DEVICE_MEMORY_LIMIT", "XLA_PYTHON_CLIENT_MEM_FRACTION"];

/// PyTorch's variable, in its names, and the part of its value that bounds anything.
const ALLOCATORS: [&str; 2] = ["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"];
const ALLOCATOR_BOUND: &str = "per_process_memory_fraction";

/// One process, or the command that will be one.
struct Command {
    process: String,
    words: Vec<String>,
}

/// Command lines that are looked at.
struct Commands {
    seen: Vec<Command>,
    /// Why there may be others.
    more: Option<Gap>,
}

impl Commands {
    /// What was found in them; what was not may stand in another.
    fn told<T>(&self, found: Option<T>) -> Fact<T> {
        match (found, &self.more) {
            (None, Some(gap)) => Fact::Unknown(gap.clone()),
            (found, _) => Fact::present(found),
        }
    }
}

/// What the contract names and only a look can tell.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Named {
    /// Folders.
    pub folders: Vec<String>,
    /// Variables.
    pub variables: Vec<String>,
}

/// Reads what the workload says. `log` is the file that the command line names.
pub fn collect(world: &World, command: Option<&[String]>, log: Option<&str>, named: &Named) -> Workload {
    let commands = commands(world, command);
    let log = log::read(world, log);
    let found = commands.as_ref().and_then(|commands| commands.told(script_of(&commands.seen)));
    let script = found.and_then(|(process, path)| seen_from(world, &process, &path));
    let text = script.as_ref().and_then(|path| script::read(world, path));
    Workload {
        gpu_memory_option: memory_option(world, &commands),
        script_uses_torch: text.as_ref().map(|text| script::uses_torch(text)),
        script_settings: text.and_then(|text| script::settings(&text)),
        script: script.map(|path| cut(&path)),
        folders: Fact::Known(named.folders.iter().map(|path| folder(world, path)).collect()),
        variables: Fact::Known(named.variables.iter().map(|name| variable(world, name)).collect()),
        ..log
    }
}

fn folder(world: &World, path: &str) -> NamedFolder {
    let present = world.stat(path).map(|stat| stat.kind == FileType::Directory);
    let present = if present.is_absent() { Fact::Known(false) } else { present };
    let writable = if present == Fact::Known(true) { world.writable(path) } else { Fact::Absent };
    NamedFolder { path: path.to_owned(), present, writable }
}

fn variable(world: &World, name: &str) -> NamedVariable {
    NamedVariable { name: name.to_owned(), filled: world.env(name).is_some_and(|value| !value.is_empty()) }
}

fn commands(world: &World, command: Option<&[String]>) -> Fact<Commands> {
    if let Some(words) = command {
        let seen = vec![Command { process: "self".to_owned(), words: words.to_vec() }];
        return Fact::Known(Commands { seen, more: None });
    }
    process_ids(world).map(|mut pids| {
        let detail = || format!("{} processes, of which {PROCESSES} are looked at", pids.len());
        let more = (pids.len() > PROCESSES).then(|| Gap::new(GapKind::NotSupported, detail()));
        pids.sort_unstable();
        pids.truncate(PROCESSES);
        let read = |pid: u32| {
            let words = command_line(world, pid).known().filter(|words| !is_ours(words))?.clone();
            Some(Command { process: pid.to_string(), words })
        };
        Commands { seen: pids.into_iter().filter_map(read).collect(), more }
    })
}

/// Whether these are words of this program, or of a notebook.
fn is_ours(words: &[String]) -> bool {
    let is_other = |word: &String| word.contains("jupyter") || word.contains("ipykernel");
    words.first().is_none_or(|first| base_name(first) == "gpu-preflight") || words.iter().any(is_other)
}

fn memory_option(world: &World, commands: &Fact<Commands>) -> Fact<String> {
    let set = |name: &str| world.env(name).is_some_and(|value| !value.is_empty());
    let of_more_gpus = || world.env_names().find(|name| name.starts_with("CUDA_DEVICE_MEMORY_LIMIT_"));
    let variable = MEMORY_VARIABLES.iter().find(|name| set(name)).map(|name| (*name).to_owned()).or_else(of_more_gpus);
    let is_bound = |name: &&&str| world.env(name).is_some_and(|value| value.contains(ALLOCATOR_BOUND));
    let allocator = || ALLOCATORS.iter().find(is_bound).map(|name| format!("{ALLOCATOR_BOUND} in {name}"));
    if let Some(variable) = variable.or_else(allocator) {
        return Fact::Known(cut(&variable));
    }
    commands.as_ref().and_then(|commands| {
        let mut words = commands.seen.iter().flat_map(|command| &command.words);
        let option = words.find_map(|word| {
            MEMORY_OPTIONS
                .iter()
                .find(|option| word.strip_prefix(**option).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
        });
        commands.told(option.map(|option| (*option).to_owned()))
    })
}

/// The process that runs a Python file, and the file as it names it.
fn script_of(commands: &[Command]) -> Option<(String, String)> {
    commands.iter().find_map(|command| Some((command.process.clone(), python_file(&command.words)?)))
}

/// The first word that is a Python file, where the program is Python, a launcher of PyTorch, or that file itself.
fn python_file(words: &[String]) -> Option<String> {
    /// Programs that start a Python file which stands among their words, and those that hand over to another program.
    const LAUNCHERS: [&str; 11] = [
        "torchrun",
        "accelerate",
        "deepspeed",
        "uv",
        "tini",
        "dumb-init",
        "docker-init",
        "env",
        "exec",
        "nice",
        "numactl",
    ];
    let first = base_name(words.first()?);
    let is_file = |word: &str| std::path::Path::new(word).extension().is_some_and(|end| end == "py");
    if !(first.starts_with("python") || LAUNCHERS.contains(&first) || is_file(first)) {
        return None;
    }
    words.iter().find(|word| is_file(word) && !word.starts_with('-')).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SpeedSetting;
    use crate::world::FakeRoot;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn process(root: &FakeRoot, pid: u32, command: &str) {
        root.file(&format!("proc/{pid}/cmdline"), command.replace(' ', "\0") + "\0");
        root.link(&format!("proc/{pid}/cwd"), "/app");
    }

    #[test]
    fn the_script_of_the_workload_is_found_behind_its_launchers() {
        for (command, script) in [
            ("python3 -u serve.py --port 1", Some("serve.py")),
            ("tini -- python serve.py", Some("serve.py")),
            ("torchrun --nproc-per-node 2 train.py", Some("train.py")),
            ("/app/serve.py", Some("/app/serve.py")),
            ("vim serve.py", None),
            ("python3 -m vllm", None),
            ("sh start.sh", None),
        ] {
            assert_eq!(python_file(&words(command)).as_deref(), script, "{command}");
        }
    }

    #[test]
    fn the_oldest_process_with_a_script_is_the_workload_and_notebooks_are_not() {
        let root =
            FakeRoot::of(&[("app/serve.py", "import torch\ntorch.backends.cuda.matmul.allow_tf32 = True\n")], &[]);
        process(&root, 1, "runsvdir /etc/service");
        process(&root, 20, "/usr/bin/python3 /usr/bin/jupyter-lab x.py");
        process(&root, 30, "python3 serve.py");
        let found = collect(&root, None, None, &Named::default());
        assert_eq!(found.script, Fact::Known("/app/serve.py".to_owned()));
        assert_eq!(found.script_uses_torch, Fact::Known(true));
        assert_eq!(found.script_settings, Fact::Known(vec![SpeedSetting::Tf32]));
        let none = collect(&root, Some(&words("sh start.sh")), None, &Named::default());
        assert_eq!((none.script, none.script_settings), (Fact::Absent, Fact::Absent));
    }

    #[test]
    fn of_more_processes_than_are_looked_at_none_is_said_to_set_nothing() {
        let root = FakeRoot::new();
        (1..=129).for_each(|pid| process(&root, pid, "sleep 9"));
        let found = collect(&root, None, None, &Named::default());
        assert!(found.script.is_unknown() && found.gpu_memory_option.is_unknown());
        root.file("proc/1/cmdline", "vllm\0serve\0m\0--gpu-memory-utilization\x000.6\x00");
        assert!(collect(&root, None, None, &Named::default()).gpu_memory_option.known().is_some());
    }

    #[test]
    fn a_script_that_is_gone_has_settings_that_nobody_can_know() {
        let root = FakeRoot::new();
        process(&root, 1, "python3 serve.py");
        assert!(collect(&root, None, None, &Named::default()).script_settings.is_unknown());
    }

    #[test]
    fn what_bounds_the_memory_is_told_by_its_name_alone() {
        let option = |variables: &[(&str, &str)], command: &str| {
            collect(&FakeRoot::of(&[], variables), Some(&words(command)), None, &Named::default()).gpu_memory_option
        };
        let known = |name: &str| Fact::Known(name.to_owned());
        assert_eq!(option(&[], "vllm serve m --gpu-memory-utilization=0.6"), known("--gpu-memory-utilization"));
        assert_eq!(option(&[], "vllm serve m --gpu-memory-utilizations"), Fact::Absent);
        assert_eq!(option(&[("CUDA_DEVICE_MEMORY_LIMIT_0", "8g")], "x"), known("CUDA_DEVICE_MEMORY_LIMIT_0"));
        let fraction = ("PYTORCH_CUDA_ALLOC_CONF", "per_process_memory_fraction:0.5");
        assert_eq!(option(&[fraction], "x"), known("per_process_memory_fraction in PYTORCH_CUDA_ALLOC_CONF"));
        assert_eq!(option(&[("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")], "x"), Fact::Absent);
    }

    #[test]
    fn what_the_contract_names_is_looked_for() {
        let root = FakeRoot::of(&[("models/a.bin", ""), ("file", "")], &[("A", "x"), ("EMPTY", "")]);
        let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let named = Named { folders: words(&["/models", "/file", "/none"]), variables: words(&["A", "EMPTY", "NONE"]) };
        let found = collect(&root, None, None, &named);
        let folders: Vec<Fact<bool>> =
            found.folders.known().expect("asked").iter().map(|one| one.present.clone()).collect();
        assert_eq!(folders, [true, false, false].map(Fact::Known));
        let filled: Vec<bool> = found.variables.known().expect("asked").iter().map(|one| one.filled).collect();
        assert_eq!(filled, [true, false, false]);
    }
}
