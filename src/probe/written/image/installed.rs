//! What was installed while building, with its lines.

use crate::probe::written::dockerfile::{Run, Stage};
use crate::probe::written::pip::{BuiltFor, Install, Installs, Over};

/// Packages that something is told of; the names of all others are not needed.
const NAMED: [&str; 5] = ["torch", "jax", "vllm", "sglang", "deepspeed"];

/// How often one command may install a package, and each time count.
const SEVERAL: usize = 16;

/// What the stages of an image install.
pub struct Installed {
    /// Whether something is compiled in the last stage.
    pub compiles: bool,
    /// Whether that cannot be told where nothing is seen.
    pub is_unsure: bool,
    /// Whether there may be several places for packages: what is in one satisfies nobody in another.
    pub has_places: bool,
    /// The packages that matter, each once and with its line.
    pub found: Vec<(Install, usize)>,
}

impl Installed {
    /// Reads what was run for a stage and for what is copied to it.
    pub fn of(stage: &Stage) -> Self {
        let is_unsure = stage.may_hold_copied;
        let mut installed = Self { compiles: false, is_unsure, has_places: has_places(stage), found: Vec::new() };
        // What is built in another stage needs no compiler here.
        for run in &stage.copied_runs {
            installed.is_unsure |= installed.read(run).elsewhere;
        }
        for run in &stage.runs {
            let installs = installed.read(run);
            installed.compiles |= installs.compiles;
            installed.is_unsure |= installs.elsewhere || installs.is_opaque;
        }
        installed
    }

    fn read(&mut self, run: &Run) -> Installs {
        let mut installs = Installs::of(run);
        for name in NAMED {
            let mut own: Vec<Install> = installs.all.extract_if(.., |install| install.name == name).collect();
            // A command may name tens of thousands, and the line of each is searched for.
            own.drain(..own.len().saturating_sub(SEVERAL));
            // Several ways to install it, of which one is taken while the image is built.
            let is_branching = ["else", "||", "esac"].iter().any(|sign| run.text.contains(sign));
            let mut builds = own.iter().map(|install| &install.build).filter(|build| **build != BuiltFor::Unsaid);
            let first = builds.next();
            if is_branching && builds.any(|build| Some(build) != first) {
                if let Some(last) = own.into_iter().last() {
                    self.follow(Install { build: BuiltFor::Elsewhere, ..last }, run);
                }
            } else {
                for install in own {
                    self.follow(install, run);
                }
            }
        }
        installs
    }

    /// One install behind the others: what is there already and satisfies it stays.
    fn follow(&mut self, install: Install, run: &Run) {
        let known = self.found.iter().position(|(known, _)| known.name == install.name);
        if let Some(at) = known {
            let (before, _) = &self.found[at];
            let may_be_there = !self.has_places && install.build != BuiltFor::Elsewhere;
            if may_be_there && install.is_satisfied_by(before.version.as_ref()) {
                return;
            }
            self.found.remove(at);
        }
        if install.over != Over::Removes {
            let line = run.instruction.line_of(&install.word);
            self.found.push((install, line));
        }
    }
}

/// Signs of environments beside that of the system: of virtualenv, conda and uv, of a folder of one's own, of another stage.
fn has_places(stage: &Stage) -> bool {
    const SIGNS: [&str; 8] = ["venv", "virtualenv", "conda", "mamba", "/activate", "--target", "--prefix", "/bin/pip"];
    let is_set = |name: &str| stage.variables.iter().any(|variable| variable.name == name);
    !stage.copied_runs.is_empty()
        || ["PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX"].into_iter().any(is_set)
        || stage.runs.iter().any(|run| SIGNS.iter().any(|sign| run.text.contains(sign)))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::probe::written::dockerfile::read;

    fn of(text: &str) -> Installed {
        Installed::of(&read(text).expect(text).last)
    }

    fn found(text: &str) -> Vec<(String, usize)> {
        of(text).found.into_iter().map(|(install, line)| (install.name, line)).collect()
    }

    #[test]
    fn a_copied_folder_brings_packages_where_it_holds_some() {
        for (source, brings) in [
            ("/usr/local/lib/python3.12/site-packages", true),
            ("/opt/venv/", true),
            ("/root/.local", true),
            ("/models/x.bin", false),
            ("/usr/local/bin/tool", false),
        ] {
            let text = format!("FROM a AS b\nRUN pip install torch==2.7.0\nFROM c\nCOPY --from=b {source} /x\n");
            assert_eq!(found(&text).len(), usize::from(brings), "{source}");
        }
        let text = "FROM a AS b\nRUN pip install --prefix=/install torch\nFROM c\nCOPY --from=b /install /usr/local\n";
        assert_eq!(found(text), [("torch".to_owned(), 2)]);
        assert!(of("FROM a AS b\nRUN pip install x\nFROM c\nCOPY --from=b /app /app\n").is_unsure);
        assert!(!of("FROM a AS b\nRUN pip install x\nFROM c\nCOPY --from=b /a.bin /\n").is_unsure);
    }

    #[test]
    fn here_documents_and_shells_are_looked_into() {
        for command in ["", "bash -e ", "sh -s "] {
            let text = format!("FROM a\nRUN {command}<<EOF\nset -e\npip install torch\nEOF\n");
            assert_eq!(found(&text), [("torch".to_owned(), 4)], "{command}");
        }
        assert_eq!(found("FROM a\nRUN [\"bash\", \"-c\", \"pip install torch\"]\n").len(), 1);
        assert_eq!(found("FROM a\nRUN bash -lc 'cd x && pip install torch'\n").len(), 1);
        assert!(of("FROM a\nRUN <<EOF\n#!/usr/bin/env python3\nimport x\nEOF\n").is_unsure);
        assert!(!of("FROM a\nRUN apt-get install -y curl\n").is_unsure);
    }

    #[test]
    fn what_is_there_and_satisfies_stays() {
        const CPU: &str = "FROM a\nRUN pip install torch==2.5.1 --index-url https://download.pytorch.org/whl/cpu\n";
        let build = |text: &str| {
            of(&format!("{CPU}{text}")).found.first().map(|(install, line)| (install.build.clone(), *line))
        };
        let cpu = Some((BuiltFor::Cpu, 2));
        for text in ["RUN pip install torch", "RUN pip install torch==2.5.1", "RUN pip install 'torch>=2' vllm_x"] {
            assert_eq!(build(text), cpu, "{text}");
        }
        for text in
            ["RUN pip install -U torch", "RUN pip install torch==2.6.0", "RUN pip install --force-reinstall torch"]
        {
            assert!(build(text).is_some_and(|(build, line)| build != BuiltFor::Cpu && line == 3), "{text}");
        }
        // In an environment of its own there is nothing yet.
        for text in [
            "RUN python3 -m venv /v && . /v/bin/activate && pip install torch",
            "RUN /v/bin/pip install torch",
            "ENV PATH=/v/bin:$PATH\nRUN pip install torch",
        ] {
            assert!(build(text).is_some_and(|(build, _)| build == BuiltFor::Unsaid), "{text}");
        }
        assert_eq!(build("RUN pip uninstall -y torch"), None);
        assert_eq!(build("RUN pip uninstall -y torch && pip install torch"), Some((BuiltFor::Unsaid, 3)));
    }

    #[test]
    fn what_a_condition_decides_is_decided_elsewhere() {
        let build = |text: &str| of(&format!("FROM a\nRUN {text}\n")).found.remove(0).0.build;
        let index =
            |name: &str| format!("pip install torch==2.7.0 --index-url https://download.pytorch.org/whl/{name}");
        let (cpu, cuda) = (index("cpu"), index("cu128"));
        assert_eq!(build(&format!("if [ $X ]; then {cuda}; else {cpu}; fi")), BuiltFor::Elsewhere);
        assert_eq!(build(&format!("if [ $X ]; then {cpu}; else {cuda}; fi")), BuiltFor::Elsewhere);
        assert_eq!(build(&format!("if [ $X ]; then {cpu}; else {cpu}; fi")), BuiltFor::Cpu);
        assert_eq!(build(&cpu), BuiltFor::Cpu);
    }

    #[test]
    fn a_long_command_is_read_once() {
        let mut text = "FROM a\nRUN pip install torch".to_owned();
        for at in 0..70_000 {
            let _ = write!(text, " p{at}");
        }
        assert_eq!(found(&text), [("torch".to_owned(), 2)]);
    }
}
