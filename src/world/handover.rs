//! Becoming the workload, as if we had never been there.
//!
//! The Rust runtime ignores SIGPIPE and opens `/dev/null` on standard streams that
//! were closed, and the C library's first thread takes two signals for itself.
//! All of that would reach the workload, so what we were started with is noted
//! before the runtime begins and put back before we end. The signal mask, limits
//! and environment are never touched; our descriptors close on exec.
#![allow(unsafe_code)]

use std::ffi::{CString, OsStr, c_char, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// A bit for each signal, from 1, that was ignored when we were started.
static IGNORED: AtomicU64 = AtomicU64::new(0);
/// A bit for each signal, from 1, that nobody handled and nobody ignored when we were started.
static UNTOUCHED: AtomicU64 = AtomicU64::new(0);
/// A bit for each standard stream that was closed when we were started.
static CLOSED_STREAMS: AtomicU8 = AtomicU8::new(0);

/// Runs before the Rust runtime, which changes what is noted here.
///
/// The linker section is the documented place for initialisers of an ELF program.
#[used]
#[unsafe(link_section = ".init_array")]
static NOTE_INHERITANCE: extern "C" fn() = note_inheritance;

extern "C" fn note_inheritance() {
    for signal in 1..=64 {
        let kind = match handler(signal) {
            Some(libc::SIG_IGN) => &IGNORED,
            Some(libc::SIG_DFL) => &UNTOUCHED,
            _ => continue,
        };
        kind.fetch_or(1 << (signal - 1), Ordering::Relaxed);
    }
    for stream in 0..3 {
        // SAFETY: F_GETFD only asks. An engine that refuses the call says nothing of the stream.
        let answer = unsafe { libc::fcntl(stream, libc::F_GETFD) };
        if answer == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EBADF) {
            CLOSED_STREAMS.fetch_or(1 << stream, Ordering::Relaxed);
        }
    }
}

/// The kernel's own form of an action: the C library hides the signals that it takes for itself from `sigaction`.
#[repr(C)]
#[derive(Default)]
struct KernelAction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

pub(super) fn handler(signal: c_int) -> Option<usize> {
    let mut action = KernelAction::default();
    let none = std::ptr::null::<KernelAction>();
    // SAFETY: without a new action the call only reads, into a struct of ours in the kernel's layout of every 64-bit
    // Linux; 8 is the size of the kernel's signal set.
    let answer = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, none, &raw mut action, 8_usize) };
    (answer == 0).then_some(action.handler)
}

pub(super) fn set_handler(signal: c_int, handler: usize) {
    let action = KernelAction { handler, ..KernelAction::default() };
    let none = std::ptr::null_mut::<KernelAction>();
    // SAFETY: only ever called with SIG_IGN or SIG_DFL, which run no code; the kernel copies the struct.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, none, 8_usize) };
}

/// A file that may not grow further is an error, and no signal. The workload gets the signal back.
pub fn survive_full_files() {
    set_handler(libc::SIGXFSZ, libc::SIG_IGN);
}

/// A signal ends this process in the call that raises it, as it would end a workload. The Rust runtime handles SIGSEGV and
/// SIGBUS, and lets one pass that comes from no bad access: a library that raises it at itself would be accused in the call
/// after it. What stays ignored comes of a write that failed, which Python ignores too.
pub(super) fn forget_handlers() {
    // Those above are the C library's own.
    for signal in 1..32 {
        if is_in(&UNTOUCHED, signal) && !matches!(handler(signal), Some(libc::SIG_DFL | libc::SIG_IGN)) {
            set_handler(signal, libc::SIG_DFL);
        }
    }
}

/// Whoever is told to end while it looks says so: nobody else would say why the workload was not started. As process 1
/// we are the one whom `docker stop` and the kubelet tell to end, and the kernel gives process 1 no signal that it has no
/// handler for. The kernel forgets the handlers as the workload starts.
pub fn heed_termination() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        if handler(signal) == Some(libc::SIG_DFL) {
            let leave = leave as extern "C" fn(c_int);
            // SAFETY: the handler only calls `write`, `signal`, `raise` and `_exit`, which are safe in one.
            unsafe { libc::signal(signal, leave as libc::sighandler_t) };
        }
    }
}

/// Timers that take turns: a stop that comes while the signal of one is on its way takes that signal away, and the kernel
/// does not set that timer again.
const TIMERS: libc::time_t = 16;

/// Whoever is stopped while it looks goes on within a second: a library may stop its parent, and the workload would wait
/// for ever. (Process 1 is not stopped from within.) The kernel takes the timers away as the workload starts.
pub fn go_on_when_stopped() {
    if handler(libc::SIGCONT) != Some(libc::SIG_DFL) {
        return;
    }
    // What is ignored, as this signal is by itself, a timer sends once and not again.
    let nothing = nothing as extern "C" fn(c_int);
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(libc::SIGCONT, nothing as libc::sighandler_t) };
    for turn in 1..=TIMERS {
        let seconds = |tv_sec| libc::timespec { tv_sec, tv_nsec: 0 };
        let every = libc::itimerspec { it_interval: seconds(TIMERS), it_value: seconds(turn) };
        // SAFETY: all zeroes is a valid event, and the structs live until each call returns.
        unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            (event.sigev_notify, event.sigev_signo) = (libc::SIGEV_SIGNAL, libc::SIGCONT);
            let mut timer: libc::timer_t = std::ptr::null_mut();
            if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) == 0 {
                libc::timer_settime(timer, 0, &raw const every, std::ptr::null_mut());
            }
        }
    }
}

extern "C" fn nothing(_signal: c_int) {}

/// One line, and the end that the signal means; of process 1, which no signal ends, the code that the shell gives it.
extern "C" fn leave(signal: c_int) {
    let line: &[u8] = if signal == libc::SIGINT { ENDED_BY_INT } else { ENDED_BY_TERM };
    // SAFETY: the bytes live for ever. `_exit` runs no code of ours, and the kernel ends the rest of the container with
    // us; elsewhere the signal comes once more when this handler is left, and then does what it does by itself.
    unsafe {
        libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len());
        if libc::getpid() == 1 {
            libc::_exit(128 + signal);
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

const ENDED_BY_INT: &[u8] = b"gpu-preflight: ended by SIGINT while it looked; the workload was not started\n";
const ENDED_BY_TERM: &[u8] = b"gpu-preflight: ended by SIGTERM while it looked; the workload was not started\n";

/// Whether a standard stream was closed when we were started; the runtime has put `/dev/null` there.
pub(super) fn was_closed(stream: c_int) -> bool {
    CLOSED_STREAMS.load(Ordering::Relaxed) & (1 << stream) != 0
}

/// Becomes `command`, from `place` where `PATH` is not to be asked. Returns only when that failed, with the reason.
///
/// Every thread but the caller's must have ended.
pub fn become_workload(command: &[impl AsRef<OsStr>], place: Option<&OsStr>) -> io::Error {
    let arguments: Result<Vec<CString>, _> =
        command.iter().map(|word| CString::new(word.as_ref().as_bytes())).collect();
    let Ok(arguments) = arguments else { return io::Error::from(io::ErrorKind::InvalidInput) };
    let mut pointers: Vec<*const c_char> = arguments.iter().map(|word| word.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let place = place.and_then(|place| CString::new(place.as_bytes()).ok());
    let Some(program) = place.as_ref().or(arguments.first()) else { return io::Error::from(io::ErrorKind::NotFound) };
    // SAFETY: the array is null-terminated, and its strings live until the call returns.
    let error = unsafe { execute(program.as_ptr(), pointers.as_ptr()) };
    // We stay after all, and must not die of a closed pipe while we say so.
    set_handler(libc::SIGPIPE, libc::SIG_IGN);
    error
}

/// Becomes a program with these words, with signals and streams as we found them. Asks for no memory.
///
/// # Safety
///
/// The words are strings and end with a null.
pub(super) unsafe fn execute(program: *const c_char, words: *const *const c_char) -> io::Error {
    restore_signals();
    for stream in 0..3 as c_int {
        if was_closed(stream) {
            // SAFETY: the stream was closed before us, and nothing of ours uses it any more.
            unsafe { libc::close(stream) };
        }
    }
    // SAFETY: as the caller says; the call returns only on failure.
    unsafe { libc::execvp(program, words) };
    io::Error::last_os_error()
}

fn is_in(signals: &AtomicU64, signal: c_int) -> bool {
    signals.load(Ordering::Relaxed) & (1 << (signal - 1)) != 0
}

/// What was ignored is ignored again, and what we ignore is not; handlers are reset by the kernel.
fn restore_signals() {
    for signal in 1..=64 {
        let (was_ignored, is_ignored) = (is_in(&IGNORED, signal), handler(signal) == Some(libc::SIG_IGN));
        match (was_ignored, is_ignored) {
            (true, false) => set_handler(signal, libc::SIG_IGN),
            (false, true) => set_handler(signal, libc::SIG_DFL),
            _ => {}
        }
    }
}
