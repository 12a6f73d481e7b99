//! What is asked of a run: the catalogue, the profile, the selection, the recording, the surroundings.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::files::{there, utf8, wrong};
use super::{Failure, contract, errand};
use crate::check::error::in_words;
use crate::check::{Catalogue, Check, ConfigError, Judged, Severity, matches};
use crate::cli::{Assumption, EnvironmentArgs, FailOn, JudgingArgs};
use crate::exit;
use crate::facts::recording::{self, Mistake, Recording};
use crate::facts::{Contract, Fact, Phase};
use crate::probe::workload::Named;
use crate::report::Selection;
use crate::text::{plain, plain_long};
use crate::weigh::Profile;
use crate::weigh::contract::nothing;
use crate::world::World;

/// Bytes of a recording that are read at most.
const RECORDING_LIMIT: u64 = 64 << 20;

/// The profile where none is named.
pub const PROFILE: &str = "production";

/// A file that says how to judge.
pub(super) struct Written {
    /// Whether it is the contract; the profile otherwise.
    pub is_contract: bool,
    /// What it is called.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// How to judge and weigh.
pub struct Plan {
    /// Every check.
    pub catalogue: Catalogue,
    /// What gates, and how much each check matters.
    pub profile: Profile,
    /// Who names it.
    pub named_by: NamedBy,
    /// What the workload needs.
    pub contract: Contract,
    /// The contract and the profile as they were written, where they are files.
    pub(super) written: Vec<Written>,
    only: Vec<String>,
    skip: Vec<String>,
}

/// Who names the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The command line or a variable.
    Option,
    /// The contract.
    Contract,
    /// Nobody: it is the usual one of what is judged.
    Nobody,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let mut lines = error.each().into_iter().map(|error| error.to_string());
        let message = lines.next().unwrap_or_default();
        Self { exit: exit::CONFIG, message, also: lines.collect() }
    }
}

impl Plan {
    /// Every check of a catalogue, weighed by a profile.
    pub fn of(catalogue: Catalogue, profile: Profile) -> Self {
        let (named_by, contract, written) = (NamedBy::Nobody, nothing(), Vec::new());
        let mut plan = Self { catalogue, profile, named_by, contract, written, only: Vec::new(), skip: Vec::new() };
        plan.forget_silent_causes();
        plan
    }

    /// Reads catalogue, site checks and profile (the `usual` one where none is named), and refuses what does not fit together.
    pub(super) fn load(world: &World, arguments: &JudgingArgs, usual: &str) -> Result<Self, Failure> {
        Self::load_gated(world, arguments, usual, None)
    }

    /// The same, with the severity from on which failures gate.
    pub(super) fn load_gated(
        world: &World,
        arguments: &JudgingArgs,
        usual: &str,
        fail_on: Option<FailOn>,
    ) -> Result<Self, Failure> {
        let catalogue = catalogue(world, &arguments.checks)?;
        let contract = contract::read(world, arguments.contract.as_deref(), &catalogue)?;
        // An image that does not run yet is judged as an image, whatever will be asked of it then.
        let own = contract.as_ref().and_then(|read| read.file.profile.as_deref()).filter(|_| usual == PROFILE);
        let (name, named_by) = match (arguments.profile.as_deref(), own) {
            (Some(name), _) => (name, NamedBy::Option),
            (None, Some(name)) => (name, NamedBy::Contract),
            (None, None) => (usual, NamedBy::Nobody),
        };
        let (mut profile, own_text) = profile(world, name, &catalogue)?;
        let mut written: Vec<Written> = Vec::new();
        written.extend(own_text.map(|text| Written { is_contract: false, name: name.to_owned(), text }));
        if let Some(gate) = fail_on.and_then(gate) {
            profile.file.gate = Some(gate);
        }
        let contract = contract.map_or_else(nothing, |contract::Read { name, text, file }| {
            profile.file.waive.extend(file.waive.iter().cloned());
            let facts = file.facts(&name);
            written.push(Written { is_contract: true, name, text });
            facts
        });
        for pattern in arguments.only.iter().chain(&arguments.skip) {
            catalogue.require_match(pattern).map_err(|message| Failure::new(exit::USAGE, message))?;
        }
        let (only, skip) = (arguments.only.clone(), arguments.skip.clone());
        let mut plan = Self { catalogue, profile, named_by, contract, written, only, skip };
        plan.forget_silent_causes();
        Ok(plan)
    }

    /// What the contract names and only a look can tell.
    pub fn named(&self) -> Named {
        Named { folders: self.contract.named_folders(), variables: self.contract.variables.clone() }
    }

    /// A check that is not told, or matters less here, may not keep one from failing that is told and gates. Told, it may
    /// still be why the other could not be told.
    fn forget_silent_causes(&mut self) {
        // Whether a failure of it gates; none where it is not told.
        let told = |check: &Check| {
            let severity = self.profile.severity(&check.id, check.file.severity).filter(|_| self.selects(&check.id));
            severity.map(|severity| self.profile.gates(severity))
        };
        let gates: Vec<Option<bool>> = self.catalogue.checks.iter().map(told).collect();
        let ids = self.catalogue.checks.iter().map(|check| check.id.clone());
        let by_id: HashMap<String, Option<bool>> = ids.zip(gates.iter().copied()).collect();
        for (check, gates) in self.catalogue.checks.iter_mut().zip(gates) {
            let may_block = |cause: &String| match by_id.get(cause).copied().flatten() {
                Some(cause_gates) => cause_gates || gates != Some(true),
                None => false,
            };
            if check.quieter_causes.is_empty() && check.causes.iter().all(may_block) {
                continue;
            }
            let all = std::mem::take(&mut check.causes).into_iter().chain(std::mem::take(&mut check.quieter_causes));
            let (kept, silent): (Vec<_>, Vec<_>) = all.partition(may_block);
            check.causes = kept;
            check.quieter_causes =
                silent.into_iter().filter(|cause| by_id.get(cause).is_some_and(Option::is_some)).collect();
        }
    }

    /// The phase: as asked, else the profile's, else this seat's.
    pub fn phase(&self, asked: Option<Phase>, seat: Phase) -> Phase {
        asked.or(self.profile.file.phase).unwrap_or(seat)
    }

    /// Whether the GPU code of the image is asked about, be there a GPU or not.
    pub fn asks_about_gpus(&self, assumed: &[Assumption]) -> bool {
        !self.profile.file.want.is_empty() || !assumed.is_empty()
    }

    /// Whether a check is asked for.
    pub fn selects(&self, id: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, id));
        (self.only.is_empty() || any(&self.only)) && !any(&self.skip)
    }

    /// What the filter leaves of the profile's checks, and of those a text what it tells of; none where all were asked.
    pub fn selection_of(&self, judged: &[Judged], phase: Phase) -> Option<Selection> {
        if phase == Phase::Written {
            let asked: BTreeSet<&str> = judged.iter().filter(|one| one.asked).map(|one| one.check.as_str()).collect();
            return Some(self.left(true, |id| asked.contains(id)));
        }
        (!self.only.is_empty() || !self.skip.is_empty()).then(|| self.left(false, |_| true))
    }

    /// How many checks of the profile a filter leaves, of those that are asked.
    pub fn left(&self, text_only: bool, asked: impl Fn(&str) -> bool) -> Selection {
        let kept = |check: &&Check| self.profile.severity(&check.id, check.file.severity).is_some();
        let checks: Vec<&Check> = self.catalogue.checks.iter().filter(kept).collect();
        Selection {
            only: self.only.clone(),
            skip: self.skip.clone(),
            text_only,
            check_count: checks.iter().filter(|check| self.selects(&check.id) && asked(&check.id)).count(),
            profile_check_count: checks.len(),
        }
    }
}

/// What gates; none where that is left to the profile.
fn gate(fail_on: FailOn) -> Option<Vec<Severity>> {
    let last = match fail_on {
        FailOn::Critical => Severity::Critical,
        FailOn::High => Severity::High,
        FailOn::Medium => Severity::Medium,
        FailOn::Low => Severity::Low,
        FailOn::Never => return None,
    };
    Some(Severity::ALL.iter().copied().filter(|severity| *severity <= last).collect())
}

/// The catalogue with the site checks of these folders.
pub fn catalogue(world: &World, folders: &[PathBuf]) -> Result<Catalogue, Failure> {
    let mut site = Vec::new();
    for folder in folders {
        site.extend(errand::site_checks(world, folder)?);
    }
    Ok(Catalogue::load(&site)?)
}

/// A profile by its name, or with its text where it is a file.
fn profile(world: &World, name: &str, catalogue: &Catalogue) -> Result<(Profile, Option<String>), Failure> {
    let path = Path::new(name);
    match Profile::embedded(name) {
        Ok(text) => Ok((Profile::read(name, &format!("checks/profiles/{name}.toml"), text, catalogue)?, None)),
        Err(message) => match errand::read(world, path, crate::world::READ_LIMIT)? {
            Some(text) => Ok((Profile::read(name, name, &text, catalogue)?, Some(text))),
            None => Err(Failure::new(exit::CONFIG, message)),
        },
    }
}

/// A recording of this or another version.
pub fn recording(world: &World, path: &Path) -> Result<Recording, Failure> {
    let text = if path == Path::new("-") {
        let bytes = world.read_stdin(RECORDING_LIMIT + 1).map_err(|error| wrong(path, error.to_string()))?;
        utf8(path, bytes, RECORDING_LIMIT)?
    } else {
        there(path, errand::read(world, path, RECORDING_LIMIT)?)?
    };
    let read = recording::read(&text).map_err(|Mistake { place, message }| {
        let file = plain(&path.to_string_lossy());
        let file = place.map_or(file.clone(), |(line, column)| format!("{file}:{line}:{column}"));
        Failure::new(exit::CONFIG, format!("{file}: {}", plain_long(&in_words(&message))))
    });
    let read = read?;
    // What was judged of the others cannot be judged again, and leaving it out would call them sound.
    match read.facts.written.judged_count {
        0 | 1 => Ok(read),
        count => Err(wrong(
            path,
            format!("judged {count} containers and holds the facts of the first alone: judge their text again"),
        )),
    }
}

/// The machine as the process that was named would see it, and how the report calls that process; our own view without.
pub fn surrounded(world: World, arguments: &EnvironmentArgs) -> Result<(World, Option<String>), Failure> {
    let Some(pid) = arguments.as_process else { return Ok((world, None)) };
    let environment = match world.process_environment(pid) {
        Fact::Known(environment) => environment,
        Fact::Absent => return Err(Failure::new(exit::USAGE, format!("--as-process: there is no process {pid}"))),
        Fact::Unknown(gap) => return Err(Failure::new(exit::USAGE, format!("--as-process: {gap}"))),
    };
    let name = world.read_line(format!("/proc/{pid}/comm")).known().map_or(String::new(), |name| format!(" ({name})"));
    Ok((world.with_environment(environment), Some(format!("{pid}{name}"))))
}
