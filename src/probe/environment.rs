//! Environment variables that change how a GPU workload behaves.
//!
//! Which variables matter, and when, is in [`crate::facts::reference::env_vars`].
//! Values of secrets are looked at only for their shape, by [`secrets`]. [`pointers`] asks whether what a variable names is
//! there, [`grant`] what the variables of NVIDIA's runtime ask for, [`elsewhere`] whether this is the workload's environment at all.
//! By the same names and shapes [`redaction`] takes secrets out of text.

mod elsewhere;
mod grant;
mod pointers;
mod redaction;
mod secrets;

pub use redaction::{REDACTED, Redacted, redacted};
pub use secrets::{is_secret, is_secret_name};

use crate::facts::reference::env_vars;
use crate::facts::{Environment, Fact, Framework, GapKind, LIST_LIMIT, Setting, cut, cut_word, redacted_uuid};
use crate::world::World;

/// Reads our own environment, which is the one that the workload will inherit, or that of a process that was named.
pub fn collect(world: &World, framework: &Framework) -> Environment {
    Environment {
        settings: Fact::Known(settings(world)),
        secret_names: Fact::Known(secrets::names(world)),
        library_path: Fact::present(world.env("LD_LIBRARY_PATH")).map(|path| entries(&path, ':')),
        preloaded: preloaded(world),
        nvidia_visible_devices: Fact::present(world.env("NVIDIA_VISIBLE_DEVICES"))
            .map(|value| grant::visible_class(&value).to_owned()),
        nvidia_visible_count: Fact::present(grant::visible_devices(world)).map(|devices| devices.len() as u64),
        nvidia_visible_uuids: grant::visible_uuids(world),
        imex_channels: grant::imex_channels(world),
        requirements: grant::requirements(world),
        nvidia_driver_capabilities: Fact::present(world.env("NVIDIA_DRIVER_CAPABILITIES"))
            .and_then(|value| whole("NVIDIA_DRIVER_CAPABILITIES", &value))
            .map(|entries| entries.into_iter().filter(|entry| !entry.is_empty()).collect()),
        cuda_visible_count: Fact::present(world.env("CUDA_VISIBLE_DEVICES")).map(|value| visible_count(&value)),
        cuda_visible_devices: Fact::present(world.env("CUDA_VISIBLE_DEVICES"))
            .and_then(|value| whole("CUDA_VISIBLE_DEVICES", &value))
            .map(|entries| entries.iter().map(|entry| shortened(entry)).collect()),
        pointers: pointers::find(world, framework),
        compared: elsewhere::compare(world),
        omp_threads: Fact::present(world.env("OMP_NUM_THREADS")).and_then(|value| threads(&value)),
        python_unbuffered: Fact::Known(world.env("PYTHONUNBUFFERED").is_some_and(|value| !value.is_empty())),
    }
}

fn settings(world: &World) -> Vec<Setting> {
    let mut settings: Vec<Setting> = world
        .env_names()
        .filter_map(|name| {
            let variable = env_vars::find(&name)?;
            let value = world.env(&name)?;
            variable.is_active(&value).then(|| Setting {
                name: escaped(&name),
                value: escaped(&value),
                class: variable.class,
                effect: variable.effect.clone(),
            })
        })
        .collect();
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    settings.dedup_by(|a, b| a.name == b.name);
    settings
}

/// As much of a value as a fact keeps, with control characters escaped.
fn escaped(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    cut_word(&out)
}

fn entries(list: &str, separator: char) -> Vec<String> {
    list.split(separator).take(LIST_LIMIT).map(|entry| cut(entry.trim())).collect()
}

/// Every entry of a list with commas; a gap where there are more than a fact keeps, for what is asked about may be
/// among those that are left out.
fn whole(name: &str, list: &str) -> Fact<Vec<String>> {
    match list.split(',').count() {
        0..=LIST_LIMIT => Fact::Known(entries(list, ',')),
        count => Fact::unknown(GapKind::NotSupported, format!("{name} has {count} entries, more than are looked at")),
    }
}

/// Libraries that the loader puts into every process.
fn preloaded(world: &World) -> Fact<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        text.split(|c: char| c.is_whitespace() || c == ':')
            .filter(|entry| !entry.is_empty())
            .take(LIST_LIMIT)
            .map(cut)
            .collect()
    };
    let mut libraries = world.env("LD_PRELOAD").map(|value| split(&value)).unwrap_or_default();
    match world.read("/etc/ld.so.preload") {
        Fact::Known(text) => {
            for line in text.lines() {
                libraries.extend(split(line.split('#').next().unwrap_or_default()));
            }
            Fact::Known(libraries)
        }
        Fact::Unknown(gap) if libraries.is_empty() => Fact::Unknown(gap),
        // What the variable says stands, whatever a file that cannot be read would add.
        Fact::Absent | Fact::Unknown(_) => Fact::Known(libraries),
    }
}

/// A UUID cut to as much as the GPUs' own are.
fn shortened(entry: &str) -> String {
    if entry.starts_with("GPU-") || entry.starts_with("MIG-") { redacted_uuid(entry) } else { cut_word(entry) }
}

/// CUDA stops at the first entry that it cannot use, so `-1` in front hides all.
fn visible_count(value: &str) -> u64 {
    let is_device =
        |entry: &str| entry.parse::<u32>().is_ok() || entry.starts_with("GPU-") || entry.starts_with("MIG-");
    let count = value.split(',').take_while(|entry| is_device(entry.trim())).count();
    count.try_into().unwrap_or(u64::MAX)
}

/// A list (`4,2`) gives the number for each level of nesting; the first counts.
fn threads(value: &str) -> Fact<u64> {
    match value.split(',').next().unwrap_or_default().trim() {
        "" => Fact::Absent,
        first => first.parse().map_or_else(
            |_| Fact::unknown(GapKind::Malformed, format!("OMP_NUM_THREADS: {:?}", escaped(value))),
            Fact::Known,
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::time::Duration;

    use super::*;
    use crate::facts::{SettingClass, WORD_LIMIT};
    use crate::world::FakeRoot;

    fn collect_with(variables: &[(&str, &str)], preload: Option<&str>) -> Environment {
        let files: Vec<_> = preload.map(|text| ("etc/ld.so.preload", text)).into_iter().collect();
        collect(&FakeRoot::of(&files, variables), &Framework::default())
    }

    #[test]
    fn a_variable_with_an_effect_is_a_setting_and_one_without_is_not() {
        let found = collect_with(&[("CUDA_LAUNCH_BLOCKING", "1"), ("NCCL_P2P_DISABLE", "0"), ("PATH", "/bin")], None);
        let Fact::Known(settings) = found.settings else { panic!("settings") };
        assert_eq!(settings.len(), 1);
        assert_eq!((settings[0].name.as_str(), settings[0].class), ("CUDA_LAUNCH_BLOCKING", SettingClass::Hazard));
    }

    #[test]
    fn a_hostile_value_is_escaped_and_cut() {
        let root = tempfile::tempdir().expect("a folder");
        let mut value = b"\x1b[31m\n\xff".to_vec();
        value.resize(1 << 20, b'x');
        let environment = vec![("NCCL_ALGO".into(), OsString::from_vec(value))];
        let found = collect(&World::at(root.path(), environment, Duration::from_secs(1)), &Framework::default());
        let Fact::Known(settings) = found.settings else { panic!("settings") };
        assert!(settings[0].value.starts_with("\\u{1b}[31m\\n\u{fffd}x"), "{:?}", settings[0].value);
        assert_eq!(settings[0].value.chars().count(), WORD_LIMIT);
    }

    #[test]
    fn an_empty_environment_has_absent_and_empty_readings() {
        let found = collect_with(&[], None);
        assert_eq!(found.settings, Fact::Known(Vec::new()));
        assert_eq!(found.secret_names, Fact::Known(Vec::new()));
        assert_eq!(found.preloaded, Fact::Known(Vec::new()));
        assert!(found.library_path.is_absent() && found.nvidia_visible_devices.is_absent());
        assert!(found.cuda_visible_count.is_absent() && found.omp_threads.is_absent());
        assert_eq!(found.python_unbuffered, Fact::Known(false));
    }

    #[test]
    fn preloaded_libraries_come_from_the_variable_and_the_file() {
        let found = collect_with(&[("LD_PRELOAD", "/a.so:b.so")], Some("# none\n/c.so # why\n"));
        assert_eq!(found.preloaded, Fact::Known(["/a.so", "b.so", "/c.so"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_preload_file_that_cannot_be_read_is_a_gap() {
        let found = collect(&FakeRoot::of(&[("etc/ld.so.preload/", "")], &[]), &Framework::default());
        assert!(found.preloaded.is_unknown());
    }

    #[test]
    fn visible_devices_are_classed_and_counted_as_cuda_does() {
        for (value, class) in [("all", "all"), ("none", "none"), ("", "void"), ("void", "void"), ("0,1", "list")] {
            let found = collect_with(&[("NVIDIA_VISIBLE_DEVICES", value)], None);
            assert_eq!(found.nvidia_visible_devices, Fact::Known(class.to_owned()), "{value:?}");
        }
        for (value, count) in [("0,1", 2), ("", 0), ("-1", 0), ("0,-1,1", 1), ("GPU-1b2, MIG-3c", 2), ("NoDevFiles", 0)]
        {
            let found = collect_with(&[("CUDA_VISIBLE_DEVICES", value)], None);
            assert_eq!(found.cuda_visible_count, Fact::Known(count), "{value:?}");
        }
    }

    #[test]
    fn a_list_with_more_entries_than_are_kept_is_a_gap() {
        let many = vec!["utility"; LIST_LIMIT].join(",");
        let of = |value: &str| collect_with(&[("NVIDIA_DRIVER_CAPABILITIES", value)], None).nvidia_driver_capabilities;
        assert!(of(&many).known().is_some_and(|entries| entries.len() == LIST_LIMIT));
        assert!(of(&format!("{many},compute")).is_unknown());
    }

    #[test]
    fn thread_counts_are_numbers_or_a_gap() {
        let threads = |value| collect_with(&[("OMP_NUM_THREADS", value)], None).omp_threads;
        assert_eq!(threads("8"), Fact::Known(8));
        assert_eq!(threads("4,2"), Fact::Known(4));
        assert_eq!(threads(""), Fact::Absent);
        assert!(threads("many").is_unknown());
    }
}
