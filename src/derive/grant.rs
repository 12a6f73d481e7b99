//! What the variables of NVIDIA's runtime ask for, held against what is here.
//!
//! The runtime compares them itself before it starts a container. Where GPUs are granted in another way, by CDI or by a
//! device plugin's mounts, nobody does.

use super::stack::driver_cuda;
use super::visible::{any_mig, imex_channel_count};
use crate::facts::version::Version;
use crate::facts::{Fact, Facts, Gap, GapKind, Requirement};

/// What lies between the name and the version of a condition; the longer ones first.
const COMPARISONS: [&str; 6] = ["!=", "<=", ">=", "=", "<", ">"];

/// Fills what is derived from those variables; driver and runtime have been joined.
pub fn derive(facts: &mut Facts) {
    facts.compatibility.absent_granted_count = absent_granted_count(facts);
    facts.compatibility.missing_imex_channel = missing_imex_channel(facts);
    facts.compatibility.unmet_requirement = unmet_requirement(facts);
}

/// GPUs that `NVIDIA_VISIBLE_DEVICES` names and NVML does not show. An index is that of the node, so of indices only the
/// number can be compared.
fn absent_granted_count(facts: &Facts) -> Fact<u64> {
    let environment = &facts.environment;
    let uuids = match &environment.nvidia_visible_uuids {
        Fact::Known(uuids) => uuids,
        Fact::Absent => return Fact::Absent,
        // Recordings of 0.1.0 have the number alone.
        Fact::Unknown(_) if uuids_alone_are_missing(facts) => return Fact::Absent,
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    };
    // An instance is none of the GPUs that NVML counts.
    if any_mig(facts) || uuids.iter().any(|uuid| uuid.starts_with("MIG-")) {
        return Fact::Absent;
    }
    let short = environment
        .nvidia_visible_count
        .as_ref()
        .and_then(|asked| facts.nvml.gpu_count.as_ref().map(|seen| asked.saturating_sub(*seen)));
    if uuids.is_empty() {
        return short;
    }
    let here = facts.gpus.as_ref().and_then(|gpus| {
        let known: Vec<&String> = gpus.iter().filter_map(|gpu| gpu.uuid.known()).collect();
        if known.len() < gpus.len() {
            return Fact::unknown(GapKind::NotSupported, "NVML does not give the UUID of every GPU");
        }
        Fact::Known(known)
    });
    let is_here = |uuid: &String, here: &[&String]| {
        here.iter().any(|known| known.starts_with(uuid.as_str()) || uuid.starts_with(known.as_str()))
    };
    here.and_then(|here| {
        let missing = uuids.iter().filter(|uuid| !is_here(uuid, &here)).count() as u64;
        short.map(|short| short.max(missing))
    })
}

fn uuids_alone_are_missing(facts: &Facts) -> bool {
    let environment = &facts.environment;
    environment.nvidia_visible_uuids.is_not_asked() && !environment.nvidia_visible_count.is_not_asked()
}

/// The first channel that is asked for and has no node, where the GPUs are of a rack that has channels.
fn missing_imex_channel(facts: &Facts) -> Fact<String> {
    imex_channel_count(facts).and_then(|_| {
        facts.environment.imex_channels.as_ref().and_then(|asked| {
            facts.driver.nodes.as_ref().and_then(|nodes| {
                let is_here = |channel: &&String| {
                    let path = format!("/dev/nvidia-caps-imex-channels/channel{channel}");
                    nodes.iter().any(|node| node.path == path)
                };
                Fact::present(asked.iter().find(|channel| !is_here(channel)).cloned())
            })
        })
    })
}

/// The first condition that driver and GPUs do not meet, as `NVIDIA_REQUIRE_CUDA=cuda>=13.0`.
fn unmet_requirement(facts: &Facts) -> Fact<String> {
    let environment = &facts.environment;
    let mut answer = match &environment.settings {
        Fact::Unknown(gap) if environment.requirements.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Absent,
    };
    for requirement in &environment.requirements {
        match unmet(requirement, facts) {
            Fact::Absent => {}
            Fact::Known(told) => return Fact::Known(told),
            unknown @ Fact::Unknown(_) => answer = unknown,
        }
    }
    answer
}

/// One alternative is enough. What is told is the first, which in NVIDIA's images is the one on CUDA.
fn unmet(requirement: &Requirement, facts: &Facts) -> Fact<String> {
    let alternatives = match &requirement.alternatives {
        Fact::Known(alternatives) => alternatives,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    };
    let mut open = None;
    for alternative in alternatives {
        match all_hold(alternative, facts) {
            Ok(true) => return Fact::Absent,
            Ok(false) => {}
            Err(gap) => open = Some(gap),
        }
    }
    match (open, alternatives.first()) {
        (Some(gap), _) => Fact::Unknown(gap),
        (None, first) => Fact::present(first.map(|first| format!("{}={first}", requirement.name))),
    }
}

/// Whether all conditions that commas join hold; a gap where none is known to fail and one is not known.
fn all_hold(alternative: &str, facts: &Facts) -> Result<bool, Gap> {
    let mut answer = Ok(true);
    for condition in alternative.split(',').filter(|condition| !condition.is_empty()) {
        match holds(condition, facts) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(gap) => answer = Err(gap),
        }
    }
    answer
}

fn holds(condition: &str, facts: &Facts) -> Result<bool, Gap> {
    let malformed = || Gap::new(GapKind::Malformed, format!("`{condition}` is no condition"));
    let at = condition.find(['<', '>', '=', '!']).ok_or_else(malformed)?;
    let (name, rest) = condition.split_at(at);
    let comparison = COMPARISONS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(malformed)?;
    let wanted = rest.strip_prefix(*comparison).and_then(Version::parse);
    let here: Vec<Fact<String>> = match name.to_ascii_lowercase().as_str() {
        "cuda" => vec![driver_cuda(facts)],
        "driver" => vec![facts.compatibility.driver_version.clone()],
        "arch" => match &facts.gpus {
            Fact::Known(gpus) => gpus.iter().map(|gpu| gpu.compute_capability.clone()).collect(),
            Fact::Absent => Vec::new(),
            Fact::Unknown(gap) => return Err(gap.clone()),
        },
        // NVML knows it and is not asked.
        other => {
            return Err(Gap::new(GapKind::NotAsked, format!("it depends on the GPU's {other}, which is not asked")));
        }
    };
    let wanted = wanted.ok_or_else(malformed)?;
    // The runtime takes what it does not know for met; each GPU must meet what it does.
    for reading in here {
        let version = match reading {
            Fact::Known(text) => Version::parse(&text).ok_or_else(malformed)?,
            Fact::Absent => continue,
            Fact::Unknown(gap) => return Err(gap),
        };
        let is_met = match *comparison {
            "=" => version == wanted,
            "!=" => version != wanted,
            "<" => version < wanted,
            "<=" => version <= wanted,
            ">" => version > wanted,
            _ => version >= wanted,
        };
        if !is_met {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{DeviceNode, Gpu};

    fn known(words: &[&str]) -> Fact<Vec<String>> {
        Fact::Known(words.iter().map(|&word| word.to_owned()).collect())
    }

    fn on(name: &str) -> Facts {
        let mut facts = Facts::default();
        let gpu = |uuid: &str| Gpu {
            name: Fact::Known(name.to_owned()),
            uuid: Fact::Known(uuid.to_owned()),
            compute_capability: Fact::Known("9.0".to_owned()),
            ..Gpu::default()
        };
        facts.gpus = Fact::Known(vec![gpu("GPU-00aa"), gpu("GPU-00bb")]);
        facts.nvml.gpu_count = Fact::Known(2);
        facts.environment.settings = Fact::Known(Vec::new());
        facts.compatibility.driver_version = Fact::Known("535.183.06".to_owned());
        facts.cuda.version = Fact::Known("12.2".to_owned());
        facts
    }

    #[test]
    fn gpus_that_were_asked_for_and_are_not_here_are_counted() {
        let absent = |uuids: &[&str], count: u64| {
            let mut facts = on("NVIDIA H100");
            facts.environment.nvidia_visible_uuids = known(uuids);
            facts.environment.nvidia_visible_count = Fact::Known(count);
            absent_granted_count(&facts)
        };
        assert_eq!(absent(&[], 2), Fact::Known(0));
        assert_eq!(absent(&[], 1), Fact::Known(0), "one index, whatever its number on the node");
        assert_eq!(absent(&[], 4), Fact::Known(2));
        assert_eq!(absent(&["GPU-00aa", "GPU-00"], 2), Fact::Known(0));
        assert_eq!(absent(&["GPU-00aa", "GPU-ffff"], 2), Fact::Known(1));
        assert_eq!(absent(&["MIG-00aa"], 3), Fact::Absent);
        let mut facts = on("NVIDIA H100");
        facts.environment.nvidia_visible_uuids = Fact::Absent;
        assert_eq!(absent_granted_count(&facts), Fact::Absent, "no list");
        facts.environment.nvidia_visible_uuids = Fact::default();
        facts.environment.nvidia_visible_count = Fact::Known(4);
        assert_eq!(absent_granted_count(&facts), Fact::Absent, "0.1.0 did not ask");
        facts.environment.nvidia_visible_uuids = known(&["GPU-00aa"]);
        facts.environment.nvidia_visible_count = Fact::Known(1);
        facts.gpus = Fact::unknown(GapKind::TimedOut, "NVML");
        assert!(absent_granted_count(&facts).is_unknown());
    }

    #[test]
    fn a_channel_is_missed_on_a_rack_alone() {
        let missing = |name: &str, asked: Fact<Vec<String>>| {
            let mut facts = on(name);
            let node = |path: &str| DeviceNode { path: path.to_owned(), ..DeviceNode::default() };
            facts.driver.nodes = Fact::Known(vec![node("/dev/nvidia-caps-imex-channels/channel0")]);
            facts.environment.imex_channels = asked;
            missing_imex_channel(&facts)
        };
        assert_eq!(missing("NVIDIA GB200", known(&["0"])), Fact::Absent);
        assert_eq!(missing("NVIDIA GB200", known(&["0", "5"])), Fact::Known("5".to_owned()));
        assert_eq!(missing("NVIDIA GB200", Fact::Absent), Fact::Absent);
        assert_eq!(missing("NVIDIA H100", known(&["5"])), Fact::Absent);
    }

    /// What is told of a condition on R535, whose CUDA is 12.2, and capability 9.0.
    fn unmet_of(value: &str) -> Fact<String> {
        let mut facts = on("NVIDIA H100");
        let alternatives = Fact::Known(value.split(' ').map(str::to_owned).collect());
        facts.environment.requirements = vec![Requirement { name: "NVIDIA_REQUIRE_CUDA".to_owned(), alternatives }];
        unmet_requirement(&facts)
    }

    #[test]
    fn words_are_alternatives_and_commas_join() {
        for met in [
            "cuda>=12.2",
            "cuda>=12.9 driver>=535,driver<536",
            "CUDA=12.2",
            "cuda!=13",
            "cuda<=12.2",
            "cuda>=11",
            "arch>=8.0,cuda>11.8",
            "brand=tesla cuda>=12.0",
        ] {
            assert_eq!(unmet_of(met), Fact::Absent, "{met}");
        }
        for unmet in ["cuda>=12.9", "cuda>=12.9 driver>=550,driver<551", "arch<9.0", "cuda>=12.9,brand=tesla"] {
            let told = format!("NVIDIA_REQUIRE_CUDA={}", unmet.split(' ').next().unwrap_or_default());
            assert_eq!(unmet_of(unmet), Fact::Known(told), "{unmet}");
        }
    }

    #[test]
    fn what_depends_on_a_brand_or_on_nobody_knows_what_is_open() {
        for open in ["cuda>=12.9 brand=tesla,driver>=535,driver<536", "cuda", "cuda=>12", "cuda>=x"] {
            assert!(unmet_of(open).is_unknown(), "{open}: {:?}", unmet_of(open));
        }
    }

    #[test]
    fn without_conditions_or_without_a_driver_nothing_is_unmet() {
        assert_eq!(unmet_requirement(&on("NVIDIA H100")), Fact::Absent);
        let mut facts = Facts::default();
        let alternatives = known(&["cuda>=12.9"]);
        facts.environment.requirements = vec![Requirement { name: "NVIDIA_REQUIRE_CUDA".to_owned(), alternatives }];
        assert!(unmet_requirement(&facts).is_unknown());
    }
}
