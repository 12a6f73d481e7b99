//! The environment of a run: what is missing in it, and what is odd.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::draw::Dice;

/// Values that nobody meant: for a terminal, for a parser, for a buffer.
fn hostile(dice: &mut Dice) -> OsString {
    let texts: [&[u8]; 10] = [
        b"\x1b[31mred\x1b[0m\x1b]0;title\x07",
        "\u{202e}evil\u{200b}\u{9b}2J".as_bytes(),
        b"one\nSPOOF two\r\x08",
        b"\xff\xfe\x80",
        b"",
        b"-1",
        b"99999999999999999999",
        b"%s%n%s",
        b"../../../../etc/passwd",
        b":::/proc/self/fd/0:",
    ];
    match dice.below(12) {
        0 => OsString::from_vec(vec![b'x'; 60_000]),
        _ => OsString::from_vec(dice.one(&texts).to_vec()),
    }
}

/// Variables that are read, and one that no shell can set.
const NAMES: [&str; 18] = [
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "OMP_NUM_THREADS",
    "CUDA_MPS_PIPE_DIRECTORY",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "HF_HOME",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTER_CONFIG_DIR",
    "COLUMNS",
    "TERM",
    "KUBERNETES_SERVICE_HOST",
    "NCCL_SOCKET_IFNAME",
    "CUDA_CACHE_PATH",
    "TMPDIR",
    "HOME",
    "A\u{1b}[31mNAME",
];

/// Variables that are set and some that are missing.
pub fn drawn(dice: &mut Dice) -> Vec<(String, Option<OsString>)> {
    let mut set = Vec::new();
    if dice.percent(15) {
        set.push((dice.one(&["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"]).to_owned(), None));
    }
    if dice.percent(8) {
        set.push(("HOME".to_owned(), Some(dice.one(&["/none", "{place}/garbage", "", "/proc/self"]).into())));
    }
    for _ in 0..dice.below(4) {
        set.push((dice.one(&NAMES).to_owned(), Some(hostile(dice))));
    }
    if dice.percent(30) {
        set.push(("RUST_BACKTRACE".to_owned(), Some("full".into())));
    }
    set
}
