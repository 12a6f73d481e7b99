//! `diff`: what changed between two recordings or reports, judged by the same checks and the same profile.

use std::path::Path;
use std::time::Duration;

use super::files::one_reader;
use super::output::{self, Target};
use super::plan::{self, Plan};
use super::{Failure, message, report_on};
use crate::cli::{DiffArgs, TableFormat};
use crate::exit::{self, Exit};
use crate::facts::recording::Recording;
use crate::report::{Report, diff};
use crate::text::plain_long;
use crate::world::World;

/// Prints what changed; 0 where nothing did that matters, else 1.
pub fn run(arguments: &DiffArgs) -> Result<Exit, Failure> {
    one_reader([Some(&*arguments.before), Some(&*arguments.after)])?;
    let world = World::here(Duration::from_mins(1));
    let plan = Plan::load(&world, &arguments.judging, plan::PROFILE)?;
    let judged = |path: &Path| -> Result<Report, Failure> {
        let Recording { facts, notes } = plan::recording(&world, path)?;
        for note in notes {
            message::say(&plain_long(&note));
        }
        Ok(report_on(facts, &plan, None, &[]))
    };
    let (before, after) = (judged(&arguments.before)?, judged(&arguments.after)?);
    let found = diff::compare(&before, &after);
    // Who asks about some checks has not asked about every fact.
    let asks_all = arguments.judging.only.is_empty() && arguments.judging.skip.is_empty();
    let is_same = if asks_all { found.is_empty() } else { found.findings.is_empty() };
    let text = match arguments.format {
        TableFormat::Json => output::as_json(&found)?,
        TableFormat::Text => {
            let names = [&arguments.before, &arguments.after].map(|path| path.to_string_lossy());
            let layout = output::layout(Target::Stdout, false);
            diff::text(&found, [&names[0], &names[1]], [&before, &after], layout)
        }
    };
    output::deliver(&world, &text, None, Target::Stdout)?;
    Ok(if is_same { exit::READY } else { exit::NOT_READY })
}
