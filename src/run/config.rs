//! `config`: what is in force for `check`, and who says it. What `check` decides before it looks is decided by the same code
//! here, and so is what it refuses.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::output::{self, Target};
use super::plan::{self, NamedBy, Plan};
use super::{Failure, agree, look, written};
use crate::check::Severity;
use crate::cli::variables::{self, Stranger, Variables};
use crate::cli::{self, By, CheckArgs, Given};
use crate::exit::{self, Exit};
use crate::facts::Phase;
use crate::report::config::{self, Config, OtherVariable, Setting, Source, UnknownVariable, WaiverSaid};
use crate::report::formats::Format;
use crate::weigh::Profile;
use crate::weigh::profile::Waiver;

/// The command whose options are told.
const COMMAND: &str = "check";

/// What is decided before a look.
struct Decided {
    plan: Plan,
    phase: Phase,
    deadline: Duration,
    soak: Option<Duration>,
}

/// Prints it, whatever `--output` says: that is where `check` would put its report.
pub fn run(
    arguments: &CheckArgs,
    (options, strangers): (&[Given], &[Stranger]),
    variables: &Variables,
) -> Result<Exit, Failure> {
    agree(arguments)?;
    let CheckArgs { look, written, gate, baseline, output, .. } = arguments;
    let (world, decided) = if written.is_asked() {
        let (world, plan, _) = written::prepared(look, written, gate.fail_on)?;
        let deadline = world.budget();
        (world, Decided { plan, phase: Phase::Written, deadline, soak: None })
    } else {
        let (world, plan, input) = look::prepared(look, gate.fail_on)?;
        let deadline = world.budget();
        (world, Decided { plan, phase: input.phase, deadline, soak: input.soak })
    };
    if let Some(path) = &baseline.baseline {
        plan::recording(&world, path)?;
    }
    let found = Config {
        options: options.iter().map(|given| setting(given, &decided)).collect(),
        other_variables: others(variables),
        unknown_variables: strangers.iter().map(unknown).collect(),
        ..config(&decided.plan)
    };
    let text = match output.format {
        Format::Json => output::as_json(&found)?,
        _ => config::text(&found, output::layout(Target::Stdout, false)),
    };
    output::deliver(&world, &text, None, Target::Stdout)?;
    Ok(exit::READY)
}

/// What the plan says.
fn config(plan: &Plan) -> Config {
    let selection = plan.left(false, |_| true);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Config {
        schema: config::SCHEMA.to_owned(),
        profile_file: Profile::embedded(&plan.profile.name).is_err().then(|| plan.profile.name.clone()),
        contract_file: plan.contract.file.known().cloned(),
        profile_check_count: selection.profile_check_count,
        check_count: selection.check_count,
        waivers: plan.profile.file.waive.iter().map(|waiver| said(waiver, now)).collect(),
        ..Config::default()
    }
}

/// Variables that say something to other commands alone.
fn others(variables: &Variables) -> Vec<OtherVariable> {
    let all = variables::all(&cli::command()).into_iter();
    let others = all.filter(|(name, of)| variables.get(name).is_some() && !of.iter().any(|one| one == COMMAND));
    others.map(|(name, commands)| OtherVariable { name, commands }).collect()
}

fn unknown(stranger: &Stranger) -> UnknownVariable {
    UnknownVariable { name: stranger.name.clone(), near: stranger.near.clone() }
}

fn said(waiver: &Waiver, now: u64) -> WaiverSaid {
    WaiverSaid {
        check: waiver.check.clone(),
        subject: waiver.subject.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires.clone(),
        expired: waiver.is_over(now),
    }
}

/// What an option is in the end, where profile and contract may say what nobody else does.
fn setting(given: &Given, decided: &Decided) -> Setting {
    let Decided { plan, phase, deadline, soak } = decided;
    let file = &plan.profile.file;
    let of_profile = |says: bool| says.then(|| (Source::Profile, Some(plan.profile.name.clone())));
    let is_text = *phase == Phase::Written;
    let (value, other) = match given.name.as_str() {
        "profile" => {
            let contract = plan.contract.file.known().filter(|_| plan.named_by == NamedBy::Contract);
            (Some(plan.profile.name.clone()), contract.map(|file| (Source::Contract, Some(file.clone()))))
        }
        "contract" => (plan.contract.file.known().cloned(), None),
        "phase" => (Some(phase.to_string()), of_profile(file.phase == Some(*phase) && !is_text)),
        "deadline" => (Some(seconds(*deadline)), is_text.then_some((Source::Default, None))),
        "for" => (soak.map(seconds), None),
        "fail-on" if given.by == By::Nobody => {
            let gates = Severity::ALL.iter().filter(|severity| plan.profile.gates(**severity));
            let gates: Vec<&str> = gates.map(|severity| severity.as_str()).collect();
            (Some(gates.join(", ")), of_profile(file.gate.is_some()))
        }
        _ => (given.value.clone(), None),
    };
    let (source, source_name) = match (&given.by, other) {
        (By::Nobody, Some(other)) | (_, Some(other @ (Source::Default, _))) => other,
        (By::CommandLine, _) => (Source::CommandLine, None),
        (By::Variable(name), _) => (Source::Variable, Some(name.clone())),
        (By::Nobody, None) => (Source::Default, None),
    };
    Setting { option: given.name.clone(), value, source, source_name }
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}
