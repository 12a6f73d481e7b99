//! Files that the command line names, and where the workload's program lies: asked by a copy of ourselves, for they may lie
//! on a file system that does not answer.

mod performed;

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Failure, files, message};
use crate::check::load::SiteRoom;
use crate::collect::Place;
use crate::exit;
use crate::facts::{Fact, Gap, Gaps, Inventory, ProbeEnd, StuckFolder};
use crate::probe::image_config::Given;
use crate::probe::storage::foreign;
use crate::text::{Shown, plain};
use crate::world::World;
use crate::world::{child, packed};
use performed::perform;
pub use performed::serve;

/// The name under which [`serve`] is reached.
pub const NAME: &str = "errand";

/// How long a file may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What it may take where the time is up.
const LAST_PATIENCE: Duration = Duration::from_millis(500);
/// The same for writing: a busy disk takes its time, and a report that is lost is worse than one that is late.
const WRITE_PATIENCE: Duration = Duration::from_secs(3);

/// What the contract may take that nobody named, and what is only asked for to find a slip: a look is not to wait for that.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// What all records of package managers may take.
const LONG_PATIENCE: Duration = Duration::from_secs(30);

/// What an archive is given: gzip unpacks some hundred megabytes a second, and images have ten thousand.
pub const ARCHIVE_TIME: Duration = Duration::from_mins(5);

/// What a whole export of advisories may take.
const INDEX_PATIENCE: Duration = Duration::from_mins(5);

/// What is to be done. Paths are bytes, for they need not be text.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Errand {
    Read { path: Vec<u8>, limit: u64 },
    Contract { path: Vec<u8>, limit: u64 },
    Checks { folder: Vec<u8> },
    Folder { path: Vec<u8> },
    There { path: Vec<u8> },
    Advisories { path: Vec<u8>, is_report: bool },
    MakeFolder { path: Vec<u8> },
    Archive { path: Vec<u8> },
    Write { path: Vec<u8>, text: Shown },
    Append { path: Vec<u8>, text: Shown, limit: u64 },
    Find { program: Vec<u8>, places: Vec<PathBuf> },
    Inventory { image: Option<Place>, config: Option<Box<Given>> },
    Log { path: Option<String> },
    Pack { path: Vec<u8>, files: Vec<packed::File>, seconds: u64, is_new: bool },
    Index { export: Vec<u8>, path: Vec<u8> },
}

impl Errand {
    /// How long it may take.
    fn patience(&self) -> Duration {
        match self {
            Self::Index { .. } => INDEX_PATIENCE,
            Self::Inventory { image: Some(Place::Archive(_)), .. } => ARCHIVE_TIME,
            Self::Inventory { .. } => LONG_PATIENCE,
            Self::Contract { .. } | Self::There { .. } | Self::Advisories { is_report: false, .. } => SHORT_PATIENCE,
            _ => PATIENCE,
        }
    }
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Nothing,
    Text(String),
    Checks(Vec<SiteRoom>),
    Written,
    Found(Vec<u8>),
    Inventory(Inventory),
    Log(LogText),
    Packed(u64),
    Failed { code: u8, message: String },
}

/// The end of a log, without its secrets.
#[derive(Debug, Serialize, Deserialize)]
pub struct LogText {
    /// Where it lies.
    pub path: String,
    /// Its last lines.
    pub text: String,
    /// How many secrets were taken out.
    pub redacted_count: usize,
}

impl Gaps for Outcome {
    fn fill_gaps(&mut self, _gap: &Gap) {}
}

/// The text of a file of at most `limit` bytes; none where there is no such file.
pub fn read(world: &World, path: &Path, limit: u64) -> Result<Option<String>, Failure> {
    if let Some(number) = files::inherited(path) {
        let bytes = world.read_descriptor(number, limit + 1).map_err(|error| files::wrong(path, error.to_string()))?;
        return files::utf8(path, bytes, limit).map(Some);
    }
    let errand = Errand::Read { path: bytes(path), limit };
    match send(world, path, &errand, exit::CONFIG)? {
        Outcome::Text(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// The text of the contract that may lie there; none where it does not, or where nobody answers.
pub fn contract(world: &World, path: &Path, limit: u64) -> Result<Option<String>, Failure> {
    match send(world, path, &Errand::Contract { path: bytes(path), limit }, exit::INCOMPLETE) {
        Ok(Outcome::Text(text)) => Ok(Some(text)),
        Err(failure) if failure.exit == exit::CONFIG => Err(failure),
        _ => Ok(None),
    }
}

/// The checks of a folder.
pub fn site_checks(world: &World, folder: &Path) -> Result<Vec<SiteRoom>, Failure> {
    match send(world, folder, &Errand::Checks { folder: bytes(folder) }, exit::CONFIG)? {
        Outcome::Checks(rooms) => Ok(rooms),
        _ => Ok(Vec::new()),
    }
}

/// Where a folder really lies, which has to be there.
pub fn folder(world: &World, path: &Path) -> Result<PathBuf, Failure> {
    match send(world, path, &Errand::Folder { path: bytes(path) }, exit::CONFIG)? {
        Outcome::Found(real) => Ok(path_of(&real)),
        _ => Err(files::wrong(path, "there is no such folder")),
    }
}

/// Refuses a path at which nothing lies. Who does not answer is the look's to tell.
pub fn there(world: &World, path: &Path) -> Result<(), Failure> {
    match files::inherited(path) {
        Some(_) => Ok(()),
        None => refused(send(world, path, &Errand::There { path: bytes(path) }, exit::INCOMPLETE)),
    }
}

/// Whether something lies at a path, as far as that can be told.
pub fn is_there(world: &World, path: &Path) -> bool {
    send(world, path, &Errand::There { path: bytes(path) }, exit::INCOMPLETE).is_ok()
}

/// Refuses a path at which no advisories lie, or no report of a scanner. Who does not answer is the look's to tell.
pub fn advisories(world: &World, path: &Path, is_report: bool) -> Result<(), Failure> {
    refused(send(world, path, &Errand::Advisories { path: bytes(path), is_report }, exit::INCOMPLETE))
}

/// What is wrong with a path, where that can be told.
fn refused(outcome: Result<Outcome, Failure>) -> Result<(), Failure> {
    match outcome {
        Err(failure) if failure.exit == exit::CONFIG => Err(failure),
        _ => Ok(()),
    }
}

/// Makes a folder where none is, and those above it.
pub fn make_folder(world: &World, path: &Path) -> Result<(), Failure> {
    send(world, path, &Errand::MakeFolder { path: bytes(path) }, exit::OUTPUT).map(|_| ())
}

/// The configuration of the image in an archive.
pub fn archived_config(world: &World, path: &Path) -> Result<String, Failure> {
    match send(world, path, &Errand::Archive { path: bytes(path) }, exit::CONFIG)? {
        Outcome::Text(text) => Ok(text),
        _ => Err(files::wrong(path, "holds no image")),
    }
}

/// Puts text in place of a file.
pub fn write(world: &World, path: &Path, text: &Shown) -> Result<(), Failure> {
    let errand = Errand::Write { path: bytes(path), text: text.clone() };
    send(world, path, &errand, exit::OUTPUT).map(|_| ())
}

/// Puts as many lines of a text behind what a file has as leave it at most `limit` bytes.
pub fn append(world: &World, path: &Path, text: &Shown, limit: u64) -> Result<(), Failure> {
    let errand = Errand::Append { path: bytes(path), text: text.clone(), limit };
    send(world, path, &errand, exit::OUTPUT).map(|_| ())
}

/// The end of the log that is named, else of what process 1 prints to where that is a file: its secrets do not leave the
/// copy of ourselves that reads it. None where there is no such file.
pub fn log(world: &World, path: Option<&Path>) -> Result<Option<LogText>, Failure> {
    let named = path.unwrap_or(Path::new("what process 1 prints to"));
    let path = path.map(|path| path.to_string_lossy().into_owned());
    match send(world, named, &Errand::Log { path }, exit::INCOMPLETE)? {
        Outcome::Log(log) => Ok(Some(log)),
        _ => Ok(None),
    }
}

/// Puts an archive of these files in place of a file; one that `is_new` in place of none. Its bytes.
pub fn pack(world: &World, path: &Path, files: Vec<packed::File>, seconds: u64, is_new: bool) -> Result<u64, Failure> {
    let errand = Errand::Pack { path: bytes(path), files, seconds, is_new };
    match send(world, path, &errand, exit::OUTPUT)? {
        Outcome::Packed(size) => Ok(size),
        _ => Ok(0),
    }
}

/// Every installed package, of an image where one is named.
pub fn inventory(world: &World, image: Option<Place>, config: Option<Given>) -> Result<Inventory, Failure> {
    let errand = Errand::Inventory { image, config: config.map(Box::new) };
    match send(world, Path::new("the records of package managers"), &errand, exit::INCOMPLETE)? {
        Outcome::Inventory(inventory) => Ok(inventory),
        _ => Ok(Inventory::default()),
    }
}

/// Puts an index of an export of advisories in place of a file.
pub fn index(world: &World, export: &Path, path: &Path) -> Result<exit::Exit, Failure> {
    let errand = Errand::Index { export: bytes(export), path: bytes(path) };
    send(world, export, &errand, exit::CONFIG).map(|_| exit::READY)
}

/// Where the workload's program lies, when a folder that does not answer comes before it in `PATH`: whoever looks for it
/// there would wait for ever. None otherwise.
pub fn past(world: &World, stuck: &[StuckFolder], command: &[OsString]) -> Option<OsString> {
    let program = command.first()?;
    let dead = stuck.iter().filter(|folder| folder.answered != Fact::Known(true));
    let places: Vec<PathBuf> = dead.map(|folder| PathBuf::from(&folder.point)).collect();
    if places.is_empty() || program.as_bytes().contains(&b'/') {
        return None;
    }
    let path = Path::new(program);
    match send(world, path, &Errand::Find { program: bytes(path), places }, exit::NOT_FOUND) {
        Ok(Outcome::Found(place)) => {
            let place = OsString::from_vec(place);
            let text = plain(&place.to_string_lossy());
            message::say(&format!("a folder before it in PATH does not answer, so {text} is started"));
            Some(place)
        }
        _ => None,
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

fn send(world: &World, path: &Path, errand: &Errand, exit: exit::Exit) -> Result<Outcome, Failure> {
    let writes = matches!(errand, Errand::Write { .. } | Errand::Append { .. } | Errand::Pack { .. });
    let last = if writes { WRITE_PATIENCE } else { LAST_PATIENCE };
    let patience = errand.patience().min(world.time_left().max(last));
    let probed = child::send::<Outcome>(world, NAME, errand, Instant::now() + patience);
    let outcome = match (probed.reading, probed.run.end) {
        (Some(outcome), _) => outcome,
        // Whoever may not start a process does it by himself, where it cannot hang.
        (None, ProbeEnd::NotStarted) => {
            perform(&world.clone().leaving_out(foreign(world), "may never answer"), errand.clone())
        }
        (None, end) => {
            let why = match end {
                ProbeEnd::TimedOut => format!("does not answer: waited for {:.1} s", patience.as_secs_f64()),
                ProbeEnd::Interrupted => "interrupted before it answered".to_owned(),
                _ => probed.gap.map_or_else(String::new, |gap| gap.to_string()),
            };
            return Err(Failure::new(exit, format!("{}: {why}", plain(&path.to_string_lossy()))));
        }
    };
    match outcome {
        Outcome::Failed { code, message } => {
            let exit = exit::ALL.into_iter().find(|exit| exit.code == code).unwrap_or(exit::BUG);
            Err(Failure::new(exit, message))
        }
        outcome => Ok(outcome),
    }
}
