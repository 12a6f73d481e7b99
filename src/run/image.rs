//! Which image is looked at: the folder and the configuration that the command line names.

use std::path::{Path, PathBuf};

use super::files::{there, utf8, wrong};
use super::{Failure, errand, plan};
use crate::cli::ImageArgs;
use crate::exit;
use crate::facts::Phase;
use crate::probe::image_config::{Given, LIMIT};
use crate::text::plain;
use crate::world::World;

/// The folder of an image that does not run, and the configuration of the image, where they are named.
pub fn of(world: &World, arguments: &ImageArgs) -> Result<(Option<PathBuf>, Option<Given>), Failure> {
    let folder = arguments.root.as_deref().map(|folder| errand::folder(world, folder)).transpose()?;
    let config = arguments.image_config.as_deref().map(|path| configuration(world, path)).transpose()?;
    if let Some(machine) = config.as_ref().and_then(Given::foreign_machine) {
        let own = std::env::consts::ARCH;
        let message = format!("the image is made for {}, and this program judges those for {own}", plain(machine));
        return Err(Failure::new(exit::CONFIG, message));
    }
    Ok((folder, config))
}

fn configuration(world: &World, path: &Path) -> Result<Given, Failure> {
    let text = if path == Path::new("-") {
        let bytes = world.read_stdin(LIMIT + 1).map_err(|error| wrong(path, error.to_string()))?;
        utf8(path, bytes, LIMIT)?
    } else {
        there(path, errand::read(world, path, LIMIT)?)?
    };
    Given::read(&text).map_err(|why| wrong(path, why))
}

/// The profile where none is named.
pub fn profile(arguments: &ImageArgs) -> &'static str {
    if arguments.root.is_some() { "image" } else { plan::PROFILE }
}

/// The phase, by what is asked for and the one of this seat. That of an image that does not run is build: what the others
/// are about is not there.
pub fn phase(arguments: &ImageArgs, asked: impl FnOnce(Phase) -> Phase) -> Result<Phase, Failure> {
    if arguments.root.is_none() {
        return Ok(asked(Phase::Live));
    }
    match asked(Phase::Build) {
        Phase::Build => Ok(Phase::Build),
        phase => {
            let message = format!("an image that does not run is judged in the phase build, not {phase}");
            Err(Failure::new(exit::USAGE, message))
        }
    }
}
