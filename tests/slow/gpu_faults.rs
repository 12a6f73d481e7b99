//! Every fault of the GPU libraries, played by fakes, must become the right reading in time.

mod copies;
mod gate;
mod health;
mod links;
mod multiplies;
mod watch;

use std::time::{Duration, Instant};

use gpu_preflight::facts::{Cuda, Fact, GapKind, Gpu, Library, LibraryId, Nvml, ProbeEnd, ProbeRun, ThrottleReason};
use gpu_preflight::probe::{cuda, nvml};

use crate::support::fake_machine::FakeMachine;
use crate::support::fakes;
use crate::support::real_parts::note;

/// Seconds that probes are given which are not meant to need them.
const PATIENCE: f64 = 120.0;
/// Seconds that are given to a call that hangs: more than it takes to come to that call on a busy machine.
const HUNG: f64 = 6.0;

impl FakeMachine {
    fn cuda(&self) -> (Cuda, ProbeRun) {
        cuda::collect(&self.world, soon(PATIENCE))
    }

    fn nvml(&self) -> (Nvml, Fact<Vec<Gpu>>, ProbeRun) {
        nvml::collect(&self.world, soon(PATIENCE))
    }
}

/// The libraries that a workload would get.
fn libraries() -> [Library; 2] {
    [(LibraryId::Cudart, "libcudart.so.12"), (LibraryId::Cublas, "libcublas.so.12")].map(|(id, name)| Library {
        id,
        chosen: true,
        winner: Fact::Known(fakes::folder().join(name).display().to_string()),
        ..Library::default()
    })
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
    let (cuda, run) = FakeMachine::plays("count=8;cuda=12080").cuda();
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
        let (cuda, run) = FakeMachine::plays(&format!("cu_init={code}")).cuda();
        assert_eq!(run.end, ProbeEnd::Completed, "{code}: {run:?}");
        assert_eq!((known(&cuda.init_code), known(&cuda.init_name).as_str()), (code, name));
        assert_eq!(gap_kind(&cuda.device_count), GapKind::NotAsked, "{code}");
        assert_eq!(known(&cuda.version), "13.0", "{code}");
        assert_eq!(known(&cuda.is_stub), code == 34);
    }
}

#[test]
fn a_fabric_that_is_ready_a_moment_later_is_waited_for() {
    let (cuda, _) = FakeMachine::plays("cu_init=802;cu_init_ready=3").cuda();
    assert_eq!((known(&cuda.init_code), known(&cuda.device_count)), (0, 1));
}

#[test]
fn stubs_and_compatibility_copies_are_recognised_by_where_they_lie() {
    let (cuda, _) = FakeMachine::with_libraries(&fakes::folder().join("stubs"), "").cuda();
    assert_eq!((known(&cuda.is_stub), known(&cuda.init_code)), (true, 34));
    assert_eq!(cuda.file_version, Fact::Absent);

    let folder = tempfile::tempdir().expect("a folder");
    let compat = folder.path().join("compat");
    std::fs::create_dir(&compat).expect("a folder");
    std::fs::copy(fakes::folder().join("libcuda.so.1"), compat.join("libcuda.so.1")).expect("a copy");
    let (cuda, _) = FakeMachine::with_libraries(&compat, "cu_init=804").cuda();
    assert_eq!((known(&cuda.is_compat), known(&cuda.init_code)), (true, 804));
}

#[test]
fn a_library_that_is_no_library_is_told_in_the_loaders_words() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("libcuda.so.1"), "not a library\n").expect("a file");
    std::fs::write(folder.path().join("libnvidia-ml.so.1"), "not a library\n").expect("a file");
    let machine = FakeMachine::with_libraries(folder.path(), "");
    let (cuda, run) = machine.cuda();
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    assert!(known(&cuda.load_error).contains("file too short"), "{:?}", cuda.load_error);
    assert_eq!(gap_kind(&cuda.library), GapKind::Malformed);
    assert_eq!(gap_kind(&cuda.init_code), GapKind::NotAsked);
    let (nvml, gpus, _) = machine.nvml();
    assert_eq!(gap_kind(&nvml.library), GapKind::Malformed);
    assert!(gpus.is_unknown());
}

#[test]
fn no_library_at_all_is_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = FakeMachine::with_libraries(folder.path(), "");
    let (cuda, _) = machine.cuda();
    let (nvml, gpus, _) = machine.nvml();
    if cuda.library.known().is_some() || nvml.library.known().is_some() {
        return note("SKIPPED: this machine has GPU libraries of its own");
    }
    assert_eq!((&cuda.library, &nvml.library), (&Fact::Absent, &Fact::Absent));
    assert!(known(&cuda.load_error).contains("No such file"));
    assert_eq!((gap_kind(&cuda.init_code), gap_kind(&nvml.init_code)), (GapKind::NotAsked, GapKind::NotAsked));
    assert!(gpus.is_unknown());
}

#[test]
fn a_hang_is_ended_at_the_deadline_and_the_call_is_named() {
    let machine = FakeMachine::plays("hang=cuInit");
    let (cuda, run) = cuda::collect(&machine.world, soon(HUNG));
    assert_eq!((run.end, known(&run.at).as_str()), (ProbeEnd::TimedOut, "cuInit"));
    assert_eq!((known(&cuda.hung), known(&cuda.lost_call).as_str()), (true, "cuInit"));
    assert_eq!(known(&cuda.version), "13.0", "what was learnt before is kept");
    assert_eq!(gap_kind(&cuda.init_code), GapKind::TimedOut);

    let (nvml, gpus, _) = nvml::collect(&FakeMachine::plays("hang=nvmlInit_v2").world, soon(HUNG));
    assert_eq!((known(&nvml.hung), known(&nvml.crashed)), (true, false));
    assert!(known(&nvml.library).ends_with("/libnvidia-ml.so.580.65.06"));
    assert_eq!(gap_kind(&gpus), GapKind::TimedOut);
}

#[test]
fn a_crash_and_an_early_exit_are_readings() {
    for (fault, end) in [("crash=cuInit", ProbeEnd::Crashed), ("exit=cuInit", ProbeEnd::Exited)] {
        let (cuda, run) = FakeMachine::plays(fault).cuda();
        assert_eq!((run.end, known(&cuda.crashed), known(&cuda.hung)), (end, true, false), "{run:?}");
        assert_eq!(known(&cuda.lost_call), "cuInit");
        assert_eq!(gap_kind(&cuda.init_code), GapKind::Crashed);
    }
    let (nvml, gpus, run) = FakeMachine::plays("crash=nvmlDeviceGetTemperature").nvml();
    assert_eq!((run.end, known(&run.at).as_str()), (ProbeEnd::Crashed, "nvmlDeviceGetTemperature(0)"));
    assert_eq!((known(&nvml.gpu_count), known(&nvml.crashed)), (1, true));
    assert_eq!(gap_kind(&gpus), GapKind::Crashed);
}

#[test]
fn a_signal_that_a_library_raises_at_itself_is_told_of_the_call_that_raised_it() {
    // SIGPIPE is neither a crash nor the end of a Python.
    for (number, name) in
        [(4, "SIGILL"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS")]
    {
        let (cuda, run) = FakeMachine::plays(&format!("raise=cuInit:{number}")).cuda();
        let told = (run.end, known(&run.at), known(&run.signal));
        assert_eq!(told, (ProbeEnd::Crashed, "cuInit".to_owned(), name.to_owned()), "{run:?}");
        assert_eq!((known(&cuda.crashed), known(&cuda.lost_call).as_str()), (true, "cuInit"), "{name}");
        let (nvml, _, run) = FakeMachine::plays(&format!("raise=nvmlDeviceGetTemperature:{number}")).nvml();
        assert_eq!((known(&run.at).as_str(), known(&run.signal).as_str()), ("nvmlDeviceGetTemperature(0)", name));
        assert!(known(&nvml.crashed), "{name}");
    }
    let (cuda, run) = FakeMachine::plays("raise=cuInit:13").cuda();
    assert_eq!((run.end, known(&cuda.device_count)), (ProbeEnd::Completed, 1), "{run:?}");
}

#[test]
fn a_library_that_floods_its_streams_does_not_disturb_the_answer() {
    let (cuda, run) = FakeMachine::plays("flood=cuInit").cuda();
    assert_eq!((run.end, known(&cuda.device_count)), (ProbeEnd::Completed, 1));
}

#[test]
fn a_healthy_nvml_describes_every_gpu() {
    let (nvml, gpus, run) = FakeMachine::plays("count=2").nvml();
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
    let (_, gpus, _) = FakeMachine::plays("ecc=0;mig=1").nvml();
    let gpu = known(&gpus).remove(0);
    assert_eq!((gpu.ecc_enabled, gpu.ecc_uncorrected_count), (Fact::Absent, Fact::Absent));
    assert_eq!((known(&gpu.mig_enabled), known(&gpu.mig_device_count)), (true, 0));
}

#[test]
fn every_code_of_nvml_arrives_with_its_name() {
    for (code, name) in
        [(9, "NVML_ERROR_DRIVER_NOT_LOADED"), (18, "NVML_ERROR_LIB_RM_VERSION_MISMATCH"), (999, "NVML_ERROR_UNKNOWN")]
    {
        let (nvml, gpus, run) = FakeMachine::plays(&format!("nvml_init={code}")).nvml();
        assert_eq!(run.end, ProbeEnd::Completed, "{code}: {run:?}");
        assert_eq!((known(&nvml.init_code), known(&nvml.init_name).as_str()), (code, name));
        assert!(known(&nvml.library).ends_with("/libnvidia-ml.so.580.65.06"));
        assert_eq!(gap_kind(&gpus), GapKind::NotAsked);
    }
}

#[test]
fn a_lost_gpu_does_not_hide_the_others() {
    let (nvml, gpus, _) = FakeMachine::plays("count=3;lost=1").nvml();
    assert_eq!(known(&nvml.lost_gpus), ["1: 15 NVML_ERROR_GPU_IS_LOST"]);
    assert_eq!(known(&gpus).iter().map(|gpu| gpu.index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn values_that_no_gpu_can_have_are_gaps() {
    let (_, gpus, _) = FakeMachine::plays("garbage=1").nvml();
    let gpu = known(&gpus).remove(0);
    assert_eq!(gap_kind(&gpu.temperature_celsius), GapKind::Malformed);
    assert_eq!(gap_kind(&gpu.memory_bytes), GapKind::Malformed);
    assert_eq!(gap_kind(&gpu.power_limit_watts), GapKind::Malformed);
    assert_eq!(gap_kind(&gpu.ecc_uncorrected_count), GapKind::Malformed);
}
