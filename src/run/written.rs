//! Text that the command line names, judged before there is an image.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::files::{there, utf8, wrong};
use super::{Failure, assumed, errand, give, plan};
use crate::check::{Judged, judge};
use crate::cli::{FailOn, LookArgs, WrittenArgs};
use crate::derive::derive;
use crate::exit;
use crate::facts::{Facts, Phase, Run, SCHEMA};
use crate::probe::written::{self, File, LIMIT, Mistake, Runner, Told};
use crate::report::Report;
use crate::text::{plain, plain_long};
use crate::weigh::weigh;
use crate::world::World;
use plan::Plan;

/// The profile where a Dockerfile alone is judged.
const IMAGE: &str = "image";

/// Reads what the command line names, and judges it.
pub fn judged(look: &LookArgs, text: &WrittenArgs, fail_on: Option<FailOn>) -> Result<(World, Plan, Report), Failure> {
    let (world, plan, told) = prepared(look, text, fail_on)?;
    let assumed = assumed(&look.assuming)?;
    let run = Run {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at_seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        phase: Phase::Written,
        tier: look.collecting.tier,
        gpu_expected: !look.collecting.no_gpu,
        deadline_seconds: world.budget().as_secs_f64(),
        wall_ms: world.elapsed().as_secs_f64() * 1000.0,
        ..Run::default()
    };
    let mut all: Vec<Facts> = told.all;
    for facts in &mut all {
        (facts.schema, facts.run) = (SCHEMA.to_owned(), run.clone());
        give(facts, &plan, assumed);
        derive(facts);
    }
    let mut report = report(all, &plan);
    report.notes.extend(told.notes);
    Ok((world, plan, report))
}

/// What [`judged`] does before it judges: the same mistakes are refused.
pub fn prepared(look: &LookArgs, text: &WrittenArgs, fail_on: Option<FailOn>) -> Result<(World, Plan, Told), Failure> {
    let world = World::here(Duration::from_mins(1));
    if let Some(phase) = look.collecting.phase {
        let message = format!("text is judged before there is an image, and has no phase {phase}");
        return Err(Failure::new(exit::USAGE, message));
    }
    let is_alone = text.compose.is_none() && text.manifest.is_none();
    let profile = if is_alone { IMAGE } else { plan::PROFILE };
    let plan = Plan::load_gated(&world, &look.judging, profile, fail_on)?;
    assumed(&look.assuming)?;
    let dockerfile = text.dockerfile.as_deref().map(|path| file(&world, path)).transpose()?;
    let runner = match (&text.compose, &text.manifest) {
        (Some(path), _) => Some(Runner::Compose(file(&world, path)?)),
        (None, Some(path)) => Some(Runner::Manifest(file(&world, path)?)),
        (None, None) => None,
    };
    let told = written::read(dockerfile.as_ref(), runner.as_ref()).map_err(refused)?;
    Ok((world, plan, told))
}

/// One report of all of them. Of several containers each is a subject of its own, and the facts are those of the first.
fn report(all: Vec<Facts>, plan: &Plan) -> Report {
    let is_one = all.len() == 1;
    let mut judged: Vec<Judged> = Vec::new();
    for facts in &all {
        let value = serde_json::to_value(facts).unwrap_or_default();
        let name = facts.written.container.known().filter(|_| !is_one);
        judged.extend(judge(&plan.catalogue, &value, Phase::Written).into_iter().map(|finding| Judged {
            subject: match (name, finding.subject) {
                (Some(name), Some(subject)) => Some(format!("{name}: {subject}")),
                (Some(name), None) => Some(name.clone()),
                (None, subject) => subject,
            },
            ..finding
        }));
    }
    judged.retain(|finding| plan.selects(&finding.check));
    let selection = plan.selection_of(&judged, Phase::Written);
    let names: Vec<String> = all.iter().filter_map(|facts| facts.written.container.known().cloned()).collect();
    let judged_count = all.len() as u64;
    let mut facts = all.into_iter().next().unwrap_or_default();
    facts.written.judged_count = judged_count;
    let weighing = weigh(judged, &facts, &plan.catalogue, &plan.profile);
    let mut report = Report::new(facts, weighing, &plan.profile.name, Phase::Written, selection);
    match names.as_slice() {
        [] => {}
        [one] => report.notes.push(format!("judged: {one}")),
        [first, ..] => {
            report.notes.push(format!("judged: {}; the facts in JSON are those of {first}", names.join("; ")));
        }
    }
    report
}

fn file(world: &World, path: &Path) -> Result<File, Failure> {
    let text = if path == Path::new("-") {
        let bytes = world.read_stdin(LIMIT + 1).map_err(|error| wrong(path, error.to_string()))?;
        utf8(path, bytes, LIMIT)?
    } else {
        there(path, errand::read(world, path, LIMIT)?)?
    };
    Ok(File { name: path.to_string_lossy().into_owned(), text })
}

fn refused(Mistake { file, line, column, message }: Mistake) -> Failure {
    Failure::new(exit::CONFIG, format!("{}:{line}:{column}: {}", plain(&file), plain_long(&message)))
}
