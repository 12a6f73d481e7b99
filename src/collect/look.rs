//! The cheap readings: everything that is learnt from files, from the kernel and from those who listen here.
//!
//! Each part is told as soon as it is there, under the name of its field in [`Facts`]. What part of it was left out makes
//! the rest doubtful: what was not found may lie there.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::copies::may_find;
use super::doubt::doubt;
use super::log::timed;
use crate::facts::shape::Shaped;
use crate::facts::{
    Driver, Fact, Facts, Framework, Gap, GapKind, Gaps, Library, LibraryId, Linking, Native, Network, Phase, ProbeRun,
    Services,
};
use crate::probe;
use crate::probe::image_config::Given;
use crate::probe::packages::Sought;
use crate::probe::workload::Named;
use crate::world::{World, not_running, spawn_or_run};

/// Everything.
pub const ALL: &[&str] = &[
    "framework",
    "libraries",
    "driver",
    "native",
    "linking",
    "network",
    "services",
    "storage",
    "isolation",
    "container",
    "host",
    "limits",
    "identity",
    "process",
    "workload",
    "environment",
    "image",
    "compile",
    "packages",
];

/// What the files of an image say of the GPUs that it can run on.
pub const IMAGE: &[&str] = &["framework", "libraries", "native"];

/// What the files of an image that does not run say.
pub const STILL: &[&str] = &[
    "framework",
    "libraries",
    "native",
    "linking",
    "services",
    "identity",
    "environment",
    "image",
    "compile",
    "packages",
];

/// Parts of which every reading says by itself what it could not have.
const EXACT: &[&str] = &["storage", "container", "host", "limits", "identity", "process"];

/// What is asked of the cheap readings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Asked {
    /// Names of the parts.
    pub fields: Vec<String>,
    /// Whether there may be a GPU to ask.
    pub asks_gpu: bool,
    /// Whether the GPU code of the image is wanted even where no GPU is.
    pub gpu_code: bool,
    /// Whether what frameworks load is followed.
    pub linking: bool,
    /// The log that the command line names.
    pub log: Option<String>,
    /// What the contract names.
    pub named: Named,
    /// The command that `exec` will become.
    pub command: Option<Vec<String>>,
    /// When in the life of the container it is: before it runs, nobody but its configuration can say what it will start.
    pub phase: Phase,
    /// The configuration of the image.
    pub config: Option<Given>,
    /// What known vulnerabilities of packages are told by.
    pub sought: Option<Sought>,
}

/// One part that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub field: String,
    /// What was read, as in a recording.
    pub value: Value,
    /// How the probe ended; none where there was nothing to ask.
    pub run: Option<ProbeRun>,
}

/// Reads what is asked for and tells each part.
pub fn look(world: &World, asked: &Asked, tell: &(dyn Fn(Part) + Sync)) {
    let look = Look { world, asked, tell };
    std::thread::scope(|scope| {
        // What takes longest begins first: the kernel's tables of sockets, records of packages, folders that are walked for
        // setuid programs, which on an overlay takes longer than all other files together.
        spawn_or_run(scope, || look.services());
        spawn_or_run(scope, || look.wanted("isolation", None, probe::isolation::collect));
        spawn_or_run(scope, || {
            look.wanted("packages", None, |world| probe::packages::collect(world, asked.sought.as_ref()));
        });
        spawn_or_run(scope, || look.wanted("storage", None, probe::storage::collect));
        look.framework_and_others();
    });
}

struct Look<'a> {
    world: &'a World,
    asked: &'a Asked,
    tell: &'a (dyn Fn(Part) + Sync),
}

impl Look<'_> {
    /// Whether one of these parts is asked for.
    fn wants(&self, fields: &[&str]) -> bool {
        self.asked.fields.iter().any(|asked| fields.contains(&asked.as_str()))
    }

    /// Reads one part and tells it, where it is asked for.
    fn wanted<T: Default + Gaps + Serialize>(&self, field: &str, blind: Option<&Gap>, probe: impl FnOnce(&World) -> T) {
        if self.wants(&[field]) {
            self.part(field, blind, probe);
        }
    }

    /// Reads one part and tells it; gives it with the reason why it is not whole, for those that stand on it. `blind` says
    /// that what it stands on is not whole.
    fn part<T: Default + Gaps + Serialize>(
        &self,
        field: &str,
        blind: Option<&Gap>,
        probe: impl FnOnce(&World) -> T,
    ) -> (T, Option<Gap>) {
        let world = self.world.remembering();
        let (read, run) = timed(field, || probe(&world));
        let missed = world.missed().or_else(|| blind.cloned());
        let mut value = serde_json::to_value(&read).unwrap_or_default();
        if let (Some(gap), Some(part)) = (&missed, Facts::SHAPE.field(field))
            && !EXACT.contains(&field)
        {
            doubt(&mut value, part.shape, gap);
        }
        (self.tell)(Part { field: field.to_owned(), value, run: Some(run) });
        (read, missed)
    }

    /// Tells a part that there is no reason to read.
    fn pass_over(&self, field: &str, nothing: &impl Serialize) {
        let value = serde_json::to_value(nothing).unwrap_or_default();
        (self.tell)(Part { field: field.to_owned(), value, run: None });
    }

    fn framework_and_others(&self) {
        let (framework, blind) = self.part("framework", None, probe::framework::collect);
        let (asked, blind) = (self.asked, blind.as_ref());
        std::thread::scope(|scope| {
            spawn_or_run(scope, || self.gpu_files(&framework, blind));
            spawn_or_run(scope, || self.linking(&framework, blind));
            self.wanted("container", None, probe::container::collect);
            self.wanted("host", None, probe::container::host);
            self.wanted("limits", None, probe::limits::collect);
            self.wanted("identity", None, probe::identity::collect);
            self.wanted("process", None, probe::process::collect);
            self.wanted("workload", None, |world| {
                probe::workload::collect(world, asked.command.as_deref(), asked.log.as_deref(), &asked.named)
            });
            self.wanted("environment", blind, |world| probe::environment::collect(world, &framework));
            self.wanted("image", None, |world| probe::image::collect(world, asked.config.as_ref()));
            self.wanted("compile", blind, |world| probe::compile::collect(world, &framework));
        });
    }

    fn gpu_files(&self, framework: &Framework, blind: Option<&Gap>) {
        let census = |world: &World| {
            let found = probe::libraries::census(world, framework);
            // Who wins can only be told where every copy was seen.
            world.missed().or_else(|| blind.cloned()).map_or(found, Fact::Unknown)
        };
        if !self.wants(&["libraries", "driver", "native"]) {
            return;
        }
        let (libraries, _) = self.part("libraries", blind, census);
        if self.asked.asks_gpu {
            self.wanted("driver", None, probe::driver::collect);
        } else {
            self.pass_over("driver", &Driver::default());
        }
        if self.asked.gpu_code || self.a_gpu_may_be_here(&libraries) {
            self.wanted("native", blind, |world| probe::native::collect(world, framework, &libraries));
        } else {
            self.pass_over("native", &Native::default());
        }
    }

    fn linking(&self, framework: &Framework, blind: Option<&Gap>) {
        if !self.asked.linking {
            self.pass_over("linking", &Linking::default());
            return;
        }
        self.wanted("linking", blind, |world| {
            let mut found = probe::linking::collect(world, framework);
            // What was not found may lie where nobody looked.
            if let Some(gap) = world.missed().or_else(|| blind.cloned()) {
                found.faults = Fact::Unknown(gap);
            }
            found
        });
    }

    /// What will be started: what `exec` will become, or what the configuration of the image names.
    fn command(&self) -> Option<&[String]> {
        let configured = self.asked.config.as_ref().map(|config| &config.command);
        self.asked.command.as_ref().or(configured).map(Vec::as_slice)
    }

    fn a_gpu_may_be_here(&self, libraries: &Fact<Vec<Library>>) -> bool {
        self.asked.asks_gpu && [LibraryId::Nvml, LibraryId::Cuda].iter().any(|id| may_find(libraries, *id).is_there())
    }

    fn services(&self) {
        if !self.wants(&["network", "services"]) {
            return;
        }
        // The services are found by their listeners, so those are read once more where only the services are missing.
        let network = if self.world.is_still() {
            Network { listeners: Fact::Known(Vec::new()), ..Network::all_unknown(&not_running()) }
        } else {
            self.part("network", None, probe::network::collect).0
        };
        self.wanted("services", None, |world| {
            let startup = probe::startup::collect(world, &network.listeners, self.command());
            let running = probe::services::collect(world, &network, &startup.ssh_args, self.asked.phase == Phase::Live);
            let nothing = startup.declared.known().is_some_and(Vec::is_empty);
            let declared = if nothing && self.asked.phase == Phase::Build && self.command().is_none() {
                let why = "what the image starts is not known without its configuration; --image-config gives it";
                Fact::unknown(GapKind::NotSupported, why)
            } else {
                startup.declared
            };
            Services { declared, ..running }
        });
    }
}

/// All parts of an image that could not be read.
pub fn unreadable(asked: &Asked, gap: &Gap) -> Vec<Part> {
    let facts = serde_json::to_value(Facts::all_unknown(gap)).unwrap_or_default();
    let part = |field: &String| {
        let value = facts.get(field).cloned().unwrap_or_default();
        Part { field: field.clone(), value, run: None }
    };
    asked.fields.iter().map(part).collect()
}

/// All parts of a look that was made in this process.
pub fn parts(world: &World, asked: &Asked) -> Vec<Part> {
    let told = Mutex::new(Vec::new());
    look(world, asked, &|part| {
        if let Ok(mut told) = told.lock() {
            told.push(part);
        }
    });
    told.into_inner().unwrap_or_default()
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
