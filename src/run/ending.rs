//! How a run ends: what is said of a verdict against an earlier one, to whom, and with which code.

use std::mem::ManuallyDrop;

use super::output::{self, Target};
use super::plan::{self, Plan};
use super::{Failure, message, report_on};
use crate::cli::{Assumption, BaselineArgs, FailOn, GateArgs, OutputArgs};
use crate::exit::{End, Exit, Style};
use crate::facts::recording::Recording;
use crate::report::Report;
use crate::report::formats::line;
use crate::text::Shown;
use crate::weigh::{Finding, Verdict, since};
use crate::world::{World, terminal};

/// Holds a report against an earlier one, judged by the same checks and profile: so what a newer check finds in both is no
/// news.
pub fn compare(
    world: &World,
    arguments: &BaselineArgs,
    plan: &Plan,
    assumed: &[Assumption],
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(path) = &arguments.baseline else { return Ok(()) };
    let Recording { facts, notes } = plan::recording(world, path)?;
    let earlier = report_on(facts, plan, Some(report.phase), assumed);
    let taken = earlier.facts.run.taken_at_seconds;
    let (baseline, verdict) = since(&mut report.findings, &earlier.findings, taken, arguments.fail_on_new_only);
    report.notes.extend(notes.into_iter().map(|note| format!("baseline: {note}")));
    (report.baseline, report.verdict) = (Some(baseline), verdict);
    Ok(())
}

/// Writes all that is asked for, and says how that ends. What was told by is not taken down: of tens of thousands of pieces
/// the kernel takes all back at once.
pub fn tell(world: &World, told: (Plan, Report), arguments: &OutputArgs, gate: &GateArgs) -> Result<Exit, Failure> {
    let told = ManuallyDrop::new(told);
    let report = &told.1;
    let end = match report.verdict {
        Verdict::Ready if report.findings.iter().any(Finding::counts) => End::Warning,
        Verdict::Ready => End::Ready,
        Verdict::NotReady => End::NotReady,
        Verdict::Incomplete => End::Incomplete,
    };
    let (style, never) = (gate.exit_style, gate.fail_on == Some(FailOn::Never));
    // A report that is lost takes nothing from the verdict of who reads codes of his own: a full disk is what a broken
    // node often has, and it must be drained all the same.
    let code = |is_lost: bool| style.code(if is_lost && end != End::NotReady { End::Output } else { end }, never);
    let line = |is_lost: bool| match style.head(code(is_lost)) {
        head if is_lost && end != End::NotReady => {
            line::short(&format!("{}a report could not be written", head.unwrap_or("UNKNOWN: ")))
        }
        Some(head) => short_with_figures(head, report),
        None => line::render(report),
    };
    let line = style.wants_a_line().then_some(&line as &dyn Fn(bool) -> Shown);
    match output::report(world, report, arguments, Target::Stdout, line) {
        Ok(()) => Ok(Exit::spoken(code(false))),
        Err(failure) if style == Style::Default => Err(failure),
        Err(failure) => {
            message::say(&failure.message);
            Ok(Exit::spoken(code(true)))
        }
    }
}

/// Nagios' line: what there is to say, and behind a bar the figures that are drawn.
fn short_with_figures(head: &str, report: &Report) -> Shown {
    let words = format!("{head}{}", line::whole(report)).replace('|', "/");
    let words = line::short(&words);
    let Some(score) = report.score.low else { return words };
    let looked = report.score.looked_percent();
    [Shown::line(&format!("{} | score={score};;;0;100 coverage={looked}%;;;0;100", words.trim_end()))]
        .into_iter()
        .collect()
}

/// What is said to whoever reads but one line, and the code for him, where there is no verdict.
pub fn mistaken(style: Style, exit: Exit, message: &str) -> Exit {
    let code = style.code(exit.into(), false);
    if style.wants_a_line() {
        let head = style.head(code).unwrap_or("UNKNOWN: ");
        let _ =
            terminal::write(terminal::Stream::Stdout, &line::short(&format!("{head}{}", message.replace('|', "/"))));
    }
    if style == Style::Default { exit } else { Exit::spoken(code) }
}
