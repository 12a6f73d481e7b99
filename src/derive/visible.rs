//! Which GPUs are seen by whom: what was granted, what NVML lists, what CUDA shows, and how they are linked.

use super::both;
use crate::facts::{FabricState, Fact, Facts, GapKind};

/// `CUDA_ERROR_NO_DEVICE`
const NO_DEVICE: i64 = 100;

/// Whether MIG is known to be on somewhere.
pub fn any_mig(facts: &Facts) -> bool {
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    gpus.iter().any(|gpu| gpu.mig_enabled == Fact::Known(true))
}

/// A MIG board counts once for NVML and by its slices for CUDA, so there the two cannot be compared.
pub fn hidden_gpu_count(facts: &Facts) -> Fact<u64> {
    if any_mig(facts) {
        return Fact::Absent;
    }
    both(facts.nvml.gpu_count.clone(), facts.cuda.device_count.clone(), |all, seen| (all, seen)).and_then(
        |(all, seen)| match &facts.environment.cuda_visible_count {
            Fact::Known(asked) => Fact::Known(all.min(*asked).saturating_sub(seen)),
            Fact::Absent => Fact::Known(all.saturating_sub(seen)),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
    )
}

/// Only where CUDA shows less than was asked for: an entry that we do not understand does no harm by itself.
pub fn missing_visible_device(facts: &Facts) -> Fact<String> {
    if any_mig(facts) {
        return Fact::Absent;
    }
    let environment = &facts.environment;
    let asked =
        both(environment.cuda_visible_devices.as_ref(), environment.cuda_visible_count.clone(), |all, count| {
            (all, count)
        });
    asked.and_then(|(entries, count)| {
        let seen = match facts.cuda.init_code {
            Fact::Known(NO_DEVICE) => Fact::Known(0),
            _ => facts.cuda.device_count.clone(),
        };
        seen.and_then(|seen| {
            if seen >= count {
                return Fact::Absent;
            }
            let missing =
                entries.iter().map(|entry| both(is_here(entry, facts), Fact::Known(entry), |here, e| (here, e)));
            for found in missing {
                match found {
                    Fact::Known((true, _)) => {}
                    Fact::Known((false, entry)) => return Fact::Known(entry.clone()),
                    Fact::Absent => return Fact::Absent,
                    Fact::Unknown(gap) => return Fact::Unknown(gap),
                }
            }
            Fact::Absent
        })
    })
}

/// Whether an index or the beginning of a UUID names a GPU of NVML's; absent for what is neither.
fn is_here(entry: &str, facts: &Facts) -> Fact<bool> {
    if let Ok(index) = entry.parse::<u64>() {
        return facts.nvml.gpu_count.as_ref().map(|count| index < *count);
    }
    if entry.starts_with("MIG-") {
        // Asked only where no GPU is known to have MIG on, so an instance is nowhere.
        return facts.gpus.as_ref().and_then(|gpus| match gpus.iter().find(|gpu| gpu.mig_enabled.is_unknown()) {
            Some(gpu) => gpu.mig_enabled.clone(),
            None => Fact::Known(false),
        });
    }
    if !entry.starts_with("GPU-") {
        return Fact::Absent;
    }
    facts.gpus.as_ref().and_then(|gpus| {
        let known: Vec<&String> = gpus.iter().filter_map(|gpu| gpu.uuid.known()).collect();
        let named = known.iter().any(|uuid| uuid.starts_with(entry) || entry.starts_with(uuid.as_str()));
        match (named, known.len() == gpus.len()) {
            (false, false) => Fact::unknown(GapKind::NotSupported, "NVML does not give the UUID of every GPU"),
            (named, _) => Fact::Known(named),
        }
    })
}

/// CUDA enumerates one MIG instance and no more, whatever was granted.
pub fn unused_mig_count(facts: &Facts) -> Fact<u64> {
    match &facts.environment.cuda_visible_count {
        Fact::Known(_) => return Fact::Absent,
        Fact::Absent => {}
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    }
    facts.gpus.as_ref().and_then(|gpus| {
        let count: u64 = gpus.iter().filter_map(|gpu| gpu.mig_device_count.known()).sum();
        if count == 0 {
            return Fact::Absent;
        }
        let seen = facts.cuda.device_count.clone();
        seen.and_then(|seen| if seen == 1 { Fact::Known(count - 1) } else { Fact::Absent })
    })
}

/// Boards of a rack that is one NVLink domain; memory is shared across its nodes through IMEX.
const RACKS: [&str; 2] = ["GB200", "GB300"];

/// The channels that were granted, where the GPUs are of such a rack.
pub fn imex_channel_count(facts: &Facts) -> Fact<u64> {
    let is_of_rack = |name: &String| RACKS.iter().any(|rack| name.contains(rack));
    let is_channel = |path: &str| path.starts_with("/dev/nvidia-caps-imex-channels/channel");
    facts.gpus.as_ref().and_then(|gpus| {
        if !gpus.iter().filter_map(|gpu| gpu.name.known()).any(is_of_rack) {
            return Fact::Absent;
        }
        let nodes = facts.driver.nodes.as_ref();
        nodes.map(|nodes| nodes.iter().filter(|node| is_channel(&node.path)).count() as u64)
    })
}

/// What is there beyond the list that was asked for.
pub fn ungranted_gpu_count(facts: &Facts) -> Fact<u64> {
    both(facts.environment.nvidia_visible_count.clone(), facts.nvml.gpu_count.clone(), |asked, seen| {
        seen.saturating_sub(asked)
    })
}

/// The state of the GPU that is furthest behind.
pub fn fabric_state(facts: &Facts) -> Fact<FabricState> {
    facts.gpus.as_ref().and_then(|gpus| {
        let states = || gpus.iter().map(|gpu| &gpu.fabric_state);
        let unknown = states().find(|state| state.is_unknown());
        match (states().filter_map(Fact::known).min(), unknown) {
            (Some(state), _) => Fact::Known(*state),
            (None, Some(gap)) => gap.clone(),
            (None, None) => Fact::Absent,
        }
    })
}

/// Sets the links that are up on each GPU against the most that a GPU of its name has.
pub fn compare_links(facts: &mut Facts) {
    let Fact::Known(gpus) = &mut facts.gpus else { return };
    let up: Vec<_> = gpus.iter().map(|gpu| (gpu.name.clone(), gpu.nvlink_active_count.clone())).collect();
    for gpu in gpus {
        let of_model = up.iter().filter(|(name, _)| *name == gpu.name).filter_map(|(_, up)| up.known());
        let most = of_model.max().copied().unwrap_or_default();
        gpu.nvlink_missing_count = gpu.nvlink_active_count.clone().map(|up| most.saturating_sub(up));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gpu;

    /// Two GPUs, and a program that asks for these.
    fn asking(entries: &[&str], seen: Fact<u64>) -> Facts {
        let mut facts = Facts::default();
        let gpu =
            |uuid: &str| Gpu { uuid: Fact::Known(uuid.to_owned()), mig_enabled: Fact::Known(false), ..Gpu::default() };
        facts.gpus = Fact::Known(vec![gpu("GPU-00aa"), gpu("GPU-00bb")]);
        facts.nvml.gpu_count = Fact::Known(2);
        facts.environment.cuda_visible_devices = Fact::Known(entries.iter().map(|&entry| entry.to_owned()).collect());
        facts.environment.cuda_visible_count = Fact::Known(entries.len() as u64);
        facts.cuda.device_count = seen;
        facts
    }

    #[test]
    fn the_first_entry_that_names_nothing_is_told() {
        let missing = |entries: &[&str], seen| missing_visible_device(&asking(entries, Fact::Known(seen)));
        assert_eq!(missing(&["0", "3", "1"], 1), Fact::Known("3".to_owned()));
        assert_eq!(missing(&["GPU-00bb", "GPU-ffff"], 1), Fact::Known("GPU-ffff".to_owned()));
        assert_eq!(missing(&["GPU-00", "1"], 2), Fact::Absent, "CUDA shows them all");
        assert_eq!(missing(&["0", "1"], 1), Fact::Absent, "each is there, so something else is wrong");
        assert_eq!(missing(&["0", "MIG-0000"], 1), Fact::Known("MIG-0000".to_owned()), "no GPU has MIG on");
        let mut none = asking(&["7"], Fact::unknown(GapKind::NotAsked, "100"));
        none.cuda.init_code = Fact::Known(100);
        assert_eq!(missing_visible_device(&none), Fact::Known("7".to_owned()));
    }

    #[test]
    fn mig_and_what_is_not_known_accuse_nothing() {
        let mut facts = asking(&["7"], Fact::Known(0));
        facts.nvml.gpu_count = Fact::unknown(GapKind::TimedOut, "NVML");
        assert!(missing_visible_device(&facts).is_unknown());
        let mut facts = asking(&["7"], Fact::Known(0));
        facts.gpus = Fact::Known(vec![Gpu { mig_enabled: Fact::Known(true), ..Gpu::default() }]);
        assert_eq!(missing_visible_device(&facts), Fact::Absent);
        facts.environment.cuda_visible_devices = Fact::Absent;
        assert_eq!(missing_visible_device(&facts), Fact::Absent);
    }

    #[test]
    fn gpus_beyond_the_grant_are_counted() {
        let mut facts = asking(&[], Fact::Known(2));
        facts.environment.nvidia_visible_count = Fact::Known(1);
        assert_eq!(ungranted_gpu_count(&facts), Fact::Known(1));
        facts.environment.nvidia_visible_count = Fact::Known(4);
        assert_eq!(ungranted_gpu_count(&facts), Fact::Known(0));
        facts.environment.nvidia_visible_count = Fact::Absent;
        assert_eq!(ungranted_gpu_count(&facts), Fact::Absent);
    }

    #[test]
    fn links_are_compared_within_one_model() {
        let gpu =
            |name: &str, up| Gpu { name: Fact::Known(name.to_owned()), nvlink_active_count: up, ..Gpu::default() };
        let gpus = vec![
            gpu("A", Fact::Known(18)),
            gpu("A", Fact::Known(16)),
            gpu("B", Fact::Known(4)),
            gpu("C", Fact::Absent),
        ];
        let mut facts = Facts { gpus: Fact::Known(gpus), ..Facts::default() };
        compare_links(&mut facts);
        let missing: Vec<_> =
            facts.gpus.known().expect("gpus").iter().map(|gpu| gpu.nvlink_missing_count.clone()).collect();
        assert_eq!(missing, [Fact::Known(0), Fact::Known(2), Fact::Known(0), Fact::Absent]);
    }

    #[test]
    fn of_several_mig_instances_cuda_uses_one() {
        let mut facts = Facts::default();
        let gpu = Gpu { mig_device_count: Fact::Known(2), name: Fact::Known("H200".into()), ..Gpu::default() };
        facts.gpus = Fact::Known(vec![gpu]);
        facts.cuda.device_count = Fact::Known(1);
        facts.environment.cuda_visible_count = Fact::Absent;
        assert_eq!(unused_mig_count(&facts), Fact::Known(1));
        facts.environment.cuda_visible_count = Fact::Known(1);
        assert_eq!(unused_mig_count(&facts), Fact::Absent);
    }

    #[test]
    fn channels_are_counted_where_gpus_are_of_a_rack() {
        let node = |path: &str| crate::facts::DeviceNode { path: path.to_owned(), ..Default::default() };
        let count = |name: &str| {
            let gpu = Gpu { name: Fact::Known(name.to_owned()), ..Gpu::default() };
            let mut facts = Facts { gpus: Fact::Known(vec![gpu]), ..Facts::default() };
            let paths = ["/dev/nvidia0", "/dev/nvidia-caps-imex-channels/channel0"];
            facts.driver.nodes = Fact::Known(paths.map(node).to_vec());
            imex_channel_count(&facts)
        };
        assert_eq!(count("NVIDIA GB200"), Fact::Known(1));
        assert_eq!(count("NVIDIA H200"), Fact::Absent);
    }

    #[test]
    fn the_fabric_is_as_far_as_its_last_gpu() {
        let with = |states: &[Fact<FabricState>]| {
            let gpu = |state: &Fact<FabricState>| Gpu { fabric_state: state.clone(), ..Gpu::default() };
            fabric_state(&Facts { gpus: Fact::Known(states.iter().map(gpu).collect()), ..Facts::default() })
        };
        let (done, begun) = (Fact::Known(FabricState::Completed), Fact::Known(FabricState::InProgress));
        assert_eq!(with(&[done.clone(), begun.clone()]), begun);
        assert_eq!(with(&[Fact::Absent, done.clone()]), done);
        assert_eq!(with(&[Fact::Absent]), Fact::Absent);
        assert!(with(&[Fact::unknown(GapKind::NoSymbol, "old")]).is_unknown());
    }
}
