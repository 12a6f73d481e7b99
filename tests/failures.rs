//! Every failure of the table is played, and the first thing said of it must be its cause.
//!
//! No GPU and no container is needed: the real probes look at a root of files with fake GPU libraries in it. What they
//! read is judged as any recording is, becomes a machine under `tests/machines/`, and the table becomes
//! `docs/failures.md`.
#![allow(clippy::disallowed_methods)] // a test looks from outside, past the door
#![allow(clippy::print_stdout)] // `--nocapture` shows each failure with its time to verdict

#[path = "support/bless.rs"]
mod bless;
#[path = "support/failure.rs"]
mod failure;
#[path = "support/fakes.rs"]
mod fakes;
#[path = "support/failure_page.rs"]
mod page;
#[path = "support/played.rs"]
mod played;
#[path = "support/verdict.rs"]
mod verdict;

use std::path::PathBuf;

use failure::{Failure, Scenario};
use gpu_preflight::facts::Facts;
use played::{Played, play};
use serde_json::Value;
use verdict::Report;

/// Seconds beyond the deadline until everything must have been read.
const GRACE: f64 = 0.5;

/// What is wrong with the verdict on a failure; nothing when all is right.
fn mistake(failure: &Failure, report: &Report) -> Result<(), String> {
    let (check, owner) = (failure.check.as_deref().expect("a check"), failure.owner.as_deref().expect("an owner"));
    let first = report.findings().next().expect("findings");
    let fail = |what: &str| Err(format!("{}: {what}\n{}", failure.id, report.troubles()));
    if first["check"] != check || first["outcome"] != "fails" {
        return fail(&format!("the first finding is {} and not {check}", first["check"]));
    }
    if first["owner"] != owner {
        return fail(&format!("{check} belongs to {} and not to {owner}", first["owner"]));
    }
    let gates = first["gating"] == true;
    let expected = if gates { ("not-ready", Some(1)) } else { ("ready", Some(0)) };
    if (report.json["verdict"].as_str().unwrap_or_default(), report.code) != expected {
        return fail(&format!("the verdict is {} with exit code {:?}", report.json["verdict"], report.code));
    }
    for finding in report.findings().filter(|finding| finding["gating"] == true && finding["check"] != check) {
        match finding["outcome"].as_str() {
            Some("fails") => return fail(&format!("{} is accused as well", finding["check"])),
            Some("unknown") => return fail(&format!("{} is left open", finding["check"])),
            Some("blocked") if finding["blocked_by"] != check => {
                return fail(&format!("{} is blocked by {}", finding["check"], finding["blocked_by"]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Plays a scenario until it is in time. A machine that others use too may be late by itself, so it is late only if it
/// is late three times.
fn played_in_time(id: &str, scenario: &Scenario) -> Result<Played, String> {
    let mut walls = Vec::new();
    while walls.len() < 3 {
        let played = play(scenario);
        if played.wall < played.deadline + GRACE {
            return Ok(played);
        }
        walls.push(played.wall);
    }
    Err(format!("{id}: {walls:?} seconds"))
}

#[test]
fn the_machine_that_every_failure_starts_from_is_healthy() {
    for gpus in [1, 8] {
        let played = play(&Scenario { gpus: Some(gpus), ..Scenario::default() });
        let report = Report::of(&played.facts);
        assert!(report.findings().all(|finding| finding["outcome"] != "fails"), "{}", report.troubles());
        assert_eq!((report.json["verdict"].as_str(), report.code), (Some("ready"), Some(0)), "{}", report.troubles());
    }
}

#[test]
fn every_failure_that_can_be_decided_names_its_cause_first() {
    // `FAILURE=driver.` plays only those with this in their names.
    let wanted = std::env::var("FAILURE").unwrap_or_default();
    let mut wrong = Vec::new();
    for failure in failure::all().iter().filter(|failure| failure.decidable && failure.id.contains(&wanted)) {
        let scenario = failure.scenario.as_ref().unwrap_or_else(|| panic!("{}: no scenario", failure.id));
        let played = match played_in_time(&failure.id, scenario) {
            Ok(played) => played,
            Err(late) => {
                wrong.push(late);
                continue;
            }
        };
        let report = Report::of(&played.facts);
        if let Err(words) = mistake(failure, &report) {
            wrong.push(words);
            continue;
        }
        println!("{:<36} {:<32} {:.2} s", failure.id, failure.check.as_deref().unwrap_or_default(), played.wall);
        wrong.extend(recorded(failure, &played.facts, &report).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The recording of a failure says of every check what was said just now, or is written anew.
fn recorded(failure: &Failure, facts: &Facts, report: &Report) -> Result<(), String> {
    let name = format!("tests/machines/{}/facts.json", failure.machine());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&name);
    let same = path.exists() && Report::of_file(&path).outcomes() == report.outcomes();
    if same {
        return Ok(());
    }
    if !bless::is_asked() {
        return Err(format!("{name} is not what is played now: `just bless` writes it anew"));
    }
    bless::compare(name, &by_room(facts));
    Ok(())
}

/// JSON with one room a line: small, and a difference still says where it is.
fn by_room(facts: &Facts) -> String {
    let Value::Object(rooms) = serde_json::to_value(facts).expect("JSON") else { unreachable!("facts are a record") };
    let lines: Vec<String> = rooms.iter().map(|(name, room)| format!("{name:?}: {room}")).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
