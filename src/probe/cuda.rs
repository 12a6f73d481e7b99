//! The CUDA driver library, asked in a child: which file, which release, does `cuInit` work?
//!
//! It is opened by soname, so that the loader picks the file that the workload
//! would get. What a code means in a container is derived later.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::libraries::stubs::{STUB_BYTES_MAX, lies_among_compat, lies_among_stubs};
use crate::facts::{Cuda, Fact, Gap, GapKind, Gaps, ProbeEnd, ProbeRun, cut, cut_word};
use crate::world::child::{self, Probed, Progress};
use crate::world::library::cuda_driver::CudaDriver;
use crate::world::library::{CallFailed, mapped_files};
use crate::world::{World, pause};

/// The name of this probe.
pub const NAME: &str = "cuda";

/// `CUDA_ERROR_STUB_LIBRARY`
const STUB: i32 = 34;

/// `CUDA_ERROR_SYSTEM_NOT_READY`: the fabric of a multi-GPU machine may still be training.
const NOT_READY: i32 = 802;

/// How long a machine that is not ready is asked again, at most.
const NOT_READY_PATIENCE: Duration = Duration::from_secs(1);
const NOT_READY_PAUSE: Duration = Duration::from_millis(200);

#[derive(Serialize, Deserialize)]
struct Input {
    budget_ms: u64,
}

/// Asks libcuda in a child until `deadline`.
pub fn collect(world: &World, deadline: Instant) -> (Cuda, ProbeRun) {
    let left = deadline.saturating_duration_since(Instant::now());
    let input = Input { budget_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX) };
    let Probed { reading, run, gap, hung_in_kernel, .. } = child::probe::<Cuda>(world, NAME, None, &input, deadline);
    let mut cuda = super::complete(reading, gap.as_ref());
    let ended = |fact| super::unless_unheard(&run, gap.as_ref(), fact);
    cuda.hung = ended(Fact::Known(run.end == ProbeEnd::TimedOut));
    cuda.hung_in_kernel = ended(Fact::Known(hung_in_kernel));
    cuda.crashed = ended(Fact::Known(matches!(run.end, ProbeEnd::Crashed | ProbeEnd::Exited)));
    cuda.lost_call = super::unless_unheard(&run, gap.as_ref(), run.at.clone());
    (cuda, run)
}

/// What is known when whoever asks was lost.
pub fn not_heard() -> (Cuda, ProbeRun) {
    let gap = Gap::new(GapKind::Crashed, "a bug in gpu-preflight");
    let run = ProbeRun { end: ProbeEnd::Exited, detail: Fact::Known(gap.detail.clone()), ..super::skipped(NAME) };
    (Cuda::all_unknown(&gap), run)
}

/// What is known when no copy of libcuda lies where the loader looks: nobody need be asked.
pub fn not_there() -> (Cuda, ProbeRun) {
    let cuda = Cuda {
        library: Fact::Absent,
        load_error: Fact::Known(format!("{}: no copy lies where the loader looks", CudaDriver::SONAME)),
        hung: Fact::Known(false),
        hung_in_kernel: Fact::Known(false),
        crashed: Fact::Known(false),
        lost_call: Fact::Absent,
        ..without_library("no libcuda to ask")
    };
    (cuda, super::skipped(NAME))
}

/// What is known when the copy that the loader would take is no good: opening it might end the process.
pub fn not_usable(why: &str) -> (Cuda, ProbeRun) {
    let cuda = Cuda {
        library: Fact::unknown(GapKind::Malformed, why),
        load_error: Fact::Known(cut(why)),
        hung: Fact::Known(false),
        hung_in_kernel: Fact::Known(false),
        crashed: Fact::Known(false),
        lost_call: Fact::Absent,
        ..without_library("libcuda could not be loaded")
    };
    (cuda, super::skipped(NAME))
}

/// The child's side.
pub fn serve(world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let Input { budget_ms } = serde_json::from_value(input)?;
    let mut cuda = Cuda { lost_call: Fact::Absent, ..Cuda::default() };
    progress.at("dlopen libcuda.so.1");
    match CudaDriver::open() {
        Err(words) => {
            let missing = is_missing(&words, CudaDriver::SONAME);
            cuda = without_library(if missing { "no libcuda to ask" } else { "libcuda could not be loaded" });
            cuda.library = if missing { Fact::Absent } else { Fact::unknown(GapKind::Malformed, words.clone()) };
            cuda.load_error = Fact::Known(cut(&words));
        }
        Ok(driver) => {
            cuda.load_error = Fact::Absent;
            describe_file(world, &mut cuda);
            ask(&driver, &mut cuda, Duration::from_millis(budget_ms), progress);
        }
    }
    progress.done(&cuda);
    Ok(())
}

fn without_library(why: &str) -> Cuda {
    let nothing = || Fact::unknown(GapKind::NotAsked, why);
    Cuda {
        version: nothing(),
        init_code: Fact::unknown(GapKind::NotAsked, why),
        init_name: nothing(),
        device_count: Fact::unknown(GapKind::NotAsked, why),
        is_stub: Fact::Absent,
        is_compat: Fact::Absent,
        file_version: Fact::Absent,
        ..Cuda::default()
    }
}

/// Whether the loader says that there is no such file, rather than that the file is no good.
pub(super) fn is_missing(words: &str, soname: &str) -> bool {
    words.strip_prefix(soname).is_some_and(|rest| rest.contains("No such file"))
}

fn describe_file(world: &World, cuda: &mut Cuda) {
    let Some(file) = mapped_files("libcuda.so").into_iter().next() else {
        let gap = || Fact::unknown(GapKind::Malformed, "/proc/self/maps does not name libcuda");
        cuda.library = gap();
        cuda.file_version = gap();
        return;
    };
    let path = file.to_string_lossy().into_owned();
    let tiny = world.stat(&file).map(|stat| stat.size_bytes < STUB_BYTES_MAX);
    cuda.is_stub = if lies_among_stubs(&path) { Fact::Known(true) } else { tiny };
    cuda.is_compat = Fact::Known(lies_among_compat(&path));
    cuda.file_version = file_version(&file);
    cuda.library = Fact::Known(cut(&path));
}

/// The version in a name such as `libcuda.so.580.65.06`; absent in `libcuda.so.1`.
fn file_version(file: &Path) -> Fact<String> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let version = name.split_once(".so.").map(|(_, version)| version).unwrap_or_default();
    let dotted = version.contains('.') && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Fact::present(dotted.then(|| cut_word(version)))
}

fn ask(driver: &CudaDriver, cuda: &mut Cuda, budget: Duration, progress: &mut Progress) {
    progress.so_far(cuda);
    progress.at("cuDriverGetVersion");
    cuda.version = driver.version().map_or_else(|failed| failed.unanswered(), version_text);
    progress.so_far(cuda);
    progress.at("cuInit");
    let patience = NOT_READY_PATIENCE.min(budget / 4);
    let started = Instant::now();
    let mut init = driver.init();
    while code_of(&init) == Some(NOT_READY) && started.elapsed() + NOT_READY_PAUSE <= patience {
        pause(NOT_READY_PAUSE);
        init = driver.init();
    }
    if let Some(code) = code_of(&init) {
        cuda.init_code = Fact::Known(i64::from(code));
        cuda.init_name = Fact::present(Some(driver.code_name(code)).filter(|name| !name.is_empty()));
        if code == STUB {
            cuda.is_stub = Fact::Known(true);
        }
    } else {
        cuda.init_code = Fact::unknown(GapKind::NoSymbol, "cuInit");
        cuda.init_name = Fact::unknown(GapKind::NoSymbol, "cuInit");
    }
    if let Err(failed) = &init {
        cuda.device_count = Fact::unknown(GapKind::NotAsked, format!("{failed}"));
        return;
    }
    progress.so_far(cuda);
    progress.at("cuDeviceGetCount");
    cuda.device_count = match driver.device_count() {
        Ok(count) => u64::try_from(count)
            .map_or_else(|_| Fact::unknown(GapKind::Malformed, format!("cuDeviceGetCount: {count}")), Fact::Known),
        Err(failed) => failed.unanswered(),
    };
}

/// The code of a call that was made, 0 for success.
fn code_of(result: &Result<(), CallFailed>) -> Option<i32> {
    match result {
        Ok(()) => Some(0),
        Err(failed) => failed.code,
    }
}

/// `12080` is CUDA 12.8.
pub(super) fn version_text(version: i32) -> Fact<String> {
    match version {
        1000..=99_999 => Fact::Known(format!("{}.{}", version / 1000, version % 1000 / 10)),
        _ => Fact::unknown(GapKind::Malformed, format!("{version} is no CUDA version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_no_process_could_ask_has_neither_crashed_nor_hung() {
        let world = World::at("/", Vec::new(), Duration::from_secs(1)).with_program("/nonexistent/program");
        let (cuda, run) = collect(&world, world.deadline());
        assert_eq!(run.end, ProbeEnd::NotStarted);
        for (what, fact) in [("crashed", cuda.crashed), ("hung", cuda.hung), ("hung in kernel", cuda.hung_in_kernel)] {
            let Fact::Unknown(gap) = fact else { panic!("{what}: {fact:?}") };
            assert_eq!(gap.kind, GapKind::NotStarted, "{what}: {gap}");
        }
    }

    #[test]
    fn only_real_file_names_carry_a_version() {
        let version = |name: &str| file_version(Path::new(name));
        assert_eq!(version("/usr/lib/libcuda.so.580.65.06"), Fact::Known("580.65.06".to_owned()));
        assert_eq!(version("/usr/lib/libcuda.so.1"), Fact::Absent);
        assert_eq!(version("/usr/lib/libcuda.so"), Fact::Absent);
        assert_eq!(version("/usr/lib/libcuda.so.x.y"), Fact::Absent);
    }

    #[test]
    fn numbers_become_releases_only_when_they_can_be() {
        assert_eq!(version_text(12_080), Fact::Known("12.8".to_owned()));
        assert_eq!(version_text(13_000), Fact::Known("13.0".to_owned()));
        assert!(version_text(0).is_unknown());
        assert!(version_text(-1).is_unknown());
    }

    #[test]
    fn a_missing_library_is_told_from_a_broken_one() {
        let missing = "libcuda.so.1: cannot open shared object file: No such file or directory";
        assert!(is_missing(missing, "libcuda.so.1"));
        assert!(!is_missing("/x/libcuda.so.1: file too short", "libcuda.so.1"));
        let dependency = "libother.so.2: cannot open shared object file: No such file or directory";
        assert!(!is_missing(dependency, "libcuda.so.1"));
    }
}
