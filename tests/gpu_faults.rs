//! Every fault of the GPU libraries, played by fakes, must become the right reading in time.
#![allow(clippy::print_stdout)] // a skipped test says so

#[path = "gpu_faults/copies.rs"]
mod copies;
#[path = "support/fakes.rs"]
mod fakes;
#[path = "gpu_faults/health.rs"]
mod health;
#[path = "gpu_faults/links.rs"]
mod links;
#[path = "support/machine.rs"]
mod machine;
#[path = "gpu_faults/multiplies.rs"]
mod multiplies;
#[path = "gpu_faults/watch.rs"]
mod watch;

use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use gpu_preflight::facts::{Cuda, Fact, GapKind, Gpu, Nvml, ProbeEnd, ProbeRun, ThrottleReason};
use gpu_preflight::probe::{cuda, nvml};
use gpu_preflight::world::World;

/// Tests that measure how long something takes run alone: the fakes multiply on the CPU, and they are many.
static TURNS: RwLock<()> = RwLock::new(());

/// Keeps those that need quiet, or those that make noise, away while it lives.
#[expect(dead_code, reason = "held, never read")]
enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// A machine whose GPU libraries play a scenario.
struct Machine {
    world: World,
    _turn: Turn,
}

impl Machine {
    fn plays(scenario: &str) -> Self {
        Self::with(fakes::folder(), scenario)
    }

    fn with(libraries: &Path, scenario: &str) -> Self {
        // A test that failed in its turn has said so; the others go on.
        let turn = Turn::Shared(TURNS.read().unwrap_or_else(PoisonError::into_inner));
        Self { world: machine::with(libraries, scenario), _turn: turn }
    }

    /// The same with one more variable in the environment.
    fn with_environment(scenario: &str, name: &str, value: &str) -> Self {
        let mut machine = Self::plays(scenario);
        let mut environment = machine.world.environment().to_vec();
        environment.push((name.into(), value.into()));
        machine.world = World::at("/", environment, Duration::from_mins(1)).with_program(machine.world.program());
        machine
    }

    /// The same with no other test beside.
    fn alone(scenario: &str) -> Self {
        let turn = Turn::Alone(TURNS.write().unwrap_or_else(PoisonError::into_inner));
        Self { world: machine::with(fakes::folder(), scenario), _turn: turn }
    }

    fn cuda(&self, patience: f64) -> (Cuda, ProbeRun) {
        cuda::collect(&self.world, soon(patience))
    }

    fn nvml(&self, patience: f64) -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
        nvml::collect(&self.world, soon(patience))
    }
}

/// What `look` gave, and that it came within `limit` seconds. A machine that others use too may be late by itself, so
/// it is late only if it is late three times; a program that is late always is.
fn within<T>(limit: f64, mut look: impl FnMut() -> T) -> T {
    let mut walls = Vec::new();
    while walls.len() < 3 {
        let started = Instant::now();
        let seen = look();
        let wall = started.elapsed().as_secs_f64();
        if wall < limit {
            return seen;
        }
        walls.push(wall);
    }
    panic!("{walls:?} seconds, three times more than {limit}");
}

fn soon(seconds: f64) -> Instant {
    Instant::now() + Duration::from_secs_f64(seconds)
}

fn known<T: Clone + std::fmt::Debug>(fact: &Fact<T>) -> T {
    fact.known().unwrap_or_else(|| panic!("{fact:?}")).clone()
}

fn gap_kind<T: std::fmt::Debug>(fact: &Fact<T>) -> GapKind {
    let Fact::Unknown(gap) = fact else { panic!("{fact:?}") };
    gap.kind
}

#[test]
fn a_healthy_libcuda_answers_everything() {
    let (cuda, run) = Machine::plays("count=8;cuda=12080").cuda(5.0);
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    assert!(known(&cuda.library).ends_with("/libcuda.so.580.65.06"));
    assert_eq!(known(&cuda.file_version), "580.65.06");
    assert_eq!(known(&cuda.version), "12.8");
    assert_eq!((known(&cuda.init_code), known(&cuda.init_name).as_str()), (0, "CUDA_SUCCESS"));
    assert_eq!(known(&cuda.device_count), 8);
    assert_eq!((known(&cuda.is_stub), known(&cuda.is_compat)), (false, false));
    assert_eq!((known(&cuda.hung), known(&cuda.crashed)), (false, false));
    assert_eq!((cuda.load_error, cuda.lost_call), (Fact::Absent, Fact::Absent));
}

#[test]
fn every_code_of_cu_init_arrives_with_its_name() {
    for (code, name) in [
        (3, "CUDA_ERROR_NOT_INITIALIZED"),
        (34, "CUDA_ERROR_STUB_LIBRARY"),
        (100, "CUDA_ERROR_NO_DEVICE"),
        (802, "CUDA_ERROR_SYSTEM_NOT_READY"),
        (803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
        (804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"),
        (999, "CUDA_ERROR_UNKNOWN"),
    ] {
        let (cuda, run) = Machine::plays(&format!("cu_init={code}")).cuda(2.0);
        assert_eq!(run.end, ProbeEnd::Completed, "{code}: {run:?}");
        assert_eq!((known(&cuda.init_code), known(&cuda.init_name).as_str()), (code, name));
        assert_eq!(gap_kind(&cuda.device_count), GapKind::NotAsked, "{code}");
        assert_eq!(known(&cuda.version), "13.0", "{code}");
        assert_eq!(known(&cuda.is_stub), code == 34);
    }
}

#[test]
fn a_fabric_that_is_ready_a_moment_later_is_waited_for() {
    let (cuda, _) = Machine::plays("cu_init=802;cu_init_ready=3").cuda(5.0);
    assert_eq!((known(&cuda.init_code), known(&cuda.device_count)), (0, 1));
}

#[test]
fn stubs_and_compatibility_copies_are_recognised_by_where_they_lie() {
    let (cuda, _) = Machine::with(&fakes::folder().join("stubs"), "").cuda(5.0);
    assert_eq!((known(&cuda.is_stub), known(&cuda.init_code)), (true, 34));
    assert_eq!(cuda.file_version, Fact::Absent);

    let folder = tempfile::tempdir().expect("a folder");
    let compat = folder.path().join("compat");
    std::fs::create_dir(&compat).expect("a folder");
    std::fs::copy(fakes::folder().join("libcuda.so.1"), compat.join("libcuda.so.1")).expect("a copy");
    let (cuda, _) = Machine::with(&compat, "cu_init=804").cuda(5.0);
    assert_eq!((known(&cuda.is_compat), known(&cuda.init_code)), (true, 804));
}

#[test]
fn a_library_that_is_no_library_is_told_in_the_loaders_words() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("libcuda.so.1"), "not a library\n").expect("a file");
    std::fs::write(folder.path().join("libnvidia-ml.so.1"), "not a library\n").expect("a file");
    let machine = Machine::with(folder.path(), "");
    let (cuda, run) = machine.cuda(5.0);
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    assert!(known(&cuda.load_error).contains("file too short"), "{:?}", cuda.load_error);
    assert_eq!(gap_kind(&cuda.library), GapKind::Malformed);
    assert_eq!(gap_kind(&cuda.init_code), GapKind::NotAsked);
    let (nvml, gpus, _) = machine.nvml(5.0);
    assert_eq!(gap_kind(&nvml.library), GapKind::Malformed);
    assert!(gpus.is_unknown());
}

#[test]
fn no_library_at_all_is_absent_and_quick() {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = Machine::with(folder.path(), "");
    let (cuda, _) = machine.cuda(5.0);
    let (nvml, gpus, run) = machine.nvml(5.0);
    if cuda.library.known().is_some() || nvml.library.known().is_some() {
        println!("SKIPPED: this machine has GPU libraries of its own");
        return;
    }
    assert_eq!((&cuda.library, &nvml.library), (&Fact::Absent, &Fact::Absent));
    assert!(known(&cuda.load_error).contains("No such file"));
    assert_eq!((gap_kind(&cuda.init_code), gap_kind(&nvml.init_code)), (GapKind::NotAsked, GapKind::NotAsked));
    assert!(gpus.is_unknown());
    assert!(run.wall_ms < 2000.0, "{run:?}");
}

#[test]
fn a_hang_is_ended_at_the_deadline_and_the_call_is_named() {
    let machine = Machine::alone("hang=cuInit");
    let (cuda, run) = within(1.3, || machine.cuda(1.0));
    drop(machine);
    assert_eq!((run.end, known(&run.at).as_str()), (ProbeEnd::TimedOut, "cuInit"));
    assert_eq!((known(&cuda.hung), known(&cuda.lost_call).as_str()), (true, "cuInit"));
    assert_eq!(known(&cuda.version), "13.0", "what was learnt before is kept");
    assert_eq!(gap_kind(&cuda.init_code), GapKind::TimedOut);

    let (nvml, gpus, _) = Machine::plays("hang=nvmlInit_v2").nvml(1.0);
    assert_eq!((known(&nvml.hung), known(&nvml.crashed)), (true, false));
    assert!(known(&nvml.library).ends_with("/libnvidia-ml.so.580.65.06"));
    assert_eq!(gap_kind(&gpus), GapKind::TimedOut);
}

#[test]
fn a_crash_and_an_early_exit_are_readings() {
    for (fault, end) in [("crash=cuInit", ProbeEnd::Crashed), ("exit=cuInit", ProbeEnd::Exited)] {
        let (cuda, run) = Machine::plays(fault).cuda(5.0);
        assert_eq!((run.end, known(&cuda.crashed), known(&cuda.hung)), (end, true, false), "{run:?}");
        assert_eq!(known(&cuda.lost_call), "cuInit");
        assert_eq!(gap_kind(&cuda.init_code), GapKind::Crashed);
    }
    let (nvml, gpus, run) = Machine::plays("crash=nvmlDeviceGetTemperature").nvml(5.0);
    assert_eq!((run.end, known(&run.at).as_str()), (ProbeEnd::Crashed, "nvmlDeviceGetTemperature(0)"));
    assert_eq!((known(&nvml.gpu_count), known(&nvml.crashed)), (1, true));
    assert_eq!(gap_kind(&gpus), GapKind::Crashed);
}

#[test]
fn a_library_that_floods_its_streams_does_not_disturb_the_answer() {
    let (cuda, run) = Machine::plays("flood=cuInit").cuda(5.0);
    assert_eq!((run.end, known(&cuda.device_count)), (ProbeEnd::Completed, 1));
}

#[test]
fn a_healthy_nvml_describes_every_gpu() {
    let (nvml, gpus, run) = Machine::plays("count=2").nvml(5.0);
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    assert_eq!((known(&nvml.init_code), known(&nvml.init_name).as_str()), (0, "NVML_SUCCESS"));
    assert_eq!((known(&nvml.driver_version).as_str(), known(&nvml.cuda_version).as_str()), ("580.65.06", "13.0"));
    assert_eq!(known(&nvml.lost_gpus), Vec::<String>::new());
    let gpus = known(&gpus);
    assert_eq!(gpus.len(), 2);
    let gpu = &gpus[1];
    assert_eq!((gpu.index, known(&gpu.name).as_str(), known(&gpu.uuid).as_str()), (1, "NVIDIA H200", "GPU-0001"));
    assert_eq!(known(&gpu.pci_address), "00000000:11:00.0");
    assert_eq!(known(&gpu.compute_capability), "9.0");
    assert_eq!((known(&gpu.mig_enabled), &gpu.mig_device_count), (false, &Fact::Absent));
    assert_eq!((known(&gpu.ecc_enabled), known(&gpu.ecc_uncorrected_count)), (true, 0));
    assert_eq!((known(&gpu.temperature_celsius), known(&gpu.sm_clock_max_mhz)), (34, 1980));
    assert!((known(&gpu.power_limit_watts) - 700.0).abs() < 1e-9);
    assert_eq!(known(&gpu.throttle_reasons), [ThrottleReason::GpuIdle]);
}

#[test]
fn a_gpu_without_ecc_and_one_cut_by_mig_are_described_as_such() {
    let (_, gpus, _) = Machine::plays("ecc=0;mig=1").nvml(5.0);
    let gpu = known(&gpus).remove(0);
    assert_eq!((gpu.ecc_enabled, gpu.ecc_uncorrected_count), (Fact::Absent, Fact::Absent));
    assert_eq!((known(&gpu.mig_enabled), known(&gpu.mig_device_count)), (true, 0));
}

#[test]
fn every_code_of_nvml_arrives_with_its_name() {
    for (code, name) in
        [(9, "NVML_ERROR_DRIVER_NOT_LOADED"), (18, "NVML_ERROR_LIB_RM_VERSION_MISMATCH"), (999, "NVML_ERROR_UNKNOWN")]
    {
        let (nvml, gpus, run) = Machine::plays(&format!("nvml_init={code}")).nvml(5.0);
        assert_eq!(run.end, ProbeEnd::Completed, "{code}: {run:?}");
        assert_eq!((known(&nvml.init_code), known(&nvml.init_name).as_str()), (code, name));
        assert!(known(&nvml.library).ends_with("/libnvidia-ml.so.580.65.06"));
        assert_eq!(gap_kind(&gpus), GapKind::NotAsked);
    }
}

#[test]
fn a_lost_gpu_does_not_hide_the_others() {
    let (nvml, gpus, _) = Machine::plays("count=3;lost=1").nvml(5.0);
    assert_eq!(known(&nvml.lost_gpus), ["1: 15 NVML_ERROR_GPU_IS_LOST"]);
    assert_eq!(known(&gpus).iter().map(|gpu| gpu.index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn values_that_no_gpu_can_have_are_gaps() {
    let (_, gpus, _) = Machine::plays("garbage=1").nvml(5.0);
    let gpu = known(&gpus).remove(0);
    assert_eq!(gap_kind(&gpu.temperature_celsius), GapKind::Malformed);
    assert_eq!(gap_kind(&gpu.memory_bytes), GapKind::Malformed);
    assert_eq!(gap_kind(&gpu.power_limit_watts), GapKind::Malformed);
    assert_eq!(gap_kind(&gpu.ecc_uncorrected_count), GapKind::Malformed);
}
