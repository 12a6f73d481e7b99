//! Recordings of this, of older and of newer versions.

use super::*;
use crate::facts::{ContainerKind, Fact, Precision, Tier};
use serde_json::json;

/// What 0.1.0 recorded on a machine with an H100.
const REAL: &str = include_str!("../../tests/recordings/0.1.0.json");

/// The same as this version would have written it.
fn real() -> Value {
    serde_json::to_value(read(REAL).expect("a recording").facts).expect("JSON")
}

/// The same as another version might have made it.
fn changed(change: impl FnOnce(&mut Value)) -> Recording {
    let mut value = real();
    value["run"]["tool_version"] = json!("0.3.0");
    change(&mut value);
    read(&value.to_string()).unwrap_or_else(|mistake| panic!("{mistake:?}"))
}

fn refused(text: &str) -> Mistake {
    read(text).expect_err("it is refused")
}

fn gap<T: std::fmt::Debug>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Unknown(gap) => gap.to_string(),
        other => panic!("{other:?}"),
    }
}

const NEWER: &str = "gpu-preflight/facts/4294967295";

#[test]
fn what_this_version_writes_is_read_as_it_was_and_nothing_is_said() {
    let written = Facts { schema: SCHEMA.to_owned(), ..Facts::default() };
    let read_again = read(&serde_json::to_string(&written).expect("JSON")).expect("a recording");
    assert_eq!((read_again.facts, read_again.notes), (written, Vec::new()));
}

#[test]
fn a_field_that_this_version_does_not_know_is_left_out_and_named_once() {
    let recording = changed(|value| {
        value["aura"] = json!({ "colour": "blue" });
        value["gpus"][0]["aura"] = json!("blue");
        let second = value["gpus"][0].clone();
        value["gpus"].as_array_mut().expect("a list").push(second);
        value["limits"]["pids"] = json!({ "unknown": "not-permitted", "errno": 13, "detail": "EACCES" });
    });
    assert_eq!(
        recording.notes,
        ["the recording has 3 fields that this version does not know: aura, gpus[].aura, limits.pids.errno; \
          recorded by 0.3.0"]
    );
    assert_eq!(recording.facts.gpus.known().map(Vec::len), Some(2));
    assert_eq!(gap(&recording.facts.limits.pids), "not permitted: EACCES");
}

#[test]
fn a_note_stays_short_whatever_the_recording_holds() {
    let recording = changed(|value| {
        for number in 0..1000 {
            value[format!("{number:04}{}", "x".repeat(1000))] = json!(1);
        }
        value["run"]["tool_version"] = json!("9".repeat(1000));
    });
    let [note] = &recording.notes[..] else { panic!("{:?}", recording.notes) };
    assert!(note.contains("1000 fields") && note.contains("and 994 more"), "{note}");
    assert!(note.chars().count() < 600, "{} characters", note.chars().count());
}

#[test]
fn a_fact_that_the_recording_does_not_hold_is_unknown_because_its_version_did_not_ask() {
    let recording = changed(|value| {
        let fields = value.as_object_mut().expect("fields");
        fields.remove("isolation");
        fields.remove("gpus");
        value["limits"].as_object_mut().expect("fields").remove("pids");
        value["compute"]["multiplies"][1].as_object_mut().expect("fields").remove("fingerprint");
        value["limits"]["shm_bytes"] = json!({ "unknown": "not-asked" });
    });
    let facts = recording.facts;
    let why = "not asked: recorded by 0.3.0, which did not ask";
    assert_eq!(gap(&facts.limits.pids), why);
    assert_eq!(gap(&facts.isolation.seccomp), why);
    assert_eq!(gap(&facts.gpus), why);
    let multiplies = facts.compute.multiplies.known().expect("multiplies");
    assert_eq!(gap(&multiplies[1].fingerprint), why);
    assert!(multiplies[0].fingerprint.known().is_some());
    assert_eq!(gap(&facts.limits.shm_bytes), "not asked", "what the recording itself says stays");
    assert!(recording.notes.is_empty(), "{:?}", recording.notes);
    let nameless = read(&format!(r#"{{ "schema": "{SCHEMA}" }}"#)).expect("a recording");
    assert_eq!(gap(&nameless.facts.limits.pids), "not asked: not in the recording");
}

#[test]
fn a_word_that_this_version_does_not_know_makes_its_fact_unknown_and_no_other() {
    let recording = changed(|value| {
        value["container"]["kind"] = json!("hyperbox");
        value["limits"]["pids"] = json!({ "unknown": "no-process", "detail": "EAGAIN" });
        value["limits"]["pids_used"] = json!({ "unknown": "no-process" });
        value["gpus"][0]["throttle_reasons"] = json!(["sw-power-cap", "moonlight"]);
    });
    let facts = recording.facts;
    assert_eq!(gap(&facts.container.kind), "malformed: `hyperbox`, which this version does not know");
    assert_eq!(gap(&facts.limits.pids), "malformed: `no-process`, which this version does not know: EAGAIN");
    assert_eq!(gap(&facts.limits.pids_used), "malformed: `no-process`, which this version does not know");
    let gpus = facts.gpus.known().expect("GPUs");
    assert_eq!(gap(&gpus[0].throttle_reasons), "malformed: `moonlight`, which this version does not know");
    assert!(gpus[0].memory_bytes.known().is_some());
    assert_eq!(
        recording.notes,
        ["the recording has 4 values that this version does not know: container.kind: `hyperbox`, \
          gpus[].throttle_reasons[]: `moonlight`, limits.pids: `no-process`, limits.pids_used: `no-process`; \
          recorded by 0.3.0"]
    );
}

#[test]
fn a_record_of_a_list_that_says_what_it_is_in_a_foreign_word_is_left_out() {
    let recording = changed(|value| {
        let multiplies = value["compute"]["multiplies"].as_array_mut().expect("a list");
        let mut foreign = multiplies[0].clone();
        foreign["precision"] = json!("float4");
        multiplies.insert(0, foreign);
    });
    let multiplies = recording.facts.compute.multiplies.known().cloned().expect("multiplies");
    assert_eq!((multiplies.len(), multiplies[0].precision), (7, Precision::Float32));
    assert!(
        recording.notes[0].contains("compute.multiplies[].precision: `float4` (left out)"),
        "{:?}",
        recording.notes
    );
}

#[test]
fn a_foreign_word_outside_facts_and_lists_is_taken_as_the_default() {
    let recording = changed(|value| value["run"]["tier"] = json!("nightly"));
    assert_eq!(recording.facts.run.tier, Tier::Standard);
    assert!(recording.notes[0].contains("run.tier: `nightly` (taken as `standard`)"), "{:?}", recording.notes);
}

#[test]
fn of_a_newer_schema_what_has_another_form_is_unknown_and_the_rest_is_read() {
    let recording = changed(|value| {
        value["schema"] = json!(NEWER);
        value["limits"]["pids"] = json!({ "soft": 1, "hard": 2 });
        value["limits"]["pids_used"] = json!({ "unknown": { "kind": "not-asked" } });
        value["network"] = json!([]);
        value["run"]["wall_ms"] = json!("long");
        value["compute"]["multiplies"][0]["gpu"] = json!("0000:01:00.0");
        value["identity"]["groups"] = json!([1, "video"]);
    });
    let facts = recording.facts;
    let why = "malformed: named fields instead of a whole number, which this version does not know";
    assert_eq!(gap(&facts.limits.pids), why);
    assert_eq!(
        gap(&facts.limits.pids_used),
        "malformed: named fields instead of text, which this version does not know"
    );
    let why = "malformed: a list instead of named fields, which this version does not know";
    assert_eq!(gap(&facts.network.listeners), why);
    assert_eq!(facts.compute.multiplies.known().map(Vec::len), Some(6));
    assert!(facts.identity.groups.is_unknown() && facts.identity.uid.known().is_some());
    assert_eq!((facts.run.wall_ms, facts.schema.as_str()), (0.0, SCHEMA));
    let [newer, values] = &recording.notes[..] else { panic!("{:?}", recording.notes) };
    assert!(newer.starts_with(&format!("the recording is `{NEWER}`, newer than `{SCHEMA}`")), "{newer}");
    assert!(values.contains("network: a list instead of named fields"), "{values}");
    assert!(newer.ends_with("; recorded by 0.3.0") && values.ends_with("; recorded by 0.3.0"));
}

#[test]
fn what_is_wrong_in_a_recording_of_this_schema_is_refused_with_its_place() {
    let place = |text: &str| {
        let mistake = refused(text);
        (mistake.place, mistake.message)
    };
    let (at, message) = place(&format!("{{\n \"schema\": \"{SCHEMA}\",\n \"limits\": {{ \"pids\": \"many\" }}\n}}"));
    assert_eq!(at, Some((3, 27)), "{message}");
    assert_eq!(message, "invalid type: string \"many\", expected u64");
    for (text, wanted) in [
        ("{", "EOF while parsing"),
        ("[1]", "invalid type: integer `1`"),
        (r#"{ "limts": {} }"#, "unknown field `limts`"),
        (&format!(r#"{{ "schema": "{SCHEMA}", "limits": {{}}, "limits": {{}} }}"#), "duplicate field `limits`"),
        (&format!(r#"{{ "schema": "{SCHEMA}", "limits": {{ "pids": -1 }} }}"#), "invalid value: integer `-1`"),
        (&format!(r#"{{ "schema": "{SCHEMA}", "limits": {{ "pids": {{ "unknown": 7 }} }} }}"#), "expected value"),
    ] {
        let (place, message) = place(text);
        assert!(place.is_some() && message.starts_with(wanted), "{text}: {place:?} {message}");
    }
    // Beside something foreign the strict reading stops too early to know the place.
    let (at, message) =
        place(&format!(r#"{{ "schema": "{SCHEMA}", "aura": 1, "gpus": [{{}}, {{ "memory_bytes": 1.5 }}] }}"#));
    assert_eq!((at, message.as_str()), (None, "gpus[1].memory_bytes: a fraction instead of a whole number"));
}

#[test]
fn what_is_no_recording_is_refused_by_its_schema() {
    for schema in ["gpu-preflight/report/1", "gpu-preflight/facts/0", "gpu-preflight/facts/x", "facts"] {
        let mistake = refused(&format!(r#"{{ "schema": "{schema}", "tool": {{}} }}"#));
        assert_eq!(mistake.message, format!("its schema is `{schema}`, not `{SCHEMA}`"));
    }
    for text in ["{}", r#"{ "schema": "" }"#] {
        assert_eq!(refused(text).message, format!("it has no `schema`, so it is no recording (`{SCHEMA}`)"));
    }
    let broken = refused("{ \"schema\": \"a\\nb\" }").message;
    assert_eq!(broken, format!("its schema is `a\u{fffd}b`, not `{SCHEMA}`"), "no line break ends the message");
}

#[test]
fn a_number_that_is_too_large_is_named_by_its_field() {
    for schema in [OLDEST, SCHEMA] {
        let text = format!(
            r#"{{ "schema": "{schema}", "aura": 1, "limits": {{ "pids": 5 }}, "cuda": {{ "init_code": 18446744073709551615 }} }}"#
        );
        assert_eq!(refused(&text).message, "cuda.init_code: a number that is out of its range");
    }
}

const OLDEST: &str = "gpu-preflight/facts/1";

#[test]
fn an_older_recording_goes_through_every_change_since_its_schema() {
    const CHANGES: &[Upgrade] = &[
        (1, |value| value["trace"] = json!("1")),
        (2, |value| value["trace"] = json!(format!("{}2", value["trace"].as_str().unwrap_or_default()))),
    ];
    let from = |schema| {
        let mut value = json!({});
        upgraded(&mut value, schema, CHANGES);
        value["trace"].clone()
    };
    assert_eq!((from(1), from(2), from(3)), (json!("12"), json!("2"), Value::Null));
}

#[test]
fn there_is_an_upgrade_from_every_older_schema() {
    let own = number(SCHEMA).expect("a schema of recordings");
    let from: Vec<u32> = UPGRADES.iter().map(|(schema, _)| *schema).collect();
    assert_eq!(from, (1..own).collect::<Vec<_>>());
}

#[test]
fn a_real_recording_of_the_first_release_is_read_without_a_word() {
    let recording = read(REAL).expect("a recording");
    assert_eq!(recording.notes, Vec::<String>::new());
    assert_eq!(recording.facts.container.kind, Fact::Known(ContainerKind::Docker));
    assert_eq!(recording.facts.run.tool_version, "0.1.0");
}

/// Every path into a recording whose lists hold one item each.
fn paths(value: &mut Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                paths(inner, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            items.truncate(1);
            for inner in items {
                paths(inner, &format!("{path}/0"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_recording_of_a_newer_schema_is_never_refused_whatever_has_changed_in_it() {
    const STEP: usize = 29;
    let mut value = real();
    value["schema"] = json!(NEWER);
    let mut found = Vec::new();
    paths(&mut value, "", &mut found);
    found.retain(|path| !path.is_empty() && path != "/schema");
    assert!(found.len() > 300, "{}", found.len());
    for foreign in [json!("moonlight"), json!(7.5), json!([{}]), json!({ "moon": 7 }), json!(true), Value::Null] {
        for first in 0..STEP {
            let mut newer = value.clone();
            for path in found.iter().skip(first).step_by(STEP) {
                // What it lies in may have been replaced just now.
                if let Some(place) = newer.pointer_mut(path) {
                    *place = foreign.clone();
                }
            }
            if let Err(mistake) = read(&newer.to_string()) {
                panic!("{foreign} at every {STEP}th place from {first}: {mistake:?}");
            }
        }
    }
}
