//! A Jupyter beside all runs, with a secret on its command line.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::support::fakes;

/// What nobody may ever read.
pub const SECRET: &str = "hunter2-5e6d7c8b9a";

/// Ended when it goes out of scope.
pub struct Beside(Child);

static PORT: OnceLock<u16> = OnceLock::new();

/// Where it listens; 0 where there is none.
pub fn port() -> u16 {
    PORT.get().copied().unwrap_or(0)
}

/// Starts it.
pub fn beside() -> Beside {
    let mut child = Command::new(fakes::folder().join("launch"))
        .arg0("jupyter-lab")
        .args(["jupyter", &format!("--IdentityProvider.token={SECRET}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    PORT.get_or_init(|| line.trim().parse().expect("a port"));
    Beside(child)
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
