//! The list of what is inside a bundle, and of what is not.

use super::Part;
use crate::facts::timestamp;
use crate::report::Report;
use crate::report::formats::line;
use crate::text::{Shown, count, plain_long};

/// What a recording holds, as far as whoever gives it away must know.
const RECORDING: &[&str] = &[
    "The recording and the reports hold names of variables and no values but those of a short list that GPUs",
    "care for; no tokens and no host names; GPU UUIDs are cut short. They do hold names of processes and",
    "packages, paths, ports and the addresses that servers listen on.",
];
/// What no program can promise.
const QUOTED: &[&str] = &[
    "What is quoted, and what the reports tell of contract and profile, has [redacted] in the place of what",
    "looks like a secret, by its name, its shape or its place. A secret that looks like nothing is not known",
    "as one, other names than those we know may give one, and names of hosts and people stay: read it before",
    "you send it.",
];

/// As text.
pub fn render(report: &Report, parts: &[Part], left_out: &[(&str, String)]) -> Shown {
    let when = timestamp(report.facts.run.taken_at_seconds).unwrap_or_default();
    let version = &report.facts.run.tool_version;
    let mut lines = vec![
        format!("gpu-preflight {}: what is in this bundle", env!("GPU_PREFLIGHT_VERSION")),
        String::new(),
        format!("looked at  {when}, by {}", plain_long(version)),
        format!("verdict    {}", plain_long(&line::whole(report))),
        String::new(),
        "inside".to_owned(),
    ];
    let names = parts.iter().map(|part| part.file).chain(left_out.iter().map(|(file, _)| *file));
    let width = names.map(str::len).max().unwrap_or_default();
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted.sort_by_key(|part| part.file);
    for Part { file, what, text, .. } in &sorted {
        lines.push(format!("  {file:width$}  {:>9} bytes  {}", text.len(), plain_long(what)));
    }
    if !left_out.is_empty() {
        lines.extend([String::new(), "left out".to_owned()]);
        lines.extend(left_out.iter().map(|(file, why)| format!("  {file:width$}  {}", plain_long(why))));
    }
    let quoted: Vec<&&Part> = sorted.iter().filter(|part| part.is_quoted()).collect();
    if !quoted.is_empty() {
        lines.extend([String::new(), "redacted".to_owned()]);
        let taken = |part: &Part| match part.redacted_count {
            0 => "nothing that looks like a secret was found".to_owned(),
            number => format!("{} taken out", count(number, "secret")),
        };
        lines.extend(quoted.iter().map(|part| format!("  {:width$}  {}", part.file, taken(part))));
    }
    lines.push(String::new());
    lines.extend(RECORDING.iter().map(|line| (*line).to_owned()));
    if !quoted.is_empty() {
        lines.push(String::new());
        lines.extend(QUOTED.iter().map(|line| (*line).to_owned()));
    }
    lines.iter().map(|line| Shown::line(line)).collect()
}
