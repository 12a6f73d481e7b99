//! What a run said: a whole report, or a line, or something that it should not have.

use gpu_preflight::text::legend;
use serde_json::Value;

use super::draw::{Command, Stream};
use super::play::Seen;

/// How every line of ours beside a report begins.
const OURS: &str = "gpu-preflight: ";

/// What was said.
#[derive(Debug)]
pub enum Told {
    /// A whole report in JSON, a recording, or a table of GPUs.
    Json(Value),
    /// A whole report in text.
    Text(String),
    /// One line of ours, and nothing else.
    Line,
    /// It went where nobody can see it.
    Unseen,
    /// None of these, for this reason.
    Broken(String),
}

impl Seen {
    /// What was said where it should be.
    pub fn told(&self) -> Told {
        let (stdout, stderr) = (text(&self.stdout), text(&self.stderr));
        let [out_is_read, err_is_read] = self.draw.streams.map(|stream| stream == Stream::Read);
        let (lines, rest): (Vec<&str>, Vec<&str>) = stderr.lines().partition(|line| line.starts_with(OURS));
        let (report, place_is_read) = match (&self.file, self.draw.is_exec()) {
            (Some(file), _) if self.draw.to_file() => (text(file), true),
            (None, false) if self.draw.to_file() => (String::new(), true),
            (_, true) => (rest.join("\n"), err_is_read),
            (_, false) => (stdout.clone(), out_is_read),
        };
        if (self.draw.is_exec() || self.draw.to_file()) && !stdout.is_empty() {
            return Told::Broken(format!("nothing belongs on standard output: {stdout:?}"));
        }
        // Beside a report of `exec` there may be a line on what becomes of the workload.
        let most = usize::from(self.draw.is_exec());
        if report.is_empty() {
            return match lines[..] {
                _ if !err_is_read || (!place_is_read && stderr.is_empty()) => Told::Unseen,
                [_] if rest.is_empty() => Told::Line,
                _ => Told::Broken(format!("no report, and not one line: {stderr:?}")),
            };
        }
        if lines.len() > most || (!rest.is_empty() && (self.draw.to_file() || !self.draw.is_exec())) {
            return Told::Broken(format!("a report, and beside it {stderr:?}"));
        }
        if self.draw.json { json(&report, self.draw.command) } else { whole(report, self.draw.command) }
    }

    /// Whether the end was asked for, by a signal or by a limit on time.
    pub fn was_ended(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let Some(status) = self.status else { return false };
        let by = status.signal().or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128));
        let of_time = [libc::SIGXCPU, libc::SIGKILL];
        by.is_some_and(|by| self.sent.contains(&by) || (self.draw.has_cpu_limit() && of_time.contains(&by)))
    }
}

impl Told {
    /// What the report says of this container.
    pub fn verdict(&self) -> Option<&str> {
        match self {
            Self::Json(report) => report["verdict"].as_str(),
            Self::Text(report) => {
                let begins = |words| report.lines().any(|line: &str| line.starts_with(words));
                let words = [("READY", "ready"), ("NOT READY", "not-ready"), ("INCOMPLETE", "incomplete")];
                words.into_iter().find(|(title, _)| begins(*title)).map(|(_, verdict)| verdict)
            }
            _ => None,
        }
    }
}

fn json(report: &str, command: Command) -> Told {
    let schema = match command {
        Command::Facts => "gpu-preflight/facts/",
        Command::Gpus => "gpu-preflight/gpus/",
        _ => "gpu-preflight/report/",
    };
    match serde_json::from_str::<Value>(report) {
        Ok(value) if value["schema"].as_str().is_some_and(|named| named.starts_with(schema)) => Told::Json(value),
        Ok(value) => Told::Broken(format!("of schema {}", value["schema"])),
        Err(error) => Told::Broken(format!("no whole JSON: {error}")),
    }
}

/// A report in text that begins and ends as reports do.
fn whole(report: String, command: Command) -> Told {
    let flat = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_whole = if command == Command::Gpus {
        let ends = ["was found in this image", "could not tell: ", "with GPU code"];
        ends.iter().any(|end| flat.contains(end))
    } else {
        // What its numbers mean comes last but for the way to `explain`.
        let ends =
            ["says why it matters and how it was found", "not apply here", "not apply here; --verbose lists them"];
        flat.starts_with("gpu-preflight ") && ends.iter().chain(&legend::ALL).any(|end| flat.ends_with(end))
    };
    if is_whole { Told::Text(report) } else { Told::Broken(format!("no whole report: {report:?}")) }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
