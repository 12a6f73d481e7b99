//! Limits that are too small: for the machine, and for what was tried and failed.
//!
//! CUDA does not say that a limit is in its way: it gives code 2 where the address space is small, as if the GPU were
//! full, and 46 where few files may be open, as if another process held the GPU. So a failed call is held against every
//! limit before it accuses a GPU or a node.

use crate::facts::{ComputeMode, Fact, Facts, FailedHow, Failure, GapKind, Limits, ProbeEnd};

/// CUDA reserves address space at its start: on an H100 and an H200 8 GB were too little, and 16 GB sufficed.
const ADDRESS_SPACE_MIN: u64 = 15 << 30;
/// Open files that one GPU takes: on an H100 32 were too few, and on an H200 40 sufficed.
const OPEN_FILES: u64 = 64;
/// Threads and processes that a start of CUDA and what asks for it take.
const PROCESSES: u64 = 64;
/// Bytes that a context takes of the container's memory: 250 MiB were too little on an H200, and 600 MiB sufficed.
const MEMORY_MIN: u64 = 600 << 20;

/// `CUDA_ERROR_OUT_OF_MEMORY`
const OUT_OF_MEMORY: i64 = 2;
/// Codes that name no reason of their own: memory, no context, an operating-system call, unknown.
const OF_CUDA: [i64; 4] = [OUT_OF_MEMORY, 46, 304, 999];
/// `CUBLAS_STATUS_NOT_INITIALIZED`, `CUBLAS_STATUS_ALLOC_FAILED`
const OF_CUBLAS: [i64; 2] = [1, 3];
/// `ncclSystemError`
const OF_NCCL: [i64; 1] = [2];

/// Fills the derived limits.
pub fn derive(facts: &mut Facts) {
    facts.limits.processes_allowed = processes_allowed(facts);
    facts.limits.processes_wanted = processes_wanted(facts);
    facts.limits.short_call = short_call(facts);
    facts.process.start_errno = start_errno(facts);
    facts.process.killed_call = killed_call(facts);
}

/// How memory and CPUs are left unbounded. What a text says of its limits has to be known before.
pub fn unbounded(facts: &mut Facts) {
    let limits = &facts.limits;
    let memory = match (&limits.memory_bytes, &limits.memory_beyond_host_bytes) {
        (Fact::Known(_), _) => Fact::Absent,
        (Fact::Unknown(gap), _) => Fact::Unknown(gap.clone()),
        (Fact::Absent, Fact::Known(bytes)) => {
            Fact::Known(format!("the memory limit of {} bounds nothing", gib(*bytes)))
        }
        (Fact::Absent, _) => Fact::Known("no memory limit".to_owned()),
    };
    let cpu = limits.cpu_limited.as_ref().and_then(|is_limited| match limits.cpu_quota_cores {
        _ if *is_limited => Fact::Absent,
        Fact::Known(cores) => Fact::Known(format!("the CPU limit of {cores} cores bounds nothing")),
        _ => Fact::Known("no CPU limit".to_owned()),
    });
    (facts.limits.memory_unbounded, facts.limits.cpu_unbounded) = (memory, cpu);
}

/// A limit of processes per user does not hold for user 0.
fn processes_allowed(facts: &Facts) -> Fact<u64> {
    let of_user = match facts.identity.uid {
        Fact::Known(0) => Fact::Absent,
        Fact::Unknown(ref gap) if !matches!(facts.limits.user_processes, Fact::Absent) => Fact::Unknown(gap.clone()),
        _ => facts.limits.user_processes.clone(),
    };
    match (facts.limits.pids.clone(), of_user) {
        (Fact::Known(all), Fact::Known(of_user)) => Fact::Known(all.min(of_user)),
        (Fact::Absent, other) | (other, Fact::Absent) => other,
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
    }
}

fn processes_wanted(facts: &Facts) -> Fact<u64> {
    let gpus = super::gpu_count(facts);
    super::both(gpus, facts.limits.cpu_allowed_count.clone(), |gpus, cpus| {
        64_u64.saturating_add(gpus.clamp(1, 1024).saturating_mul(cpus.saturating_add(32)))
    })
}

/// The limits that are too small for CUDA, in words.
fn small(limits: &Limits, uid_is_root: bool, gpus: u64) -> Vec<String> {
    let mut found = Vec::new();
    if let Fact::Known(space) = limits.address_space_bytes
        && space < ADDRESS_SPACE_MIN
    {
        let space = gib(space);
        found.push(format!(
            "the address space is limited to {space} (RLIMIT_AS), of which CUDA reserves more than 8 GB"
        ));
    }
    if let Fact::Known(files) = limits.open_files_soft
        && files < OPEN_FILES.saturating_mul(gpus.max(1))
    {
        found.push(format!("only {files} files may be open (RLIMIT_NOFILE)"));
    }
    if let Fact::Known(processes) = limits.user_processes
        && !uid_is_root
        && processes < PROCESSES
    {
        found.push(format!("this user may have only {processes} processes and threads (RLIMIT_NPROC)"));
    }
    if let Fact::Known(pids) = limits.pids
        && pids < PROCESSES
    {
        found.push(format!("only {pids} processes and threads may be here (pids.max)"));
    }
    if let Fact::Known(memory) = limits.memory_bytes
        && memory < MEMORY_MIN
    {
        found.push(format!("the memory limit is {}", gib(memory)));
    }
    found
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / super::GIB as f64)
}

/// The first call that a limit made fail.
fn short_call(facts: &Facts) -> Fact<String> {
    if facts.probes.is_empty() {
        return Fact::unknown(GapKind::NotAsked, "no probe is recorded");
    }
    let root = facts.identity.uid == Fact::Known(0);
    let found = small(&facts.limits, root, super::gpu_count(facts).known().copied().unwrap_or(1));
    let told = |failure: &Failure| {
        let mut found = found.clone();
        let at_start = failure.call == "cuInit" && failure.code == Fact::Known(OUT_OF_MEMORY);
        if found.is_empty() && at_start && facts.limits.address_space_bytes.is_unknown() {
            found.push("most often a limited address space (RLIMIT_AS), which is not known here".to_owned());
        }
        (!found.is_empty()).then(|| format!("{} gives {}: {}", failure.call, failure.words(), found.join("; ")))
    };
    let exclusive = [ComputeMode::ExclusiveProcess, ComputeMode::ExclusiveThread, ComputeMode::Prohibited];
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let held = gpus.iter().any(|gpu| gpu.compute_mode.known().is_some_and(|mode| exclusive.contains(mode)));
    // What device nodes explain is theirs: a limit beside them is small by chance.
    let is_no = |fact: &Fact<bool>| *fact == Fact::Known(false);
    let driver = &facts.driver;
    let no_uvm =
        [&driver.uvm_node_present, &driver.uvm_node_openable, &driver.uvm_major_current].into_iter().any(is_no);
    let no_control = is_no(&driver.control_node_present) || is_no(&driver.control_node_openable);
    let is_explained = |failure: &Failure| match failure.code {
        Fact::Known(46) => held,
        Fact::Known(304) => no_control,
        Fact::Known(999) => no_uvm || no_control,
        _ => false,
    };
    let is_open = |failure: &&Failure| is_open_code(failure) && !is_explained(failure);
    Fact::present(failures(facts).iter().filter(is_open).find_map(told))
}

/// Whether the code that a call gave names no reason of its own.
fn is_open_code(failure: &Failure) -> bool {
    let Some(code) = failure.code.known().filter(|_| failure.how == FailedHow::Returned) else { return false };
    match failure.call.as_str() {
        call if call.starts_with("cublas") => OF_CUBLAS.contains(code),
        call if call.starts_with("nccl") => OF_NCCL.contains(code),
        _ => OF_CUDA.contains(code),
    }
}

/// Every failed call, in the order in which they are made. What memory of the GPU explains is left out.
fn failures(facts: &Facts) -> Vec<Failure> {
    let init = facts.cuda.init_code.known().filter(|code| **code != 0).map(|code| Failure {
        code: Fact::Known(*code),
        name: facts.cuda.init_name.clone(),
        ..Failure::new("cuInit", FailedHow::Returned)
    });
    let known = |failure: &Fact<Failure>| failure.known().cloned();
    let enough = |short: &Fact<bool>| *short != Fact::Known(true);
    let multiplies = facts.compute.multiplies.known().into_iter().flatten();
    let multiplies = multiplies.filter(|one| enough(&one.memory_short)).filter_map(|one| known(&one.failure));
    let copies = facts.compute.copies.known().into_iter().flatten().filter_map(|one| known(&one.failure));
    let patterns = facts.memory.patterns.known().into_iter().flatten().filter_map(|one| known(&one.failure));
    let pairs = facts.links.pairs.known().into_iter().flatten();
    let pairs = pairs.filter(|one| enough(&one.memory_short)).filter_map(|one| known(&one.failure));
    let work = multiplies.chain(copies).chain(patterns).chain(pairs).chain(known(&facts.links.nccl.failure));
    init.into_iter().chain(work).collect()
}

/// The first errno for which something could not be started.
fn start_errno(facts: &Facts) -> Fact<String> {
    if facts.probes.is_empty() {
        return Fact::unknown(GapKind::NotAsked, "no probe is recorded");
    }
    let not_started: Vec<_> = facts.probes.iter().filter(|run| run.end == ProbeEnd::NotStarted).collect();
    let first = not_started.iter().find(|run| run.errno.known().is_some()).or(not_started.first());
    first.map_or(Fact::Absent, |run| run.errno.clone())
}

/// The first call in which somebody outside ended one of our processes.
fn killed_call(facts: &Facts) -> Fact<String> {
    if facts.probes.is_empty() {
        return Fact::unknown(GapKind::NotAsked, "no probe is recorded");
    }
    let killed = facts.probes.iter().find(|run| run.signal == Fact::Known("SIGKILL".to_owned()));
    Fact::present(killed.map(|run| {
        let call = run.at.known().map_or("its start", String::as_str);
        match run.gpu.known() {
            Some(gpu) => format!("{call} on GPU {gpu}"),
            None => call.to_owned(),
        }
    }))
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
