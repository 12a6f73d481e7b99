//! Which image is looked at: the folder or archive and the configuration that the command line names.

use std::path::Path;
use std::time::Duration;

use super::files::{there, utf8, wrong};
use super::{Failure, errand, plan};
use crate::cli::ImageArgs;
use crate::collect::Place;
use crate::exit;
use crate::facts::Phase;
use crate::probe::image_config::{Given, LIMIT};
use crate::text::plain;
use crate::world::World;

/// The image that does not run, and the configuration of the image, where they are named. An archive has one of its own.
pub fn of(world: &World, arguments: &ImageArgs) -> Result<(Option<Place>, Option<Given>), Failure> {
    let mut config = arguments.image_config.as_deref().map(|path| configuration(world, path)).transpose()?;
    let place = match (&arguments.root, &arguments.oci) {
        (Some(folder), _) => Some(Place::Folder(errand::folder(world, folder)?)),
        (None, Some(path)) => {
            let text = errand::archived_config(world, path)?;
            if config.is_none() {
                config = Some(Given::read(&text).map_err(|why| wrong(path, format!("its configuration {why}")))?);
            }
            Some(Place::Archive(path.clone()))
        }
        (None, None) => None,
    };
    if let Some(machine) = config.as_ref().and_then(Given::foreign_machine) {
        let own = std::env::consts::ARCH;
        let message = format!("the image is made for {}, and this program judges those for {own}", plain(machine));
        return Err(Failure::new(exit::CONFIG, message));
    }
    Ok((place, config))
}

/// Whether it is asked for an image that does not run.
pub fn is_still(arguments: &ImageArgs) -> bool {
    arguments.root.is_some() || arguments.oci.is_some()
}

/// Time until the verdict: as asked, else the usual one, or what the layers of a large image take.
pub fn deadline(arguments: &ImageArgs, asked: Option<Duration>, usual: Duration) -> Duration {
    if arguments.oci.is_some() && asked.is_none() { errand::ARCHIVE_TIME } else { usual }
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
    if is_still(arguments) { "image" } else { plan::PROFILE }
}

/// The phase, by what is asked for and the one of this seat. That of an image that does not run is build: what the others
/// are about is not there.
pub fn phase(arguments: &ImageArgs, asked: impl FnOnce(Phase) -> Phase) -> Result<Phase, Failure> {
    if !is_still(arguments) {
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
