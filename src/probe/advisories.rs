//! Known vulnerabilities of what is installed, by advisories that the command line names: an export of OSV (a folder, or a
//! zip of one ecosystem), or an index of one. Or by the report of a scanner ([`scanned`]).
//!
//! Without advisories nobody looked, and nothing here is run. The advisories are foreign bytes of any length: every entry,
//! the number of entries and the time are bounded, nothing is unpacked to a disk, and what lies beyond makes the answer
//! unknown.

mod archive;
mod found;
mod index;
mod order;
mod osv;
pub mod scanned;
mod source;
mod wanted;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::facts::{Advisories, Fact, Gap, GapKind, Inventory, Vulnerability, cut};
use crate::world::World;
use found::Found;
pub use index::text as index_text;
use osv::Entry;
use wanted::Wanted;

/// What the advisories say of an inventory.
pub struct Answer {
    /// The advisories themselves.
    pub advisories: Fact<Advisories>,
    /// All vulnerabilities, the worst first.
    pub vulnerabilities: Fact<Vec<Vulnerability>>,
    /// Why there may be more of them.
    pub gap: Option<Gap>,
}

/// What was read of advisories.
#[derive(Debug, Default)]
pub struct Read {
    /// Advisories, those of no interest too.
    count: u64,
    /// Those that made no sense.
    malformed_count: u64,
    /// The time of the newest.
    newest: String,
    /// Every ecosystem that one speaks of.
    ecosystems: BTreeSet<String>,
    /// What those that were asked for say: ecosystem, package, and the rest.
    entries: Vec<(String, String, Entry)>,
}

impl Read {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.malformed_count += other.malformed_count;
        self.newest = std::mem::take(&mut self.newest).max(other.newest);
        self.ecosystems.extend(other.ecosystems);
        self.entries.extend(other.entries);
    }
}

/// The time that may be spent: half of what is left.
#[derive(Clone, Copy)]
struct Time<'a> {
    world: &'a World,
    floor: Duration,
}

impl<'a> Time<'a> {
    fn begin(world: &'a World) -> Self {
        Self { world, floor: world.time_left() / 2 }
    }

    fn up(&self) -> Option<Gap> {
        let is_up = self.world.time_left() <= self.floor;
        is_up.then(|| Gap::new(GapKind::TimedOut, "the time for advisories was up; an index of them is read faster"))
    }
}

/// Holds every package against the advisories at `path`, which is a path of the machine that `world` stands for.
pub fn hold(world: &World, path: &Path, inventory: &Inventory) -> Answer {
    let wanted = Wanted::of(inventory);
    let is_wanted = |ecosystem: &str, name: &str| wanted.has(ecosystem, name);
    match read(world, path, &is_wanted) {
        Err(gap) => {
            let (advisories, vulnerabilities) = (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()));
            Answer { advisories, vulnerabilities, gap: Some(gap) }
        }
        Ok(read) => answer(&wanted, inventory, &read),
    }
}

/// Everything that the advisories say of packages whose versions can be compared.
pub fn read_all(world: &World, path: &Path) -> Result<Read, Gap> {
    read(world, path, &|_, _| true)
}

/// Whether advisories lie at a path, as far as a glance tells.
pub fn seen(world: &World, path: &Path) -> Result<(), Gap> {
    source::seen(&Time::begin(world), path)
}

fn read(world: &World, path: &Path, is_wanted: &(dyn Fn(&str, &str) -> bool + Sync)) -> Result<Read, Gap> {
    let time = Time::begin(world);
    let step = |read: &mut Read, bytes: &[u8]| osv::take(read, bytes, is_wanted);
    match source::kind(world, path)? {
        source::Kind::Index(file) => index::read(&time, &file, path, is_wanted),
        source::Kind::Archive(file) => source::archive(&time, &file, path, &step),
        source::Kind::Folder => source::folder(&time, path, &step),
    }
}

fn answer(wanted: &Wanted, inventory: &Inventory, read: &Read) -> Answer {
    let mut found = Found::default();
    // Threads and exports have orders of their own, and of two names the first counts.
    let mut entries: Vec<&(String, String, Entry)> = read.entries.iter().collect();
    entries.sort_by(|a, b| (&a.0, &a.1, &a.2.id).cmp(&(&b.0, &b.1, &b.2.id)));
    for (ecosystem, name, entry) in entries {
        for subject in wanted.subjects(ecosystem, name) {
            found.hold(subject, entry);
        }
    }
    let (matched, mut unmatched) = wanted.matched(inventory, &read.ecosystems);
    let mut doubt = None;
    if read.malformed_count > 0 {
        doubt = Some(format!("{} of {} advisories made no sense", read.malformed_count, read.count));
    }
    if let Some(sample) = &found.uncompared {
        doubt = doubt.or_else(|| Some(format!("versions that cannot be compared, as {sample}")));
    }
    unmatched.extend(doubt.clone());
    unmatched.extend(inventory.gaps.iter().map(|(manager, gap)| format!("{manager}: {gap}")));
    let vulnerabilities = found.finish();
    let gap = match (matched.is_empty(), doubt) {
        (true, _) => Some(Gap::new(GapKind::NotSupported, "the advisories speak of nothing that is installed here")),
        (false, Some(doubt)) => Some(Gap::new(GapKind::Malformed, doubt)),
        (false, None) => inventory.gaps.first().map(|(_, gap)| gap.clone()),
    };
    let vulnerabilities = match &gap {
        Some(gap) if vulnerabilities.is_empty() => Fact::Unknown(gap.clone()),
        _ => Fact::Known(vulnerabilities),
    };
    let advisories = Advisories {
        count: read.count,
        newest: Fact::present(Some(cut(&read.newest)).filter(|newest| !newest.is_empty())),
        scanner: Fact::Absent,
        taken: Fact::Absent,
        matched,
        unmatched: unmatched.iter().map(|text| cut(text)).collect(),
    };
    Answer { advisories: Fact::Known(advisories), vulnerabilities, gap }
}

#[cfg(test)]
#[path = "advisories/advisories_tests.rs"]
mod tests;
