//! How a log is written: whether its lines are records, say how grave they are, and when.
//!
//! Only the end of it is read. Of what it says a look keeps counts alone; the lines themselves go nowhere but into a bundle.

use serde_json::Value;

use crate::facts::{Fact, GapKind, Workload, cut};
use crate::probe::procfs::seen_from;
use crate::world::World;

/// Bytes from the end that are read.
const TAIL: u64 = 128 << 10;
/// Lines that are looked at, the last ones.
const LINES: usize = 2_000;
/// Where process 1 writes what it prints.
const STANDARD: &str = "/proc/1/fd/1";

/// Keys of a record that say how grave it is, and when.
const LEVEL_KEYS: [&str; 6] = ["level", "severity", "levelname", "log_level", "lvl", "loglevel"];
const TIME_KEYS: [&str; 8] = ["time", "timestamp", "@timestamp", "ts", "asctime", "datetime", "date", "t"];
/// Words of a line that say how grave it is.
const LEVELS: [&str; 9] = ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"];

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// The log, as whoever looks reaches it.
    pub path: String,
    /// Its last lines.
    pub text: String,
}

/// The last lines of the log that is named, else of what process 1 prints to.
pub fn end(world: &World, given: Option<&str>) -> Fact<LogEnd> {
    place(world, given).and_then(|path| {
        let text = tail(world, &path).map(|text| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(LINES)..].iter().flat_map(|line| [*line, "\n"]).collect()
        });
        text.map(|text| LogEnd { path: path.clone(), text })
    })
}

/// Where the log lies. A pipe or a terminal cannot be read without taking from whoever collects it.
fn place(world: &World, given: Option<&str>) -> Fact<String> {
    match given {
        Some(path) if path.starts_with('/') => Fact::Known(path.to_owned()),
        Some(path) => seen_from(world, "self", path),
        None => world.link(STANDARD).and_then(|target| {
            let is_file = target.is_absolute() && !target.starts_with("/dev");
            Fact::present(is_file.then(|| STANDARD.to_owned()))
        }),
    }
}

/// What the end of the log shows.
pub fn read(world: &World, given: Option<&str>) -> Workload {
    let path = place(world, given);
    // What process 1 prints to is often hidden, and nobody asked for it.
    let path = if given.is_none() && path.is_unknown() { Fact::Absent } else { path };
    let text = path.as_ref().and_then(|path| match tail(world, path) {
        Fact::Absent => Fact::unknown(GapKind::NotSupported, format!("{path} is not there")),
        other => other,
    });
    let lines = text.map(|text| {
        let mut lines: Vec<String> = text.lines().rev().take(LINES).map(str::to_owned).collect();
        lines.retain(|line| !line.trim().is_empty());
        lines
    });
    let share = |is_one: fn(&str) -> bool| {
        lines.as_ref().and_then(|lines| {
            let count = lines.iter().filter(|line| is_one(line)).count();
            Fact::present((!lines.is_empty()).then(|| (count as f64 / lines.len() as f64 * 100.0).round() / 100.0))
        })
    };
    Workload {
        log_line_count: lines.as_ref().map(|lines| lines.len() as u64),
        log_json_share: share(is_record),
        log_level_share: share(says_level),
        log_time_share: share(says_time),
        log_path: path.map(|path| cut(&path)),
        ..Workload::default()
    }
}

/// The last lines; the first of them may have been cut and does not count.
fn tail(world: &World, path: &str) -> Fact<String> {
    world.open(path).and_then(|file| {
        let Ok(size) = file.size() else { return Fact::unknown(GapKind::NotSupported, format!("{path}: no size")) };
        let length = size.min(TAIL);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        if let Err(error) = file.read_exact_at(&mut bytes, size - length) {
            return Fact::unknown(GapKind::NotSupported, format!("{path}: {error}"));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Fact::Known(if size > length {
            text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned())
        } else {
            text
        })
    })
}

fn record(line: &str) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_str(line.trim()) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

fn is_record(line: &str) -> bool {
    record(line).is_some()
}

fn says_level(line: &str) -> bool {
    if let Some(fields) = record(line) {
        return LEVEL_KEYS.iter().any(|key| fields.contains_key(*key));
    }
    let mut words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| LEVELS.contains(&word)) || line.contains("level=")
}

fn says_time(line: &str) -> bool {
    if let Some(fields) = record(line) {
        return TIME_KEYS.iter().any(|key| fields.contains_key(*key));
    }
    // `2026-11-27T10:00:00`, `2026-11-27 10:00:00`, `[27/Nov/2026:10:00:00`; a time of day alone does not say when.
    let bytes = line.as_bytes();
    bytes.windows(19).take(256).any(|at| fits(at, b"0000-00-00T00:00:00") || fits(at, b"0000-00-00 00:00:00"))
        || bytes.windows(20).take(256).any(|at| fits(at, b"00/aaa/0000:00:00:00"))
}

/// Whether text has the form of a pattern, in which `0` stands for a digit and `a` for a letter.
fn fits(text: &[u8], pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text.iter().zip(pattern).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn shares(text: &str) -> (u64, f64, f64, f64) {
        let found = read(&FakeRoot::of(&[("log", text)], &[]), Some("/log"));
        let share = |share: &Fact<f64>| share.known().copied().unwrap_or(-1.0);
        let lines = found.log_line_count.known().copied().unwrap_or_default();
        (lines, share(&found.log_json_share), share(&found.log_level_share), share(&found.log_time_share))
    }

    #[test]
    fn records_levels_and_times_are_counted_by_line() {
        let json = "{\"level\": \"info\", \"ts\": 1.5, \"msg\": \"x\"}\n{\"msg\": \"y\"}\n";
        assert_eq!(shares(json), (2, 1.0, 0.5, 0.5));
        let text =
            "2026-11-27 10:00:00,123 INFO started\n\nhello\n10.0.0.1 - [27/Nov/2026:10:00:00 +0000] GET\n[1,2]\n";
        assert_eq!(shares(text), (4, 0.0, 0.25, 0.5));
        assert_eq!(shares("INFORMATION 10:00:00\n"), (1, 0.0, 0.0, 0.0));
        assert_eq!(shares(""), (0, -1.0, -1.0, -1.0));
    }

    #[test]
    fn only_the_end_of_a_long_log_is_read() {
        let line = format!("{{\"a\": \"{}\"}}\n", "b".repeat(1000));
        let (lines, json, ..) = shares(&line.repeat(1000));
        assert!((100..200).contains(&lines), "{lines}");
        assert!((json - 1.0).abs() < 1e-9, "the line that was cut does not count: {json}");
    }

    #[test]
    fn a_log_that_is_not_there_is_not_known_and_a_pipe_is_none() {
        let root = FakeRoot::new();
        let named = read(&root, Some("/nothing"));
        assert!(named.log_path.known().is_some() && named.log_line_count.is_unknown());
        root.link("proc/1/fd/1", "pipe:[17]");
        assert_eq!((read(&root, None).log_path, read(&root, None).log_line_count), (Fact::Absent, Fact::Absent));
        let root = FakeRoot::of(&[("var/log/app.log", "hello\n")], &[]);
        root.link("proc/1/fd/1", &root.path().join("var/log/app.log").to_string_lossy());
        assert_eq!(read(&root, None).log_line_count, Fact::Known(1));
    }

    #[test]
    fn the_end_of_a_log_is_its_last_whole_lines() {
        let root = FakeRoot::of(&[("log", &"x\n".repeat(5_000))], &[]);
        let found = end(&root, Some("/log"));
        assert_eq!(found.known().map(|end| (end.path.as_str(), end.text.lines().count())), Some(("/log", LINES)));
        root.file("log", format!("{}\nlast", "y".repeat(1 << 20)).as_bytes());
        assert_eq!(end(&root, Some("/log")).known().map(|end| end.text.as_str()), Some("last\n"));
        assert_eq!(end(&root, Some("/nothing")), Fact::Absent);
        root.link("proc/1/fd/1", "pipe:[17]");
        assert_eq!(end(&root, None), Fact::Absent);
    }

    #[test]
    fn bytes_that_are_no_text_are_lines_all_the_same() {
        let root = FakeRoot::new();
        root.file("log", b"\xff\xfe\n{\"a\":1}\n\0\n");
        assert_eq!(read(&root, Some("/log")).log_json_share, Fact::Known(0.33));
    }
}
