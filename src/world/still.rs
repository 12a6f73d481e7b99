//! An image that does not run: its files are there, and nothing else is.
//!
//! What belongs to a running container is not asked of one, whatever its files say: no `/proc`, `/sys` and `/dev`, none of
//! the files that an engine writes at the start, no access of our own user, no connection. Its environment, user and
//! working folder are those of its configuration, and unknown where none was given.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::archive::Tree;
use super::doors::Source;
use super::{Stat, World};
use crate::facts::{Fact, Gap, GapKind};

/// Why nothing is said of what runs.
pub const NOT_RUNNING: &str = "an image is looked at that does not run";
/// Why nothing is said of what its configuration settles.
pub const NOT_CONFIGURED: &str = "the configuration of the image is not known; --image-config gives it";

/// Where engines look for programs unless they are told.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the kernel mounts, and what the engine writes into every container.
const OF_THE_RUNNING: [&str; 6] = ["/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

/// What the configuration of an image says; nothing without one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Still {
    /// Whether a configuration was given.
    pub is_configured: bool,
    /// Who it runs as; none where nobody can tell.
    pub user: Option<User>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Whether only texts are known of it: the files that they copy are not here.
    pub is_text: bool,
    /// Whether what it is made from may hold files that matter, beside those of the texts.
    pub may_hold_more: bool,
}

/// Who an image runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
}

impl User {
    /// Whether the bit (4 read, 2 write, 1 execute) is given to this user. Root may do everything but execute what nobody
    /// may.
    fn may(&self, stat: &Stat, bit: u32) -> bool {
        let is_folder = stat.kind == rustix::fs::FileType::Directory;
        if self.uid == 0 {
            return bit != 1 || is_folder || stat.mode & 0o111 != 0;
        }
        let shift = match () {
            () if stat.uid == self.uid => 6,
            () if stat.gid == self.gid || self.groups.contains(&stat.gid) => 3,
            () => 0,
        };
        stat.mode >> shift & bit != 0
    }
}

/// That something belongs to what runs.
pub fn not_running() -> Gap {
    Gap::new(GapKind::NotAsked, NOT_RUNNING)
}

impl World {
    /// An image in a folder. `environment` is that of its configuration.
    pub fn image(
        root: impl Into<PathBuf>,
        environment: Vec<(OsString, OsString)>,
        still: Still,
        budget: Duration,
    ) -> Self {
        let mut world = Self::at("/", environment, budget);
        world.source = Source::image(root.into());
        world.still = Some(Arc::new(still));
        world
    }

    /// An image whose layers were read from an archive.
    pub fn archived(tree: Tree, budget: Duration) -> Self {
        let mut world = Self::image("/", Vec::new(), Still::default(), budget);
        world.source = Source::archive(tree);
        world
    }

    /// An image that is not there yet: the files that a text writes, as path and content, the environment that it sets, and
    /// whether what it is made from may hold files that matter.
    pub fn written(
        texts: &[(String, String)],
        mut environment: Vec<(OsString, OsString)>,
        may_hold_more: bool,
    ) -> Self {
        // Where an image sets none, engines do.
        if !environment.iter().any(|(name, _)| name == "PATH") {
            environment.push(("PATH".into(), DEFAULT_PATH.into()));
        }
        let still = Still { is_configured: true, is_text: true, may_hold_more, ..Still::default() };
        Self::archived(Tree::of_texts(texts), Duration::from_mins(1)).configured(environment, still)
    }

    /// The same image without the places that this machine is looked at without.
    #[must_use]
    pub fn as_far_as(mut self, machine: &Self) -> Self {
        self.left_out = machine.left_out.clone();
        self
    }

    /// Entries of an archive that were left out, with the reason.
    pub fn left_out_entries(&self) -> Vec<String> {
        match &self.source {
            Source::Archive(tree, _) => tree.left_out(),
            _ => Vec::new(),
        }
    }

    /// The same image with what its configuration says, which may need its files to be told.
    #[must_use]
    pub fn configured(mut self, environment: Vec<(OsString, OsString)>, still: Still) -> Self {
        self.environment = environment;
        self.still = Some(Arc::new(still));
        self
    }

    /// Whether only texts are known of what we look at: a file that is not here may be there.
    pub fn is_text(&self) -> bool {
        self.still.as_ref().is_some_and(|still| still.is_text)
    }

    /// Whether what a text is made from may hold files that matter.
    pub fn may_hold_more(&self) -> bool {
        self.still.as_ref().is_some_and(|still| still.may_hold_more)
    }

    /// Whether we look at an image that does not run.
    pub fn is_still(&self) -> bool {
        self.still.is_some()
    }

    /// Who an image that does not run would run as; unknown without its configuration. Absent where we look at what runs.
    pub fn user_of_image(&self) -> Fact<User> {
        match self.still.as_deref() {
            None => Fact::Absent,
            Some(Still { user: Some(user), .. }) => Fact::Known(user.clone()),
            Some(Still { is_configured: true, .. }) => {
                Fact::unknown(GapKind::Malformed, "the image names a user that its /etc/passwd does not have")
            }
            Some(_) => Fact::unknown(GapKind::NotSupported, NOT_CONFIGURED),
        }
    }

    /// The folder that a relative path begins at.
    pub fn working_folder(&self) -> Fact<PathBuf> {
        match self.still.as_deref() {
            None => self.link("/proc/self/cwd"),
            Some(still) if still.is_configured => Fact::Known(still.folder.clone()),
            Some(_) => Fact::unknown(GapKind::NotSupported, NOT_CONFIGURED),
        }
    }

    /// Notes that a variable was asked for which only the configuration could tell.
    pub(super) fn miss_the_environment(&self) {
        if self.still.as_ref().is_some_and(|still| !still.is_configured) {
            self.missing(Gap::new(GapKind::NotSupported, NOT_CONFIGURED));
        }
    }

    /// Why a path is not asked of an image that does not run.
    pub(super) fn closed(&self, inner: &Path) -> Option<Gap> {
        let is_closed = || OF_THE_RUNNING.iter().any(|closed| inner.starts_with(closed));
        (self.still.is_some() && is_closed()).then(not_running)
    }

    /// Whether the user of an image may do something with a path, by its permission bits. Nobody knows who asks where no
    /// configuration was given; then what everybody may do can be told, and what nobody may.
    pub(super) fn image_allows(&self, path: &Path, bit: u32) -> Fact<bool> {
        self.stat(path).and_then(|stat| match self.user_of_image() {
            Fact::Known(user) => Fact::Known(user.may(&stat, bit)),
            _ if stat.mode & (bit | bit << 3 | bit << 6) == 0 => Fact::Known(false),
            _ if bit == 1 => Fact::Known(true),
            Fact::Unknown(gap) => Fact::Unknown(gap),
            Fact::Absent => Fact::Absent,
        })
    }
}

#[cfg(test)]
#[path = "still_tests.rs"]
mod tests;
