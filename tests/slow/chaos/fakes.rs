//! What the GPU libraries play.

use super::draw::Dice;

/// A scenario of `tests/fakes/scenario.rs`.
#[derive(Debug, Clone, Default)]
pub struct Played {
    pub scenario: String,
    /// Whether it plays hardware that is broken or slow.
    pub accuses_hardware: bool,
}

/// Calls that a fault can meet.
const CALLS: [&str; 18] = [
    "cuInit",
    "cuInit",
    "cuDriverGetVersion",
    "cuDeviceGetCount",
    "nvmlInit_v2",
    "nvmlInit_v2",
    "nvmlDeviceGetCount_v2",
    "nvmlDeviceGetHandleByIndex_v2",
    "nvmlEventSetWait_v2",
    "nvmlShutdown",
    "cublasCreate_v2",
    "cublasGemmEx",
    "cublasLtMatmul",
    "cudaRuntimeGetVersion",
    "cudaMalloc",
    "cudaMemcpy",
    "cudaDeviceSynchronize",
    "cudaFree",
];

/// Ways in which a library misbehaves in a call.
const FAULTS: [&str; 8] = ["hang", "stuck", "crash", "kill", "exit", "raise", "flood", "fork"];
/// Signals that a library may send its own process.
const RAISED: [i32; 8] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGABRT,
    libc::SIGSEGV,
    libc::SIGSTOP,
    libc::SIGPIPE,
    libc::SIGHUP,
    libc::SIGCHLD,
];
/// Codes that speak of no broken hardware.
const CODES: [&str; 10] = [
    "cu_init=1",
    "cu_init=2",
    "cu_init=3",
    "cu_init=34",
    "cu_init=100",
    "cu_init=802",
    "cu_init=999",
    "cu_init=12345",
    "nvml_init=18",
    "nvml_init=999",
];
/// Oddities that are nobody's fault.
const ODD: [&str; 8] = [
    "garbage=1",
    "count=0",
    "count=8",
    "mig=1;mig_count=1",
    "mig=1;mig_refused=1",
    "model=\u{1b}[31mGPU\u{7}",
    "driver=not.a.version",
    "runtime=99990;cublas=-1",
];
/// Hardware that is broken or slow.
const BROKEN: [&str; 8] = [
    "wrong=0",
    "slow=0:0.1",
    "flip=0",
    "lost=0",
    "row_remap_failed=1",
    "ecc_errors=7",
    "xid=0:79",
    "count=2;slow_memory=1:0.1",
];

/// Small matrices, and something that is wrong with the libraries or the hardware, or nothing.
pub fn played(dice: &mut Dice) -> Played {
    let small = "free=9000000";
    let is_broken = dice.percent(10);
    let what = match dice.below(10) {
        _ if is_broken => dice.one(&BROKEN).to_owned(),
        0 => "count=1".to_owned(),
        1..=2 => dice.one(&CODES).to_owned(),
        3..=4 => dice.one(&ODD).to_owned(),
        _ => match (dice.one(&FAULTS), dice.one(&CALLS)) {
            ("raise", call) => format!("raise={call}:{}", dice.one(&RAISED)),
            (fault, call) => format!("{fault}={call}"),
        },
    };
    Played { scenario: format!("{small};{what}"), accuses_hardware: is_broken }
}
