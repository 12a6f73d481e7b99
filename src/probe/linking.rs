//! What the image's frameworks load beyond the CUDA libraries: followed from their own files, and compared.
//!
//! [`roots`] says where each framework begins and what it opens by itself, [`scope`] goes through what that needs as the
//! loader would, [`compare`] holds what each file wants against what the file that was found has. Files are read and
//! nothing is loaded.

mod compare;
mod roots;
mod scope;

use std::time::{Duration, Instant};

use crate::facts::{Fact, Framework, GapKind, LinkFault, LinkProblem, Linking, cut};
use crate::probe::libraries::plain::Loader;
use crate::probe::libraries::{identify, release};
use crate::probe::paths::base_name;
use crate::world::World;
use compare::Tables;
use roots::{Root, Wheels};
use scope::{Files, Scope};

/// What it may cost of the time that is left, and at most.
const TIME_SHARE: u32 = 4;
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Faults that are listed.
const FAULTS_MAX: usize = 32;

/// Every framework that is here, and what of it the loader would not find or not take.
pub fn collect(world: &World, framework: &Framework) -> Linking {
    let wheels = Wheels::list(world, framework);
    let roots = roots::find(world, framework, &wheels);
    let names = roots.iter().map(|root| root.framework.clone()).collect();
    let mut walk = Walk {
        world,
        wheels: &wheels,
        loader: Loader::read(world, |_| !roots.is_empty()),
        files: Files::new(Instant::now() + TIME_LIMIT.min(world.time_left() / TIME_SHARE)),
        tables: Tables::default(),
        faults: Vec::new(),
    };
    for root in &roots {
        walk.follow(root);
    }
    let Walk { files, mut faults, tables, loader, .. } = walk;
    let unlisted = loader.gap().map(|gap| gap.detail.clone());
    faults.retain(|fault| fault.problem != LinkProblem::Missing || unlisted.is_none());
    faults.truncate(FAULTS_MAX);
    let incomplete = files.incomplete().or(tables.incomplete()).or(unlisted);
    Linking {
        was_asked: Fact::default(),
        frameworks: Fact::Known(names),
        file_count: Fact::Known(files.count()),
        faults: match incomplete {
            Some(why) if faults.is_empty() => Fact::unknown(GapKind::NotSupported, cut(&why)),
            _ => Fact::Known(faults),
        },
    }
}

struct Walk<'a> {
    world: &'a World,
    wheels: &'a Wheels,
    loader: Loader,
    files: Files,
    tables: Tables,
    faults: Vec<LinkFault>,
}

impl Walk<'_> {
    /// One framework in a process of its own.
    fn follow(&mut self, root: &Root) {
        let mut scope = self.opened(root, &[]);
        // Where a library is nowhere, PyTorch opens those of the wheels by their paths and tries again, and programs that
        // use another framework do the same, or import PyTorch first.
        if scope.missing().any(|(name, _)| self.wheels.find(name).is_some()) {
            let all: Vec<String> = self.wheels.paths().map(str::to_owned).collect();
            scope = self.opened(root, &all);
        }
        let mut faults = unfound(&scope);
        faults.extend(compare::faults(self.world, &scope, &mut self.tables));
        faults.extend(self.parts(&scope));
        faults.retain(|fault| identify(&fault.library).is_none());
        for fault in &mut faults {
            fault.framework.clone_from(&root.framework);
            self.add_others(fault);
        }
        self.faults.extend(faults);
    }

    fn opened(&mut self, root: &Root, before: &[String]) -> Scope {
        let mut scope = Scope::begin(self.world, &self.loader, &mut self.files);
        scope.program(root.interpreter.as_deref());
        for path in before {
            scope.open(path);
        }
        for path in &root.files {
            scope.open(path);
        }
        if let Some(last) = root.files.last() {
            scope.open_from(last, &root.names);
        }
        for (whole, parts) in roots::PARTS {
            scope.open_parts(whole, parts);
        }
        scope.done()
    }

    /// Parts of a library that are not of its release.
    fn parts(&self, scope: &Scope) -> Vec<LinkFault> {
        let mut faults = Vec::new();
        for (name, wheel) in roots::RELEASES {
            let Some(whole) = scope.named(name) else { continue };
            let release = |path: &str, name: &str| release::of(self.world, wheel, path, name);
            let Some(wanted) = release(&whole.real, &whole.soname) else { continue };
            let parts = roots::PARTS.iter().flat_map(|(_, parts)| parts.iter());
            for part in parts.filter_map(|part| scope.named(part.name)) {
                let Some(found) = release(&part.real, &part.soname) else { continue };
                if found != wanted {
                    faults.push(LinkFault {
                        library: cut(&part.soname),
                        needed_by: cut(&whole.path),
                        problem: LinkProblem::OtherRelease,
                        wanted: Fact::Known(cut(&wanted)),
                        found: Fact::Known(cut(&part.path)),
                        found_by: Fact::Known(part.why.to_owned()),
                        ..LinkFault::default()
                    });
                }
            }
        }
        faults
    }

    /// Where else the library lies, and which other major of it.
    fn add_others(&self, fault: &mut LinkFault) {
        let found = fault.found.known().map(String::as_str);
        let copy = self.wheels.find(&fault.library).filter(|copy| Some(*copy) != found);
        fault.other_copy = Fact::present(copy.map(cut));
        let stem = |name: &str| name.split_once(".so").map(|(stem, _)| stem.to_owned());
        let wanted = stem(&fault.library);
        let is_other = |name: &str| wanted.is_some() && stem(name) == wanted && name != fault.library;
        let in_wheels = self.wheels.paths().find(|path| is_other(base_name(path)));
        let other = in_wheels.or_else(|| self.loader.cached_names().find(|name| is_other(name)));
        fault.other_major = Fact::present(other.map(cut));
    }
}

/// What the loader finds no copy of, or a damaged one.
fn unfound(scope: &Scope) -> Vec<LinkFault> {
    let missing = scope.missing().map(|(name, by)| LinkFault {
        library: cut(name),
        needed_by: cut(by),
        problem: LinkProblem::Missing,
        wanted: Fact::Absent,
        found: Fact::Absent,
        found_by: Fact::Absent,
        ..LinkFault::default()
    });
    let damaged = scope.damaged().map(|(name, by, found)| LinkFault {
        library: cut(name),
        needed_by: cut(by),
        problem: LinkProblem::Damaged,
        wanted: Fact::Absent,
        found: Fact::Known(cut(&found.0)),
        found_by: Fact::Known(found.1.to_owned()),
        ..LinkFault::default()
    });
    missing.chain(damaged).collect()
}

#[cfg(test)]
mod tests;
