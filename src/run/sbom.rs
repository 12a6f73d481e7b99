//! `sbom`: every installed package, as a bill of materials.

use std::time::Duration;

use super::output::{self, Target};
use super::{Failure, errand, image, message, plan};
use crate::cli::SbomArgs;
use crate::exit::{self, Exit};
use crate::report::sbom::cyclonedx;
use crate::text::plain_long;
use crate::world::{World, interrupt};

/// Records of package managers take a fraction of a second; a disk that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The variable of <https://reproducible-builds.org>, seconds since 1970.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Writes the bill.
pub fn run(arguments: &SbomArgs) -> Result<Exit, Failure> {
    let time = image::deadline(&arguments.image, None, PATIENCE);
    let (world, _) = plan::surrounded(World::here(time), &arguments.surroundings)?;
    let seconds = match world.env(EPOCH).filter(|value| !value.is_empty()) {
        None => None,
        Some(value) => Some(value.parse::<u64>().map_err(|_| {
            Failure::new(exit::USAGE, format!("{EPOCH} is no number of seconds: {}", plain_long(&value)))
        })?),
    };
    let watch = interrupt::Watch::begin();
    let (image, config) = image::of(&world, &arguments.image)?;
    let inventory = errand::inventory(&world, image, config)?;
    drop(watch);
    for (manager, gap) in &inventory.gaps {
        message::say(&format!("the packages of {manager} are not all here: {}", plain_long(&gap.to_string())));
    }
    let text = output::as_json(&cyclonedx(&inventory, seconds))?;
    output::deliver(&world, &text, arguments.output.as_deref(), Target::Stdout)?;
    Ok(if inventory.gaps.is_empty() { exit::READY } else { exit::INCOMPLETE })
}
