//! What the program says of a recording.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use gpu_preflight::facts::Facts;
use serde_json::Value;

/// A report in JSON with the exit code that it came with.
pub struct Report {
    /// The exit code.
    pub code: Option<i32>,
    /// The whole report.
    pub json: Value,
}

impl Report {
    /// What the program says of these facts under profile production.
    pub fn of(facts: &Facts) -> Self {
        let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
        std::fs::write(file.path(), serde_json::to_vec(facts).expect("JSON")).expect("a file");
        Self::of_file(&file.path().to_path_buf())
    }

    /// What it says of a recording.
    pub fn of_file(file: &PathBuf) -> Self {
        let program = env!("CARGO_BIN_EXE_gpu-preflight");
        let output = Command::new(program).arg("judge").arg(file).args(["--format", "json"]).output().expect("it runs");
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr)));
        Self { code: output.status.code(), json }
    }

    /// The findings, the most important first.
    pub fn findings(&self) -> impl Iterator<Item = &Value> {
        self.json["findings"].as_array().expect("findings").iter()
    }

    /// Everything that was accused, blocked or not decided, one line each.
    pub fn troubles(&self) -> String {
        let mut lines = String::new();
        for finding in self.findings().filter(|f| !matches!(f["outcome"].as_str(), Some("holds" | "not-applicable"))) {
            let word = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
            let [check, outcome, severity, message] = ["check", "outcome", "severity", "message"].map(word);
            writeln!(lines, "  {check} {outcome} ({severity}): {message}").expect("memory");
        }
        lines
    }

    /// What came of each check, to compare two reports by.
    #[allow(dead_code, reason = "not every test compares")]
    pub fn outcomes(&self) -> BTreeSet<(String, String, String)> {
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        self.findings().map(|f| (word(f, "check"), word(f, "subject"), word(f, "outcome"))).collect()
    }
}
