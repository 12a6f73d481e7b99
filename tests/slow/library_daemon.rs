//! A library that forks a daemon.

use std::time::{Duration, Instant};

use gpu_preflight::facts::Fact;
use gpu_preflight::probe::cuda;
use gpu_preflight::world::child::Descendants;

use crate::support::fake_machine::FakeMachine;
use crate::support::own_process::is_own;
use crate::support::patience;

/// Children of this process that live.
fn children() -> usize {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let lives = |stat: &String| {
        let mut words = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        words.next() != Some("Z") && words.next() == Some(&own)
    };
    stats.filter(lives).count()
}

#[test]
fn a_daemon_that_a_library_forks_is_adopted_and_ended() {
    // Whoever sweeps up orphans must not meet other tests' children.
    if !is_own("library_daemon::a_daemon_that_a_library_forks_is_adopted_and_ended") {
        return;
    }
    let machine = FakeMachine::plays("fork=cuInit");
    let watch = Descendants::watch();
    // The daemon sleeps for a minute.
    let (cuda, _) = cuda::collect(&machine.world, Instant::now() + Duration::from_secs(50));
    assert_eq!(cuda.init_code, Fact::Known(0));
    // The child that was asked may take a moment to be gone, and only then is its daemon ours.
    patience::until("nobody waits for the daemon, and it becomes ours", || children() == 1);
    drop(watch);
    // On a busy machine one that was killed may take a moment to be gone.
    patience::until("the daemon ends", || children() == 0);
}
