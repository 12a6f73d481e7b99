//! Every exit code with its meaning, and what other programs want to hear instead. The code follows from the verdict, never
//! from the score.

use std::ffi::OsString;

use crate::facts::shape::words;
use crate::weigh::Verdict;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The number.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
}

/// Nothing that gates fails.
pub const READY: Exit =
    Exit { code: 0, meaning: "READY: nothing that gates fails; warnings, waived and not applicable included" };
/// Something that gates fails.
pub const NOT_READY: Exit = Exit { code: 1, meaning: "NOT READY: something that gates fails" };
/// A gating check could not be decided.
pub const INCOMPLETE: Exit = Exit { code: 2, meaning: "INCOMPLETE: a check that gates could not be decided" };
/// Wrong usage.
pub const USAGE: Exit = Exit { code: 64, meaning: "wrong usage" };
/// A bug of ours, or limits that are too small for us.
pub const BUG: Exit = Exit { code: 70, meaning: "a bug in gpu-preflight, or a limit that leaves it no room" };
/// The report could not be written.
pub const OUTPUT: Exit = Exit { code: 74, meaning: "the report could not be written" };
/// Wrong configuration.
pub const CONFIG: Exit = Exit { code: 78, meaning: "wrong configuration: check, profile, waiver or recording" };
/// The command could not be run.
pub const NOT_RUNNABLE: Exit = Exit { code: 126, meaning: "exec: the command could not be run" };
/// The command was not found.
pub const NOT_FOUND: Exit =
    Exit { code: 127, meaning: "exec: the command was not found; any other code is the workload's own" };

/// Every code, in order.
pub const ALL: [Exit; 9] = [READY, NOT_READY, INCOMPLETE, USAGE, BUG, OUTPUT, CONFIG, NOT_RUNNABLE, NOT_FOUND];

impl Exit {
    /// A code in the words of somebody else.
    pub const fn spoken(code: u8) -> Self {
        Self { code, meaning: "as the exit style has it" }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ready => READY,
            Verdict::NotReady => NOT_READY,
            Verdict::Incomplete => INCOMPLETE,
        }
    }
}

words! {
    /// Whose exit codes are spoken.
    pub enum Style {
        /// Our own, as the table of exit codes has them
        Default = "default",
        /// Kubernetes' node-problem-detector: 0 OK, 1 a problem, anything else unknown; one line on standard output
        Npd = "npd",
        /// Nagios and its kin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; one line on standard output
        Nagios = "nagios",
        /// Prolog and health check of Slurm: only NOT READY drains the node
        Slurm = "slurm",
    }

    /// How a run ends, as far as any style tells it apart.
    pub enum End {
        /// READY, and nothing fails.
        Ready = "ready",
        /// READY, and something fails that does not gate.
        Warning = "warning",
        /// NOT READY.
        NotReady = "not-ready",
        /// INCOMPLETE.
        Incomplete = "incomplete",
        /// Wrong usage.
        Usage = "usage",
        /// A bug of ours.
        Bug = "bug",
        /// The report could not be written.
        Output = "output",
        /// Wrong configuration.
        Config = "config",
    }
}

/// The code of every end in every style: default, npd, nagios, slurm.
///
/// Slurm takes a node out of service for any code but 0, so there nothing but a verdict may say one: what could not be
/// told, and a mistake of whoever wrote the prolog, must not drain a cluster. Those are said on standard error.
const CODES: [(End, [u8; 4]); 8] = [
    (End::Ready, [0, 0, 0, 0]),
    (End::Warning, [0, 0, 1, 0]),
    (End::NotReady, [1, 1, 2, 1]),
    (End::Incomplete, [2, 2, 3, 0]),
    (End::Usage, [64, 64, 3, 0]),
    (End::Bug, [70, 70, 3, 0]),
    (End::Output, [74, 74, 3, 0]),
    (End::Config, [78, 78, 3, 0]),
];

impl Style {
    /// The code of an end. Where no failure is to be one (`--fail-on never`), no verdict is, and mistakes still are.
    pub fn code(self, end: End, never_fails: bool) -> u8 {
        let is_verdict = matches!(end, End::Ready | End::Warning | End::NotReady | End::Incomplete);
        let row = CODES.iter().find(|(of, _)| *of == end).map_or([BUG.code; 4], |(_, row)| *row);
        if is_verdict && never_fails { 0 } else { row[self as usize] }
    }

    /// The style that a command line asks for, be the rest of it as wrong as it may: its writer's mistake must be told in
    /// the words that its reader knows. Else the one of the variable. `may_ask` says whether the command that a word names,
    /// if any, has such an option.
    pub fn asked(arguments: &[OsString], variable: Option<&str>, may_ask: impl Fn(&str) -> bool) -> Self {
        let words: Vec<_> =
            arguments.iter().map(|word| word.to_string_lossy()).take_while(|word| *word != "--").collect();
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let value = |at: usize| match words[at].strip_prefix("--exit-style")? {
            "" => words.get(at + 1).copied(),
            rest => rest.strip_prefix('='),
        };
        let asked = (0..words.len()).rev().find_map(value).and_then(|word| word.parse().ok());
        let asked = asked.or_else(|| variable?.parse().ok());
        asked.filter(|_| words.get(1).is_none_or(|word| may_ask(word))).unwrap_or_default()
    }

    /// Whether its reader wants one line on standard output, whatever happens.
    pub fn wants_a_line(self) -> bool {
        matches!(self, Self::Npd | Self::Nagios)
    }

    /// What stands before the words of that line.
    pub fn head(self, code: u8) -> Option<&'static str> {
        (self == Self::Nagios).then_some(match code {
            0 => "GPU-PREFLIGHT OK: ",
            1 => "GPU-PREFLIGHT WARNING: ",
            2 => "GPU-PREFLIGHT CRITICAL: ",
            _ => "GPU-PREFLIGHT UNKNOWN: ",
        })
    }
}

impl From<Exit> for End {
    /// What an exit code of ours says, where there is no report to say more.
    fn from(exit: Exit) -> Self {
        match exit {
            READY => Self::Ready,
            NOT_READY => Self::NotReady,
            INCOMPLETE => Self::Incomplete,
            OUTPUT => Self::Output,
            CONFIG => Self::Config,
            BUG => Self::Bug,
            _ => Self::Usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_has_a_code_for_every_end() {
        let codes = |style: Style| End::ALL.iter().map(|end| style.code(*end, false)).collect::<Vec<_>>();
        assert_eq!(CODES.map(|(end, _)| end).as_slice(), End::ALL, "one row each, in order");
        assert_eq!(codes(Style::Default), [0, 0, 1, 2, 64, 70, 74, 78]);
        assert_eq!(codes(Style::Npd), [0, 0, 1, 2, 64, 70, 74, 78], "anything from 2 on is unknown there");
        assert_eq!(codes(Style::Nagios), [0, 1, 2, 3, 3, 3, 3, 3]);
        assert_eq!(codes(Style::Slurm), [0, 0, 1, 0, 0, 0, 0, 0], "a node is drained by a verdict alone");
        for style in Style::ALL {
            let never = |end: &End| style.code(*end, true);
            assert!(End::ALL[..4].iter().all(|end| never(end) == 0), "{style}");
            assert!(End::ALL[4..].iter().all(|end| never(end) == style.code(*end, false)), "{style}");
        }
    }

    #[test]
    fn a_style_is_heard_in_a_command_line_that_is_wrong() {
        let may_ask = |word: &str| !["exec", "facts"].contains(&word);
        let by = |words: &str, variable| {
            Style::asked(&words.split(' ').map(Into::into).collect::<Vec<_>>(), variable, may_ask)
        };
        let asked = |words: &str| by(words, None);
        assert_eq!(asked("x check --bogus --exit-style slurm"), Style::Slurm);
        assert_eq!(asked("x --exit-style=nagios --tier nonsense"), Style::Nagios);
        assert_eq!(asked("x nosuchcommand --exit-style nagios"), Style::Nagios, "a slip in the command is one too");
        assert_eq!(asked("x --exit-style=npd --exit-style slurm"), Style::Slurm);
        for none in [
            "x check",
            "x --exit-style",
            "x --exit-style=bogus",
            "x exec -- y --exit-style npd",
            "x --exit-stylenpd",
            "x facts --exit-style npd",
        ] {
            assert_eq!(asked(none), Style::Default, "{none}");
        }
        for (words, style) in [
            ("x", Style::Nagios),
            ("x --bogus", Style::Nagios),
            ("x check --exit-style slurm", Style::Slurm),
            ("x facts", Style::Default),
        ] {
            assert_eq!(by(words, Some("nagios")), style, "{words}");
        }
        assert_eq!(by("x check", Some("bogus")), Style::Default);
    }
}
