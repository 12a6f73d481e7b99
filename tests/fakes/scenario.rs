//! What a fake GPU library plays, read from the environment variable `FAKE_GPU`: `key=value;key=value`.
//!
//! Every fake includes this file. Keys, with their defaults:
//!
//! | key | meaning |
//! |---|---|
//! | `count=1` | GPUs |
//! | `model=NVIDIA H200` | product name |
//! | `cc=9.0` `sms=132` `mhz=1980` | compute capability, streaming multiprocessors, highest SM clock |
//! | `memory=150754820096` `free=149000000000` | bytes |
//! | `driver=580.65.06` `cuda=13000` | driver version, newest CUDA of the driver |
//! | `runtime=12090` `cublas=120901` | versions of libcudart and libcublas |
//! | `cu_init=0` `nvml_init=0` | their return codes; `cu_init_ready=N`: works from the Nth call on, by whichever program that writes the same `log` |
//! | `cu_init_while=VARIABLE:TEXT:CODE` | `cuInit` returns this code while this variable of the environment holds this text |
//! | `cublas_create=0` | status of `cublasCreate_v2` |
//! | `cublaslt=…` | version of libcublasLt, where it is not that of libcublas |
//! | `log=FILE` | every call that a fault could meet is written there, a name a line, and `context` when one is made, and `operands DIGEST` for each product that is read back |
//! | `hang=CALL` | the call never returns and SIGTERM is ignored; `cudaSetDevice GPU`, `cublasGemmEx GPU` and `cudaMemcpyPeer FROM-TO` are calls too |
//! | `stuck=CALL` | the call never returns and the process is in state `D` |
//! | `crash=CALL` `kill=CALL` `exit=CALL` | the call ends the process: SIGSEGV, SIGKILL, `exit(0)` |
//! | `raise=CALL:SIGNAL` | the call sends its own process this signal, and goes on where that does not end it |
//! | `raise_group=CALL:SIGNAL` `raise_parent=CALL:SIGNAL` | the same to its process group, and to its parent |
//! | `crash_nth=CALL:N` | SIGSEGV when the call is made for the Nth time, from 1 |
//! | `flood=CALL` | the call writes megabytes to standard output and error |
//! | `fork=CALL` | the call leaves a grandchild in a session of its own that sleeps for a minute |
//! | `wrong=GPU` | one bit of one element of every product of this GPU is flipped |
//! | `wrong_bit=GPU:PRECISION:ELEMENT:BIT:NTH` | this bit of this element, modulo their number, is flipped in one product of this GPU: the Nth in this precision, from 0, of those that are read back |
//! | `odd=GPU` | the last bit of one element of every product of this GPU is flipped, unless it is an integer |
//! | `wrong_library=cublas` | one bit of every product of this library into 32 bits is flipped; `cublaslt` is the other |
//! | `pattern=NAME` | every product is wrong in this way, see `spoil` in `arithmetic.rs` |
//! | `slow_library=cublas:SHARE` | all multiplies of this library reach only this share of their rate |
//! | `slow=GPU:SHARE` | this GPU reaches only this share of its rate |
//! | `rate_of_tf32=410` | what a healthy GPU reaches in TF32, in TFLOP/s: 52 where a variable turns it off |
//! | `slow_until=FILE` | `slow` is over where this file is, which that GPU's first process makes when it gives memory back |
//! | `flip=GPU` | one bit of every copy on the memory of this GPU is flipped |
//! | `slow_memory=GPU:SHARE` | copies on the memory of this GPU reach only this share of their rate |
//! | `bad_cell=GPU:OFFSET` | bit 4 of this byte of every memory but the first that a program gets on this GPU stays set |
//! | `p2p=1` | GPUs reach each other's memory |
//! | `peer_wrong=FROM-TO` | one bit of every copy from one GPU to the other is flipped |
//! | `slow_peer=FROM-TO:SHARE` | these copies reach only this share of their rate |
//! | `nccl=22703` `nccl_wrong=GPU` | version of libnccl; one number of every sum on this GPU is wrong |
//! | `lost=GPU` | NVML answers 15 for this GPU |
//! | `vanish=CALL:GPU` | from this call on NVML answers 15 for this GPU |
//! | `row_remap_pending=0` `row_remap_failed=0` | what the field values say; `page_pending`, not set, is not supported |
//! | `nvlinks=0` `nvlinks_down=GPU:COUNT` | NVLinks, and how many of this GPU's are down |
//! | `fabric=STATE:STATUS` | state and status of the NVLink fabric; not set, there is none |
//! | `fabric_health=MASK` | health mask of the NVLink fabric, in hexadecimal; not set, it is not supported |
//! | `confidential=ON:READY` | whether GPUs are in confidential mode and accept work in it; not set, they have no such mode |
//! | `holder=PID:BYTES` | a process on every GPU |
//! | `reserved=0` `utilization=0` | bytes that the driver keeps, percent of the time at work; `utilization=-1`: not supported |
//! | `persistence=1` `ecc_on=1` `celsius=34` `watts=700` | modes, core temperature, enforced power limit |
//! | `tf32=1` | cuBLAS rounds to TF32 although it is off |
//! | `after=CALL:OTHER` | the call waits until the other has been made, by whichever program, and 300 ms more |
//! | `context_ms=0` | time that making a context takes |
//! | `together=0` | none is made before so many have been begun, in whichever programs that write the same `log` |
//! | `fail=CALL:CODE` | the call returns this code |
//! | `fail_from=CALL:N:CODE` | the same from the Nth time on, from 1 |
//! | `compute_mode=0` | NVML's compute mode: 2 prohibited, 3 exclusive process |
//! | `ecc_errors=0` | uncorrectable memory errors |
//! | `held=GPU:BITS` | what holds this GPU's clocks down at work, in hexadecimal; others are held by the power cap, 4 |
//! | `xid=GPU:CODE` | the driver reports this Xid of this GPU, once |
//! | `lanes=GPU:COUNT` | lanes of this GPU's PCIe link, of 16 |
//! | `generation=GPU:NUMBER` | generation of this GPU's PCIe link, of 5 |
//! | `replays=GPU:COUNT` | transfers over PCIe that this GPU repeats from one question to the next |
//! | `nvlink_errors=COUNT` `retired=COUNT` `recovery=NUMBER` | what the field values say; not set, not supported |
//! | `instant=1` | whether the power drawn now can be had, or only the mean over a second |
//! | `garbage=1` | NVML gives values that no GPU can have |
//! | `mig=1` `ecc=0` | MIG is on, the memory has no ECC |
//! | `timed=N` | what takes long on an H200 takes N times as long here, and who waits for the GPU waits as long as its clock says; milliseconds that the fake itself computes for are written to `log` as `emulated MS` |
//! | `mig_count=0` `mig_refused=0` | MIG instances; whether NVML answers 4 for all that concerns them |
//!
//! NVML finds a GPU idle when it is first asked for what holds its clocks down, and at work from then on.
//!
//! Small limits of the process are answered as on real ones: `cuInit` gives 2 below 15 GiB of address space (8 GB on an
//! H100, while 16 GB sufficed on an H200), `cudaSetDevice` gives 46 below 40 open files.
//!
//! `CUDA_VISIBLE_DEVICES` counts as for the real libcuda: up to its first entry that names no GPU.

use std::ffi::{c_char, c_int, c_uint, c_void};

#[allow(dead_code, reason = "each fake uses a part")]
unsafe extern "C" {
    pub fn signal(number: c_int, handler: usize) -> usize;
    pub fn fork() -> c_int;
    pub fn getpid() -> c_int;
    pub fn getppid() -> c_int;
    pub fn kill(process: c_int, signal: c_int) -> c_int;
    pub fn vfork() -> c_int;
    pub fn setsid() -> c_int;
    pub fn getsid(process: c_int) -> c_int;
    pub fn sleep(seconds: c_uint) -> c_uint;
    pub fn getrlimit(resource: c_int, limits: *mut [u64; 2]) -> c_int;
    pub fn _exit(code: c_int) -> !;
    pub fn exit(code: c_int) -> !;
    pub fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    pub fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// `RLIMIT_NOFILE`
#[allow(dead_code, reason = "each fake uses a part")]
pub const OPEN_FILES: c_int = 7;
/// `RLIMIT_AS`
#[allow(dead_code, reason = "each fake uses a part")]
pub const ADDRESS_SPACE: c_int = 9;

/// A soft limit of this process.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn limit(resource: c_int) -> u64 {
    let mut limits = [u64::MAX; 2];
    unsafe { getrlimit(resource, &mut limits) };
    limits[0]
}

/// The text of a key.
pub fn text(key: &str) -> Option<String> {
    let scenario = std::env::var("FAKE_GPU").unwrap_or_default();
    let mut pairs = scenario.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
}

/// The number of a key.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn number(key: &str, default: i64) -> i64 {
    text(key).map_or(default, |value| value.parse().expect("a number in FAKE_GPU"))
}

/// Whether a key names this GPU.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn names(key: &str, gpu: i64) -> bool {
    text(key).is_some_and(|value| value.parse() == Ok(gpu))
}

/// What a key of the form `GPU:VALUE` or `PAIR:VALUE` says of this one.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn told_of(key: &str, of: &str) -> Option<String> {
    let value = text(key)?;
    let (named, told) = value.split_once(':')?;
    (named == of).then(|| told.to_owned())
}

/// The share that a key gives this GPU or pair of GPUs: 1, unless it names it.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn share(key: &str, of: &str) -> f64 {
    told_of(key, of).map_or(1.0, |share| share.parse().expect("a share"))
}

/// What a call returns: 0, unless the scenario says otherwise.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn code(call: &str) -> c_int {
    static CALLS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
    if let Some(told) = text("fail_from").and_then(|told| Some(told.strip_prefix(call)?.strip_prefix(':')?.to_owned())) {
        let (nth, code) = told.split_once(':').expect("CALL:N:CODE");
        let made = CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        return if made >= nth.parse().expect("a number") { code.parse().expect("a code") } else { 0 };
    }
    let scenario = text("fail").unwrap_or_default();
    scenario.split_once(':').filter(|(name, _)| *name == call).map_or(0, |(_, code)| code.parse().expect("a code"))
}

/// Writes down what happens, where the scenario asks for it.
pub fn note(what: &str) {
    let Some(log) = text("log") else { return };
    let mut file = std::fs::File::options().create(true).append(true).open(log).expect("the log");
    // In one piece, for several processes write here at once.
    std::io::Write::write_all(&mut file, format!("{what}\n").as_bytes()).expect("the log");
}

/// How often something was written down, by whichever program.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn count(what: &str) -> i64 {
    let written = text("log").and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
    written.lines().filter(|line| *line == what).count() as i64
}

/// Milliseconds that took on an H200 beside 16 cores what was done for the first time, with driver 580.159 and CUDA 13.0.
const TOOK: [(&str, u64); 15] = [
    ("cuInit", 116),
    ("nvmlInit_v2", 22),
    ("nvmlDeviceGetHandleByIndex_v2", 62),
    ("nvmlSystemGetDriverVersion", 16), // stands for some 60 questions, of 16 ms together
    ("dlopen libcublasLt", 57),
    ("dlopen libcublas", 5),
    ("context", 88),
    ("cublasCreate_v2", 3),
    ("cudaMallocHost", 19),
    ("kernels of Float32", 90),
    ("kernels of Float16", 49),
    ("kernels of Bfloat16", 41),
    ("kernels of Float64", 42),
    ("kernels of Int8", 2),
    ("kernels of Float8", 2),
];

/// Whether the fakes take as long as an H200.
pub fn is_timed() -> bool {
    number("timed", 0) > 0
}

/// Takes as long as this took, once in a process.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn take(what: &str) {
    static DONE: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    let Some((_, ms)) = TOOK.iter().find(|(name, _)| *name == what).filter(|_| is_timed()) else { return };
    let mut done = DONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !done.iter().any(|name| name == what) {
        std::thread::sleep(std::time::Duration::from_millis(*ms * number("timed", 1) as u64));
        done.push(what.to_owned());
    }
}

/// Plays the faults that are meant for this call.
pub fn enter(call: &str) {
    take(call);
    if let Some(other) = told_of("after", call) {
        while count(&other) == 0 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    static CALLS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
    note(call);
    let nth = text("crash_nth").and_then(|told| Some(told.strip_prefix(call)?.strip_prefix(':')?.parse::<i64>().expect("a number")));
    if nth.is_some_and(|nth| CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == nth) {
        unsafe { std::ptr::null_mut::<u8>().wrapping_add(8).write_volatile(1) };
    }
    let meant = |key: &str| text(key).as_deref() == Some(call);
    if meant("hang") {
        unsafe { signal(15, 1) };
        loop {
            unsafe { sleep(1) };
        }
    }
    // Whoever waits for the child of a vfork waits in the kernel, in state D.
    if meant("stuck") && unsafe { vfork() } == 0 {
        loop {
            unsafe { sleep(1) };
        }
    }
    if meant("crash") {
        unsafe { std::ptr::null_mut::<u8>().wrapping_add(8).write_volatile(1) };
    }
    for (key, process) in unsafe { [("raise", getpid()), ("raise_group", 0), ("raise_parent", getppid())] } {
        if let Some(number) = told_of(key, call) {
            unsafe { kill(process, number.parse().expect("a signal")) };
        }
    }
    if meant("kill") {
        unsafe { kill(getpid(), 9) };
    }
    if meant("exit") {
        unsafe { exit(0) };
    }
    if meant("flood") {
        let line = "a vendor library that talks too much\n".repeat(1000);
        for _ in 0..200 {
            print!("{line}");
            eprint!("{line}");
        }
    }
    if meant("fork") {
        let child = unsafe { fork() };
        if child == 0 {
            unsafe {
                setsid();
                sleep(60);
                _exit(0);
            }
        }
        // Until it has left, it would be ended with the group that it was born in.
        while unsafe { getsid(child) == getsid(0) } {
            std::thread::yield_now();
        }
    }
}

/// How many GPUs a program sees.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn visible() -> i64 {
    let count = number("count", 1);
    let Ok(list) = std::env::var("CUDA_VISIBLE_DEVICES") else { return count };
    let is_here = |entry: &&str| {
        let by_uuid = (0..count).any(|gpu| entry.starts_with("GPU-") && uuid(gpu).starts_with(*entry));
        by_uuid || entry.parse::<i64>().is_ok_and(|index| (0..count).contains(&index))
    };
    list.split(',').map(str::trim).take_while(is_here).count() as i64
}

/// The UUID of a GPU.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn uuid(gpu: i64) -> String {
    format!("GPU-{gpu:04x}c0de-0000-1111-2222-333344445555")
}

/// Copies a text and its closing zero into a C buffer, cut to its length.
#[allow(dead_code, reason = "each fake uses a part")]
pub fn put(value: &str, buffer: *mut c_char, length: usize) {
    let kept = &value.as_bytes()[..value.len().min(length - 1)];
    for (index, byte) in kept.iter().chain(&[0]).enumerate() {
        unsafe { buffer.add(index).write(*byte as c_char) };
    }
}
