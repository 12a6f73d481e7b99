//! File systems that never answer: FUSE without anybody who serves it, in a mount namespace of whoever is run there.
//!
//! `unshare` and `mount` make the namespace and the mount, and the kernel lets go of all who wait when the last descriptor
//! of the connection is closed.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::real_parts::skip;

/// How it is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead {
    /// Nobody reads the requests. Who waits can still be killed.
    Silent,
    /// Requests are read and never answered. Who waits cannot be killed.
    Deaf,
}

/// A folder that a dead file system is mounted on, for those that are run with it.
pub struct DeadMount {
    dead: Dead,
    place: tempfile::TempDir,
    connections: Vec<File>,
}

impl DeadMount {
    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.place.path().join("dead")
    }

    /// A folder beside it that answers.
    pub fn beside(&self) -> &Path {
        self.place.path()
    }

    /// Makes the folder; nothing where this machine cannot mount one, which is said aloud.
    pub fn new(dead: Dead) -> Option<Self> {
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let mut mount = Self { dead, place, connections: Vec::new() };
        std::fs::create_dir(mount.path()).expect("a folder");
        let can = std::fs::metadata("/dev/fuse").is_ok()
            && mount.command("true", &[]).stdout(Stdio::null()).status().is_ok_and(|status| status.success());
        (can || skip("no file system can be mounted here: it takes /dev/fuse and the right to mount")).then_some(mount)
    }

    /// A command that runs where the file system is mounted. SIGTERM and SIGINT do there what they usually do.
    pub fn command(&mut self, program: &str, arguments: &[&str]) -> Command {
        let connection = File::options().read(true).write(true).open("/dev/fuse").expect("/dev/fuse");
        let options = "fd=0,rootmode=40000,user_id=0,group_id=0,allow_other";
        let script =
            format!("mount -i -t fuse.dead -o {options} dead@server \"$0\" || exit 99; exec \"$@\" </dev/null");
        let mut command = Command::new("env");
        command
            .args(["--default-signal=INT,TERM", "unshare", "--mount", "--propagation", "private", "sh", "-c", &script])
            .arg(self.path())
            .arg(program)
            .args(arguments)
            .stdin(Stdio::from(OwnedFd::from(connection.try_clone().expect("a descriptor"))));
        if self.dead == Dead::Deaf {
            let connection = connection.try_clone().expect("a descriptor");
            std::thread::spawn(move || answer_the_first(connection));
        }
        self.connections.push(connection);
        command
    }
}

/// Calls of FUSE.
const INIT: u32 = 26;
const ACCESS: u32 = 34;
/// What a connection says that is not mounted.
const EPERM: i32 = 1;

/// Answers `FUSE_INIT`, as `linux/fuse.h` has it, lets everybody change into the folder, and reads whatever else is
/// asked.
fn answer_the_first(mut connection: File) {
    let mut request = vec![0_u8; 1 << 20];
    loop {
        let length = match connection.read(&mut request) {
            Ok(length) => length,
            // It is not mounted yet.
            Err(error) if error.raw_os_error() == Some(EPERM) => {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            Err(_) => return,
        };
        let is_call = |number: u32| length >= 16 && request[4..8] == number.to_ne_bytes();
        if is_call(ACCESS) {
            // Not implemented: whoever changes into the folder may. Nothing else is said of it.
            let answer = [&16_u32.to_ne_bytes()[..], &(-38_i32).to_ne_bytes(), &request[8..16]].concat();
            let _ = connection.write_all(&answer);
        }
        if !is_call(INIT) {
            continue;
        }
        let mut answer = Vec::new();
        answer.extend(80_u32.to_ne_bytes());
        answer.extend(0_i32.to_ne_bytes());
        answer.extend(&request[8..16]);
        answer.extend(7_u32.to_ne_bytes());
        answer.extend(31_u32.to_ne_bytes());
        answer.resize(80, 0);
        // max_write: the kernel refuses less than a page.
        answer[36..40].copy_from_slice(&(128_u32 << 10).to_ne_bytes());
        if connection.write_all(&answer).is_err() {
            return;
        }
    }
}
