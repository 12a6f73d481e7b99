//! The spine: plan, collect, judge, weigh, tell, exit. The only place that knows all of them.

mod bundle;
mod config;
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
mod look;
mod message;
mod output;
mod plan;
mod sbom;
mod vulnerabilities;
mod watch;
mod written;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::check::judge;
use crate::cli::variables::Variables;
use crate::cli::{Asked, Assumption, CheckArgs, Command, FactsArgs, JudgeArgs, JudgingArgs, LookArgs, first_line};
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
use look::{assumed, collected, find_log, look, looked};
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

    /// With the options that come from variables, where the mistake may be one of theirs.
    fn told_with(self, by_variables: &str) -> Self {
        let is_mistake = [exit::USAGE, exit::CONFIG].contains(&self.exit);
        let message = if is_mistake { self.message + by_variables } else { self.message };
        Self { message, ..self }
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
    let variables = variables();
    let style = Style::asked(arguments, variables.style(), cli::may_ask_for_style);
    let asked = match Asked::read(arguments, &variables) {
        Ok(asked) => asked,
        Err(error) => {
            let error = message::plainer(error);
            if let Some(failure) = exec::in_spite_of(&error, arguments) {
                say(&failure.message);
                message::stopped(message::said(&failure.message));
                return failure.exit;
            }
            let exit = message::usage(&error, arguments);
            return if error.use_stderr() { ending::mistaken(style, exit, &first_line(&error)) } else { exit };
        }
    };
    let done = catch_unwind(AssertUnwindSafe(|| dispatch(asked, &variables)));
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

/// What variables say that begin like ours. The mark of a probe is none: who carries it was started by us.
fn variables() -> Variables {
    let world = World::here(Duration::ZERO);
    let names = world.env_names().filter(|name| name != child::MARK);
    Variables::of(names.filter_map(|name| Some((name.clone(), world.env(&name)?))))
}

fn dispatch(asked: Asked, variables: &Variables) -> Result<Exit, Failure> {
    let by_variables = asked.by_variables();
    let told = |failure: Failure| failure.told_with(&by_variables);
    let Asked { cli, options, strangers } = asked;
    let command = cli.command.unwrap_or(Command::Check(cli.check));
    if !matches!(command, Command::Config(_)) {
        strangers.iter().filter(|one| one.is_slip).for_each(|one| say(&one.words()));
    }
    let done = match command {
        Command::Exec(arguments) => {
            let stopped = |failure: &Failure| message::stopped(message::said(&failure.message));
            return exec::run(&arguments, told).inspect_err(stopped);
        }
        Command::Config(arguments) => config::run(&arguments, (&options, &strangers), variables),
        Command::Check(arguments) => check(&arguments),
        Command::Facts(arguments) => facts(&arguments),
        Command::Judge(arguments) => judge_recording(&arguments),
        Command::Explain { asked, checks } => explain_check(&asked, &checks),
        Command::List(arguments) => list(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Harden(arguments) => harden::run(&arguments),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Gpus(arguments) => gpus::run(&arguments),
        Command::Sbom(arguments) => sbom::run(&arguments),
        Command::OsvIndex(arguments) => {
            errand::index(&World::here(Duration::from_mins(5)), &arguments.export, &arguments.output)
        }
    };
    done.map_err(told)
}

/// Whether options of `check` go together that the parser cannot hold against each other.
fn agree(arguments: &CheckArgs) -> Result<(), Failure> {
    let CheckArgs { look, written, gate, baseline, output, watch } = arguments;
    if watch.is_some() {
        watch::agree(arguments)?;
    }
    output::agree(output, gate.exit_style)?;
    files::one_reader([
        look.image.image_config.as_deref(),
        written.dockerfile.as_deref(),
        written.compose.as_deref().or(written.manifest.as_deref()),
        baseline.baseline.as_deref(),
    ])
}

fn check(arguments: &CheckArgs) -> Result<Exit, Failure> {
    agree(arguments)?;
    let CheckArgs { look, written, gate, baseline, output, watch } = arguments;
    if let Some(every) = *watch {
        return watch::run(arguments, every);
    }
    let (world, plan, mut report) =
        if written.is_asked() { written::judged(look, written, gate.fail_on)? } else { looked(look, gate.fail_on)? };
    ending::compare(&world, baseline, &plan, &look.assuming.assume, &mut report)?;
    ending::tell(&world, (plan, report), output, gate)
}

/// Judges a recording in the place of a look, with what there is to say of how it was read.
fn recorded(world: &World, look: &LookArgs, path: &Path) -> Result<(Plan, Report, Vec<String>), Failure> {
    let plan = Plan::load(world, &look.judging, plan::PROFILE)?;
    let Recording { facts, notes } = plan::recording(world, path)?;
    let report = report_on(facts, &plan, look.collecting.phase, assumed(&look.assuming)?);
    Ok((plan, report, notes))
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
    let assumed = assumed(assuming)?;
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
