//! A contract to begin with: every need that there is, with what is here as its value, and none of them asked for yet.

use std::fmt::Write as _;

use crate::facts::{Bind, Fact, Facts, GPU_PACKAGES, Precision};
use crate::text::{Shown, plain};

const HEAD: &str = "\
# What the workload needs, all of it at least. gpu-preflight judges by it where this file lies in the working folder, or
# is named with --contract. A line that begins with # asks for nothing; the values are those of this machine, where it has any.

# The profile, where the command line names none: production, serving, training, notebook, or a file.
# profile = \"production\"

[needs]
";

const TAIL: &str = "
# A failure that is known, and excused for a while:
# [[waive]]
# check = \"limits.memory-limited\"
# reason = \"why it may be so\"
# owner = \"who answers for it\"
# expires = \"2027-01-31\"
";

/// The share of a measured rate that is asked for: two runs differ.
const KEPT: f64 = 0.9;

/// The file as text.
pub fn sketch(facts: &Facts) -> Shown {
    let mut text = HEAD.to_owned();
    for (key, example, here, what) in needs(facts) {
        let value = here.unwrap_or_else(|| example.to_owned());
        let _ = writeln!(text, "# {:<34} # {what}", format!("{key} = {value}"));
    }
    Shown::lines(&(text + TAIL))
}

/// Each need: its name, a value where nothing is known here, the value here, and what it means.
fn needs(facts: &Facts) -> [(&'static str, &'static str, Option<String>, &'static str); 14] {
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let known = |count: &Fact<u64>| count.known().map(u64::to_string);
    let least = |size: Option<u64>| size.filter(|size| *size > 0).map(in_mebibytes);
    let memory = match &facts.limits.memory_bytes {
        Fact::Absent => &facts.host.memory_bytes,
        limit => limit,
    };
    let open = facts.network.listeners.known().map_or(&[][..], Vec::as_slice).iter();
    let open = open.filter(|one| one.bind != Bind::Loopback).map(|one| one.port.to_string());
    let capability = gpus.first().and_then(|gpu| gpu.compute_capability.known());
    let text = |version: &String| format!("\"{}\"", plain(version));
    [
        ("gpus", "1", (!gpus.is_empty()).then(|| gpus.len().to_string()), "GPUs"),
        (
            "gpu_memory",
            "\"40GiB\"",
            least(gpus.iter().filter_map(|gpu| gpu.memory_bytes.known().copied()).min()),
            "memory of each",
        ),
        ("capability", "\"8.0\"", capability.map(text), "compute capability of each"),
        ("cuda", "\"12.4\"", facts.cuda.version.known().map(text), "CUDA release that the driver takes"),
        ("memory", "\"32GiB\"", least(memory.known().copied()), "memory of the container"),
        ("shm", "\"8GiB\"", least(facts.limits.shm_bytes.known().copied()), "size of /dev/shm"),
        ("cpus", "8", facts.limits.cpu_cores.known().map(|cores| format!("{cores:.1}")), "CPU cores"),
        ("pids", "4096", known(&facts.limits.processes_allowed), "processes and threads"),
        ("open_files", "65536", known(&facts.limits.open_files_soft), "open files"),
        ("ports", "[8000]", listed(open), "TCP ports that it opens, and no others"),
        ("folders", "[\"/models\", \"/data:rw\"]", None, "folders that are there, and may be written"),
        ("variables", "[\"HF_HOME\"]", None, "variables that are set"),
        ("packages", "{ torch = \"2.5\" }", packages(facts), "Python packages"),
        ("tflops", "{ bfloat16 = 300 }", rates(facts), "multiplies on each GPU"),
    ]
}

/// A size that is not more than this, in a unit that people read.
fn in_mebibytes(size: u64) -> String {
    let (gibi, mebi) = (size >> 30, size >> 20);
    if gibi > 0 { format!("\"{gibi}GiB\"") } else { format!("\"{mebi}MiB\"") }
}

fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let mut items: Vec<String> = items.collect();
    items.dedup();
    (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
}

fn packages(facts: &Facts) -> Option<String> {
    let torch = facts.framework.torch_version.known().map(|version| ("torch", version.as_str()));
    let others = facts.framework.packages.known().into_iter().flatten();
    let others = others.filter(|one| GPU_PACKAGES.contains(&one.name.as_str()));
    let all = torch.into_iter().chain(others.map(|one| (one.name.as_str(), one.version.as_str())));
    let all = all.filter_map(|(name, version)| {
        // Of `2.7.0+cu128` what is asked for at least.
        let end = version.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(version.len());
        let version = version.get(..end)?.trim_end_matches('.');
        (!version.is_empty()).then(|| format!("{name} = \"{version}\""))
    });
    let all: Vec<String> = all.collect();
    (!all.is_empty()).then(|| format!("{{ {} }}", all.join(", ")))
}

fn rates(facts: &Facts) -> Option<String> {
    let multiplies = facts.compute.multiplies.known()?;
    let slowest = |precision: &Precision| {
        let own = multiplies.iter().filter(|one| one.precision == *precision);
        let rate = own.filter_map(|one| one.tflops.known().copied()).min_by(f64::total_cmp)?;
        let kept = (rate * KEPT).floor();
        (kept > 0.0).then(|| format!("{precision} = {kept}"))
    };
    let all: Vec<String> = Precision::ALL.iter().filter_map(slowest).collect();
    (!all.is_empty()).then(|| format!("{{ {} }}", all.join(", ")))
}
