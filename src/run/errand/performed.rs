//! The other side of an errand: the copy of ourselves that goes to the files, and may wait there for ever.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::{Errand, LogText, Outcome, bytes, path_of};
use crate::collect::Place;
use crate::exit;
use crate::facts::{Fact, Gap, GapKind, Inventory, PackageManager};
use crate::probe::image_config::Given;
use crate::probe::{advisories, environment, packages, workload};
use crate::run::{Failure, files};
use crate::text::{Shown, plain};
use crate::world::World;
use crate::world::child::Progress;
use crate::world::{archive, packed, terminal};

/// The other side. Whether it understood what it is sent for.
pub fn serve(input: Value, mut progress: Progress) -> bool {
    let Ok(errand) = serde_json::from_value::<Errand>(input) else { return false };
    progress.done(&perform(&World::here(errand.patience()), errand));
    true
}

pub(super) fn perform(world: &World, errand: Errand) -> Outcome {
    let done = match errand {
        Errand::Read { path, limit } | Errand::Contract { path, limit } => {
            files::read(world, &path_of(&path), limit).map(|text| text.map_or(Outcome::Nothing, Outcome::Text))
        }
        Errand::Checks { folder } => files::site_checks(world, &path_of(&folder)).map(Outcome::Checks),
        Errand::Folder { path } => files::folder(world, &path_of(&path)).map(|real| Outcome::Found(bytes(&real))),
        Errand::There { path } => match (world.stat(path_of(&path)), path_of(&path)) {
            (Fact::Absent, path) => Err(files::wrong(&path, "there is no such file")),
            _ => Ok(Outcome::Nothing),
        },
        Errand::Advisories { path, is_report } => match seen(world, &path_of(&path), is_report) {
            Err(gap) if gap.kind == GapKind::Malformed => Err(Failure::new(exit::CONFIG, plain(&gap.detail))),
            _ => Ok(Outcome::Nothing),
        },
        Errand::MakeFolder { path } => written(world, &path_of(&path), terminal::make_folder),
        Errand::Archive { path } => {
            let path = path_of(&path);
            let found = archive::find(&path).map_err(|why| files::wrong(&path, why));
            found.map(|found| Outcome::Text(found.config))
        }
        Errand::Write { path, text } => written(world, &path_of(&path), |path| terminal::replace_file(path, &text)),
        Errand::Append { path, text, limit } => {
            written(world, &path_of(&path), |path| terminal::append_to_file(path, &text, limit))
        }
        Errand::Find { program, places } => {
            let world = world.clone().leaving_out(places, "does not answer");
            Ok(found(&world, &path_of(&program)).map_or(Outcome::Nothing, Outcome::Found))
        }
        Errand::Inventory { image, config } => {
            inventory(world, image.as_ref(), config.as_deref()).map(Outcome::Inventory)
        }
        Errand::Log { path } => match workload::end_of_log(world, path.as_deref()) {
            Fact::Known(end) => {
                let left = environment::redacted(&end.text);
                Ok(Outcome::Log(LogText { path: end.path, text: left.text, redacted_count: left.count }))
            }
            Fact::Absent => Ok(Outcome::Nothing),
            Fact::Unknown(gap) => Err(Failure::new(exit::INCOMPLETE, plain(&gap.to_string()))),
        },
        Errand::Pack { path, files, seconds, is_new } => {
            packed::pack(files, seconds).map_err(|error| Failure::new(exit::BUG, error)).and_then(|archive| {
                let write = if is_new { terminal::create_archive } else { terminal::replace_archive };
                written(world, &path_of(&path), |path| write(path, &archive)).map(|_| Outcome::Packed(archive.size()))
            })
        }
        Errand::Index { export, path } => advisories::read_all(world, &path_of(&export))
            .map_err(|gap| Failure::new(exit::CONFIG, plain(&gap.to_string())))
            .and_then(|read| {
                let text = Shown::lines(&advisories::index_text(read));
                written(world, &path_of(&path), |path| terminal::replace_file(path, &text))
            }),
    };
    done.unwrap_or_else(|failure| Outcome::Failed { code: failure.exit.code, message: failure.message })
}

/// Every installed package. What lies where nobody may look, or where only a variable leads that nobody knows, is missing,
/// and those are folders of Python.
fn inventory(world: &World, image: Option<&Place>, config: Option<&Given>) -> Result<Inventory, Failure> {
    let image = image.map(|place| place.world(config, world.time_left())).transpose();
    let image = image.map_err(|gap| Failure::new(exit::INCOMPLETE, plain(&gap.detail)))?;
    let world = image.map_or_else(|| world.clone(), |image| image.as_far_as(world)).remembering();
    let mut inventory = packages::inventory(&world);
    let gap = world.missed().filter(|_| inventory.gap(PackageManager::Python).is_none());
    inventory.gaps.extend(gap.map(|gap| (PackageManager::Python, gap)));
    Ok(inventory)
}

/// Whether advisories, or a report, lie at a path.
fn seen(world: &World, path: &Path, is_report: bool) -> Result<(), Gap> {
    if is_report { advisories::scanned::seen(world, path) } else { advisories::seen(world, path) }
}

fn written(world: &World, path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<Outcome, Failure> {
    let failed = |why: String| Failure::new(exit::OUTPUT, format!("{}: {why}", plain(&path.to_string_lossy())));
    world.stat(path);
    if let Some(gap) = world.missed() {
        return Err(failed(gap.to_string()));
    }
    write(path).map(|()| Outcome::Written).map_err(|error| failed(error.to_string()))
}

/// The first place of a program in `PATH`, if one before it was left out.
fn found(world: &World, program: &Path) -> Option<Vec<u8>> {
    let path = world.env("PATH")?;
    let mut places = path.split(':').filter(|entry| !entry.is_empty()).map(|entry| Path::new(entry).join(program));
    let place = places.find(|place| world.executable(place) == Fact::Known(true))?;
    world.missed().map(|_| bytes(&place))
}
