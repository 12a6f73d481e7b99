//! The only door to files, environment, processes, sockets and libraries.
//!
//! Probes get a [`World`] and reach the machine through it alone, so a test can
//! hand them another one: a folder that plays the root, and an environment.
//! Every answer is a [`Fact`]: what is not there is absent, what the kernel
//! refuses is a gap with the errno in words. Nothing here blocks on a FIFO, and
//! no file is read beyond [`READ_LIMIT`].
//!
//! [`child`] runs a probe in a copy of ourselves with a deadline, [`library`]
//! opens shared libraries, [`interrupt`] hears who wants us to end,
//! [`handover`] becomes the workload, and [`guard`] does so where all else is
//! lost. They hold the program's only `unsafe`.

mod access;
mod answers;
pub mod archive;
pub mod asked;
pub mod child;
mod doors;
mod files;
pub mod guard;
pub mod handover;
pub mod interrupt;
pub mod library;
mod open_file;
mod pace;
pub mod packed;
mod pause;
mod spawn_or_run;
mod standstill;
mod still;
pub mod terminal;
mod within;

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::text::Shown;
pub use answers::{Stat, Volume, errno_name, io_errno_name};
use doors::{LeftOut, Source};
#[cfg(test)]
pub(crate) use fake_root::FakeRoot;
pub use open_file::OpenFile;
pub use pause::pause;
pub use spawn_or_run::{Spawned, spawn_or_run, thread};
pub use standstill::stood_still;
pub use still::{Still, User, not_running};

/// Bytes of one file that are read at most.
pub const READ_LIMIT: u64 = 1 << 20;

/// Room for the first read. The kernel makes some of its tables anew for every read, so few large ones are cheap: the list
/// of TCP sockets takes milliseconds each time.
const FIRST_READ: usize = 16 << 10;

/// The machine as probes see it.
#[derive(Debug, Clone)]
pub struct World {
    source: Source,
    environment: Vec<(OsString, OsString)>,
    program: PathBuf,
    started: Instant,
    deadline: Instant,
    /// How long we had stood still before.
    stood_before: Duration,
    /// What of the deadline is kept for the report.
    kept: Duration,
    /// The process that we read for; none where it is our own.
    reads_for: Option<u32>,
    /// What is known of an image that does not run; none where we look at what runs.
    still: Option<Arc<Still>>,
    left_out: LeftOut,
}

impl World {
    /// The real machine, with a deadline this far away.
    pub fn here(budget: Duration) -> Self {
        Self::at("/", std::env::vars_os().collect(), budget)
    }

    /// A world whose root is `root`; for tests and for images unpacked in a folder.
    pub fn at(root: impl Into<PathBuf>, environment: Vec<(OsString, OsString)>, budget: Duration) -> Self {
        let started = Instant::now();
        let (deadline, stood_before) = (started + budget, stood_still());
        Self {
            source: Source::of(root.into()),
            environment,
            program: child::own_program(),
            started,
            deadline,
            stood_before,
            kept: Duration::ZERO,
            reads_for: None,
            still: None,
            left_out: LeftOut::default(),
        }
    }

    /// The same world with children started from another program; tests are not the program themselves.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// The program that children are started from: ourselves.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// When collecting has to end. The time for which we stood still is nobody's, and counts for none of it.
    pub fn deadline(&self) -> Instant {
        self.deadline + self.stood_still()
    }

    /// How long we stood still since the world was made.
    pub fn stood_still(&self) -> Duration {
        stood_still().saturating_sub(self.stood_before)
    }

    /// Time that is left until the deadline; none once somebody asked us to end.
    pub fn time_left(&self) -> Duration {
        if interrupt::is_asked() { Duration::ZERO } else { self.deadline().saturating_duration_since(Instant::now()) }
    }

    /// Time since the world was made.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether `/` is the real root, so that system calls about this process agree with the files.
    pub fn is_real(&self) -> bool {
        matches!(self.source, Source::Machine)
    }

    /// The folder that plays the root.
    pub fn root(&self) -> &Path {
        match &self.source {
            Source::Machine | Source::Archive(..) => Path::new("/"),
            Source::Played(root) | Source::Image(root, _) => root,
        }
    }

    /// An environment variable as text; what is not UTF-8 is replaced.
    pub fn env(&self, name: &str) -> Option<String> {
        self.miss_the_environment();
        let (_, value) = self.environment.iter().find(|(key, _)| key == name)?;
        Some(value.to_string_lossy().into_owned())
    }

    /// Names of all environment variables.
    pub fn env_names(&self) -> impl Iterator<Item = String> {
        self.miss_the_environment();
        self.environment.iter().map(|(key, _)| key.to_string_lossy().into_owned())
    }

    /// The same world with the environment of another process, for ourselves and for every child.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(OsString, OsString)>) -> Self {
        self.environment = environment;
        self
    }

    /// The whole environment, for a child.
    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// What Kubernetes shows as the reason of a stopped container. Written only where the kubelet has put the file.
    pub fn write_termination_log(&self, text: &Shown) {
        if !self.is_real() {
            return;
        }
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NONBLOCK;
        if let Ok(fd) = rustix::fs::open("/dev/termination-log", flags, Mode::empty()) {
            let _ = File::from(fd).write_all(text.as_bytes());
        }
    }

    /// What stands on standard input, at most `limit` bytes.
    pub fn read_stdin(&self, limit: u64) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::io::stdin().take(limit).read_to_end(&mut bytes).map(|_| bytes)
    }

    /// What can be read from a descriptor that we were started with, at most `limit` bytes.
    pub fn read_descriptor(&self, number: u32, limit: u64) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(format!("/proc/self/fd/{number}"))?;
        file.take(limit).read_to_end(&mut bytes).map(|_| bytes)
    }

    /// A TCP connection. Only loopback addresses are allowed: a preflight never scans the network.
    pub fn connect(&self, address: SocketAddr, patience: Duration) -> std::io::Result<TcpStream> {
        if !address.ip().is_loopback() || self.is_still() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "only loopback is ever contacted"));
        }
        let patience = patience.min(self.time_left()).max(Duration::from_millis(1));
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(stream)
    }
}

#[cfg(test)]
mod fake_root;
#[cfg(test)]
mod tests;
