//! What the variables of NVIDIA's container runtime ask for: GPUs, IMEX channels, and conditions on driver and GPUs.
//!
//! Names and grammar are those of NVIDIA's container toolkit (`internal/config/image/cuda_image.go`,
//! `cmd/nvidia-container-runtime-hook/container_config.go`) and of libnvidia-container (`src/cli/dsl.c`).

use std::collections::BTreeSet;

use super::{shortened, whole};
use crate::facts::{Fact, GapKind, LIST_LIMIT, Requirement, cut, cut_word};
use crate::world::World;

/// Every variable with this beginning is a condition.
const REQUIREMENT: &str = "NVIDIA_REQUIRE_";
/// But this one, which Jetson's runtime alone reads.
const JETPACK: &str = "NVIDIA_REQUIRE_JETPACK";
/// Turns all conditions off.
const DISABLED: &str = "NVIDIA_DISABLE_REQUIRE";
/// What the toolkit's language takes for true.
const TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];

/// `all`, `none`, `void` or `list`.
pub fn visible_class(value: &str) -> &'static str {
    match value.trim() {
        "all" => "all",
        "none" => "none",
        "" | "void" => "void",
        _ => "list",
    }
}

/// The devices that `NVIDIA_VISIBLE_DEVICES` lists, each once: indices, MIG indices (`0:1`), UUIDs or CDI names.
/// What is no such list, as the folder that stands there when GPUs are granted by mounts, says nothing about them.
pub fn visible_devices(world: &World) -> Option<BTreeSet<String>> {
    let value = world.env("NVIDIA_VISIBLE_DEVICES")?;
    let is_number = |part: &str| part.parse::<u32>().is_ok();
    let device = |entry: &str| {
        let entry = entry.trim();
        let entry = entry.strip_prefix("nvidia.com/gpu=").unwrap_or(entry);
        let is_device = is_identifier(entry) || entry.splitn(2, ':').all(is_number);
        is_device.then(|| entry.to_owned())
    };
    let entries = value.split(',').filter(|entry| !entry.trim().is_empty());
    entries.map(device).collect::<Option<BTreeSet<_>>>().filter(|devices| !devices.is_empty())
}

/// Those of them that are UUIDs, cut as the GPUs' own are; a gap where there are more than a fact keeps.
pub fn visible_uuids(world: &World) -> Fact<Vec<String>> {
    Fact::present(visible_devices(world)).and_then(|devices| {
        let uuids: Vec<String> =
            devices.iter().filter(|entry| is_identifier(entry)).map(|entry| shortened(entry)).collect();
        match uuids.len() {
            0..=LIST_LIMIT => Fact::Known(uuids),
            count => Fact::unknown(GapKind::NotSupported, format!("{count} UUIDs, more than are looked at")),
        }
    })
}

fn is_identifier(entry: &str) -> bool {
    entry.starts_with("GPU-") || entry.starts_with("MIG-")
}

/// The channels that `NVIDIA_IMEX_CHANNELS` lists; `all` and `void` ask for none.
pub fn imex_channels(world: &World) -> Fact<Vec<String>> {
    let value = world.env("NVIDIA_IMEX_CHANNELS").filter(|value| !matches!(value.trim(), "" | "all" | "void"));
    Fact::present(value).and_then(|value| whole("NVIDIA_IMEX_CHANNELS", &value)).map(|mut channels| {
        channels.retain(|channel| !channel.is_empty());
        channels
    })
}

/// The conditions that are set: words are alternatives, and what commas join must hold together.
pub fn requirements(world: &World) -> Vec<Requirement> {
    if world.env(DISABLED).is_some_and(|value| TRUE.contains(&value.as_str())) {
        return Vec::new();
    }
    let mut names: Vec<String> =
        world.env_names().filter(|name| name.starts_with(REQUIREMENT) && !name.starts_with(JETPACK)).collect();
    names.sort();
    let alternatives = |name: &str| {
        let value = world.env(name).unwrap_or_default();
        let words: Vec<String> = value.split(' ').filter(|word| !word.is_empty()).map(cut).collect();
        match words.len() {
            0..=LIST_LIMIT => Fact::Known(words),
            count => Fact::unknown(GapKind::NotSupported, format!("{count} alternatives, more than are looked at")),
        }
    };
    let requirement = |name: &String| Requirement { name: cut_word(name), alternatives: alternatives(name) };
    names
        .iter()
        .take(LIST_LIMIT)
        .map(requirement)
        .filter(|found| found.alternatives != Fact::Known(Vec::new()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn world(variables: &[(&str, &str)]) -> World {
        let environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        World::at("/nowhere", environment, Duration::from_secs(1))
    }

    #[test]
    fn a_list_of_devices_has_each_once_and_a_folder_is_none() {
        let count =
            |value: &str| visible_devices(&world(&[("NVIDIA_VISIBLE_DEVICES", value)])).map(|found| found.len());
        for (value, expected) in
            [("0", 1), ("0, 2,0", 2), ("0:1,0:2", 2), ("nvidia.com/gpu=0,1", 2), ("GPU-1,MIG-2", 2)]
        {
            assert_eq!(count(value), Some(expected), "{value}");
        }
        for value in ["", ",", "all", "none", "/var/run/nvidia-container-devices", "0,x"] {
            assert_eq!(count(value), None, "{value}");
        }
        assert_eq!(visible_devices(&world(&[])), None);
    }

    #[test]
    fn uuids_are_cut_as_those_of_the_gpus() {
        let uuids = |value| visible_uuids(&world(&[("NVIDIA_VISIBLE_DEVICES", value)]));
        let value = "1,GPU-5a7f0c11-1111-2222-3333-444455556666";
        assert_eq!(uuids(value), Fact::Known(vec!["GPU-5a7f".to_owned()]));
        assert_eq!(uuids("0,1"), Fact::Known(Vec::new()));
        assert_eq!(uuids("all"), Fact::Absent);
        let many: Vec<String> = (0..=LIST_LIMIT).map(|number| format!("GPU-{number}")).collect();
        assert!(uuids(&many.join(",")).is_unknown());
    }

    #[test]
    fn channels_are_a_list_or_none() {
        let channels = |value| imex_channels(&world(&[("NVIDIA_IMEX_CHANNELS", value)]));
        assert_eq!(channels("0, 5,"), Fact::Known(vec!["0".to_owned(), "5".to_owned()]));
        assert_eq!((channels("all"), channels("void"), channels("")), (Fact::Absent, Fact::Absent, Fact::Absent));
        assert_eq!(imex_channels(&world(&[])), Fact::Absent);
    }

    #[test]
    fn every_condition_counts_but_those_of_jetson_and_those_turned_off() {
        let set = [
            ("NVIDIA_REQUIRE_CUDA", "cuda>=12.9 brand=tesla,driver>=535,driver<536"),
            ("NVIDIA_REQUIRE_FOO", "driver>=500"),
            ("NVIDIA_REQUIRE_EMPTY", " "),
            ("NVIDIA_REQUIRE_JETPACK_HOST", "jetpack>=5"),
        ];
        let found = requirements(&world(&set));
        let told: Vec<(&str, usize)> =
            found.iter().map(|one| (one.name.as_str(), one.alternatives.known().map_or(0, Vec::len))).collect();
        assert_eq!(told, [("NVIDIA_REQUIRE_CUDA", 2), ("NVIDIA_REQUIRE_FOO", 1)]);
        for (value, count) in [("true", 0), ("1", 0), ("yes", 1), ("false", 1)] {
            let set = [("NVIDIA_REQUIRE_CUDA", "cuda>=12"), ("NVIDIA_DISABLE_REQUIRE", value)];
            assert_eq!(requirements(&world(&set)).len(), count, "{value}");
        }
        let many = "cuda>=12 ".repeat(LIST_LIMIT + 1);
        assert!(requirements(&world(&[("NVIDIA_REQUIRE_CUDA", &many)]))[0].alternatives.is_unknown());
    }
}
