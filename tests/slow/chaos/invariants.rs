//! What holds of every run, whatever happens to it. A function each; `tests.rs` breaks each of them.

use std::os::unix::process::ExitStatusExt;

use gpu_preflight::exit;
use gpu_preflight::facts::recording;

use super::draw::{Command, Stream};
use super::jupyter::SECRET;
use super::play::Seen;
use super::told::{Told, text};
use crate::support::report::Report;

/// Why it does not hold, if so.
pub type Invariant = fn(&Seen) -> Result<(), String>;

pub const ALL: [(&str, Invariant); 10] = [
    ("it ends in time", ends_in_time),
    ("it says a whole report or one line", says_a_report_or_a_line),
    ("its exit code means what docs say", code_has_its_meaning),
    ("the workload starts once, or not where it should not", workload_starts_as_it_should),
    ("only a signal that was sent ends it", only_what_was_sent_ends_it),
    ("no process is left", no_process_is_left),
    ("no file is left", no_file_is_left),
    ("no descriptor is left", no_descriptor_is_left),
    ("nothing raw and nothing secret", nothing_raw_and_nothing_secret),
    ("no hardware is accused that is not broken", no_hardware_is_accused),
];

/// Each that does not hold, with the reason.
pub fn broken(seen: &Seen) -> Vec<String> {
    let results = ALL.iter().map(|(name, holds)| (name, holds(seen)));
    results.filter_map(|(name, result)| result.err().map(|why| format!("{name}: {why}"))).collect()
}

fn hold(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

fn ends_in_time(seen: &Seen) -> Result<(), String> {
    let limit = seen.draw.deadline + seen.grace.as_secs_f64();
    let took = seen.wall.as_secs_f64();
    hold(seen.status.is_some() && took <= limit, || format!("{took:.2} s of {limit:.2} s"))
}

fn says_a_report_or_a_line(seen: &Seen) -> Result<(), String> {
    let all = [&seen.stdout, &seen.stderr].map(|bytes| text(bytes)).concat();
    for word in ["panicked", "stack backtrace", "RUST_BACKTRACE", "fatal runtime error"] {
        hold(!all.contains(word), || format!("{word:?} in {all:?}"))?;
    }
    if seen.was_ended() {
        return Ok(());
    }
    match seen.told() {
        Told::Broken(why) => Err(why),
        _ => Ok(()),
    }
}

fn code_has_its_meaning(seen: &Seen) -> Result<(), String> {
    let (Some(code), false) = (seen.status.and_then(|status| status.code()), seen.was_ended()) else { return Ok(()) };
    let told = seen.told();
    if !seen.started.is_empty() {
        return hold(code == i32::from(seen.draw.code), || {
            format!("{code}, and the workload ended with {}", seen.draw.code)
        });
    }
    let by_verdict = |verdict: &str| match verdict {
        "ready" => exit::READY,
        "not-ready" => exit::NOT_READY,
        _ => exit::INCOMPLETE,
    };
    let is_one_of = |codes: &[exit::Exit]| codes.iter().any(|exit| i32::from(exit.code) == code);
    let unreadable = |stream: Stream| matches!(stream, Stream::Closed | Stream::Full);
    let holds = match (&told, told.verdict()) {
        (Told::Json(_) | Told::Text(_), Some(verdict)) => is_one_of(&[by_verdict(verdict)]),
        (Told::Json(_) | Told::Text(_), None) => match seen.draw.command {
            Command::Facts => is_one_of(&[exit::READY]),
            Command::Gpus => is_one_of(&[exit::READY, exit::INCOMPLETE]),
            _ => false,
        },
        (Told::Line, _) if seen.draw.is_misconfigured() => is_one_of(&[exit::CONFIG, exit::BUG]),
        (Told::Line, _) => is_one_of(&[exit::BUG, exit::OUTPUT]),
        (Told::Unseen, _) if unreadable(seen.draw.streams[0]) && !seen.draw.is_exec() && !seen.draw.to_file() => {
            is_one_of(&[exit::BUG, exit::OUTPUT, exit::CONFIG])
        }
        (Told::Unseen | Told::Broken(_), _) => exit::ALL.iter().any(|exit| i32::from(exit.code) == code),
    };
    hold(holds, || format!("{code} for {:?}, {told:?}", seen.draw.command))
}

fn workload_starts_as_it_should(seen: &Seen) -> Result<(), String> {
    let (count, told) = (seen.started.len(), seen.told());
    let code = seen.status.and_then(|status| status.code());
    let holds = match seen.draw.command {
        _ if seen.was_ended() => count <= 1,
        Command::ExecReport => count == 1,
        Command::ExecGate => match told.verdict() {
            Some("not-ready") => count == 0,
            Some("incomplete") if seen.draw.blocks_on_incomplete() => count == 0,
            // Where nothing can be read the code says whether it started.
            None if count == 0 => code.is_some_and(|code| [1, 2, 70, 78].contains(&code)),
            _ => count == 1,
        },
        _ => count == 0,
    };
    hold(holds, || format!("started {count} times after {told:?}"))
}

fn only_what_was_sent_ends_it(seen: &Seen) -> Result<(), String> {
    let by = seen.status.and_then(|status| status.signal());
    hold(by.is_none() || seen.was_ended(), || format!("ended by signal {by:?}, sent were {:?}", seen.sent))
}

fn no_process_is_left(seen: &Seen) -> Result<(), String> {
    hold(seen.left.is_empty(), || format!("{:?}", seen.left))
}

fn no_file_is_left(seen: &Seen) -> Result<(), String> {
    let [before, after] = &seen.files;
    hold(before == after, || {
        let new: Vec<_> = after.iter().filter(|(path, size)| before.get(*path) != Some(size)).collect();
        format!("new or other: {new:?}")
    })
}

fn no_descriptor_is_left(seen: &Seen) -> Result<(), String> {
    hold(seen.started.iter().all(|found| *found == seen.usual), || {
        format!("{:?} where {:?} is usual", seen.started, seen.usual)
    })
}

fn nothing_raw_and_nothing_secret(seen: &Seen) -> Result<(), String> {
    for bytes in [Some(&seen.stdout), Some(&seen.stderr), seen.file.as_ref()].into_iter().flatten() {
        let said = std::str::from_utf8(bytes).map_err(|error| format!("{error}"))?;
        let misleads = |c: char| (c.is_control() && c != '\n') || ['\u{202e}', '\u{200b}'].contains(&c);
        hold(!said.contains(misleads), || format!("raw: {said:?}"))?;
        hold(!said.contains("\nSPOOF"), || format!("a line of somebody else's: {said:?}"))?;
        hold(!said.contains(SECRET), || "a secret".to_owned())?;
    }
    Ok(())
}

fn no_hardware_is_accused(seen: &Seen) -> Result<(), String> {
    if seen.draw.fake.accuses_hardware || seen.was_ended() {
        return Ok(());
    }
    let accused: Vec<String> = match seen.told() {
        Told::Json(facts) if seen.draw.command == Command::Facts => {
            let read = recording::read(&facts.to_string()).map_err(|error| format!("no recording: {error:?}"))?;
            accused(&Report::of(&read.facts).json)
        }
        Told::Json(report) => accused(&report),
        Told::Text(report) => {
            let words = |line: &&str| line.split_whitespace().any(|word| word == "hardware:");
            report.lines().filter(words).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    hold(accused.is_empty(), || accused.join("; "))
}

fn accused(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().into_iter().flatten();
    let of_hardware = findings.filter(|finding| finding["outcome"] == "fails" && finding["owner"] == "hardware");
    of_hardware.map(|finding| format!("{}: {}", finding["check"], finding["message"])).collect()
}
