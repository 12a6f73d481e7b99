//! Derived facts: what follows from the readings by joins, tables and arithmetic.
//!
//! A derived fact depends on readings alone, never on another recording of itself, so
//! deriving twice gives the same as once. What a reading does not say is not made up:
//! where an input is unknown the result is unknown for the same reason, and where an
//! input is not there the result is absent, unless the fact's own comment says more.
//!
//! [`stack`] joins driver, runtime and libraries, [`visible`] compares who sees which GPUs, [`grant`] what was
//! asked for with what is here, [`multiply`] and [`copies`] set
//! rates against what such a GPU reaches, [`siblings`] GPUs against those that should be alike, [`slow`] tells which of them are low, [`boards`] joins
//! multiplies with NVML's GPUs, [`load`] says what held GPUs down
//! meanwhile, [`share`] and [`neighbours`] what else explains a low rate, [`suspect`] which library may be to blame;
//! [`fingerprint`] holds bits against known ones, [`failure`] explains failed calls, [`limits`] holds them against
//! limits, [`nodes`] device nodes against the driver, [`shadow`] finds driver libraries that an image brings,
//! [`compile`] says what compiles at run time, [`users`] who needs shared and locked memory, [`packages`] whether frameworks beside PyTorch can use this GPU, [`installed`] how old what is installed is,
//! [`torch`] which build of PyTorch runs here,
//! [`target`] sets the image's GPU code beside a GPU, [`situation`] answers what many checks ask of the whole machine;
//! [`tools`] names the development tools by what they are for, [`workload`] says what bounds its memory and what TF32 would bring, [`lifecycle`] which parts are mended no longer, [`contract`] what is here of what the workload needs, [`written`] what follows where only text was read;
//! here are the small ones.

mod boards;
mod builds;
mod compile;
mod contract;
mod copies;
mod failure;
mod fingerprint;
mod grant;
mod installed;
mod lifecycle;
mod limits;
mod linking;
mod links;
mod load;
mod multiply;
mod neighbours;
mod nodes;
mod packages;
mod shadow;
mod share;
mod siblings;
mod situation;
mod slow;
mod stack;
mod suspect;
pub mod target;
mod tools;
mod users;
mod visible;
mod workload;
mod written;

use crate::facts::{Fact, Facts, GapKind, Gpu, LibraryId, Limits, Phase};

const GIB: u64 = 1 << 30;

/// Fills every field marked "Derived". It depends on the readings alone, so a
/// recording gives the same answer later; what an older recording had derived
/// is written over.
pub fn derive(facts: &mut Facts) {
    facts.limits.cpu_cores = cpu_cores(&facts.limits);
    facts.limits.cpu_limited =
        both(facts.limits.cpu_cores.as_ref(), facts.host.logical_cpus.as_ref(), |cores, host| *cores < *host as f64);
    facts.limits.shm_wanted_bytes = gpu_count(facts).map(|count| count.clamp(1, 1024) * GIB);
    facts.limits.shm_write_asked = Fact::Known(was_asked(&facts.limits.shm_write_errno));
    facts.framework.torch_called = Fact::Known(match &facts.framework.torch_version {
        Fact::Known(version) => format!("PyTorch {version}"),
        _ => "PyTorch".to_owned(),
    });
    facts.framework.folders_asked = Fact::Known(was_asked(&facts.framework.unreadable_folders));
    if let Fact::Known(gpus) = &mut facts.gpus {
        for gpu in gpus {
            gpu.memory_used_share = memory_used_share(gpu);
        }
    }
    nodes::derive(&mut facts.driver);
    facts.cuda.known_to_start = Fact::Known(facts.cuda.init_code == Fact::Known(0));
    limits::derive(facts);
    situation::derive(facts);
    facts.cuda.init_meaning = failure::init_meaning(facts);
    facts.cuda.unsearched_copy = stack::unsearched_cuda(facts);
    facts.cuda.unlinked_copy = shadow::unlinked_cuda(facts);
    (facts.nvml.is_stub, facts.nvml.hidden_copy) = shadow::management_library(facts);
    adopt_loaded(facts);
    facts.compute.other_library = stack::other_library(facts);
    facts.compatibility = stack::compatibility(facts);
    grant::derive(facts);
    facts.nvml.fabric_state = visible::fabric_state(facts);
    facts.cuda.init_remedy = failure::init_remedy(facts);
    visible::compare_links(facts);
    share::derive(facts);
    derive_rates(facts);
    links::derive(facts);
    load::derive(facts);
    neighbours::derive(facts);
    suspect::derive(facts);
    fingerprint::derive(facts);
    failure::derive(facts);
    target::derive(facts);
    written::derive(facts);
    limits::unbounded(facts);
    facts.compatibility.framework_remedy = builds::remedy(facts);
    compile::derive(facts);
    packages::derive(facts);
    installed::derive(facts);
    users::derive(facts);
    linking::derive(facts);
    tools::derive(&mut facts.image);
    workload::derive(facts);
    lifecycle::derive(facts);
    contract::derive(facts);
    written::place_parts(facts);
}

/// What follows from the rates of multiplies and copies, which the second look asks before the rest is known.
pub fn derive_rates(facts: &mut Facts) {
    multiply::derive(facts);
    copies::derive(facts);
    slow::derive(facts);
}

/// Whether anybody looked, be it in vain. A recording of an older version says that it did not, and what is newer than it
/// is then not judged.
fn was_asked<T>(fact: &Fact<T>) -> bool {
    !matches!(fact, Fact::Unknown(gap) if gap.kind == GapKind::NotAsked)
}

/// libcuda and NVML are loaded by probes of their own; which file it was is told with the other libraries too.
fn adopt_loaded(facts: &mut Facts) {
    let Fact::Known(libraries) = &mut facts.libraries else { return };
    for library in libraries.iter_mut().filter(|library| library.chosen) {
        match library.id {
            LibraryId::Cuda => {
                library.loaded_path = facts.cuda.library.clone();
                library.load_error = facts.cuda.load_error.clone();
            }
            LibraryId::Nvml => {
                library.loaded_path = facts.nvml.library.clone();
                library.load_error = facts.nvml.load_error.clone();
            }
            LibraryId::Cudart | LibraryId::Cublas | LibraryId::CublasLt => {}
        }
    }
}

/// Both readings, or what stands in the way of the first that is not known.
fn both<A, B, C>(first: Fact<A>, second: Fact<B>, join: impl FnOnce(A, B) -> C) -> Fact<C> {
    first.and_then(|first| second.map(|second| join(first, second)))
}

/// The smaller of quota and allowed CPUs. A quota that is not set leaves the allowed CPUs.
fn cpu_cores(limits: &Limits) -> Fact<f64> {
    let allowed = limits.cpu_allowed_count.clone().map(|count| count as f64);
    match (limits.cpu_quota_cores.clone(), allowed) {
        (Fact::Known(quota), Fact::Known(allowed)) => Fact::Known(quota.min(allowed)),
        (Fact::Absent, other) | (other, Fact::Absent) => other,
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap),
    }
}

/// GPUs that the workload sees: by CUDA, else by NVML, else by device nodes; none where none is expected or NVML lists none.
fn gpu_count(facts: &Facts) -> Fact<u64> {
    if facts.run.phase == Phase::Written {
        return facts.written.gpus_requested.clone();
    }
    match (&facts.cuda.device_count, &facts.gpus) {
        (Fact::Known(count), _) => Fact::Known(*count),
        (_, Fact::Known(gpus)) => Fact::Known(gpus.len() as u64),
        (_, Fact::Absent) => Fact::Known(0),
        (_, Fact::Unknown(_)) if !facts.run.gpu_expected => Fact::Known(0),
        // Where neither library could say, the nodes still tell how many were given.
        (_, Fact::Unknown(gap)) => match &facts.driver.gpu_node_count {
            Fact::Known(count) => Fact::Known(*count),
            _ => Fact::Unknown(gap.clone()),
        },
    }
}

fn memory_used_share(gpu: &Gpu) -> Fact<f64> {
    both(gpu.memory_bytes.clone(), gpu.memory_free_bytes.clone(), |total, free| (total, free)).and_then(
        |(total, free)| match total {
            0 => Fact::unknown(GapKind::Malformed, "NVML gives a total memory of 0"),
            _ => Fact::Known(rounded(1.0 - free.min(total) as f64 / total as f64)),
        },
    )
}

/// Three places behind the point: more would claim a precision that no reading has.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gap;

    fn gap() -> Gap {
        Gap::new(GapKind::NotPermitted, "no")
    }

    fn derived(change: impl FnOnce(&mut Facts)) -> Facts {
        let mut facts = Facts::default();
        change(&mut facts);
        derive(&mut facts);
        facts
    }

    #[test]
    fn cores_are_the_smaller_of_quota_and_allowed_cpus() {
        let cores = |quota: Fact<f64>, allowed: Fact<u64>| {
            derived(|facts| {
                facts.limits.cpu_quota_cores = quota;
                facts.limits.cpu_allowed_count = allowed;
            })
            .limits
            .cpu_cores
        };
        assert_eq!(cores(Fact::Known(2.5), Fact::Known(8)), Fact::Known(2.5));
        assert_eq!(cores(Fact::Known(12.0), Fact::Known(8)), Fact::Known(8.0));
        assert_eq!(cores(Fact::Absent, Fact::Known(8)), Fact::Known(8.0));
        assert_eq!(cores(Fact::Known(2.5), Fact::Absent), Fact::Known(2.5));
        assert_eq!(cores(Fact::Absent, Fact::Absent), Fact::Absent);
        assert_eq!(cores(Fact::Unknown(gap()), Fact::Known(8)), Fact::Unknown(gap()));
        assert_eq!(cores(Fact::Known(1.0), Fact::Unknown(gap())), Fact::Unknown(gap()));
    }

    #[test]
    fn cpus_are_limited_where_fewer_are_usable_than_the_host_has() {
        let limited = |quota: Fact<f64>, host: Fact<u64>| {
            derived(|facts| {
                facts.limits.cpu_quota_cores = quota;
                facts.limits.cpu_allowed_count = Fact::Known(8);
                facts.host.logical_cpus = host;
            })
            .limits
            .cpu_limited
        };
        assert_eq!(limited(Fact::Known(2.0), Fact::Known(8)), Fact::Known(true));
        assert_eq!(limited(Fact::Absent, Fact::Known(8)), Fact::Known(false));
        assert_eq!(limited(Fact::Known(2.0), Fact::Absent), Fact::Absent);
        assert_eq!(limited(Fact::Known(2.0), Fact::Unknown(gap())), Fact::Unknown(gap()));
    }

    #[test]
    fn shared_memory_is_wanted_for_each_gpu_and_for_none_too() {
        let wanted = |gpus: Fact<Vec<Gpu>>, devices: Fact<u64>, expected: bool| {
            derived(|facts| {
                facts.gpus = gpus;
                facts.cuda.device_count = devices;
                facts.run.gpu_expected = expected;
            })
            .limits
            .shm_wanted_bytes
        };
        let eight = Fact::Known(vec![Gpu::default(); 8]);
        assert_eq!(wanted(eight.clone(), Fact::Absent, true), Fact::Known(8 * GIB));
        assert_eq!(wanted(eight, Fact::Known(2), true), Fact::Known(2 * GIB));
        assert_eq!(wanted(Fact::Absent, Fact::Absent, true), Fact::Known(GIB));
        assert_eq!(wanted(Fact::Unknown(gap()), Fact::Absent, true), Fact::Unknown(gap()));
        assert_eq!(wanted(Fact::Unknown(gap()), Fact::Absent, false), Fact::Known(GIB));
        assert_eq!(wanted(Fact::Absent, Fact::Known(u64::MAX), true), Fact::Known(1024 * GIB));
    }

    #[test]
    fn used_memory_is_a_share_of_the_whole() {
        let share = |total: Fact<u64>, free: Fact<u64>| {
            let gpu = Gpu { memory_bytes: total, memory_free_bytes: free, ..Gpu::default() };
            derived(|facts| facts.gpus = Fact::Known(vec![gpu])).gpus.known().expect("gpus")[0]
                .memory_used_share
                .clone()
        };
        assert_eq!(share(Fact::Known(1000), Fact::Known(250)), Fact::Known(0.75));
        assert_eq!(share(Fact::Known(1000), Fact::Known(2000)), Fact::Known(0.0));
        assert!(share(Fact::Known(0), Fact::Known(0)).is_unknown());
        assert_eq!(share(Fact::Absent, Fact::Known(1)), Fact::Absent);
        assert_eq!(share(Fact::Known(1), Fact::Unknown(gap())), Fact::Unknown(gap()));
    }

    #[test]
    fn a_code_of_cuda_has_a_meaning_and_success_has_none() {
        let meaning = |code: Fact<i64>| derived(|facts| facts.cuda.init_code = code).cuda.init_meaning;
        let Fact::Known(words) = meaning(Fact::Known(803)) else { panic!("803 is in the table") };
        assert!(words.contains("versions do not match; most often: stale"), "{words}");
        assert_eq!(meaning(Fact::Known(0)), Fact::Absent);
        assert_eq!(meaning(Fact::Known(123_456)), Fact::Absent);
        assert_eq!(meaning(Fact::Absent), Fact::Absent);
        assert_eq!(meaning(Fact::Unknown(gap())), Fact::Unknown(gap()));
    }

    #[test]
    fn deriving_from_nothing_makes_nothing_known_and_deriving_twice_changes_nothing() {
        let once = derived(|facts| facts.run.gpu_expected = true);
        assert!(once.limits.shm_wanted_bytes.is_unknown());
        assert_eq!(once.compatibility, crate::facts::Compatibility::default());
        let mut twice = once.clone();
        derive(&mut twice);
        assert_eq!(once, twice);
    }
}
