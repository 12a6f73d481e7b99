//! `exec`: looks, and becomes the workload unless the verdict stops it.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::message::{self, say};
use super::output::{self, Target};
use super::plan::{self, Plan};
use super::{Failure, collected, errand, look, reported};
use crate::cli::{ExecArgs, FailOn, ImageArgs, Mode, first_line};
use crate::collect::{self, Input};
use crate::exit::{self, Exit, Style};
use crate::facts::Phase;
use crate::report::formats::Format;
use crate::report::summary;
use crate::weigh::Verdict;
use crate::world::child::{self, Descendants};
use crate::world::{World, guard, handover};

/// Looks, and becomes the command or says why not. A mistake in what is asked is `told` with where it comes from.
pub fn run(arguments: &ExecArgs, told: impl Fn(Failure) -> Failure) -> Result<Exit, Failure> {
    let mode = match arguments.mode {
        Some(mode) => mode,
        None => by_name().map_err(|message| Failure::new(exit::USAGE, message))?.unwrap_or(Mode::Enforce),
    };
    if mode == Mode::Off {
        return Err(become_workload(&arguments.command, None));
    }
    handover::heed_termination();
    handover::go_on_when_stopped();
    guard::start_when_lost(mode == Mode::Report || !arguments.block_on_incomplete);
    let (world, asked, plan) = match prepared(arguments).map_err(told) {
        Ok(prepared) => prepared,
        Err(failure) if mode == Mode::Report => {
            say(&failure.message);
            return Err(become_workload(&arguments.command, None));
        }
        Err(failure) => return Err(failure),
    };
    let words = arguments.command.iter().map(|word| word.to_string_lossy().into_owned());
    let input = Input {
        phase: plan.phase(arguments.collecting.phase, Phase::Start),
        command: Some(words.collect()),
        gpu_code: !plan.profile.file.want.is_empty(),
        named: plan.named(),
        ..asked
    };
    let descendants = Descendants::watch();
    // A bug of ours may not keep a workload from starting that would have started without us.
    let looked = catch_unwind(AssertUnwindSafe(|| reported(collected(&world, &input), &plan, &[])));
    let verdict = match &looked {
        Ok(report) => {
            // Standard output belongs to the workload. That a report could not be written is no reason to stop it.
            let told = catch_unwind(AssertUnwindSafe(|| {
                output::report(&world, report, &arguments.output, Target::Stderr, None)
            }));
            if let Ok(Err(failure)) = told {
                say(&failure.message);
            }
            report.verdict
        }
        Err(_) => Verdict::Incomplete,
    };
    let stops = mode == Mode::Enforce
        && arguments.fail_on != Some(FailOn::Never)
        && (verdict == Verdict::NotReady || (verdict == Verdict::Incomplete && arguments.block_on_incomplete));
    if stops {
        guard::start_when_lost(false);
        if let Ok(report) = &looked {
            world.write_termination_log(&summary::render(report));
        }
        // Whoever asked for JSON on this stream wants to read it.
        if arguments.output.format == Format::Text || arguments.output.file().is_some() {
            let verdict = verdict.as_str().replace('-', " ").to_uppercase();
            let (name, variable) = (message::name(&arguments.command), Mode::VARIABLE);
            let line = format!("{verdict}, so {name} was not started; {variable}=report starts it all the same");
            say(&line);
        }
        return Ok(verdict.into());
    }
    let stuck = looked.as_ref().map_or(&[][..], |report| &report.facts.storage.stuck);
    let place = errand::past(&world, stuck, &arguments.command);
    // A bug of ours may not keep a workload from starting here either.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(descendants)));
    Err(become_workload(&arguments.command, place.as_ref()))
}

/// What the variable says.
fn by_name() -> Result<Option<Mode>, String> {
    Mode::named(&World::here(Duration::ZERO).env(Mode::VARIABLE).unwrap_or_default())
}

/// The machine, and what is asked of a look at it and of its judgement.
fn prepared(arguments: &ExecArgs) -> Result<(World, Input, Plan), Failure> {
    output::agree(&arguments.output, Style::Default)?;
    let (world, asked) = look(&arguments.collecting, &ImageArgs::default())?;
    child::prepare(&world, collect::NAME); // it gets ready while the catalogue is read
    let plan = Plan::load_gated(&world, &arguments.judging, plan::PROFILE, arguments.fail_on)?;
    Ok((world, asked, plan))
}

/// Becomes the workload in spite of a mistake in our options, where whoever starts it said that nothing may stop it: what
/// follows the first `--` then. Nothing happens otherwise.
pub fn in_spite_of(error: &clap::Error, arguments: &[OsString]) -> Option<Failure> {
    let (ours, command) = arguments.split_at(arguments.iter().position(|word| word == "--")?);
    let command = command.get(1..).filter(|command| !command.is_empty())?;
    if !error.use_stderr() || ours.get(1).is_none_or(|word| word != "exec") {
        return None;
    }
    let words: Vec<&str> = ours.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let flag = (0..words.len()).rev().find_map(|at| match words[at].strip_prefix("--mode")? {
        "" => words.get(at + 1).copied(),
        rest => rest.strip_prefix('='),
    });
    let flag = flag.and_then(|word| <Mode as clap::ValueEnum>::from_str(word, true).ok());
    let mode = flag.or_else(|| by_name().ok().flatten())?;
    matches!(mode, Mode::Report | Mode::Off).then(|| {
        say(&format!("{}; the workload is started all the same", first_line(error)));
        become_workload(command, None)
    })
}

/// Becomes the command, from `place` where that is known.
fn become_workload(command: &[OsString], place: Option<&OsString>) -> Failure {
    child::settle(); // it finds the GPU as free as it was, and no zombies
    let error = handover::become_workload(command, place.map(OsString::as_os_str));
    let exit = if error.kind() == std::io::ErrorKind::NotFound { exit::NOT_FOUND } else { exit::NOT_RUNNABLE };
    Failure::new(exit, format!("{}: {error}", message::name(command)))
}
