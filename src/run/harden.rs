//! `harden`: what would answer the findings, as files.

use std::time::Duration;

use super::output::{self, Target};
use super::{Failure, collected, look, plan, report_on, reported};
use crate::cli::HardenArgs;
use crate::collect::Input;
use crate::exit::{self, Exit};
use crate::facts::Phase;
use crate::facts::recording::Recording;
use crate::harden::{self, Options};
use crate::report::Report;
use crate::text::Shown;
use crate::world::child::Descendants;
use crate::world::{World, interrupt};

/// Prints them, or writes each of them.
pub fn run(arguments: &HardenArgs) -> Result<Exit, Failure> {
    let world = World::here(Duration::from_mins(1));
    let command = arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let options = Options { uid: arguments.uid, command };
    let parts = harden::parts(&report(arguments)?, &options);
    if let Some(folder) = &arguments.into {
        for part in &parts {
            output::deliver(&world, &part.text, Some(&folder.join(part.file)), Target::Stdout)?;
        }
        return Ok(exit::READY);
    }
    let wanted = parts.into_iter().filter(|part| arguments.file.as_deref().is_none_or(|file| file == part.file));
    let page = if arguments.file.is_some() {
        wanted.map(|part| part.text).fold(Shown::default(), |page, text| page + &text)
    } else {
        let head = |file: &str| [Shown::default(), Shown::line(&format!("### {file}"))].into_iter().collect::<Shown>();
        wanted.fold(Shown::default(), |page, part| page + &head(part.file) + &part.text)
    };
    output::deliver(&world, &page, None, Target::Stdout)?;
    Ok(exit::READY)
}

/// The report that is answered.
fn report(arguments: &HardenArgs) -> Result<Report, Failure> {
    let (world, asked) = look(&arguments.collecting)?;
    let plan = plan::Plan::load(&world, &arguments.judging, plan::PROFILE)?;
    if let Some(path) = &arguments.from {
        let Recording { facts, notes } = plan::recording(&world, path)?;
        for note in notes {
            super::message::say(&crate::text::plain_long(&note));
        }
        return Ok(report_on(facts, &plan, arguments.collecting.phase, &[]));
    }
    let watch = interrupt::Watch::begin();
    let _descendants = Descendants::watch();
    let phase = plan.phase(arguments.collecting.phase, Phase::Live);
    let input = Input { phase, gpu_code: !plan.profile.file.want.is_empty(), ..asked };
    let facts = collected(&world, &input);
    drop(watch);
    Ok(reported(facts, &plan, &[]))
}
