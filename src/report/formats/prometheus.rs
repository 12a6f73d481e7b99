//! Prometheus' text format 0.0.4, for the textfile collector of `node_exporter`. It skips a whole file that has a timestamp
//! or the same series twice, so there are none, and what changes from run to run is a value and never a label.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Report;
use crate::check::{Outcome, Severity};
use crate::facts::{Fact, Multiply};
use crate::text::{Shown, plain};
use crate::weigh::Verdict;

/// The page.
pub fn render(report: &Report) -> Shown {
    let mut page = Page::default();
    let run = &report.facts.run;
    page.family("info", "What made this page, and how it was judged.");
    let phase = report.phase.as_str();
    page.series(&[("version", &report.tool.version), ("profile", &report.profile), ("phase", phase)], 1.0);
    page.family("last_run_timestamp_seconds", "When the readings were taken, since 1970-01-01 UTC.");
    page.series(&[], run.taken_at_seconds as f64);
    page.family("last_run_duration_seconds", "How long that took.");
    page.series(&[], run.wall_ms / 1000.0);
    page.family("verdict", "1 for the verdict that was given, 0 for the others.");
    for verdict in Verdict::ALL {
        page.series(&[("verdict", verdict.as_str())], f64::from(u8::from(report.verdict == *verdict)));
    }
    page.family("score", "How far from production, 0 to 100; what could not be told fails in low and holds in high.");
    for (bound, score) in [("low", report.score.low), ("high", report.score.high)] {
        page.known(&[("bound", bound)], score.map(f64::from));
    }
    page.family("score_coverage_ratio", "Share of the weight of all checks that could be told.");
    page.series(&[], report.score.coverage);
    page.family("dimension_score", "The score of one dimension.");
    for score in &report.score.dimensions {
        for (bound, points) in [("low", score.low), ("high", score.high)] {
            page.series(&[("dimension", score.dimension.as_str()), ("bound", bound)], f64::from(points));
        }
    }
    page.family("checks", "Checks by what came of them and how much they matter.");
    for outcome in Outcome::ALL {
        for severity in Severity::ALL {
            let ids = report.findings.iter().filter(|f| f.outcome == *outcome && f.severity == *severity);
            let ids: BTreeSet<&str> = ids.map(|finding| finding.check.as_str()).collect();
            page.series(&[("outcome", outcome.as_str()), ("severity", severity.as_str())], ids.len() as f64);
        }
    }
    page.family("check_failed", "1 for each check and subject that fails.");
    for finding in report.failures() {
        let waived = if finding.waived.is_some() { "true" } else { "false" };
        let labels = [
            ("check", finding.check.as_str()),
            ("subject", finding.subject.as_deref().unwrap_or_default()),
            ("severity", finding.severity.as_str()),
            ("owner", finding.owner.as_str()),
            ("waived", waived),
        ];
        page.series(&labels, 1.0);
    }
    page.rates(report);
    Shown::lines(&page.text)
}

#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
    seen: BTreeSet<String>,
}

impl Page {
    /// Begins a family. One without a series is nothing but its two lines, which is allowed.
    fn family(&mut self, name: &'static str, help: &str) {
        self.name = name;
        let _ = write!(self.text, "# HELP gpu_preflight_{name} {help}\n# TYPE gpu_preflight_{name} gauge\n");
    }

    fn series(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let series = format!("gpu_preflight_{}{labels}", self.name);
        // Two subjects of one name, or of names that are one when they are cut, are one series.
        if self.seen.insert(series.clone()) {
            let _ = writeln!(self.text, "{series} {value}");
        }
    }

    fn known(&mut self, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.series(labels, value);
        }
    }

    fn rates(&mut self, report: &Report) {
        let multiplies = report.facts.compute.multiplies.known().map_or(&[][..], Vec::as_slice);
        let mut each = |name, help: &str, of: fn(&Multiply) -> Option<f64>| {
            self.family(name, help);
            for one in multiplies {
                self.known(&[("gpu", &one.gpu.to_string()), ("precision", one.precision.as_str())], of(one));
            }
        };
        each("multiply_operations_per_second", "Rate of a multiply, operations a second.", |one| {
            one.tflops.known().map(|tera| tera * 1e12)
        });
        each("multiply_expected_ratio", "Share of what such a GPU is expected to reach.", |one| {
            one.share_of_expected.known().copied()
        });
        let copies = report.facts.compute.copies.known().map_or(&[][..], Vec::as_slice);
        self.family("memory_bytes_per_second", "Rate of copies within the memory of a GPU.");
        for one in copies {
            self.known(&[("gpu", &one.gpu.to_string())], bytes(&one.device_gb_per_second));
        }
        self.family("memory_expected_ratio", "Share of what such a memory is expected to reach.");
        for one in copies {
            self.known(&[("gpu", &one.gpu.to_string())], one.share_of_expected.known().copied());
        }
    }
}

fn bytes(gigabytes: &Fact<f64>) -> Option<f64> {
    gigabytes.known().map(|giga| giga * 1e9)
}

/// The value of a label.
fn escaped(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_written_once_and_a_value_ends_where_it_should() {
        let mut page = Page::default();
        page.family("x", "X.");
        for subject in ["a\"b\\c\nd", "a\"b\\c\nd", "e"] {
            page.series(&[("subject", subject)], 1.0);
        }
        let series: Vec<&str> = page.text.lines().skip(2).collect();
        assert_eq!(series, ["gpu_preflight_x{subject=\"a\\\"b\\\\c\\\\nd\"} 1", "gpu_preflight_x{subject=\"e\"} 1"]);
    }
}
