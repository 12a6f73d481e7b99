//! Limits and system calls: how little there is, and what the kernel answers.

use super::draw::Dice;

/// Calls that programs do without more or less well. Where one is refused that the loader needs, nothing of ours runs,
/// and the run is not played. `futex` is not among them: without it the C library ends every program that has threads, in
/// words of its own.
const CALLS: &[libc::c_long] = &[
    libc::SYS_clone3,
    libc::SYS_clone,
    libc::SYS_pipe2,
    libc::SYS_fcntl,
    libc::SYS_ppoll,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_statx,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_prlimit64,
    libc::SYS_sched_getaffinity,
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_setsockopt,
    libc::SYS_setpgid,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_getrandom,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_statfs,
    libc::SYS_ioctl,
    libc::SYS_clock_nanosleep,
    libc::SYS_getcwd,
    libc::SYS_madvise,
    libc::SYS_mprotect,
    libc::SYS_pidfd_open,
    libc::SYS_dup3,
    libc::SYS_writev,
    libc::SYS_prctl,
    libc::SYS_geteuid,
    libc::SYS_fsync,
    libc::SYS_renameat,
    libc::SYS_unlinkat,
    libc::SYS_rt_sigprocmask,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_gettid,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];

/// As engines refuse.
const ERRNOS: [i32; 2] = [libc::EPERM, libc::ENOSYS];
/// As a kernel refuses that has no memory, and a module of its that watches over files and sockets.
const OTHERS: [(libc::c_long, i32); 10] = [
    (libc::SYS_clone3, libc::ENOMEM),
    (libc::SYS_clone3, libc::EAGAIN),
    (libc::SYS_pipe2, libc::EMFILE),
    (libc::SYS_mprotect, libc::ENOMEM),
    (libc::SYS_madvise, libc::ENOMEM),
    (libc::SYS_statx, libc::EACCES),
    (libc::SYS_getdents64, libc::EACCES),
    (libc::SYS_socket, libc::EACCES),
    (libc::SYS_connect, libc::EACCES),
    (libc::SYS_clock_nanosleep, libc::EACCES),
];

/// Settings that refuse one call or two.
pub fn calls(dice: &mut Dice) -> Vec<String> {
    let mut settings = Vec::new();
    for _ in 0..=dice.below(2) {
        let usual = (dice.one(CALLS), dice.one(&ERRNOS));
        let (call, errno) = if dice.percent(25) { dice.one(&OTHERS) } else { usual };
        settings.extend(["refuse".to_owned(), call.to_string(), errno.to_string()]);
    }
    settings
}

/// A setting that leaves little of something.
pub fn limit(dice: &mut Dice) -> Vec<String> {
    let kib = |dice: &mut Dice, least: u64, most: u64| (least + dice.below(most - least)) << 10;
    let (resource, value) = match dice.below(10) {
        0..=2 => (libc::RLIMIT_AS, kib(dice, 8 << 10, 200 << 10)),
        3 => (libc::RLIMIT_DATA, kib(dice, 256, 40 << 10)),
        4 => (libc::RLIMIT_STACK, kib(dice, 24, 1024)),
        5..=6 => (libc::RLIMIT_NOFILE, 3 + dice.below(40)),
        7 => (libc::RLIMIT_NPROC, 1 + dice.below(12)),
        8 => (libc::RLIMIT_FSIZE, dice.one(&[0, 1, 4096, 20_000])),
        _ => (libc::RLIMIT_CPU, dice.one(&[1, 1, 2])),
    };
    vec!["limit".to_owned(), resource.to_string(), value.to_string()]
}

/// The same settings with a little less memory.
pub fn worse(settings: &[String]) -> Vec<String> {
    let mut worse = settings.to_vec();
    for at in 0..worse.len().saturating_sub(2) {
        let is_memory = [libc::RLIMIT_AS, libc::RLIMIT_DATA].iter().any(|limit| worse[at + 1] == limit.to_string());
        if worse[at] == "limit" && is_memory {
            let value: u64 = worse[at + 2].parse().expect("a number");
            worse[at + 2] = value.saturating_sub(256 << 10).to_string();
        }
    }
    worse
}
