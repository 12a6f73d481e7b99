//! Everything that reads what anyone may have written, given what nobody would write: no panic, and no endless work.
//!
//! The same bodies run under libFuzzer (`just fuzz TARGET`), which learns what its inputs reach; here seeds are changed at
//! random, from one seed number on, for a few seconds each. `FUZZ_SECONDS=600` tries for longer, `FUZZ_SEED` begins
//! elsewhere. What breaks a reader is written down, and becomes a seed.

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::random::Random;

/// Bytes of a seed that are kept: what is longer is slow and no stranger.
const LONGEST: usize = 64 << 10;
/// CPU time that one input may cost in an unoptimised build.
const PATIENCE: Duration = Duration::from_secs(20);

/// Words that formats treat in ways of their own.
const WORDS: [&[u8]; 20] = [
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"NaN",
    b"\"",
    b"'''",
    b"\"\"\"",
    b"[[",
    b"{{",
    b"}}",
    b"\\u0000",
    b"\r\n\r\n",
    b"\n\n",
    b"\xef\xbb\xbf",
    b"\xc2\x9b31m",
    b"null",
    b"#",
];

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What a target's seeds lie in, beside its own folder.
fn folders(target: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("tests/fuzz/seeds").join(target);
    match target {
        "recordings" => vec![own, root.join("tests/recordings"), root.join("tests/machines/image-in-ci")],
        "checks" => vec![own, root.join("checks/limits"), root.join("checks/service")],
        "profiles" => vec![own, root.join("checks/profiles")],
        _ => vec![own],
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files =
        folders(target).into_iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).expect("a seed"))
        .map(|mut seed| {
            seed.truncate(LONGEST);
            seed
        })
        .collect()
}

/// A seed with a few changes.
fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.of(seeds).clone();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = at + random.below((bytes.len() - at).min(64) + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, random.of(&WORDS).iter().copied())),
            3 => {
                let piece = bytes[at..end].to_vec();
                let times = 1 + random.below(200);
                drop(bytes.splice(at..at, piece.repeat(times)));
            }
            4 => {
                let other = random.of(seeds);
                let from = random.below(other.len() + 1);
                drop(bytes.splice(at..end, other[from..].iter().copied().take(256)));
            }
            5 => bytes.truncate(at),
            _ => {
                let noise: Vec<u8> = (0..random.below(16)).map(|_| random.next().to_le_bytes()[0]).collect();
                drop(bytes.splice(at..end, noise));
            }
        }
    }
    bytes
}

/// Where an input that broke a target is kept.
fn kept(target: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("fuzz-{target}-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("what this thread did");
    Duration::from_nanos(text.split(' ').next().expect("a number").parse().expect("nanoseconds"))
}

#[test]
fn nothing_that_is_read_breaks_its_reader() {
    let (time, seed) = (Duration::from_secs(number("FUZZ_SECONDS", 3)), number("FUZZ_SEED", 1));
    for (target, _) in bodies::TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target} has no seeds");
        let mut random = Random(seed);
        let until = Instant::now() + time;
        let mut count = 0_u64;
        while Instant::now() < until || count < seeds.len() as u64 {
            // As they are first.
            let as_it_is = usize::try_from(count).ok().and_then(|count| seeds.get(count).cloned());
            let bytes = as_it_is.unwrap_or_else(|| changed(&seeds, &mut random));
            let before = spent();
            let run = std::panic::catch_unwind(|| bodies::run(target, &bytes));
            let cost = spent().saturating_sub(before);
            assert!(run.is_ok(), "{target}: input {count} of seed {seed} panics: {}", kept(target, &bytes).display());
            assert!(cost < PATIENCE, "{target}: input {count} costs {cost:?}: {}", kept(target, &bytes).display());
            count += 1;
        }
    }
}
