//! What one run is made of, drawn from its seed alone.

use std::ffi::OsString;
use std::time::Duration;

use rustix::process::Signal;

use super::fakes::{self, Played};
use super::{environment, refusals};

/// The generator of Steele, Lea and Flood, `SplitMix64`: a few lines, and every seed is as good as another.
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index")].clone()
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Check,
    Facts,
    Gpus,
    Judge,
    /// Whatever is found, the workload starts.
    ExecReport,
    /// NOT READY stops the workload.
    ExecGate,
}

/// Where a stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// It is read.
    Read,
    /// There is none.
    Closed,
    /// A device without room.
    Full,
    /// A pipe whose reader has gone.
    Broken,
}

const TO_FILE: &str = "--output={place}/report";
const BLOCKS: &str = "--block-on-incomplete";
/// Files that are not there, or make no sense.
const UNUSABLE: [&str; 3] = ["--profile={place}/none.toml", "--profile={place}/garbage", "--checks={place}/none"];

/// One run.
#[derive(Debug, Clone)]
pub struct Draw {
    pub seed: u64,
    pub command: Command,
    pub json: bool,
    /// Options; `{place}` is the run's own folder.
    pub options: Vec<String>,
    /// Seconds until the verdict.
    pub deadline: f64,
    pub fake: Played,
    /// The environment beyond the usual one; `{place}` as above, and none takes a variable away.
    pub environment: Vec<(String, Option<OsString>)>,
    /// Words for `launch`, see there.
    pub settings: Vec<String>,
    /// Standard output and standard error.
    pub streams: [Stream; 2],
    /// What it is sent, and how long after its start.
    pub signals: Vec<(Duration, Signal)>,
    /// How long the home folder lies on a file system that does not answer; then its server is gone, and whoever asks it
    /// gets an error.
    pub silent_home: Option<Duration>,
    /// What the workload ends with.
    pub code: u8,
}

impl Draw {
    /// The run of this seed. As root there is more to draw from.
    pub fn of(seed: u64, is_root: bool) -> Self {
        let dice = &mut Dice::of(seed);
        let command = match dice.below(20) {
            0..=6 => Command::Check,
            7..=8 => Command::Facts,
            9 => Command::Gpus,
            10..=11 => Command::Judge,
            12..=16 => Command::ExecReport,
            _ => Command::ExecGate,
        };
        let is_exec = matches!(command, Command::ExecReport | Command::ExecGate);
        let collects = is_exec || matches!(command, Command::Check | Command::Facts);
        let is_silent = is_root && command != Command::Judge && dice.percent(4);
        let silent_home = is_silent.then(|| Duration::from_millis(dice.one(&[300, 3000, 600_000])));
        let deadline = if collects { dice.one(&[2.0, 3.0, 4.0, 6.0]) } else { 10.0 };
        let mut draw = Self {
            seed,
            command,
            json: command == Command::Facts || dice.percent(40),
            options: Vec::new(),
            deadline,
            fake: Played::default(),
            environment: environment::drawn(dice),
            settings: Vec::new(),
            streams: [Stream::Read; 2],
            signals: Vec::new(),
            silent_home,
            code: dice.one(&[0, 0, 1, 2, 3, 42, 70, 126, 255]),
        };
        draw.options = draw.options(dice, collects);
        if collects && !draw.options.iter().any(|option| option == "--no-gpu") {
            draw.fake = fakes::played(dice);
        }
        draw.surround(dice, is_root);
        draw.disturb(dice);
        draw
    }

    pub fn is_exec(&self) -> bool {
        matches!(self.command, Command::ExecReport | Command::ExecGate)
    }

    /// Whether the report goes to `{place}/report`.
    pub fn to_file(&self) -> bool {
        self.options.iter().any(|option| option == TO_FILE)
    }

    pub fn blocks_on_incomplete(&self) -> bool {
        self.options.iter().any(|option| option == BLOCKS)
    }

    /// Whether a file that the command line names cannot be used.
    pub fn is_misconfigured(&self) -> bool {
        self.options.iter().any(|option| UNUSABLE.contains(&option.as_str()))
    }

    pub fn has_cpu_limit(&self) -> bool {
        self.settings.windows(2).any(|pair| pair[0] == "limit" && pair[1] == libc::RLIMIT_CPU.to_string())
    }

    fn options(&self, dice: &mut Dice, collects: bool) -> Vec<String> {
        let mut options: Vec<String> = Vec::new();
        if self.json && self.command != Command::Facts {
            options.push("--format=json".to_owned());
        }
        if collects {
            options.push(format!("--deadline={}", self.deadline));
            match dice.below(10) {
                0..=4 => options.push("--no-gpu".to_owned()),
                5..=8 => options.push("--tier=quick".to_owned()),
                _ => {}
            }
        }
        if self.command != Command::Gpus && dice.percent(12) {
            options.push(TO_FILE.to_owned());
        }
        if self.command == Command::ExecGate && dice.percent(40) {
            options.push(BLOCKS.to_owned());
        }
        if matches!(self.command, Command::Facts | Command::Gpus) {
            return options;
        }
        // Most rooms have something to say of any machine; these are fine on many.
        if dice.percent(40) {
            options.push(format!("--only={}", dice.one(&["environment", "recovery", "storage", "driver,compute"])));
        }
        if dice.percent(20) {
            options.push(format!("--profile={}", dice.one(&["serving", "training", "notebook", "image"])));
        } else if dice.percent(5) {
            options.push(dice.one(&UNUSABLE).to_owned());
        }
        if dice.percent(20) {
            options.push("--verbose".to_owned());
        }
        options
    }

    /// Limits, a user, refused calls, closed and full streams.
    fn surround(&mut self, dice: &mut Dice, is_root: bool) {
        if dice.percent(25) {
            self.settings.extend(refusals::limit(dice));
        }
        if dice.percent(8) {
            self.settings.extend(["gone", "{place}/gone"].map(str::to_owned));
        }
        // Each has a number of its own, so that a limit on its processes is its own too.
        if is_root && dice.percent(25) {
            self.settings.extend(["user".to_owned(), (20_000 + self.seed % 10_000).to_string()]);
        }
        if dice.percent(20) {
            self.settings.extend(refusals::calls(dice));
        }
        if dice.percent(8) {
            self.settings.extend(["close", "0"].map(str::to_owned));
        }
        for (stream, number) in [(0, "1"), (1, "2")] {
            if dice.percent(8) {
                self.streams[stream] = dice.one(&[Stream::Closed, Stream::Full, Stream::Broken]);
                if self.streams[stream] == Stream::Closed {
                    self.settings.extend(["close", number].map(str::to_owned));
                }
            }
        }
    }

    /// Signals at random moments: most of these runs are over after some tenths of a second.
    fn disturb(&mut self, dice: &mut Dice) {
        if !dice.percent(25) || self.silent_home.is_some() {
            return;
        }
        let moment = |dice: &mut Dice| Duration::from_millis(dice.below(900));
        for _ in 0..=dice.below(2) {
            let (when, signal) =
                (moment(dice), dice.one(&[Signal::TERM, Signal::INT, Signal::HUP, Signal::STOP, Signal::CHILD]));
            self.signals.push((when, signal));
            if signal == Signal::STOP {
                self.signals.push((when + moment(dice), Signal::CONT));
            }
        }
        self.signals.sort_by_key(|(when, _)| *when);
    }
}
