//! What counts as a change, and what does not.

use serde_json::json;

use super::*;

fn changes(before: &Value, after: &Value) -> (Vec<String>, usize) {
    let mut walk = facts::Walk::default();
    walk.compare("", before, after);
    let said = walk.changes.iter().map(|c| format!("{}: {} → {}", c.path, value(&c.before), value(&c.after)));
    (said.collect(), walk.passed_over_count)
}

#[test]
fn what_differs_between_any_two_is_passed_over_and_the_rest_is_told() {
    let gap = |kind: &str, detail: &str| json!({ "unknown": kind, "detail": detail });
    for (before, after, told, passed) in [
        (
            json!({ "run": { "taken_at_seconds": 1, "wall_ms": 2 } }),
            json!({ "run": { "taken_at_seconds": 3, "wall_ms": 4 } }),
            vec![],
            2,
        ),
        (json!({ "a": { "pid": 7 } }), json!({ "a": { "pid": 8 } }), vec![], 1),
        (json!({ "limits": { "pids": 7 } }), json!({ "limits": { "pids": 8 } }), vec!["limits.pids: 7 → 8"], 0),
        (json!({ "tflops": 100.0 }), json!({ "tflops": 90.0 }), vec![], 1),
        (json!({ "tflops": 100.0 }), json!({ "tflops": 80.0 }), vec!["tflops: 100 → 80"], 0),
        (json!({ "tflops": 100.0 }), json!({ "tflops": null }), vec!["tflops: 100 → not there"], 0),
        (json!({ "a": gap("timed-out", "after 1.0 s") }), json!({ "a": gap("timed-out", "after 1.1 s") }), vec![], 1),
        (json!({ "a": gap("not-asked", "") }), json!({ "a": 1 }), vec![], 1),
        (json!({ "a": gap("crashed", "x") }), json!({ "a": 1 }), vec!["a: unknown (crashed) x → 1"], 0),
        (json!({ "a": ["x", "y"] }), json!({ "a": ["y", "z"] }), vec!["a: x → z"], 0),
        (json!({ "a": ["x", "y"] }), json!({ "a": ["y", "x"] }), vec!["a: x, y → y, x"], 0),
        (
            json!({ "gpus": [{ "index": 0, "name": "A" }, { "index": 1, "name": "A" }] }),
            json!({ "gpus": [{ "index": 1, "name": "B" }] }),
            vec!["gpus[0]: there → not there", "gpus[1].name: A → B"],
            0,
        ),
    ] {
        let wanted = told.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(changes(&before, &after), (wanted, passed), "{before} {after}");
    }
}

#[test]
fn a_finding_that_comes_out_differently_is_told_and_one_that_was_never_a_trouble_is_not() {
    use Outcome::{Fails, Holds, NotApplicable, Unknown};
    let finding = |outcome| Finding { check: "a.b".to_owned(), outcome, ..Finding::default() };
    for (before, after, words) in [
        (Some(Holds), Some(Fails), Some("holds → fails")),
        (Some(Fails), Some(Holds), Some("fails → holds")),
        (Some(Fails), None, Some("fails → not there")),
        (None, Some(Unknown), Some("not there → unknown")),
        (Some(Fails), Some(Fails), None),
        (Some(Holds), Some(NotApplicable), None),
        (Some(NotApplicable), None, None),
    ] {
        let side = |outcome: Option<Outcome>| outcome.map(finding).into_iter().collect::<Vec<_>>();
        let changes = findings(&side(before), &side(after));
        assert_eq!(changes.first().map(super::words).as_deref(), words, "{before:?} {after:?}");
    }
}
