//! The spine: plan, collect, judge, weigh, tell, exit. The only place that knows all of them.

mod contract;
mod diff;
mod ending;
mod errand;
mod exec;
mod files;
mod gpus;
mod harden;
mod image;
mod init;
mod message;
mod output;
mod plan;
mod sbom;
mod vulnerabilities;
mod written;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::check::judge;
use crate::cli::{
    Assumption, CheckArgs, Cli, CollectingArgs, Command, FactsArgs, FailOn, ImageArgs, JudgeArgs, JudgingArgs, LookArgs,
};
use crate::collect::{self, Input};
use crate::derive::derive;
use crate::exit::{self, Exit, Style};
use crate::facts::recording::Recording;
use crate::facts::{Fact, Facts, Phase};
use crate::report::Report;
use crate::text::plain;
use crate::weigh::{Profile, weigh};
use crate::world::child::{self, Descendants, Progress};
use crate::world::{World, handover, interrupt};
use crate::{cli, explain, probe};
use message::say;
use output::Target;
pub use plan::Plan;

/// Why a run ends without a verdict.
struct Failure {
    exit: Exit,
    message: String,
    /// Further mistakes of the same kind, each a line of its own.
    also: Vec<String>,
}

impl Failure {
    fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self { exit, message: message.to_string(), also: Vec::new() }
    }
}

/// Does what the command line says.
pub fn run(arguments: &[OsString]) -> Exit {
    handover::survive_full_files();
    message::speak_for_panics();
    if let [_, command, name] = arguments
        && command.to_str() == Some(child::COMMAND)
    {
        return if serve(&name.to_string_lossy()) { exit::READY } else { exit::BUG };
    }
    let style = Style::asked(arguments, cli::may_ask_for_style);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let error = message::plainer(error);
            if let Some(failure) = exec::in_spite_of(&error, arguments) {
                say(&failure.message);
                message::stopped(message::said(&failure.message));
                return failure.exit;
            }
            let exit = message::usage(&error, arguments);
            return if error.use_stderr() { ending::mistaken(style, exit, &ending::first_line(&error)) } else { exit };
        }
    };
    let done = catch_unwind(AssertUnwindSafe(|| dispatch(cli)));
    child::settle(); // or they stay zombies where process 1 reaps nobody
    match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            [&failure.message].into_iter().chain(&failure.also).for_each(|line| say(line));
            ending::mistaken(style, failure.exit, &failure.message)
        }
        Err(_) => {
            let message = "this is a bug in gpu-preflight; the lines above say where";
            say(message);
            ending::mistaken(style, exit::BUG, message)
        }
    }
}

/// Does what a copy of ourselves is sent for: the other end of the room `world::child`. Whether it could.
fn serve(name: &str) -> bool {
    let (progress, input) = match Progress::begin() {
        Ok(begun) => begun,
        Err(error) => {
            Progress::cannot_begin(&error);
            return true;
        }
    };
    match name {
        collect::NAME => collect::serve(input, progress),
        errand::NAME => errand::serve(input, progress),
        _ => probe::serve(name, input, progress),
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command.unwrap_or(Command::Check(cli.check)) {
        Command::Check(arguments) => check(&arguments),
        Command::Exec(arguments) => {
            exec::run(&arguments).inspect_err(|failure| message::stopped(message::said(&failure.message)))
        }
        Command::Facts(arguments) => facts(&arguments),
        Command::Judge(arguments) => judge_recording(&arguments),
        Command::Explain { asked, checks } => explain_check(&asked, &checks),
        Command::List(arguments) => list(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Harden(arguments) => harden::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Gpus(arguments) => gpus::run(&arguments),
        Command::Sbom(arguments) => sbom::run(&arguments),
        Command::OsvIndex(arguments) => {
            errand::index(&World::here(Duration::from_mins(5)), &arguments.export, &arguments.output)
        }
    }
}

fn check(arguments: &CheckArgs) -> Result<Exit, Failure> {
    let CheckArgs { look, written, gate, baseline, output } = arguments;
    output::agree(output, gate.exit_style)?;
    files::one_reader([
        look.image.image_config.as_deref(),
        written.dockerfile.as_deref(),
        written.compose.as_deref().or(written.manifest.as_deref()),
        baseline.baseline.as_deref(),
    ])?;
    let (world, plan, mut report) =
        if written.is_asked() { written::judged(look, written, gate.fail_on)? } else { looked(look, gate.fail_on)? };
    ending::compare(&world, baseline, &plan, &look.assuming.assume, &mut report)?;
    ending::tell(&world, (plan, report), output, gate)
}

/// Looks and judges.
fn looked(arguments: &LookArgs, fail_on: Option<FailOn>) -> Result<(World, Plan, Report), Failure> {
    let _watch = interrupt::Watch::begin();
    let _descendants = Descendants::watch();
    let (world, asked) = look(&arguments.collecting, &arguments.image)?;
    find_log(&world, &arguments.collecting, &arguments.image)?;
    if arguments.surroundings.as_process.is_none() {
        child::prepare(&world, collect::NAME); // it gets ready while the catalogue is read
    }
    let plan = Plan::load_gated(&world, &arguments.judging, image::profile(&arguments.image), fail_on)?;
    let (world, environment_of) = plan::surrounded(world, &arguments.surroundings)?;
    let (image, config) = image::of(&world, &arguments.image)?;
    let phase = image::phase(&arguments.image, |seat| plan.phase(arguments.collecting.phase, seat))?;
    let assumed = arguments.assuming.assumed().map_err(|message| Failure::new(exit::USAGE, message))?;
    let gpu_code = plan.asks_about_gpus(assumed);
    let named = plan.named();
    let facts = collected(&world, &Input { phase, environment_of, named, gpu_code, image, config, ..asked });
    let report = reported(facts, &plan, assumed);
    Ok((world, plan, report))
}

fn facts(arguments: &FactsArgs) -> Result<Exit, Failure> {
    let watch = interrupt::Watch::begin();
    let _descendants = Descendants::watch();
    let (world, asked) = look(&arguments.collecting, &arguments.image)?;
    find_log(&world, &arguments.collecting, &arguments.image)?;
    let (world, environment_of) = plan::surrounded(world, &arguments.surroundings)?;
    let (image, config) = image::of(&world, &arguments.image)?;
    let phase = image::phase(&arguments.image, |seat| arguments.collecting.phase.unwrap_or(seat))?;
    // Whoever judges the recording may ask about any GPU.
    let input = Input { phase, environment_of, image, config, gpu_code: true, ..asked };
    let facts = collected(&world, &input);
    drop(watch);
    output::deliver(&world, &output::as_json(&facts)?, arguments.output.as_deref(), Target::Stdout)?;
    Ok(exit::READY)
}

fn judge_recording(arguments: &JudgeArgs) -> Result<Exit, Failure> {
    let JudgeArgs { recording, phase, judging, assuming, gate, baseline, output } = arguments;
    output::agree(output, gate.exit_style)?;
    files::one_reader([Some(&**recording), baseline.baseline.as_deref()])?;
    let world = World::here(Duration::from_mins(1));
    let plan = Plan::load_gated(&world, judging, plan::PROFILE, gate.fail_on)?;
    let Recording { facts, notes } = plan::recording(&world, recording)?;
    let assumed = assuming.assumed().map_err(|message| Failure::new(exit::USAGE, message))?;
    let mut report = report_on(facts, &plan, *phase, assumed);
    report.notes.splice(..0, notes);
    ending::compare(&world, baseline, &plan, assumed, &mut report)?;
    ending::tell(&world, (plan, report), output, gate)
}

/// A check by its name, a room by its name, or what speaks of a code or of words.
fn explain_check(asked: &[String], folders: &[PathBuf]) -> Result<Exit, Failure> {
    let world = World::here(Duration::from_mins(1));
    let catalogue = plan::catalogue(&world, folders)?;
    let asked = asked.join(" ");
    let profiles = Profile::all(&catalogue)?;
    let page = catalogue.get(&asked).map(|check| explain::page(check, 1, &profiles));
    let page = page.or_else(|| explain::room(&catalogue, &asked));
    // A name with a slip is answered with the name that was meant, not with whatever has these letters.
    let near = crate::lang::suggestion(&asked, catalogue.checks.iter().map(|check| check.id.as_str()));
    let is_name = asked.contains('.') && !near.is_empty();
    let Some(page) = page.or_else(|| if is_name { None } else { explain::search(&catalogue, &asked) }) else {
        return Err(Failure::new(
            exit::USAGE,
            format!("no check is called `{}`, and none speaks of it{near}", plain(&asked)),
        ));
    };
    output::deliver(&world, &page, None, Target::Stdout)?;
    Ok(exit::READY)
}

fn list(arguments: &JudgingArgs) -> Result<Exit, Failure> {
    let world = World::here(Duration::from_mins(1));
    let plan = Plan::load(&world, arguments, plan::PROFILE)?;
    let mut checks: Vec<_> = plan.catalogue.checks.iter().filter(|check| plan.selects(&check.id)).collect();
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    let severity = |check: &crate::check::Check| {
        plan.profile.severity(&check.id, check.file.severity).map(|severity| severity.to_string())
    };
    output::deliver(&world, &explain::list(&checks, severity), None, Target::Stdout)?;
    Ok(exit::READY)
}

/// The machine, and what the command line asks of a look at it.
fn look(arguments: &CollectingArgs, image: &ImageArgs) -> Result<(World, Input), Failure> {
    let soak = arguments.soak().map_err(|message| Failure::new(exit::USAGE, message))?;
    let log = arguments.log.as_ref().map(|path| path.to_string_lossy().into_owned());
    let world = World::here(image::deadline(image, arguments.deadline, arguments.deadline()));
    let sought = vulnerabilities::sought(&world, &arguments.vulnerabilities)?;
    let input = Input { tier: arguments.tier, soak, no_gpu: arguments.no_gpu, log, sought, ..Input::default() };
    Ok((world, input))
}

/// Refuses a log that is not there. Before the workload starts it need not be, and in an image that does not run the path is
/// one of the image.
fn find_log(world: &World, arguments: &CollectingArgs, image: &ImageArgs) -> Result<(), Failure> {
    match &arguments.log {
        Some(path) if !image::is_still(image) && arguments.phase != Some(Phase::Start) => errand::there(world, path),
        _ => Ok(()),
    }
}

/// Everything that can be learnt about this container now.
fn collected(world: &World, input: &Input) -> Facts {
    collect::collect(&world.clone().with_time_for_a_report(), input)
}

/// Takes for given what the command line, the profile and the contract say, and nothing else.
fn give(facts: &mut Facts, plan: &Plan, assumed: &[Assumption]) {
    facts.run.wanted_gpus.clone_from(&plan.profile.file.want);
    facts.contract.clone_from(&plan.contract);
    (facts.run.assumed_gpu, facts.run.assumed_driver) = (Fact::Absent, Fact::Absent);
    for assumption in assumed {
        match assumption {
            Assumption::Gpu(name) => facts.run.assumed_gpu = Fact::Known(name.clone()),
            Assumption::Driver(version) => facts.run.assumed_driver = Fact::Known(version.clone()),
        }
    }
}

/// What is said of a recording, in the phase that is asked for, else the profile's, else its own.
pub fn report_on(mut facts: Facts, plan: &Plan, phase: Option<Phase>, assumed: &[Assumption]) -> Report {
    let of_profile = plan.profile.file.phase.filter(|_| facts.run.phase != Phase::Written);
    if let Some(phase) = phase.or(of_profile) {
        facts.run.phase = phase;
    }
    reported(facts, plan, assumed)
}

/// Judge, weigh, build: from facts to a report, by values alone.
fn reported(mut facts: Facts, plan: &Plan, assumed: &[Assumption]) -> Report {
    give(&mut facts, plan, assumed);
    derive(&mut facts);
    let phase = facts.run.phase;
    let value = serde_json::to_value(&facts).unwrap_or_default();
    let mut judged = judge(&plan.catalogue, &value, phase);
    judged.retain(|finding| plan.selects(&finding.check));
    let selection = plan.selection_of(&judged, phase);
    let weighing = weigh(judged, &facts, &plan.catalogue, &plan.profile);
    Report::new(facts, weighing, &plan.profile.name, phase, selection)
}
