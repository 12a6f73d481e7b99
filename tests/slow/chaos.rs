//! A hundred runs under limits, refused calls, signals, dead mounts and hostile libraries, all drawn by chance from a seed:
//! what must hold of every run holds of each.
//!
//! `PREFLIGHT_CHAOS_SEED` is the first seed and, by itself, the only one; `PREFLIGHT_CHAOS_RUNS` is how many follow.

mod draw;
mod environment;
mod fakes;
mod invariants;
mod jupyter;
mod place;
mod play;
mod refusals;
mod tests;
mod told;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use draw::Draw;
use play::{Seen, play};
use told::{Told, text};

use crate::support::real_parts::note;

/// Runs without being told otherwise.
const RUNS: u64 = 100;
/// At once: most of them wait.
const AT_ONCE: usize = 4;

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// Everything about a run that broke something, and how to run it again.
fn story(seen: &Seen, broken: &[String]) -> String {
    let mut story = format!("seed {}:\n", seen.draw.seed);
    for line in broken {
        writeln!(story, "  BROKEN {line}").expect("memory");
    }
    let head = |bytes: &[u8]| text(bytes).chars().take(2000).collect::<String>();
    writeln!(story, "  {:?}, {:?}", seen.status, seen.draw).expect("memory");
    writeln!(story, "  stdout: {:?}\n  stderr: {:?}", head(&seen.stdout), head(&seen.stderr)).expect("memory");
    let again = "cargo test --test slow -- chaos::whatever_happens_what_must_hold_holds";
    writeln!(story, "  again: PREFLIGHT_CHAOS_SEED={} {again}", seen.draw.seed).expect("memory");
    story
}

/// In a word, what became of a run.
fn outcome(seen: &Seen) -> &'static str {
    match seen.told() {
        _ if seen.was_ended() => "ended by a signal",
        _ if !seen.started.is_empty() => "workload started",
        Told::Json(_) | Told::Text(_) => "report",
        Told::Line => "one line",
        Told::Unseen => "unseen",
        Told::Broken(_) => "broken",
    }
}

#[test]
fn whatever_happens_what_must_hold_holds() {
    let first = asked("PREFLIGHT_CHAOS_SEED");
    let runs = asked("PREFLIGHT_CHAOS_RUNS").unwrap_or(if first.is_some() { 1 } else { RUNS });
    let first = first.unwrap_or(0);
    let is_root = rustix::process::geteuid().is_root();
    let _jupyter = jupyter::beside();
    let (next, stories, outcomes) = (AtomicU64::new(first), Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    let latest = Mutex::new((f64::MIN, 0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + runs {
                        break;
                    }
                    let played = play(&Draw::of(number, is_root));
                    let name = played.as_ref().map_or("not playable here", outcome);
                    *outcomes.lock().expect("no panic").entry(name).or_insert(0_u64) += 1;
                    if let Some(late) = played.as_ref().map(|seen| seen.wall.as_secs_f64() - seen.draw.deadline) {
                        let mut latest = latest.lock().expect("no panic");
                        *latest = if late > latest.0 { (late, number) } else { *latest };
                    }
                    let broken = played.as_ref().map_or_else(Vec::new, invariants::broken);
                    if let (Some(seen), false) = (&played, broken.is_empty()) {
                        stories.lock().expect("no panic").push(story(seen, &broken));
                    }
                }
            });
        }
    });
    let (stories, outcomes) = (stories.into_inner().expect("no panic"), outcomes.into_inner().expect("no panic"));
    let (late, of) = latest.into_inner().expect("no panic");
    note(&format!(
        "chaos: {runs} runs from seed {first}: {outcomes:?}; the latest {late:+.2} s after its deadline, seed {of}"
    ));
    assert!(stories.is_empty(), "{} of {runs} runs broke something\n\n{}", stories.len(), stories.join("\n"));
    // What plays nothing proves nothing.
    let unplayed = outcomes.get("not playable here").copied().unwrap_or(0);
    assert!(runs < RUNS || (unplayed * 3 < runs && outcomes.len() >= 5), "{outcomes:?}");
}
