//! Real containers with our binary inside.
//!
//! What should be said of the containers is not known here; `tests/slow/containers/` knows it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::real_parts::skip;
use super::report::Report;

/// A small production image.
pub const BASE: &str = "gpu-preflight-test/base";
/// An image as people develop in it: root, sshd, Jupyter, editors.
pub const DEV: &str = "gpu-preflight-test/dev";
/// The development image of an article in miniature; `tests/containers/replica/Dockerfile`.
pub const REPLICA: &str = "gpu-preflight-test/replica";
/// An image with glibc 2.31, as that of Ubuntu 20.04 and of the images of CUDA 11 and 12 that are made from it.
pub const OLD: &str = "gpu-preflight-test/old";
/// The option with which a look has time enough: that a busy machine is slow is not what is tried.
pub const PATIENT: &str = "--deadline=60";
/// Seconds that any one docker command may take; where nothing else runs they take less than ten.
const PATIENCE: &str = "300";
/// The exit code where it took longer.
const GIVEN_UP: i32 = 124;

/// Whether the containers can be run here. Says aloud when not; where `.ci/run`
/// requires them, not being able to is a failure.
pub fn available() -> bool {
    static MISSING: OnceLock<Option<&str>> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        [BASE, DEV, OLD, REPLICA].into_iter().find(|image| {
            let output = Command::new("docker").args(["image", "inspect", image]).output();
            !output.is_ok_and(|output| output.status.success())
        })
    });
    missing.is_none_or(|image| skip(&format!("no docker image {image}: run tests/containers/build")))
}

/// Runs docker to its end, however that is.
fn docker<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Output {
    let arguments: Vec<String> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    Command::new("timeout").args([PATIENCE, "docker"]).args(arguments).output().expect("docker can be started")
}

/// Text of a stream.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The command that asks for a report with these options, by [`PATIENT`] where there is no deadline among them.
fn check<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let usual: &[&str] = if options.iter().any(|option| option.starts_with("--deadline")) { &[] } else { &[PATIENT] };
    [&["gpu-preflight", "check", "--format", "json", "--verbose"], usual, options].concat()
}

/// How a container is to be run: docker's own flags, then the image.
#[derive(Clone)]
pub struct Recipe {
    flags: Vec<String>,
    image: String,
}

impl Recipe {
    /// A container of `image` as docker makes it without being told anything.
    pub fn plain(image: &str) -> Self {
        let binary = format!("{}:/usr/local/bin/gpu-preflight:ro", env!("CARGO_BIN_EXE_gpu-preflight"));
        Self { flags: vec!["--volume".to_owned(), binary], image: image.to_owned() }
    }

    /// With more of docker's flags.
    pub fn with<S: Into<String>>(mut self, flags: impl IntoIterator<Item = S>) -> Self {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// With a file or folder of this machine, read-only.
    pub fn mount(self, from: &Path, to: &str) -> Self {
        self.with(["--volume".to_owned(), format!("{}:{to}:ro", from.display())])
    }

    /// Runs `command` as process 1 to its end.
    pub fn run(&self, command: &[&str]) -> Output {
        let mut container = Container::named();
        let own = ["run".to_owned(), "--rm".to_owned(), "--name".to_owned(), container.name.clone()];
        let rest = [self.image.as_str()].into_iter().chain(command.iter().copied()).map(str::to_owned);
        let output = docker(own.into_iter().chain(self.flags.iter().cloned()).chain(rest));
        // Docker removes it, unless it was itself given up.
        container.is_gone = output.status.code() != Some(GIVEN_UP);
        output
    }

    /// Starts `command` as process 1 and leaves it running.
    pub fn start(&self, command: &[&str]) -> Container {
        let container = Container::named();
        let own = ["run".to_owned(), "--detach".to_owned(), "--name".to_owned(), container.name.clone()];
        let rest = [self.image.as_str()].into_iter().chain(command.iter().copied()).map(str::to_owned);
        let output = docker(own.into_iter().chain(self.flags.iter().cloned()).chain(rest));
        assert!(output.status.success(), "{}", text(&output.stderr));
        container
    }

    /// The report of `gpu-preflight check`, run as process 1.
    pub fn check(&self, options: &[&str]) -> Report {
        Report::read(&self.run(&check(options)))
    }
}

/// An image, removed when it goes out of scope.
pub struct Image {
    /// Its name.
    pub name: String,
}

impl Image {
    /// Builds the `Dockerfile` of a folder.
    pub fn build(folder: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let image = Self { name: format!("gpu-preflight-test/built-{}-{count}", std::process::id()) };
        let output = docker(["build", "--tag", &image.name, &folder.display().to_string()]);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        image
    }

    /// Unpacks its files into a folder.
    pub fn unpack(&self, folder: &Path) {
        let container =
            Container { name: text(&docker(["create", &self.name]).stdout).trim().to_owned(), is_gone: false };
        let archive = folder.with_extension("files.tar");
        let output = docker(["export", "--output", &archive.display().to_string(), &container.name]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        std::fs::create_dir_all(folder).expect("a folder");
        let status = Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(folder).status().expect("tar");
        assert!(status.success(), "{status}");
    }

    /// Saves it as an archive.
    pub fn save(&self, archive: &Path) {
        let output = docker(["save", "--output", &archive.display().to_string(), &self.name]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Its configuration, as `docker image inspect` prints it.
    pub fn configuration(&self) -> String {
        text(&docker(["image", "inspect", &self.name]).stdout)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        docker(["rmi", "--force", &self.name]);
    }
}

/// A container, removed when it goes out of scope.
pub struct Container {
    name: String,
    is_gone: bool,
}

impl Container {
    fn named() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { name: format!("gpu-preflight-test-{}-{count}", std::process::id()), is_gone: false }
    }

    /// Runs `command` beside process 1 to its end.
    pub fn exec(&self, command: &[&str]) -> Output {
        docker(["exec", &self.name].iter().chain(command))
    }

    /// The report of `gpu-preflight check`, run beside process 1.
    pub fn check(&self, options: &[&str]) -> Report {
        Report::read(&self.exec(&check(options)))
    }

    /// Standard output of `command`, without the white space around it.
    pub fn output(&self, command: &[&str]) -> String {
        let output = self.exec(command);
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Sends a signal to process 1.
    pub fn signal(&self, signal: &str) {
        let output = docker(["kill", "--signal", signal, &self.name]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Stops every process in it for this long, as `docker pause` does. The error where the kernel could not: it does not
    /// freeze whoever waits for a busy file system.
    pub fn paused(&self, time: Duration) -> Result<(), String> {
        let paused = docker(["pause", &self.name]);
        if !paused.status.success() {
            return Err(text(&paused.stderr));
        }
        std::thread::sleep(time);
        let output = docker(["unpause", &self.name]);
        assert!(output.status.success(), "docker unpause: {}", text(&output.stderr));
        Ok(())
    }

    /// Waits for process 1 and gives its exit code.
    pub fn wait(&self) -> String {
        text(&docker(["wait", &self.name]).stdout).trim().to_owned()
    }

    /// What process 1 has written so far.
    pub fn logs(&self) -> String {
        let output = docker(["logs", &self.name]);
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Waits until something listens on this TCP port.
    pub fn until_listening(&self, port: u16) {
        // As /proc/net/tcp writes it; 0A is the state of a listener.
        let sign = format!("grep -qE ':{port:04X} [0-9A-F]+:0000 0A' /proc/net/tcp /proc/net/tcp6");
        self.until(&format!("port {port} answers"), &sign);
    }

    /// Waits until the shell command `condition` succeeds inside. The waiting is done there: each command that docker
    /// starts in a container takes a tenth of a second of a core.
    pub fn until(&self, what: &str, condition: &str) {
        let came = self.exec(&["sh", "-c", &format!("until {condition}; do sleep 0.1; done")]);
        assert!(came.status.success(), "never came: {what}\n{}{}", text(&came.stderr), self.logs());
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if !self.is_gone {
            docker(["rm", "--force", "--volumes", &self.name]);
        }
    }
}
