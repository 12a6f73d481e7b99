//! What is installed, by the records that package managers leave.
//!
//! Nothing that a record names is opened: its paths, names and sizes are text. A record is read as far as its bound, and
//! what lies beyond makes what is asked of that manager unknown.

mod apk;
mod conda;
mod copies;
mod dpkg;
mod needless;
mod python;
mod rpm;

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::facts::{
    Fact, Gap, GapKind, InstalledPackage, Inventory, LIST_LIMIT, ManagedPackages, PackageManager, Packages,
    VulnerabilitySeverity,
};
use crate::probe::advisories::{self, Answer, scanned};
use crate::probe::framework::packages::folders_everywhere;
use crate::probe::os_release;
use crate::probe::vex::{self, Statement};
use crate::world::World;

/// Packages of one image that are listed.
const PACKAGES_MAX: usize = 50_000;
/// Other names of an advisory that are kept.
const ALIASES_MAX: usize = 16;
/// Packages that are told as the largest.
const LARGEST: usize = 10;
/// Bytes of one record that are read.
const RECORD_LIMIT: u64 = 64 << 20;
/// Times before 2015 are those of whoever makes images reproducible, and of a clock that is not set.
const SENSIBLE_SECONDS: i64 = 1_420_070_400;

/// The time that may be spent: a quarter of what is left, and three seconds at most.
struct Time<'a> {
    world: &'a World,
    floor: Duration,
}

impl<'a> Time<'a> {
    fn begin(world: &'a World) -> Self {
        let left = world.time_left();
        Self { world, floor: left.saturating_sub((left / 4).min(Duration::from_secs(3))) }
    }

    /// Why there is no more of it.
    fn up(&self) -> Option<Gap> {
        let is_up = self.world.time_left() <= self.floor;
        is_up.then(|| Gap::new(GapKind::TimedOut, "the time for packages was up"))
    }
}

/// What is read of every package beside its name and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// How large it is.
    Sizes,
    /// Its licence.
    Licences,
}

/// What known vulnerabilities are told by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sought {
    /// The bytes of the path of advisories, or of a scanner's report, on this machine.
    path: Vec<u8>,
    is_report: bool,
    /// What documents excuse of them; none where none is named.
    statements: Option<Vec<Statement>>,
}

impl Sought {
    /// Advisories at a path, or a report there, and what excuses them.
    pub fn of(path: &Path, is_report: bool, statements: Option<Vec<Statement>>) -> Self {
        Self { path: path.as_os_str().as_bytes().to_vec(), is_report, statements }
    }
}

/// What is installed, and what is known of its vulnerabilities where that is asked for.
pub fn collect(world: &World, sought: Option<&Sought>) -> Packages {
    let folders = folders_everywhere(world);
    let inventory = read(world, &folders, Depth::Sizes);
    let (needless, needless_bytes) = needless::find(world, &inventory);
    let (library_copies, library_copies_bytes) = copies::find(world, &folders);
    Packages {
        managers: Fact::Known(inventory.managers.iter().map(|manager| managed(&inventory, *manager)).collect()),
        largest: largest(&inventory),
        needless,
        needless_bytes,
        library_copies,
        library_copies_bytes,
        system_changed_seconds: system_changed(&inventory),
        ..sought.map_or_else(Packages::default, |sought| vulnerable(world, sought, &inventory))
    }
}

/// When the record of the system's packages was changed last; unknown where that could not be read.
fn system_changed(inventory: &Inventory) -> Fact<u64> {
    let gap = || [PackageManager::Dpkg, PackageManager::Apk].into_iter().find_map(|manager| inventory.gap(manager));
    match inventory.changed_seconds {
        Some(seconds) => Fact::Known(seconds),
        None => gap().map_or(Fact::Absent, |gap| Fact::Unknown(gap.clone())),
    }
}

/// What advisories say, and nothing else.
fn vulnerable(world: &World, sought: &Sought, inventory: &Inventory) -> Packages {
    let path = Path::new(OsStr::from_bytes(&sought.path));
    let hold = if sought.is_report { scanned::hold } else { advisories::hold };
    let Answer { advisories, mut vulnerabilities, gap } = hold(&world.of_machine(), path, inventory);
    let excused = |statements| match &mut vulnerabilities {
        Fact::Known(found) => Fact::Known(vex::excuse(statements, inventory, found)),
        Fact::Absent => Fact::Absent,
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    };
    let excused = sought.statements.as_deref().map_or(Fact::Absent, excused);
    // None is an answer where all was looked at.
    let told = |count: u64| match &gap {
        Some(gap) if count == 0 => Fact::Unknown(gap.clone()),
        _ => Fact::Known(count),
    };
    let count = |wanted: &dyn Fn(VulnerabilitySeverity) -> bool| {
        let all = vulnerabilities.as_ref();
        all.map(|all| all.iter().filter(|one| wanted(one.severity)).count() as u64).and_then(told)
    };
    Packages {
        vex: excused,
        critical_vulnerability_count: count(&|severity| severity == VulnerabilitySeverity::Critical),
        high_vulnerability_count: count(&|severity| severity == VulnerabilitySeverity::High),
        other_vulnerability_count: count(&|severity| severity > VulnerabilitySeverity::High),
        vulnerabilities: vulnerabilities.and_then(|mut all| {
            all.truncate(LIST_LIMIT);
            for one in &mut all {
                one.aliases.truncate(ALIASES_MAX);
            }
            found(all, gap.as_ref())
        }),
        advisories,
        ..Packages::default()
    }
}

/// Every package, with its licence where the record says one.
pub fn inventory(world: &World) -> Inventory {
    read(world, &folders_everywhere(world), Depth::Licences)
}

fn read(world: &World, folders: &[String], depth: Depth) -> Inventory {
    let mut inventory = Inventory::default();
    (inventory.system, inventory.system_version) = system(world);
    dpkg::read(world, &mut inventory);
    apk::read(world, &mut inventory);
    rpm::read(world, &mut inventory);
    let time = Time::begin(world);
    conda::read(&time, folders, depth, &mut inventory);
    python::read(&time, folders, depth, &mut inventory);
    inventory
        .packages
        .sort_by(|a, b| (a.manager, &a.name, &a.version, &a.place).cmp(&(b.manager, &b.name, &b.version, &b.place)));
    inventory
}

/// `ID` and `VERSION_ID` of `/etc/os-release`.
fn system(world: &World) -> (String, String) {
    let os = os_release::read(world);
    let value = |key| os.known().and_then(|os| os.value(key)).unwrap_or_default();
    (value("ID"), value("VERSION_ID"))
}

/// Adds a package, unless there are too many already.
fn add(inventory: &mut Inventory, package: crate::facts::Installed) {
    let manager = package.manager;
    if inventory.packages.len() < PACKAGES_MAX {
        inventory.packages.push(package);
    } else if inventory.gap(manager).is_none() {
        let detail = format!("more than {PACKAGES_MAX} packages, of which so many are looked at");
        inventory.note(manager, Some(Gap::new(GapKind::NotSupported, detail)));
    }
}

/// The bytes of a record; one that is longer than is read is a gap.
fn record(world: &World, path: &str) -> Fact<Vec<u8>> {
    world.read_bytes(path, RECORD_LIMIT + 1).and_then(|bytes| match bytes.len() as u64 {
        0..=RECORD_LIMIT => Fact::Known(bytes),
        _ => Fact::unknown(GapKind::NotSupported, format!("{path} is longer than is read")),
    })
}

/// When a record was changed last, where its time makes sense.
fn changed(world: &World, path: &str) -> Option<u64> {
    let stat = world.stat(path).known()?.modified_seconds;
    u64::try_from(stat).ok().filter(|_| stat >= SENSIBLE_SECONDS)
}

fn managed(inventory: &Inventory, manager: PackageManager) -> ManagedPackages {
    if let Some(gap) = inventory.gap(manager) {
        let (count, installed_bytes) = (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()));
        return ManagedPackages { manager, count, installed_bytes };
    }
    let own = || inventory.of(manager).filter(|package| package.brought_by.is_none());
    let mut sizes = own().filter_map(|package| package.bytes).peekable();
    let says = sizes.peek().is_some();
    let bytes = sizes.fold(0_u64, u64::saturating_add);
    ManagedPackages {
        manager,
        count: Fact::Known(own().count() as u64),
        installed_bytes: Fact::present(says.then_some(bytes)),
    }
}

fn largest(inventory: &Inventory) -> Fact<Vec<InstalledPackage>> {
    let own = inventory.packages.iter().filter(|package| package.brought_by.is_none());
    let mut sized: Vec<_> = own.filter_map(|package| Some((package.bytes?, package))).collect();
    sized.sort_by_key(|(bytes, package)| (Reverse(*bytes), &package.name));
    let told = sized.into_iter().take(LARGEST).map(|(installed_bytes, package)| InstalledPackage {
        name: package.name.clone(),
        version: package.version.clone(),
        manager: package.manager,
        installed_bytes,
    });
    match (told.collect::<Vec<_>>(), inventory.gaps.first()) {
        (told, Some((_, gap))) if told.is_empty() => Fact::Unknown(gap.clone()),
        (told, _) => Fact::Known(told),
    }
}

/// A list that can only accuse: what was found was found, and where nothing was, something may lie in what was not read.
fn found<T>(mut found: Vec<T>, gap: Option<&Gap>) -> Fact<Vec<T>> {
    found.truncate(LIST_LIMIT);
    match gap {
        Some(gap) if found.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(found),
    }
}

#[cfg(test)]
#[path = "packages/packages_tests.rs"]
mod tests;
