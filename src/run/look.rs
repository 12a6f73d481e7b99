//! A look at this container or at an image: what is decided before it, and what comes of it.

use super::plan::{self, Plan};
use super::{Failure, errand, image, reported, vulnerabilities};
use crate::cli::{AssumingArgs, Assumption, CollectingArgs, FailOn, ImageArgs, LookArgs};
use crate::collect::{self, Input};
use crate::exit;
use crate::facts::{Facts, Phase};
use crate::report::Report;
use crate::world::child::{self, Descendants};
use crate::world::{World, interrupt};

/// Looks and judges.
pub fn looked(arguments: &LookArgs, fail_on: Option<FailOn>) -> Result<(World, Plan, Report), Failure> {
    let _watch = interrupt::Watch::begin();
    let _descendants = Descendants::watch();
    let begun = begun(arguments)?;
    let plan = Plan::load_gated(&begun.0, &arguments.judging, image::profile(&arguments.image), fail_on)?;
    let (world, report) = seen(arguments, begun, &plan)?;
    Ok((world, plan, report))
}

/// Begins a look: the child that reads gets ready while the catalogue is read.
pub fn begun(arguments: &LookArgs) -> Result<(World, Input), Failure> {
    let begun = asked(arguments)?;
    if arguments.surroundings.as_process.is_none() {
        child::prepare(&begun.0, collect::NAME);
    }
    Ok(begun)
}

/// Looks as it was begun, and judges.
pub fn seen(arguments: &LookArgs, begun: (World, Input), plan: &Plan) -> Result<(World, Report), Failure> {
    let (world, input) = placed(begun, arguments, plan)?;
    let facts = collected(&world, &input);
    let report = reported(facts, plan, assumed(&arguments.assuming)?);
    Ok((world, report))
}

/// What [`looked`] does before it looks: the same mistakes are refused, and nothing is looked at.
pub fn prepared(arguments: &LookArgs, fail_on: Option<FailOn>) -> Result<(World, Plan, Input), Failure> {
    let begun = asked(arguments)?;
    let plan = Plan::load_gated(&begun.0, &arguments.judging, image::profile(&arguments.image), fail_on)?;
    let (world, input) = placed(begun, arguments, &plan)?;
    Ok((world, plan, input))
}

fn asked(arguments: &LookArgs) -> Result<(World, Input), Failure> {
    let (world, input) = look(&arguments.collecting, &arguments.image)?;
    find_log(&world, &arguments.collecting, &arguments.image)?;
    Ok((world, input))
}

/// At what is looked, with whose environment, and in which phase.
fn placed((world, asked): (World, Input), arguments: &LookArgs, plan: &Plan) -> Result<(World, Input), Failure> {
    let (world, environment_of) = plan::surrounded(world, &arguments.surroundings)?;
    let (image, config) = image::of(&world, &arguments.image)?;
    let phase = image::phase(&arguments.image, |seat| plan.phase(arguments.collecting.phase, seat))?;
    let gpu_code = plan.asks_about_gpus(assumed(&arguments.assuming)?);
    let named = plan.named();
    Ok((world, Input { phase, environment_of, named, gpu_code, image, config, ..asked }))
}

/// What is taken for given.
pub fn assumed(arguments: &AssumingArgs) -> Result<&[Assumption], Failure> {
    arguments.assumed().map_err(|message| Failure::new(exit::USAGE, message))
}

/// The machine, and what the command line asks of a look at it.
pub fn look(arguments: &CollectingArgs, image: &ImageArgs) -> Result<(World, Input), Failure> {
    let soak = arguments.soak().map_err(|message| Failure::new(exit::USAGE, message))?;
    let log = arguments.log.as_ref().map(|path| path.to_string_lossy().into_owned());
    let world = World::here(image::deadline(image, arguments.deadline, arguments.deadline()));
    let sought = vulnerabilities::sought(&world, &arguments.vulnerabilities)?;
    let input = Input { tier: arguments.tier, soak, no_gpu: arguments.no_gpu, log, sought, ..Input::default() };
    Ok((world, input))
}

/// Refuses a log that is not there. Before the workload starts it need not be, and in an image that does not run the path is
/// one of the image.
pub fn find_log(world: &World, arguments: &CollectingArgs, image: &ImageArgs) -> Result<(), Failure> {
    match &arguments.log {
        Some(path) if !image::is_still(image) && arguments.phase != Some(Phase::Start) => errand::there(world, path),
        _ => Ok(()),
    }
}

/// Everything that can be learnt about this container now.
pub fn collected(world: &World, input: &Input) -> Facts {
    collect::collect(&world.clone().with_time_for_a_report(), input)
}
