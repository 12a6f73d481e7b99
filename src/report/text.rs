//! The report for a person: the answer first, then the cause and the cure, then everything else.

use super::legend;
use super::overview::{self, Mark};
use super::rates;
use super::rows::{at, failure_line, gap_lines, group_of, line, with_subject};
use super::table::{self, Line};
use super::tally;
use super::{Finding, Report};
use crate::check::{Dimension, Outcome};
use crate::facts::Facts;
use crate::text::{Shown, count, plain, plain_long};
use crate::weigh::{Verdict, remedy};

/// How a text report is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns.
    pub width: u16,
    /// Whether escape sequences for colour may be written.
    pub color: bool,
    /// Whether what holds and what does not apply is listed too.
    pub verbose: bool,
}

/// The report as text.
pub fn render(report: &Report, layout: Layout) -> Shown {
    let mut page = Page { text: Shown::default(), layout };
    page.head(report);
    page.answer(report);
    page.overview(report);
    page.failures(report);
    page.gaps(report);
    page.rates(report);
    page.rest(report);
    page.text
}

struct Page {
    text: Shown,
    layout: Layout,
}

impl Page {
    fn line(&mut self, line: &Shown) {
        self.text.push_line(line);
    }

    fn blank(&mut self) {
        self.line(&Shown::default());
    }

    fn wrapped(&mut self, text: &str) {
        for part in table::wrap(text, usize::from(self.layout.width)) {
            self.line(&part);
        }
    }

    fn paint(&self, code: &'static str, text: &str) -> Shown {
        let text = Shown::line(text);
        if self.layout.color { text.painted(code) } else { text }
    }

    fn title(&mut self, text: &str) {
        let title = self.paint("1", text);
        self.line(&title);
    }

    fn mark(&self, mark: Mark) -> Shown {
        let code = match mark {
            Mark::None => "2",
            Mark::Good => "32",
            Mark::Unknown | Mark::Warning => "33",
            Mark::Bad => "31",
        };
        self.paint(code, mark.sign())
    }

    fn head(&mut self, report: &Report) {
        let facts = &report.facts;
        let gpus = facts.gpus.known().map_or(String::new(), |gpus| {
            format!("   {}", overview::gpu_words(gpus.len(), gpus.first().and_then(|gpu| gpu.name.known())))
        });
        let head = format!(
            "{} {}   profile {}, phase {}   {}{gpus}",
            report.tool.name,
            report.tool.version,
            plain(&report.profile),
            report.phase,
            overview::place(facts)
        );
        self.wrapped(&head);
        if let Some(process) = facts.run.environment_of.known() {
            self.wrapped(&whose_environment(process));
        }
        if let Some(words) = assumed(facts) {
            self.wrapped(&format!("assumed: {words}"));
        }
        self.blank();
    }

    fn answer(&mut self, report: &Report) {
        let code = match report.verdict {
            Verdict::Ready => "1;32",
            Verdict::NotReady => "1;31",
            Verdict::Incomplete => "1;33",
        };
        let verdict = report.verdict.title();
        let capped = report.score.capped_by.as_ref();
        let capped = capped.map_or(String::new(), |id| format!(", capped by {id}{}", tally::waived(report, id)));
        let looked = tally::looked(report);
        let seconds = report.facts.run.wall_ms / 1000.0;
        let score = overview::score_words(report);
        let words = report.verdict_words();
        let answer = format!("{words}   {score}{capped}   {looked}   {seconds:.1} s");
        for part in table::wrap(&answer, usize::from(self.layout.width)) {
            let painted = part.strip_prefix(verdict).map(|rest| self.paint(code, verdict) + &Shown::line(rest));
            self.line(&painted.unwrap_or(part));
        }
        self.blank();
        let cause = report.cause();
        match cause {
            Some(finding) if finding.counts() => {
                let label = if report.verdict == Verdict::NotReady { "cause" } else { "first" };
                self.labelled(label, &(with_subject(finding, &finding.message) + &at(finding)));
                self.labelled("who", &format!("{}: {}", finding.owner, remedy(finding, &report.facts)));
            }
            Some(finding) => {
                let message = with_subject(finding, &finding.message) + &at(finding);
                self.labelled("unknown", &format!("{}: {message}", finding.check));
            }
            None => {}
        }
        let then: Vec<String> = report
            .further_fixes()
            .map(|fix| {
                let after = fix.score_after.map_or(String::new(), |after| format!(" (→ {after})"));
                format!("{}{}{after}", fix.check, tally::waived(report, &fix.check))
            })
            .collect();
        if !then.is_empty() {
            self.labelled(if cause.is_some() { "then" } else { "best" }, &then.join(" · "));
        }
        for note in &report.notes {
            self.labelled("note", &plain_long(note));
        }
        if let Some(baseline) = &report.baseline {
            self.labelled("since", &baseline.words());
            for (label, formers) in [("fixed", &baseline.fixed), ("untold", &baseline.untold)] {
                let mut ids: Vec<&str> = formers.iter().map(|former| former.check.as_str()).collect();
                ids.dedup();
                if !ids.is_empty() {
                    self.labelled(label, &ids.join(" · "));
                }
            }
        }
        if cause.is_some() || !then.is_empty() || !report.notes.is_empty() || report.baseline.is_some() {
            self.blank();
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let indent = 11;
        let width = usize::from(self.layout.width).saturating_sub(indent).max(20);
        for (index, part) in table::wrap(text, width).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.line(&Shown::line(&format!("  {label:<9}{part}")));
        }
    }

    fn overview(&mut self, report: &Report) {
        let rows = overview::lines(report);
        // The answer ends with an empty line, and one is enough.
        let is_empty = rows.is_empty();
        for row in rows {
            let mark = self.mark(row.mark);
            let width = usize::from(self.layout.width).saturating_sub(16).max(20);
            for (index, part) in table::wrap(&row.text, width).iter().enumerate() {
                if index == 0 {
                    self.line(&(Shown::line(&format!("  {:<11}", row.name)) + &mark + &Shown::line("  ") + part));
                } else {
                    self.line(&(Shown::line(&format!("  {:<11}   ", "")) + part));
                }
            }
        }
        let scores = overview::dimension_words(report);
        if !scores.is_empty() {
            if !is_empty {
                self.blank();
            }
            self.labelled("scores", &scores);
        }
    }

    fn failures(&mut self, report: &Report) {
        for dimension in Dimension::ALL {
            let own: Vec<&Finding> = report.failures().filter(|finding| finding.dimension == *dimension).collect();
            if own.is_empty() {
                continue;
            }
            let title = match report.score.dimensions.iter().find(|score| score.dimension == *dimension) {
                Some(score) => format!("{dimension}   {}", score.words()),
                None => dimension.to_string(),
            };
            self.blank();
            self.title(&title);
            let lines: Vec<Line> =
                own.chunk_by(|a, b| group_of(a) == group_of(b)).map(|group| failure_line(group, report)).collect();
            self.table(&lines);
        }
    }

    fn gaps(&mut self, report: &Report) {
        let gaps = gap_lines(report, self.layout.verbose);
        if !gaps.is_empty() {
            self.blank();
            self.title("could not tell");
            self.table(&gaps);
        }
        let mut causes: Vec<(&str, usize)> = Vec::new();
        for cause in report.findings.iter().filter_map(|finding| finding.blocked_by.as_deref()) {
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, count)) => *count += 1,
                None => causes.push((cause, 1)),
            }
        }
        if !causes.is_empty() {
            self.blank();
        }
        for (cause, blocked) in causes {
            self.wrapped(&format!("{} not judged, because {cause} fails", count(blocked, "check")));
        }
    }

    fn rates(&mut self, report: &Report) {
        let Some(rates) = rates::render(&report.facts, self.layout.width) else { return };
        self.blank();
        self.title("rates");
        for row in rates {
            self.line(&row);
        }
    }

    fn rest(&mut self, report: &Report) {
        self.blank();
        let quiet = [Outcome::Holds, Outcome::NotApplicable];
        if self.layout.verbose {
            for outcome in quiet {
                let mark = if outcome == Outcome::Holds { Mark::Good } else { Mark::None };
                let mut lines: Vec<Line> = Vec::new();
                for finding in report.findings.iter().filter(|finding| finding.outcome == outcome) {
                    // One line a check: that it holds for each of eight GPUs is one piece of news.
                    if lines.last().is_none_or(|last| last.check != finding.check) {
                        lines.push(line(mark, finding, finding.message.clone()));
                    }
                }
                if !lines.is_empty() {
                    let title = if outcome == Outcome::Holds { "holds" } else { "does not apply" };
                    self.title(title);
                    self.table(&lines);
                    self.blank();
                }
            }
        }
        let more = if self.layout.verbose { "" } else { "; --verbose lists them" };
        self.wrapped(&format!("{}{more}", tally::rest(report)));
        if let Some(words) = legend::words(report) {
            self.wrapped(&words);
        }
        if let Some(first) = report.failures().next() {
            self.wrapped(&format!("`gpu-preflight explain {}` says why it matters and how it was found", first.check));
        }
    }

    fn table(&mut self, lines: &[Line]) {
        for row in table::render(lines, self.layout.width) {
            let painted = [Mark::Bad, Mark::Warning, Mark::Unknown, Mark::Good, Mark::None]
                .into_iter()
                .find_map(|mark| Some((mark, row.strip_prefix("  ")?.strip_prefix(mark.sign())?)))
                .map(|(mark, rest)| Shown::line("  ") + &self.mark(mark) + &Shown::line(rest));
            self.line(&painted.unwrap_or(row));
        }
    }
}

/// Whose environment was looked with, where it was not our own.
pub fn whose_environment(process: &str) -> String {
    format!("environment: that of process {}", plain(process))
}

/// What was taken for given: `NVIDIA B200, driver 535.104.05`.
fn assumed(facts: &Facts) -> Option<String> {
    let gpu = facts.run.assumed_gpu.known().map(|name| plain(name));
    let driver = facts.run.assumed_driver.known().map(|version| format!("driver {}", plain(version)));
    let words: Vec<String> = gpu.into_iter().chain(driver).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
