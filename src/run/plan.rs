//! What is asked of a run: the catalogue, the profile, the selection, the recording.

use std::path::{Path, PathBuf};

use super::{Failure, errand};
use crate::check::error::with_suggestion;
use crate::check::load::SiteRoom;
use crate::check::{Catalogue, Check, ConfigError, Severity, matches, room};
use crate::cli::{AssumingArgs, JudgingArgs};
use crate::exit;
use crate::facts::recording::{self, Mistake, Recording};
use crate::facts::{Fact, Phase};
use crate::report::Selection;
use crate::text::{plain, plain_long};
use crate::weigh::Profile;
use crate::world::World;

/// Bytes of a recording that are read at most.
const RECORDING_LIMIT: u64 = 64 << 20;

/// How to judge and weigh.
pub struct Plan {
    /// Every check.
    pub catalogue: Catalogue,
    /// What gates, and how much each check matters.
    pub profile: Profile,
    only: Vec<String>,
    skip: Vec<String>,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(exit::CONFIG, error)
    }
}

impl Plan {
    /// Every check of a catalogue, weighed by a profile.
    pub fn of(catalogue: Catalogue, profile: Profile) -> Self {
        let mut plan = Self { catalogue, profile, only: Vec::new(), skip: Vec::new() };
        plan.forget_silent_causes();
        plan
    }

    /// Reads catalogue, site checks and profile, and refuses what does not fit together.
    pub(super) fn load(world: &World, arguments: &JudgingArgs) -> Result<Self, Failure> {
        let catalogue = catalogue(world, &arguments.checks)?;
        let profile = profile(world, &arguments.profile, &catalogue)?;
        for pattern in arguments.only.iter().chain(&arguments.skip) {
            catalogue.require_match(pattern).map_err(|message| Failure::new(exit::USAGE, message))?;
        }
        let mut plan = Self { catalogue, profile, only: arguments.only.clone(), skip: arguments.skip.clone() };
        plan.forget_silent_causes();
        Ok(plan)
    }

    /// A check that is not told, or matters less here, may not keep one from failing that is told and gates. Told, it may
    /// still be why the other could not be told.
    fn forget_silent_causes(&mut self) {
        let default = |id: &str| self.catalogue.get(id).map_or(Severity::Info, |check| check.file.severity);
        let gates = |id: &str| self.profile.severity(id, default(id)).map(|severity| self.profile.gates(severity));
        let kept: Vec<(Vec<String>, Vec<String>)> = self
            .catalogue
            .checks
            .iter()
            .map(|check| {
                let may_block = |cause: &&String| match gates(cause) {
                    Some(cause_gates) => self.selects(cause) && (cause_gates || gates(&check.id) != Some(true)),
                    None => false,
                };
                let is_told = |cause: &&String| gates(cause).is_some() && self.selects(cause);
                let all = check.causes.iter().chain(&check.quieter_causes);
                let (kept, silent): (Vec<_>, Vec<_>) = all.partition(may_block);
                let quieter = silent.into_iter().filter(is_told).cloned().collect();
                (kept.into_iter().cloned().collect(), quieter)
            })
            .collect();
        for (check, (causes, quieter)) in self.catalogue.checks.iter_mut().zip(kept) {
            (check.causes, check.quieter_causes) = (causes, quieter);
        }
    }

    /// The phase: as asked, else the profile's, else this seat's.
    pub fn phase(&self, asked: Option<Phase>, seat: Phase) -> Phase {
        asked.or(self.profile.file.phase).unwrap_or(seat)
    }

    /// Whether the GPU code of the image is asked about, be there a GPU or not.
    pub fn asks_about_gpus(&self, assuming: &AssumingArgs) -> bool {
        !self.profile.file.want.is_empty() || !assuming.assume.is_empty()
    }

    /// Whether a check is asked for.
    pub fn selects(&self, id: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, id));
        (self.only.is_empty() || any(&self.only)) && !any(&self.skip)
    }

    /// What the filter leaves of the profile's checks; none without a filter.
    pub fn selection(&self) -> Option<Selection> {
        let kept = |check: &&Check| self.profile.severity(&check.id, check.file.severity).is_some();
        let checks: Vec<&Check> = self.catalogue.checks.iter().filter(kept).collect();
        (!self.only.is_empty() || !self.skip.is_empty()).then(|| Selection {
            only: self.only.clone(),
            skip: self.skip.clone(),
            check_count: checks.iter().filter(|check| self.selects(&check.id)).count(),
            profile_check_count: checks.len(),
        })
    }
}

/// The catalogue with the site checks of these folders.
pub fn catalogue(world: &World, folders: &[PathBuf]) -> Result<Catalogue, Failure> {
    let mut site = Vec::new();
    for folder in folders {
        site.extend(errand::site_checks(world, folder)?);
    }
    Ok(Catalogue::load(&site)?)
}

fn wrong(path: &Path, message: impl Into<String>) -> Failure {
    Failure::new(exit::CONFIG, format!("{}: {}", plain(&path.to_string_lossy()), message.into()))
}

fn size(bytes: u64) -> String {
    crate::text::bytes(bytes as f64)
}

/// The text of a file that the user named; none where there is no such file. Only a copy of ourselves may ask.
pub(super) fn read(world: &World, path: &Path, limit: u64) -> Result<Option<String>, Failure> {
    match world.read_bytes(path, limit + 1) {
        Fact::Known(bytes) => text(path, bytes, limit).map(Some),
        Fact::Absent => Ok(None),
        Fact::Unknown(gap) => Err(wrong(path, gap.to_string())),
    }
}

fn text(path: &Path, bytes: Vec<u8>, limit: u64) -> Result<String, Failure> {
    if bytes.len() as u64 > limit {
        return Err(wrong(path, format!("is larger than {}", size(limit))));
    }
    String::from_utf8(bytes).map_err(|_| wrong(path, "is not UTF-8"))
}

fn there(path: &Path, text: Option<String>) -> Result<String, Failure> {
    text.ok_or_else(|| wrong(path, "there is no such file"))
}

fn profile(world: &World, name: &str, catalogue: &Catalogue) -> Result<Profile, Failure> {
    let path = Path::new(name);
    match Profile::embedded(name) {
        Ok(text) => Ok(Profile::read(name, &format!("checks/profiles/{name}.toml"), text, catalogue)?),
        Err(message) => match errand::read(world, path, crate::world::READ_LIMIT)? {
            Some(text) => Ok(Profile::read(name, name, &text, catalogue)?),
            None => Err(Failure::new(exit::CONFIG, message)),
        },
    }
}

/// The checks of a folder, `DIR/ROOM/STATE.toml`, and what they share, `DIR/ROOM/room.toml`. Only a copy of ourselves
/// may ask.
pub(super) fn site_checks(world: &World, folder: &Path) -> Result<Vec<SiteRoom>, Failure> {
    let names = |path: &Path| match world.list(path) {
        Fact::Known(names) => Ok(names),
        Fact::Absent => Err(wrong(path, "there is no such folder")),
        Fact::Unknown(gap) => Err(wrong(path, gap.to_string())),
    };
    let mut found = Vec::new();
    for room in names(folder)? {
        let room_folder = folder.join(&room);
        if room.strip_suffix(".toml").is_some() {
            return Err(wrong(&room_folder, "a check lies in a room: DIR/ROOM/STATE.toml"));
        }
        let mut site = SiteRoom { shared: None, checks: Vec::new() };
        for file in names(&room_folder)? {
            if let Some(state) = file.strip_suffix(".toml") {
                let path = room_folder.join(&file);
                let text = there(&path, read(world, &path, crate::world::READ_LIMIT)?)?;
                let path = path.to_string_lossy().into_owned();
                if file == room::FILE {
                    site.shared = Some((path, text));
                } else {
                    site.checks.push((path, format!("{room}.{state}"), text));
                }
            }
        }
        found.push(site);
    }
    if found.iter().all(|site| site.checks.is_empty()) {
        return Err(wrong(folder, "holds no check: DIR/ROOM/STATE.toml"));
    }
    Ok(found)
}

/// A recording of this or another version.
pub fn recording(world: &World, path: &Path) -> Result<Recording, Failure> {
    let text = if path == Path::new("-") {
        let bytes = world.read_stdin(RECORDING_LIMIT + 1).map_err(|error| wrong(path, error.to_string()))?;
        text(path, bytes, RECORDING_LIMIT)?
    } else {
        there(path, errand::read(world, path, RECORDING_LIMIT)?)?
    };
    recording::read(&text).map_err(|Mistake { place, message }| {
        let file = plain(&path.to_string_lossy());
        let file = place.map_or(file.clone(), |(line, column)| format!("{file}:{line}:{column}"));
        Failure::new(exit::CONFIG, format!("{file}: {}", plain_long(&with_suggestion(&message))))
    })
}
