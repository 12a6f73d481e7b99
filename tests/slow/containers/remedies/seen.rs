//! What a container says of itself, and what a remedy made of it.

use std::collections::BTreeSet;
use std::process::Output;

use crate::support::docker::text;
use crate::support::report::Report;

/// A workload that compiles what it runs, as PyTorch and Triton do, in the temporary folder and at home.
pub const WORKLOAD: &str = r#"for place in TMPDIR:"${TMPDIR:-/tmp}" HOME:"${HOME:-/}"; do
    built="${place#*:}/built"
    ( cp /bin/true "$built" && "$built" && echo "built and ran in ${place%%:*}" >&3; rm -f "$built" ) 3>&2 2>/dev/null
done
"#;

/// Checks whose remedy gives a folder, and what a workload must be able to do then.
const PROMISED: [(&str, &str); 2] =
    [("identity.home-writable", "built and ran in HOME"), ("storage.temporary-writable", "built and ran in TMPDIR")];

/// What a container says of itself.
pub struct Seen {
    /// The report.
    pub report: Report,
    /// What a workload can do there.
    abilities: BTreeSet<String>,
}

impl Seen {
    /// What a container has written after [`WORKLOAD`] and a look.
    pub fn of(output: &Output) -> Self {
        let errors = text(&output.stderr);
        let abilities =
            errors.lines().filter(|line| line.starts_with("built and ran in ")).map(str::to_owned).collect();
        Self { report: Report::read(output), abilities }
    }

    /// Checks with one of these outcomes.
    pub fn ids(&self, outcomes: &[&str]) -> BTreeSet<&str> {
        outcomes.iter().flat_map(|outcome| self.report.with_outcome(outcome)).collect()
    }

    /// Checks that fail after a remedy and did not before. What was blocked was in trouble already.
    fn brought<'a>(&self, after: &'a Self) -> BTreeSet<&'a str> {
        let known = self.ids(&["fails", "blocked"]);
        after.ids(&["fails"]).into_iter().filter(|id| !known.contains(id)).collect()
    }

    /// Checks that were decided before a remedy and can no longer be.
    pub fn lost<'a>(&self, after: &'a Self) -> BTreeSet<&'a str> {
        let decided = self.ids(&["holds", "fails"]);
        after.ids(&["unknown"]).into_iter().filter(|id| decided.contains(id)).collect()
    }

    /// What is wrong with a remedy of `check`, a line each: this was before it.
    pub fn faults_of(&self, after: &Self, check: &str) -> Vec<String> {
        let stays = after.ids(&["fails", "unknown", "blocked"]).contains(check);
        let brought = self.brought(after).into_iter().map(|id| format!("it brings {id}"));
        let lost = self.lost(after).into_iter().map(|id| format!("{id} can no longer be told"));
        let promised = PROMISED.iter().filter(|(of, _)| *of == check).map(|(_, ability)| (*ability).to_owned());
        let wanted: BTreeSet<String> = promised.chain(self.abilities.iter().cloned()).collect();
        let broken = wanted.difference(&after.abilities).map(|ability| format!("no longer, or not at all: {ability}"));
        stays.then(|| "the finding stays".to_owned()).into_iter().chain(brought).chain(lost).chain(broken).collect()
    }
}
