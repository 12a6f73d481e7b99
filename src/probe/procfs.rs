//! Small readers of `/proc` that several probes share.
//!
//! They turn text into plain values and keep what could not be read as a gap.
//! [`mounts`] knows the mount table, [`namespaces`] the namespaces. What a value
//! means is for the probes.

pub mod mounts;
pub mod namespaces;

use crate::facts::{Fact, Gap, GapKind, cut_word};
use crate::world::World;

/// Bytes of a command line that are read.
const COMMAND_LINE_BYTES_MAX: u64 = 64 << 10;

/// Says of a file that every kernel with `/proc` and `/sys` has that its absence is no reading but a gap.
pub fn required<T>(fact: Fact<T>, path: &str) -> Fact<T> {
    match fact {
        Fact::Absent => Fact::unknown(GapKind::NotSupported, format!("{path} is not there")),
        other => other,
    }
}

/// The gap of a file that came and made no sense, with the beginning of what came.
pub fn nonsense(path: &str, text: &str) -> Gap {
    Gap::new(GapKind::Malformed, format!("{path}: {:?}", cut_word(text)))
}

/// The same as a reading.
pub fn malformed<T>(path: &str, text: &str) -> Fact<T> {
    Fact::Unknown(nonsense(path, text))
}

/// The fields of `/proc/PID/stat` behind the program's name, beginning with the state, which is the third of them all.
/// The name stands in brackets and may hold anything, brackets too, so they count from the last.
pub fn after_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace())
}

/// The command line of `process`, a number or `self`, as its words.
pub fn command_line(world: &World, process: impl std::fmt::Display) -> Fact<Vec<String>> {
    world.read_bytes(format!("/proc/{process}/cmdline"), COMMAND_LINE_BYTES_MAX).map(|bytes| split(&bytes))
}

/// Words as the kernel keeps them, each ended by a zero byte.
fn split(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// A path as `process` means it: a relative one begins at its working folder.
pub fn seen_from(world: &World, process: &str, path: &str) -> Fact<String> {
    let folder = match process {
        "self" => world.working_folder(),
        other => world.link(format!("/proc/{other}/cwd")),
    };
    folder.map(|folder| folder.join(path).to_string_lossy().into_owned())
}

/// `/proc/PID/status`, read once.
#[derive(Debug)]
pub struct Status {
    path: String,
    text: Fact<String>,
}

impl Status {
    /// The status of `process`: a number, or `self`.
    pub fn read(world: &World, process: &str) -> Self {
        let path = format!("/proc/{process}/status");
        let text = required(world.read(&path), &path);
        Self { path, text }
    }

    /// The words behind `name:`. A kernel that does not print the line does not support the feature.
    pub fn field(&self, name: &str) -> Fact<&str> {
        self.text.as_ref().and_then(|text| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            match value {
                Some(value) => Fact::Known(value.trim()),
                None => Fact::unknown(GapKind::NotSupported, format!("{}: no line {name}", self.path)),
            }
        })
    }

    /// The word at `index` behind `name:`, as a decimal number.
    pub fn number<T: std::str::FromStr>(&self, name: &str, index: usize) -> Fact<T> {
        self.field(name).and_then(|value| match value.split_whitespace().nth(index).map(str::parse) {
            Some(Ok(number)) => Fact::Known(number),
            _ => malformed(&self.path, &format!("{name}: {value}")),
        })
    }

    /// The value behind `name:` as a hexadecimal mask.
    pub fn mask(&self, name: &str) -> Fact<u64> {
        self.field(name).and_then(|value| match u64::from_str_radix(value, 16) {
            Ok(mask) => Fact::Known(mask),
            Err(_) => malformed(&self.path, &format!("{name}: {value}")),
        })
    }
}

/// When process 1 started, in seconds since 1970-01-01 UTC.
pub fn first_started(world: &World) -> Fact<i64> {
    let (one, own) = (world.link("/proc/1/ns/mnt"), world.link("/proc/self/ns/mnt"));
    if let (Fact::Known(one), Fact::Known(own)) = (one, own)
        && one != own
    {
        return Fact::unknown(GapKind::NotSupported, "process 1 belongs to another container, so its age says nothing");
    }
    let ticks = world.read("/proc/1/stat").and_then(|text| {
        // Field 22, the twentieth after the name.
        let start = after_name(&text).and_then(|mut fields| fields.nth(19)?.parse().ok());
        found::<u64>(start, "/proc/1/stat")
    });
    let boot = world.read("/proc/stat").and_then(|text| {
        let boot = text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
        found::<i64>(boot, "/proc/stat")
    });
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let started = ticks.and_then(|ticks| boot.map(|boot| boot.saturating_add_unsigned(ticks / per_second)));
    match started {
        Fact::Absent => Fact::unknown(GapKind::NotSupported, "/proc/1/stat or /proc/stat is not there"),
        other => other,
    }
}

fn found<T>(value: Option<T>, path: &str) -> Fact<T> {
    value.map_or_else(|| Fact::unknown(GapKind::Malformed, format!("{path}: no start time")), Fact::Known)
}

/// The processes visible in `/proc`.
pub fn process_ids(world: &World) -> Fact<Vec<u32>> {
    let names = required(world.list("/proc"), "/proc");
    names.and_then(|names| {
        let ids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
        // We are a process ourselves, so an empty list means that no proc file system is mounted there.
        if ids.is_empty() { Fact::unknown(GapKind::NotSupported, "/proc lists no process") } else { Fact::Known(ids) }
    })
}

/// `MemTotal` of `/proc/meminfo` in bytes.
pub fn memory_total_bytes(world: &World) -> Fact<u64> {
    let path = "/proc/meminfo";
    required(world.read(path), path).and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
        match line.trim().trim_end_matches("kB").trim().parse::<u64>() {
            Ok(kib) => Fact::Known(kib.saturating_mul(1024)),
            Err(_) => malformed(path, &text),
        }
    })
}

/// How many numbers a kernel list such as `0-3,8` names.
pub fn count_list(text: &str) -> Option<u64> {
    let mut count = 0_u64;
    for range in text.trim().split(',').filter(|range| !range.is_empty()) {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let (low, high): (u64, u64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        count = count.saturating_add(high.checked_sub(low)?.saturating_add(1));
    }
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn a_status_gives_words_numbers_and_masks() {
        let text = "Name:\tsh\nUid:\t0\t1001\t0\t0\nCapEff:\t00000000a80425fb\nGroups:\t \n";
        let world = FakeRoot::of(&[("/proc/self/status", text)], &[]);
        let status = Status::read(&world, "self");
        assert_eq!(status.number("Uid", 1), Fact::Known(1001_u32));
        assert_eq!(status.mask("CapEff"), Fact::Known(0xa804_25fb));
        assert_eq!(status.field("Groups"), Fact::Known(""));
        assert!(status.field("Seccomp").is_unknown());
    }

    #[test]
    fn garbage_and_nothing_are_gaps() {
        let world = FakeRoot::of(&[("/proc/self/status", "Uid:\tme\nCapEff:\txyz\n"), ("/proc/7/status/", "")], &[]);
        let status = Status::read(&world, "self");
        assert!(status.number::<u32>("Uid", 1).is_unknown());
        assert!(status.mask("CapEff").is_unknown());
        assert!(Status::read(&world, "7").field("Uid").is_unknown(), "a folder is no status");
        assert!(Status::read(&world, "8").field("Uid").is_unknown(), "no file is no absent uid");
    }

    #[test]
    fn command_lines_are_split_at_zero_bytes() {
        assert_eq!(split(b"a\0--token=\0\0"), ["a", "--token=", ""]);
        assert_eq!(split(b""), [""]);
    }

    #[test]
    fn an_empty_proc_is_a_gap_and_no_empty_machine() {
        assert!(process_ids(&FakeRoot::new()).is_unknown());
        assert!(process_ids(&FakeRoot::of(&[("/proc/", "")], &[])).is_unknown());
        let world = FakeRoot::of(&[("/proc/1/", ""), ("/proc/23/", ""), ("/proc/sys/", "")], &[]);
        assert_eq!(process_ids(&world), Fact::Known(vec![1, 23]));
    }

    #[test]
    fn lists_of_processors_are_counted() {
        assert_eq!(count_list("0-3,8\n"), Some(5));
        assert_eq!(count_list("0"), Some(1));
        for nonsense in ["", "3-1", "a", "0-"] {
            assert_eq!(count_list(nonsense), None, "{nonsense}");
        }
        assert_eq!(count_list("0-18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn the_memory_of_the_machine_is_in_bytes() {
        let world = FakeRoot::of(&[("/proc/meminfo", "MemTotal:       2048 kB\nMemFree: 1 kB\n")], &[]);
        assert_eq!(memory_total_bytes(&world), Fact::Known(2 << 20));
        let world = FakeRoot::of(&[("/proc/meminfo", "")], &[]);
        assert!(memory_total_bytes(&world).is_unknown());
    }
}
