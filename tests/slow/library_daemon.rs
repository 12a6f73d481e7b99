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
    // The daemon sleeps for a minute. One that is so slow to leave its group that it is ended with it shows nothing.
    let survived = (0..20).any(|_| {
        let (cuda, _) = cuda::collect(&machine.world, Instant::now() + Duration::from_secs(50));
        assert_eq!(cuda.init_code, Fact::Known(0));
        let soon = Instant::now() + Duration::from_millis(500);
        while children() != 1 && Instant::now() < soon {
            std::thread::sleep(Duration::from_millis(5));
        }
        children() == 1
    });
    assert!(survived, "nobody waits for a daemon, and it becomes ours");
    drop(watch);
    // On a busy machine one that was killed may take a moment to be gone.
    patience::until("the daemon ends", || children() == 0);
}
