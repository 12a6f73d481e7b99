//! The outermost guard: whatever becomes of the look, the workload of `exec` starts.
//!
//! A panic is caught where it happens. What no program survives is memory that is refused, a stack that may not grow, a
//! runtime that may not make the calls it begins with: under limits that are too small for us, or by a bug of ours. `exec`
//! then becomes the workload from here, and whatever else we were asked for ends with the code of a bug; both say so in
//! one line. Nothing here asks for memory, and the stack is one that was set aside.
//!
//! The guard stands from our first instruction. Before it lies the loader: where the limit has no room for this program
//! and its C library, nothing of ours runs.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use super::child;
use super::handover::{execute, handler, set_handler};

// The codes of `crate::exit`, which lies above this room.
const BUG: c_int = 70;
const NOT_RUNNABLE: c_int = 126;
const NOT_FOUND: c_int = 127;

/// What a program is ended by that has gone wrong in itself.
const FATAL: [(c_int, &str); 6] = [
    (libc::SIGABRT, "ended by SIGABRT"),
    (libc::SIGSEGV, "ended by SIGSEGV"),
    (libc::SIGBUS, "ended by SIGBUS"),
    (libc::SIGILL, "ended by SIGILL"),
    (libc::SIGFPE, "ended by SIGFPE"),
    (libc::SIGSYS, "ended by SIGSYS"),
];

/// The process that is guarded.
static PROCESS: AtomicI32 = AtomicI32::new(0);
/// The words of the workload, where the kernel put them; null where there is none.
static COMMAND: AtomicPtr<*const c_char> = AtomicPtr::new(std::ptr::null_mut());
/// Whether the workload starts when the look is lost.
static STARTS: AtomicBool = AtomicBool::new(true);
/// The thread in which it was lost first.
static LOST_IN: AtomicI32 = AtomicI32::new(0);

/// Where the first thread handles what its own stack has no room for.
#[repr(align(16))]
struct Stack(UnsafeCell<[u8; 64 << 10]>);
// SAFETY: only the kernel writes there, and gives it to one thread.
unsafe impl Sync for Stack {}
static STACK: Stack = Stack(UnsafeCell::new([0; 64 << 10]));

/// Puts a program under guard; stands once, in its `main.rs`. A test program, which links the same library, goes without.
#[macro_export]
macro_rules! guarded {
    () => {
        #[global_allocator]
        static MEMORY: $crate::world::guard::Memory = $crate::world::guard::Memory;

        // The documented place for initialisers of an ELF program. They run before the runtime, which may be what ends us.
        #[used]
        #[allow(unsafe_code)]
        #[unsafe(link_section = ".init_array")]
        static GUARD: $crate::world::guard::Initialiser = $crate::world::guard::begin;
    };
}

/// What glibc calls before `main`, with what it calls `main` with.
pub type Initialiser = unsafe extern "C" fn(c_int, *const *const c_char);

/// Begins the guard.
///
/// # Safety
///
/// The words are those of `main`.
pub unsafe extern "C" fn begin(count: c_int, words: *const *const c_char) {
    // SAFETY: so many words are there, each ends with a zero, and all live as long as the process.
    let words = unsafe { std::slice::from_raw_parts(words, usize::try_from(count).unwrap_or(0)) };
    // SAFETY: as above.
    let is = |word: &*const c_char, text: &str| unsafe { CStr::from_ptr(*word) }.to_bytes() == text.as_bytes();
    let does = |command: &str| words.get(1).is_some_and(|word| is(word, command));
    if does(child::COMMAND) {
        // How a child ends is a reading.
        return;
    }
    if does("exec")
        && let Some(end) = words.iter().position(|word| is(word, "--"))
        && let Some(first) = words.get(end + 1)
    {
        COMMAND.store(std::ptr::from_ref(first).cast_mut(), Ordering::Relaxed);
        start_when_lost(!words[..end].iter().any(|word| is(word, "--block-on-incomplete")));
    }
    PROCESS.store(own_process(), Ordering::Relaxed);
    let stack = libc::stack_t { ss_sp: STACK.0.get().cast(), ss_flags: 0, ss_size: size_of::<Stack>() };
    // SAFETY: the memory lives for ever, and nobody else uses it.
    unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
    for (signal, _) in FATAL {
        if handler(signal) == Some(libc::SIG_DFL) {
            // SAFETY: all zeroes is a valid action; the handler makes system calls alone.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction =
                    ended_by as extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void) as usize;
                // Not to block the signal: what is blocked stays so in the workload.
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            }
        }
    }
}

/// Whether the workload starts when the look is lost: not where a verdict has stopped it, or none would.
pub fn start_when_lost(starts: bool) {
    STARTS.store(starts, Ordering::Relaxed);
}

/// The system's memory. Whoever is refused some under guard has lost the look: the runtime would say so in many lines.
pub struct Memory;

// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to what the system asks for.
        granted(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        granted(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        granted(unsafe { System.realloc(memory, layout, size) })
    }
}

fn granted(memory: *mut u8) -> *mut u8 {
    if memory.is_null() && is_guarded() {
        lost("out of memory");
    }
    memory
}

/// Whether this process is the one that is guarded: no child, and no copy of it between fork and exec.
fn is_guarded() -> bool {
    PROCESS.load(Ordering::Relaxed) == own_process()
}

extern "C" fn ended_by(signal: c_int, about: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel gives the handler what is known about the signal; whoever was sent one has a sender.
    let is_sent = unsafe { (*about).si_code <= 0 && (*about).si_pid() != own_process() };
    if is_sent {
        // Somebody else ends us, which is not for us to survive. Process 1 is ended by none that it has no handler for.
        if own_process() != 1 {
            set_handler(signal, libc::SIG_DFL);
            // SAFETY: the call only sends a signal to this thread.
            unsafe { libc::raise(signal) };
        }
        return;
    }
    lost(FATAL.iter().find(|(number, _)| *number == signal).map_or("ended by a signal", |(_, words)| words));
}

/// The end of the look.
fn lost(cause: &str) -> ! {
    let thread = rustix::thread::gettid().as_raw_nonzero().get();
    match LOST_IN.compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) if is_guarded() => {}
        Err(other) if other != thread => loop {
            // SAFETY: the call only waits, until the other thread has become the workload or ended us.
            unsafe { libc::pause() };
        },
        _ => leave(BUG),
    }
    let command = COMMAND.load(Ordering::Relaxed);
    let starts = !command.is_null() && STARTS.load(Ordering::Relaxed);
    let outcome = match (command.is_null(), starts) {
        (true, _) => "; a limit leaves gpu-preflight no room, or this is a bug in it\n",
        (false, true) => " while it looked; the workload is started all the same\n",
        (false, false) => " while it looked; the workload was not started\n",
    };
    write(libc::STDERR_FILENO, &["gpu-preflight: ", cause, outcome]);
    if !starts {
        leave(BUG);
    }
    child::end_all();
    // SAFETY: the words lie where the kernel put them, and a null after them.
    let error = unsafe { execute(*command, command) };
    write(libc::STDERR_FILENO, &["gpu-preflight: the workload could not be started\n"]);
    leave(if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUNNABLE });
}

/// One line, in one piece.
fn write(descriptor: c_int, pieces: &[&str]) {
    let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; 3];
    for (part, piece) in parts.iter_mut().zip(pieces) {
        *part = libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: piece.len() };
    }
    // SAFETY: each part is a text that lives until the call returns, or empty.
    unsafe { libc::writev(descriptor, parts.as_ptr(), 3) };
}

fn leave(code: c_int) -> ! {
    // SAFETY: the call runs no code of ours.
    unsafe { libc::_exit(code) }
}

fn own_process() -> c_int {
    // SAFETY: the call only asks.
    unsafe { libc::getpid() }
}
