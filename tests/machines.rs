//! Every recorded machine under every profile gives its committed report.
//!
//! A machine is a folder under `tests/machines/` with a `facts.json`; its reports stand beside it. To add one, put the
//! output of `gpu-preflight facts` there and run `just bless`, then read the reports before committing them.
#![allow(clippy::disallowed_methods)] // a test looks from outside, past the door

#[path = "support/bless.rs"]
mod bless;

use std::path::PathBuf;
use std::process::Command;

const PROFILES: [&str; 4] = ["production", "training", "notebook", "image"];

fn machines() -> Vec<(String, PathBuf)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/machines");
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .expect("there are recordings")
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().join("facts.json")))
        .filter(|(_, facts)| facts.exists())
        .collect();
    found.sort();
    found
}

fn judge(facts: &PathBuf, arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"))
        .arg("judge")
        .arg(facts)
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .expect("the program runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code())
}

#[test]
fn every_machine_gives_its_report_under_every_profile() {
    let machines = machines();
    assert!(machines.len() >= 5, "only {} machines are recorded", machines.len());
    for (name, facts) in &machines {
        for profile in PROFILES {
            let (text, code) = judge(facts, &["--profile", profile]);
            let text = format!("{text}exit code {}\n", code.expect("no signal"));
            bless::compare(format!("tests/machines/{name}/{profile}.txt"), &text);
        }
    }
}

#[test]
fn healthy_machines_have_no_finding() {
    let healthy: Vec<_> = machines().into_iter().filter(|(name, _)| name.starts_with("healthy-")).collect();
    assert!(!healthy.is_empty(), "a healthy machine is recorded");
    for (name, facts) in healthy {
        let (text, code) = judge(&facts, &["--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let findings = report["findings"].as_array().expect("findings");
        let accused: Vec<_> = findings.iter().filter(|finding| finding["outcome"] == "fails").collect();
        assert!(accused.is_empty(), "{name} is healthy, yet {accused:#?}");
        assert_eq!(code, Some(0), "{name}");
    }
}
