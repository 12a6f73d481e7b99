//! What changes a recording of one schema into one of the next.
//!
//! In the first a failed call was two texts, `failed_call` and `failed_code`. This is the only place that reads them.

use serde_json::{Map, Value, json};

use crate::facts::{Fact, FailedHow, Failure};

/// From `gpu-preflight/facts/1`, which 0.1.0 wrote, to 2.
pub fn from_1(facts: &mut Value) {
    for path in ["/compute/multiplies", "/compute/copies", "/memory/patterns", "/links/pairs"] {
        let items = facts.pointer_mut(path).and_then(Value::as_array_mut);
        items.into_iter().flatten().filter_map(Value::as_object_mut).for_each(join_failure);
    }
    if let Some(nccl) = facts.pointer_mut("/links/nccl").and_then(Value::as_object_mut) {
        join_failure(nccl);
    }
    tell_ends(facts);
}

/// A process that could not be started was one that left, and what had ended one stood in words for people alone.
fn tell_ends(facts: &mut Value) {
    let mut never_asked = Vec::new();
    for run in facts.pointer_mut("/probes").and_then(Value::as_array_mut).into_iter().flatten() {
        let detail = run["detail"].as_str().unwrap_or_default().to_owned();
        let Some(run) = run.as_object_mut() else { continue };
        let number = detail.strip_prefix("could not be started: ").map(|rest| rest.rsplit_once("(os error "));
        if let Some(number) = number {
            let errno = number.and_then(|(_, number)| errno_name(number.trim_end_matches(')').parse().ok()?));
            run.insert("end".to_owned(), "not-started".into());
            run.insert(
                "errno".to_owned(),
                errno.map_or_else(|| json!({ "unknown": "malformed", "detail": detail }), Into::into),
            );
            never_asked.extend(run.get("name").and_then(Value::as_str).map(ToOwned::to_owned));
        } else if run.get("end").is_some_and(|end| end == "crashed") && detail.starts_with("SIG") {
            run.insert("signal".to_owned(), detail.into());
        }
    }
    // Whom nobody could ask has neither crashed nor hung.
    for name in ["cuda", "nvml"].into_iter().filter(|name| never_asked.iter().any(|never| never == name)) {
        for fact in ["hung", "hung_in_kernel", "crashed", "lost_call"] {
            if let Some(told) = facts.pointer_mut(&format!("/{name}/{fact}")) {
                *told = json!({ "unknown": "not-started" });
            }
        }
    }
}

/// The errnos for which a process cannot be started, as Linux numbers them.
fn errno_name(number: i32) -> Option<&'static str> {
    match number {
        1 => Some("EPERM"),
        2 => Some("ENOENT"),
        11 => Some("EAGAIN"),
        12 => Some("ENOMEM"),
        13 => Some("EACCES"),
        24 => Some("EMFILE"),
        38 => Some("ENOSYS"),
        _ => None,
    }
}

/// Makes one record of the two texts. What was derived from them is derived anew.
fn join_failure(reading: &mut Map<String, Value>) {
    for derived in ["failed_meaning", "failure_kind", "gpu_share_of_expected"] {
        reading.remove(derived);
    }
    let code = reading.remove("failed_code");
    let failure = match reading.remove("failed_call") {
        Some(Value::String(call)) => failure(&call, code.as_ref().and_then(Value::as_str).unwrap_or_default()),
        // Absent or unknown.
        Some(other) => other,
        None => return,
    };
    reading.insert("failure".to_owned(), failure);
}

fn failure(call: &str, code: &str) -> Value {
    let failed = |how| Failure::new(call, how);
    let seconds = code.strip_prefix("no answer within ").and_then(|rest| rest.strip_suffix(" s")?.parse().ok());
    let exit = code.strip_prefix("left with exit code ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    let failure = if let Some((code, name)) = returned(code) {
        Failure { code: Fact::Known(code), name: Fact::present(name), ..failed(FailedHow::Returned) }
    } else if let Some(seconds) = seconds {
        Failure { waited_seconds: Fact::Known(seconds), ..failed(FailedHow::TimedOut) }
    } else if let Some(exit) = exit {
        Failure { code: Fact::Known(exit), ..failed(FailedHow::Exited) }
    } else if code.starts_with("SIG") || code.starts_with("signal ") {
        let how = if code == "SIGKILL" { FailedHow::Killed } else { FailedHow::Crashed };
        Failure { signal: Fact::Known(code.to_owned()), ..failed(how) }
    } else {
        let how = if code.starts_with("sent more ") { FailedHow::Exited } else { FailedHow::NotCalled };
        Failure { reason: Fact::Known(code.to_owned()), ..failed(how) }
    };
    serde_json::to_value(failure).unwrap_or_default()
}

/// A number, and its name where there is one.
fn returned(text: &str) -> Option<(i64, Option<String>)> {
    let (number, name) = text.split_once(' ').map_or((text, None), |(number, name)| (number, Some(name)));
    Some((number.parse().ok()?, name.map(ToOwned::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Gap, GapKind, ProbeEnd};

    fn read(recording: &Value) -> Facts {
        let mut recording = recording.clone();
        from_1(&mut recording);
        serde_json::from_value(recording).expect("facts of this version")
    }

    fn recorded(call: &Value, code: &Value) -> Fact<Failure> {
        let reading = serde_json::json!({ "failed_call": call, "failed_code": code });
        let mut multiply = reading.clone();
        multiply["failed_meaning"] = "of then".into();
        multiply["failure_kind"] = "other".into();
        multiply["gpu_share_of_expected"] = 0.5.into();
        let facts = read(&serde_json::json!({
            "compute": { "multiplies": [multiply], "copies": [reading] },
            "memory": { "patterns": [reading] },
            "links": { "pairs": [reading], "nccl": reading },
        }));
        let failure = facts.links.nccl.failure;
        assert_eq!(facts.compute.multiplies.known().expect("multiplies")[0].failure, failure);
        assert_eq!(facts.compute.copies.known().expect("copies")[0].failure, failure);
        assert_eq!(facts.memory.patterns.known().expect("patterns")[0].failure, failure);
        assert_eq!(facts.links.pairs.known().expect("pairs")[0].failure, failure);
        failure
    }

    #[test]
    fn every_text_of_a_failure_becomes_its_value_and_is_told_as_it_was() {
        for (text, how) in [
            ("214 cudaErrorECCUncorrectable", FailedHow::Returned),
            ("2 unhandled system error", FailedHow::Returned),
            ("77", FailedHow::Returned),
            ("no answer within 10.5 s", FailedHow::TimedOut),
            ("SIGSEGV", FailedHow::Crashed),
            ("signal 40", FailedHow::Crashed),
            ("SIGKILL", FailedHow::Killed),
            ("left with exit code 3 before it answered", FailedHow::Exited),
            ("sent more than an answer may hold", FailedHow::Exited),
            ("libcublasLt.so.12: cannot open shared object file: No such file or directory", FailedHow::NotCalled),
        ] {
            let Fact::Known(failure) = recorded(&"cudaMemcpy".into(), &text.into()) else { panic!("{text}") };
            assert_eq!((failure.call.as_str(), failure.how, failure.words().as_str()), ("cudaMemcpy", how, text));
            assert!(failure.meaning.is_unknown() && failure.kind.is_unknown(), "they are derived anew");
        }
        let Fact::Known(named) = recorded(&"cudaMemcpy".into(), &"2 a b".into()) else { panic!("a failure") };
        assert_eq!((named.code, named.name), (Fact::Known(2), Fact::Known("a b".to_owned())));
    }

    #[test]
    fn no_failure_and_an_unknown_one_stay_what_they_are() {
        assert_eq!(recorded(&Value::Null, &Value::Null), Fact::Absent);
        let gap = serde_json::json!({ "unknown": "timed-out", "detail": "cuInit" });
        assert_eq!(recorded(&gap, &gap), Fact::Unknown(Gap::new(GapKind::TimedOut, "cuInit")));
    }

    #[test]
    fn a_process_that_could_not_be_started_is_told_as_such() {
        let could_not = "could not be started: Resource temporarily unavailable (os error 11)";
        let run = |name: &str, end: &str, detail: &str| {
            let at = Value::Null;
            serde_json::json!({ "name": name, "gpu": null, "end": end, "at": at, "detail": detail, "wall_ms": 1.0 })
        };
        let facts = read(&serde_json::json!({
            "cuda": { "hung": false, "hung_in_kernel": false, "crashed": true, "lost_call": null },
            "nvml": { "hung": false, "crashed": false },
            "probes": [run("cuda", "exited", could_not), run("compute", "crashed", "SIGKILL"), run("x", "exited", "y")],
        }));
        assert_eq!(facts.probes[0].end, ProbeEnd::NotStarted);
        assert_eq!(facts.probes[0].errno, Fact::Known("EAGAIN".to_owned()));
        assert_eq!(facts.probes[1].signal, Fact::Known("SIGKILL".to_owned()));
        assert!(facts.probes[2].errno.is_unknown() && facts.probes[2].signal.is_unknown());
        assert!(facts.cuda.crashed.is_unknown() && facts.cuda.hung.is_unknown());
        assert_eq!(facts.nvml.crashed, Fact::Known(false), "it was asked");
    }

    #[test]
    fn what_is_no_recording_is_left_to_the_reader() {
        for strange in [serde_json::json!([1]), serde_json::json!({ "links": 1, "compute": { "copies": [7] } })] {
            let mut upgraded = strange.clone();
            from_1(&mut upgraded);
            assert!(serde_json::from_value::<Facts>(upgraded).is_err(), "{strange}");
        }
    }
}
