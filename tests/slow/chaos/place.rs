//! Where a run takes place: its folder, its environment, its command line, and what it leaves there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::draw::{self, Draw, Stream};
use super::jupyter::SECRET;
use crate::support::dead_mount::{Dead, DeadMount};
use crate::support::fakes;

const BINARY: &str = env!("CARGO_BIN_EXE_gpu-preflight");
/// What every process of a run carries in its environment, with the run's own folder.
const MARK: &str = "PREFLIGHT_CHAOS_PLACE";
/// Processes that were killed may take so long to be gone; the daemon of a library would sleep for a minute.
pub const GOING: Duration = Duration::from_secs(10);

/// Where a run takes place.
pub struct Place {
    draw: Draw,
    pub folder: tempfile::TempDir,
    /// What its home folder lies on, where that does not answer.
    pub mount: Option<DeadMount>,
    /// Where the workload says that it was started.
    pipe: File,
}

impl Place {
    pub fn new(draw: &Draw) -> Option<Self> {
        let mount = if draw.silent_home.is_some() { Some(DeadMount::new(Dead::Silent)?) } else { None };
        // A user who is not root can get here.
        let folder = tempfile::Builder::new().prefix("chaos-").tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["home/.local/share/jupyter/runtime", "tmp"] {
            std::fs::create_dir_all(at(name)).expect("a folder");
        }
        std::fs::write(at("garbage"), "\u{1b}[2J = [[[").expect("a file");
        let runtime = format!("{{\"port\": {}, \"token\": \"{SECRET}\"}}", super::jupyter::port());
        std::fs::write(at("home/.local/share/jupyter/runtime/jpserver-1.json"), runtime).expect("a file");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("started"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o666),
            0,
        )
        .expect("a pipe");
        for name in ["", "home", "tmp", "started"] {
            let mode = std::fs::Permissions::from_mode(0o777);
            std::fs::set_permissions(at(name), mode).expect("it is ours");
        }
        // Open at both ends, nobody waits for the other.
        let options = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(at("started"));
        let place = Self { draw: draw.clone(), pipe: options.expect("a pipe"), mount, folder };
        place.renew();
        Some(place)
    }

    /// Makes what a run takes away.
    pub fn renew(&self) {
        let gone = self.folder.path().join("gone");
        std::fs::create_dir_all(&gone).expect("a folder");
    }

    pub fn path(&self) -> &str {
        self.folder.path().to_str().expect("UTF-8")
    }

    /// The command line of the run.
    pub fn words(&self) -> Vec<String> {
        let draw = &self.draw;
        let command: &[&str] = match draw.command {
            draw::Command::Check => &["check"],
            draw::Command::Facts => &["facts"],
            draw::Command::Gpus => &["gpus", "H100"],
            draw::Command::Judge => {
                &["judge", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/h200-healthy/facts.json")]
            }
            draw::Command::ExecReport => &["exec", "--mode=report"],
            draw::Command::ExecGate => &["exec", "--mode=enforce"],
        };
        let own = [BINARY].iter().chain(command).map(|word| (*word).to_owned());
        let mut words: Vec<String> = own.chain(draw.options.iter().map(|word| self.filled(word))).collect();
        if draw.is_exec() {
            words.push("--".to_owned());
            words.extend(self.workload());
        }
        words
    }

    fn workload(&self) -> [String; 4] {
        let pipe = self.folder.path().join("started").to_string_lossy().into_owned();
        [launch(), "workload".to_owned(), pipe, self.draw.code.to_string()]
    }

    fn filled(&self, word: &str) -> String {
        word.replace("{place}", self.path())
    }

    /// A command in these surroundings.
    pub fn command(&mut self, settings: &[String], words: &[String]) -> Command {
        let own: Vec<String> = settings.iter().map(|word| self.filled(word)).collect();
        let mut arguments: Vec<&str> = own.iter().map(String::as_str).collect();
        arguments.push("--");
        arguments.extend(words.iter().map(String::as_str));
        let launch = launch();
        let mut command = Command::new(&launch);
        command.args(&arguments).stdin(Stdio::null());
        if let Some(mount) = &mut self.mount {
            command = mount.command(&launch, &arguments);
        }
        command.env_clear().current_dir(self.folder.path().join("tmp")).envs(self.environment());
        command
    }

    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let at = |name: &str| self.folder.path().join(name).into_os_string();
        let mut all: BTreeMap<OsString, OsString> = BTreeMap::from([
            ("PATH".into(), "/usr/bin:/bin:/usr/sbin:/sbin".into()),
            ("HOME".into(), at("home")),
            ("TMPDIR".into(), at("tmp")),
            ("LD_LIBRARY_PATH".into(), fakes::folder().into()),
            ("FAKE_GPU".into(), self.draw.fake.scenario.clone().into()),
            ("HF_TOKEN".into(), SECRET.into()),
            ("JUPYTER_TOKEN".into(), SECRET.into()),
            ("DATABASE_URL".into(), format!("postgres://me:{SECRET}@db/x").into()),
        ]);
        for (name, value) in &self.draw.environment {
            match value {
                Some(value) => {
                    let filled = String::from_utf8(value.as_bytes().to_vec()).map(|text| self.filled(&text));
                    let value = filled.map_or_else(|raw| OsString::from_vec(raw.into_bytes()), OsString::from);
                    all.insert(name.into(), value)
                }
                None => all.remove(&OsString::from(name)),
            };
        }
        if let Some(mount) = &self.mount {
            all.insert("HOME".into(), mount.path().into());
            // `unshare` and `mount` are looked for there.
            all.insert("PATH".into(), "/usr/bin:/bin:/usr/sbin:/sbin".into());
        }
        all.insert(MARK.into(), self.folder.path().into());
        all
    }

    /// Whether anything of ours can run in these surroundings, and in slightly worse ones: what the loader needs is not
    /// the same to the page every time.
    pub fn lets_us_begin(&mut self) -> bool {
        let settings = without_streams(&self.draw.settings);
        let worse: Vec<String> = super::refusals::worse(&settings);
        [settings, worse].iter().all(|settings| {
            self.renew();
            let words = [BINARY.to_owned(), "--version".to_owned()];
            let output = self.command(settings, &words).output().expect("launch runs");
            // 70: our guard had to say that there is no room.
            matches!(output.status.code(), Some(0 | 70))
        })
    }

    /// The descriptors that the workload finds without us; none where it cannot run.
    pub fn control(&mut self) -> Option<String> {
        self.renew();
        let (settings, words) = (without_streams(&self.draw.settings), self.workload());
        let output = self.command(&settings, &words).stdout(Stdio::null()).stderr(Stdio::piped()).output();
        let code = output.expect("launch runs").status.code();
        let mut started = self.started();
        (code == Some(self.draw.code.into()) && started.len() == 1).then(|| started.remove(0))
    }

    /// What the workload has said since this was last asked.
    pub fn started(&self) -> Vec<String> {
        let mut text = vec![0; 1 << 14];
        let length = rustix::io::read(&self.pipe, &mut text).unwrap_or(0);
        String::from_utf8_lossy(&text[..length]).lines().map(str::to_owned).collect()
    }

    pub fn stream(&self, stream: usize) -> Stdio {
        match self.draw.streams[stream] {
            Stream::Read => Stdio::piped(),
            Stream::Closed => Stdio::null(),
            Stream::Full => Stdio::from(File::options().write(true).open("/dev/full").expect("/dev/full")),
            Stream::Broken => Stdio::from(std::io::pipe().expect("a pipe").1),
        }
    }

    /// Every file here, with its size.
    pub fn files(&self) -> BTreeMap<PathBuf, u64> {
        fn below(folder: &Path, found: &mut BTreeMap<PathBuf, u64>) {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let meta = entry.metadata().expect("a file");
                if meta.is_dir() {
                    below(&entry.path(), found);
                }
                found.insert(entry.path(), if meta.is_dir() { 0 } else { meta.len() });
            }
        }
        let mut found = BTreeMap::new();
        below(self.folder.path(), &mut found);
        found.retain(|path, _| !["gone", "report"].iter().any(|name| *path == self.folder.path().join(name)));
        found
    }

    /// Processes of this run that are still there after a while.
    pub fn left(&self) -> Vec<String> {
        let until = Instant::now() + GOING;
        loop {
            let left = marked(self.path());
            if left.is_empty() || Instant::now() >= until {
                return left;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What a broken run has left is ended, by its number.
        for process in marked(self.path()) {
            let pid = process.split(' ').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

fn launch() -> String {
    fakes::folder().join("launch").to_string_lossy().into_owned()
}

fn without_streams(settings: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = settings.iter();
    while let Some(word) = words.next() {
        let count = match word.as_str() {
            "limit" | "refuse" => 2,
            _ => 1,
        };
        let values: Vec<&String> = words.by_ref().take(count).collect();
        if word != "close" {
            kept.push(word.clone());
            kept.extend(values.into_iter().cloned());
        }
    }
    kept
}

/// Number, name and state of every process that carries this place in its environment.
fn marked(place: &str) -> Vec<String> {
    let mark = format!("{MARK}={place}\0");
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let ours = processes.filter(|process| {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        process.file_name() != *own && environment.windows(mark.len()).any(|window| window == mark.as_bytes())
    });
    ours.map(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        stat.chars().take(60).collect()
    })
    .collect()
}
