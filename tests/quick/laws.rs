//! The laws that bind all checks at once: one test each, over the whole catalogue.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::context::context;
use gpu_preflight::check::examples::prove;
use gpu_preflight::check::load::{self, CHECKS, PROFILES, ROOMS, read};
use gpu_preflight::check::{Catalogue, Check, CheckFile, Outcome, Room, judge, matches};
use gpu_preflight::collect::second_look::doubtful;
use gpu_preflight::derive::derive;
use gpu_preflight::facts::{Fact, Facts, Gpu, MemoryCopy, Multiply, Phase};
use gpu_preflight::weigh::Profile;

/// The catalogue as it stands in the files, with examples.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::load(&[]).unwrap_or_else(|error| panic!("{error}"));
    let rooms = rooms();
    for check in &mut catalogue.checks {
        let (id, text) = CHECKS.iter().find(|(id, _)| *id == check.id).expect("every check has a file");
        let room = rooms.get(check.room()).cloned().unwrap_or_default();
        let read = read(id, id, text, &room).unwrap_or_else(|error| panic!("{error}"));
        // The program takes its own checks as they are: it is here that each is read as one of a site is.
        assert_eq!(read_of(&read), read_of(check), "{id}");
        let embedded = std::mem::replace(&mut check.file, read.file.clone());
        let without_examples = CheckFile { example: Vec::new(), ..read.file };
        assert_eq!(embedded, without_examples, "{id}: what is embedded is what the file says");
    }
    catalogue
}

/// What a check asks and says, as it was read.
fn read_of(check: &Check) -> String {
    let Check { each, when, raised, expect, message, subject, requires, phases, owner, dimension, .. } = check;
    format!(
        "{each:?} {when:?} {raised:?} {expect:?} {message:?} {subject:?} {requires:?} {phases:?} {owner} {dimension}"
    )
}

/// What the checks of each room share, as it stands in the files.
fn rooms() -> BTreeMap<&'static str, Room> {
    let read =
        |(name, text): &(&'static str, &str)| (*name, Room::read(name, text).unwrap_or_else(|error| panic!("{error}")));
    let rooms: BTreeMap<_, _> = ROOMS.iter().map(read).collect();
    for (name, embedded) in load::rooms().unwrap_or_else(|error| panic!("{error}")) {
        assert_eq!(embedded.file, rooms[name.as_str()].file, "{name}: what is embedded is what the file says");
    }
    rooms
}

#[test]
fn no_check_says_again_what_its_room_says() {
    let rooms = rooms();
    for check in &catalogue().checks {
        let file = &check.file;
        let Some(Room { file: room, .. }) = rooms.get(check.room()) else {
            assert!(!file.ignore_room, "{}: there is no room.toml to ignore", check.id);
            continue;
        };
        if file.ignore_room {
            continue;
        }
        assert!(file.dimension.is_none() || file.dimension != room.dimension, "{}: dimension", check.id);
        assert!(file.owner.is_none() || file.owner != room.owner, "{}: owner", check.id);
        assert!(file.phases.is_empty() || file.phases != room.phases, "{}: phases", check.id);
        assert!(!file.requires.iter().any(|id| room.requires.contains(id)), "{}: requires", check.id);
        let again = |shared: &String| file.when.iter().any(|own| own.contains(shared.as_str()));
        assert!(!room.when.iter().any(again), "{}: when", check.id);
    }
}

#[test]
fn there_are_at_least_sixty_checks_and_every_one_is_valid() {
    assert!(catalogue().checks.len() >= 60, "{}", catalogue().checks.len());
    assert_eq!(catalogue().checks.len(), CHECKS.len());
}

#[test]
fn every_check_says_why_how_and_what_to_do() {
    for check in catalogue().checks {
        let (id, file) = (&check.id, &check.file);
        assert!(!file.why.trim().is_empty(), "{id}: no why");
        assert!(!file.detect.trim().is_empty(), "{id}: no detect");
        assert!(!file.remedy.is_empty(), "{id}: no remedy");
        assert!(!file.title.ends_with('.') && !file.message.ends_with('.'), "{id}: no full stop in title and message");
        for (place, remedy) in &file.remedy {
            assert!(remedy.ends_with('.'), "{id}: the remedy for {place} is a sentence with a full stop");
        }
        for link in &file.links {
            assert!(link.starts_with("https://"), "{id}: {link}");
        }
    }
}

#[test]
fn every_check_has_a_remedy_for_its_owner_and_gives_what_its_examples_say() {
    let wrong: Vec<String> =
        catalogue().checks.iter().filter_map(|check| prove(&check.id, check).err()).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_is_shown_holding_failing_and_not_knowing() {
    for check in catalogue().checks {
        let shown: BTreeSet<Outcome> = check.file.example.iter().map(|example| example.then).collect();
        for outcome in [Outcome::Holds, Outcome::Fails, Outcome::Unknown] {
            assert!(shown.contains(&outcome), "{} has no example that is {outcome}", check.id);
        }
    }
}

#[test]
fn no_rate_is_accused_that_was_not_measured_twice() {
    // Three GPUs alike, of which one multiplies, or copies, at every share of its rate.
    let machine = |multiplies: f64, copies: f64| {
        let name = Fact::Known("NVIDIA H200".to_owned());
        let share = |gpu, share| if gpu == 0 { share } else { 1.0 };
        let mut facts = Facts::default();
        facts.compute.multiplies = Fact::Known(
            (0..3)
                .map(|gpu| Multiply {
                    gpu,
                    gpu_name: name.clone(),
                    size: Fact::Known(8192),
                    tflops: Fact::Known(52.0 * share(gpu, multiplies)),
                    memory_short: Fact::Known(false),
                    ..Multiply::default()
                })
                .collect(),
        );
        facts.compute.copies = Fact::Known(
            (0..3)
                .map(|gpu| MemoryCopy {
                    gpu,
                    gpu_name: name.clone(),
                    device_bytes: Fact::Known(256 << 20),
                    device_gb_per_second: Fact::Known(3840.0 * share(gpu, copies)),
                    ..MemoryCopy::default()
                })
                .collect(),
        );
        facts.gpus = Fact::Known(vec![Gpu { mig_enabled: Fact::Known(false), ..Gpu::default() }]);
        (facts.run.gpu_expected, facts.run.phase) = (true, Phase::Start);
        derive(&mut facts);
        facts
    };
    let catalogue = catalogue();
    let mut accused = BTreeSet::new();
    for share in (0..120).step_by(3).map(|percent| f64::from(percent) / 100.0) {
        for (first, second) in [(share, 1.0), (1.0, share)] {
            let facts = machine(first, second);
            let value = serde_json::to_value(&facts).expect("facts are JSON");
            let findings = judge(&catalogue, &value, Phase::Start);
            let failing: Vec<String> =
                findings.into_iter().filter(|one| one.outcome == Outcome::Fails).map(|one| one.check).collect();
            assert!(failing.is_empty() || !doubtful(&facts.compute).is_empty(), "{share}: {failing:?}");
            accused.extend(failing);
        }
    }
    for id in ["compute.rate-expected", "compute.rate-full", "memory.rate-expected", "memory.siblings-equal"] {
        assert!(accused.contains(id), "{id} accuses no rate: {accused:?}");
    }
}

#[test]
fn the_blind_machine_neither_acquits_nor_accuses() {
    let blind = serde_json::to_value(Facts::default()).expect("facts are JSON");
    // `run` is what we were told, not what we saw: every answer is tried.
    for (gpu_expected, tier) in
        [(true, "standard"), (true, "quick"), (true, "deep"), (true, "soak"), (false, "standard")]
    {
        let mut facts = blind.clone();
        facts["run"]["gpu_expected"] = gpu_expected.into();
        facts["run"]["tier"] = tier.into();
        for phase in Phase::ALL {
            for finding in judge(&catalogue(), &facts, *phase) {
                let told = matches!(finding.outcome, Outcome::Holds | Outcome::Fails);
                assert!(!told, "{} {} on a machine that nobody could see", finding.check, finding.outcome);
            }
        }
    }
}

#[test]
fn deriving_from_nothing_learns_nothing() {
    let mut facts = Facts::default();
    derive(&mut facts);
    for phase in Phase::ALL {
        for finding in judge(&catalogue(), &serde_json::to_value(&facts).expect("facts are JSON"), *phase) {
            let told = matches!(finding.outcome, Outcome::Holds | Outcome::Fails);
            assert!(!told, "{} {} after deriving from nothing", finding.check, finding.outcome);
        }
    }
}

#[test]
fn no_check_waits_for_one_that_matters_less() {
    let catalogue = catalogue();
    for check in &catalogue.checks {
        for cause in &check.requires {
            let cause = catalogue.get(cause).expect("requires was resolved");
            // Where nothing can be started, or a folder is closed, nobody can look. That is no verdict on what was not seen: INCOMPLETE is.
            let keeps_from_looking =
                ["limits.processes-startable", "isolation.calls-allowed", "framework.packages-readable"]
                    .contains(&cause.id.as_str());
            assert!(
                keeps_from_looking || cause.file.severity <= check.file.severity,
                "{} ({}) would be blocked by {} ({})",
                check.id,
                check.file.severity,
                cause.id,
                cause.file.severity
            );
            for raised in &check.file.raised {
                let cause_is = |severity| severity <= raised.severity;
                assert!(
                    cause_is(cause.file.severity) || cause.file.raised.iter().any(|cause| cause_is(cause.severity)),
                    "{}, which may be {}, would be blocked by {}, which may not",
                    check.id,
                    raised.severity,
                    cause.id
                );
            }
        }
    }
}

// A single fact may be context: `docs/facts.md` counts and marks those, so that the diff of a change shows which fact a
// check has begun or ceased to read. But a room of which nobody reads anything is a probe that runs for nothing.
#[test]
fn every_room_of_facts_is_read_by_some_check() {
    let context = context(&catalogue());
    let unread = context.iter().filter(|(record, _)| *record == "Facts").map(|(_, room)| *room);
    assert_eq!(unread.collect::<Vec<_>>(), ["probes", "schema"], "these two describe the recording itself");
}

#[test]
fn every_profile_is_valid_and_every_pattern_of_it_matches_a_check() {
    let catalogue = catalogue();
    let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["image", "notebook", "production", "serving", "training"]);
    for (name, text) in PROFILES {
        let profile = Profile::read(name, name, text, &catalogue).unwrap_or_else(|error| panic!("{error}"));
        assert!(!profile.file.title.is_empty() && !profile.file.description.is_empty(), "{name}");
        for pattern in profile.file.severity.keys() {
            assert!(catalogue.checks.iter().any(|check| matches(pattern, &check.id)), "{name}: {pattern}");
            let why = profile.weight(pattern).map_or("", |(_, why)| why);
            assert!(why.ends_with('.'), "{name}: {pattern} says no reason in a sentence: {why:?}");
        }
    }
}
