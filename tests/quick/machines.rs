//! Every recorded machine under every profile gives its committed outcome.
//!
//! A machine is a folder under `tests/machines/` with a `facts.json`, the output of `gpu-preflight facts`, which nothing
//! here ever writes. What is said of it is a line a profile in `tests/machines/outcomes.txt`. A few machines have their
//! whole report beside them, to see how it is laid out.

use std::path::{Path, PathBuf};
use std::process::Command;

use gpu_preflight::facts::{Fact, Facts, Gpu, Multiply, recording};
use gpu_preflight::run::Plan;

use crate::support::bless;
use crate::support::outcome::{self, PADDING, PADDING_OF_LAYOUTS, padded};
use crate::support::report::Report;

const PROFILES: [&str; 5] = ["production", "serving", "training", "notebook", "image"];

/// Machines whose report is recorded as a whole, each under the profile that shows most of it: several services, eight
/// GPUs of which one is wrong, a library that hangs, nothing to find, an image in CI, and a real GPU.
const LAYOUTS: [(&str, &str); 6] = [
    ("open-jupyter-and-sshd-root", "production"),
    ("fake-wrong-product-gpu-3-of-8", "training"),
    ("fake-hang-cuInit", "production"),
    ("healthy-8xh200-fake", "production"),
    ("image-in-ci", "image"),
    ("h200-memory-limit-250-mib", "notebook"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines")
}

/// Name and facts of every machine, in the order of their names.
pub fn machines() -> Vec<(String, Facts)> {
    let entries = std::fs::read_dir(folder()).expect("recordings").flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), facts(&name))).collect()
}

/// The facts of one machine.
pub fn facts(machine: &str) -> Facts {
    let text = std::fs::read_to_string(folder().join(machine).join("facts.json")).expect("a recording");
    recording::read(&text).unwrap_or_else(|mistake| panic!("{machine}: {mistake:?}")).facts
}

/// What is said of these machines, where so much holds beside the catalogue.
fn outcomes(machines: &[(String, Facts)], padding: usize) -> String {
    let plans: Vec<Plan> = PROFILES.iter().map(|profile| padded(profile, padding)).collect();
    let of_one = |(name, facts): &(String, Facts)| -> String {
        plans.iter().map(|plan| outcome::line(name, plan, facts)).collect()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let parts = machines.chunks(machines.len().div_ceil(cores));
        let parts: Vec<_> = parts.map(|part| scope.spawn(|| part.iter().map(of_one).collect::<String>())).collect();
        parts.into_iter().map(|part| part.join().expect("no panic")).collect()
    })
}

#[test]
fn outcomes_of_recorded_machines_are_current() {
    bless::compare("tests/machines/outcomes.txt", &outcomes(&machines(), PADDING));
}

#[test]
fn a_report_is_judged_again_as_the_recording_that_it_was_made_from() {
    let plan = padded("production", PADDING);
    for (name, facts) in machines() {
        let report = gpu_preflight::run::report_on(facts.clone(), &plan, None, &[]);
        let text = serde_json::to_string(&report).expect("JSON");
        let again = recording::read(&text).unwrap_or_else(|mistake| panic!("{name}: {mistake:?}"));
        assert_eq!(outcome::line(&name, &plan, &again.facts), outcome::line(&name, &plan, &facts));
        assert!(again.notes.is_empty(), "{name}: {:?}", again.notes);
    }
}

#[test]
fn layouts_are_current() {
    for (name, profile) in LAYOUTS {
        let text = outcome::text(&padded(profile, PADDING_OF_LAYOUTS), &facts(name));
        bless::compare(format!("tests/machines/{name}/{profile}.txt"), &text);
    }
}

#[test]
fn nothing_is_recorded_that_is_neither_a_machine_nor_made_from_one() {
    let mut expected: Vec<String> = machines().into_iter().map(|(name, _)| format!("{name}/facts.json")).collect();
    expected.extend(LAYOUTS.iter().map(|(name, profile)| format!("{name}/{profile}.txt")));
    expected.sort();
    let mut found = Vec::new();
    for (name, _) in machines() {
        let entries = std::fs::read_dir(folder().join(&name)).expect("a machine").flatten();
        found.extend(entries.map(|entry| format!("{name}/{}", entry.file_name().display())));
    }
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn one_more_check_that_holds_everywhere_changes_nothing_that_is_recorded() {
    // What is counted is counted of every machine, so a few of them tell.
    let some: Vec<_> = machines().into_iter().step_by(6).collect();
    assert!(outcomes(&some, PADDING + 1) == outcomes(&some, PADDING), "an outcome counts what holds");
    for (name, profile) in LAYOUTS {
        let text = |padding| outcome::text(&padded(profile, padding), &facts(name));
        let [one, other] = [PADDING_OF_LAYOUTS, PADDING_OF_LAYOUTS + 1].map(text);
        assert_eq!(one, other, "{name} under {profile}");
    }
}

#[test]
fn healthy_machines_have_no_finding() {
    let healthy: Vec<_> = machines().into_iter().filter(|(name, _)| name.starts_with("healthy-")).collect();
    assert!(!healthy.is_empty(), "a healthy machine is recorded");
    for (name, facts) in healthy {
        let report = Report::of(&facts);
        assert!(report.failing().is_empty(), "{name} is healthy, yet:\n{}", report.troubles());
        assert_eq!((report.verdict(), report.code), ("ready", 0), "{name}");
    }
}

/// Real GPUs on which nothing is wrong that the rooms of the GPU stack speak of.
const UNHURT: [&str; 9] = [
    "h100-healthy",
    "h200-healthy",
    "h100-deep",
    "h100-soak-30s",
    "h100-user-65534",
    "h100-memory-held-live",
    "h100-two-checks-at-once",
    "h200-mps",
    "h200-memory-limit-600-mib",
];

#[test]
fn what_explains_a_rate_of_a_real_gpu_is_named_and_no_hardware() {
    for (name, check, owner) in [
        ("h100-tf32-override", "environment.numerics-default", "workload"),
        ("h100-beside-a-busy-workload", "compute.rate-undisturbed", "pod"),
        ("h100-memory-held-start", "gpu.memory-unclaimed", "node"),
        ("h200-mps-30-percent", "compute.share-limited", "pod"),
        ("h200-cublas-corrupts", "compute.library-exact", "image"),
        ("h200-cublas-three-times-as-slow", "compute.library-fast", "image"),
    ] {
        let report = Report::of(&facts(name));
        let failing = report.failing();
        assert!(failing.iter().any(|found| found["check"] == check && found["owner"] == owner), "{name}: {check}");
        let accused: Vec<_> = failing.iter().filter(|found| found["owner"] == "hardware").collect();
        assert!(accused.is_empty(), "{name}: {accused:#?}");
    }
}

#[test]
fn every_real_gpu_that_multiplied_right_gave_the_known_bits() {
    for name in UNHURT {
        let mut facts = facts(name);
        gpu_preflight::derive::derive(&mut facts);
        for multiply in facts.compute.multiplies.known().expect("multiplies") {
            let known = multiply.fingerprint_known.known();
            // One was killed before it came to all.
            let is_there = multiply.fingerprint.known().is_some();
            assert_eq!(known, is_there.then_some(&true), "{name} {}", multiply.precision);
        }
    }
}

#[test]
fn real_gpus_that_are_healthy_are_not_accused() {
    for name in UNHURT {
        let report = Report::of(&facts(name));
        let rooms = ["driver", "gpu", "compute", "memory", "links", "library", "observability"];
        let accused: Vec<_> = report
            .failing()
            .into_iter()
            .filter(|finding| {
                rooms.iter().any(|room| finding["check"].as_str().is_some_and(|id| id.split('.').next() == Some(room)))
            })
            .map(|finding| (&finding["check"], &finding["message"]))
            .collect();
        assert!(accused.is_empty(), "{name}: {accused:#?}");
    }
}

#[test]
fn the_program_judges_a_recording_as_the_library_does() {
    for (name, profile) in
        [("healthy-h200-fake", "training"), ("fake-hang-cuInit", "production"), ("no-gpu-plain-root", "image")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"))
            .arg("judge")
            .arg(folder().join(name).join("facts.json"))
            .args(["--profile", profile, "--verbose", "--format", "json"])
            .output()
            .expect("the program runs");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let (run, library) =
            (Report::read(&output), Report::under(&crate::support::report::plan(&[], profile), &facts(name)));
        assert_eq!(run.code, library.code, "{name}");
        // A number that is read again may differ in its last digit, so both are.
        let read_again = serde_json::from_str::<serde_json::Value>(&library.json.to_string()).expect("JSON");
        assert_eq!(run.json, read_again, "{name}");
    }
}

#[test]
fn a_look_that_stood_still_says_why_it_took_longer() {
    let mut facts = facts("healthy-h200-fake");
    let said = |facts: &Facts| Report::of(facts).json["notes"].to_string().contains("stood still for 12.0 s");
    assert!(!said(&facts));
    facts.run.stood_still_seconds = Fact::Known(12.0);
    assert!(said(&facts));
}

/// A machine with this many GPUs, made from one of eight with one that is in trouble.
fn widened(machine: &str, count: u32) -> Facts {
    let mut facts = facts(machine);
    let address = |number: u32| Fact::Known(format!("{:04x}:{:02x}:00.0", number / 200, number % 200));
    let gpus = facts.gpus.known().expect("GPUs").clone();
    let widened = gpus.iter().cycle().zip(0..count);
    facts.gpus =
        Fact::Known(widened.map(|(gpu, index)| Gpu { index, pci_address: address(index), ..gpu.clone() }).collect());
    let multiplies = facts.compute.multiplies.known().expect("multiplies").clone();
    let of = |number: u32| {
        let own = multiplies.iter().filter(move |multiply| multiply.gpu == number % 8);
        own.map(move |multiply| Multiply { gpu: number, pci_address: address(number), ..multiply.clone() })
    };
    facts.compute.multiplies = Fact::Known((0..count).flat_map(of).collect());
    facts
}

/// Seconds that a core works on it here, whatever else the machine does.
fn work(of: impl FnOnce()) -> f64 {
    let spent = || -> f64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("what this thread did");
        text.split(' ').next().expect("a number").parse::<f64>().expect("nanoseconds") / 1e9
    };
    let before = spent();
    of();
    spent() - before
}

#[test]
fn ten_times_as_many_gpus_are_ten_times_the_work() {
    const MOST: f64 = 25.0;
    let plan = padded("production", 0);
    for machine in ["healthy-8xh200-fake", "fake-wrong-product-gpu-3-of-8", "fake-slow-gpu-3-of-8"] {
        let derived = |count| {
            let mut facts = widened(machine, count);
            work(|| gpu_preflight::derive::derive(&mut facts))
        };
        let reported = |count| {
            let facts = widened(machine, count);
            work(|| drop(outcome::text(&plan, &facts)))
        };
        let ratio = derived(1000) / derived(100);
        assert!(ratio < MOST, "{machine}: deriving takes {ratio} times as long");
        let ratio = reported(120) / reported(12);
        assert!(ratio < MOST, "{machine}: reporting takes {ratio} times as long");
    }
}
