//! A library that forks a daemon. Alone in its program, for whoever sweeps up orphans must not meet other tests' children.
#![allow(clippy::disallowed_methods)]

#[path = "support/fakes.rs"]
mod fakes;
#[path = "support/machine.rs"]
mod machine;

use std::time::{Duration, Instant};

use gpu_preflight::facts::Fact;
use gpu_preflight::probe::cuda;
use gpu_preflight::world::child::Descendants;

fn children() -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let parent =
        |stat: &String| stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1).map(str::to_owned));
    stats.filter(|stat| parent(stat).as_ref() == Some(&own)).collect()
}

#[test]
fn a_daemon_that_a_library_forks_is_adopted_and_ended() {
    let folder = fakes::folder();
    let watch = Descendants::watch();
    let started = Instant::now();
    let world = machine::with(folder, "fork=cuInit");
    let (cuda, _) = cuda::collect(&world, started + Duration::from_secs(5));
    assert_eq!(cuda.init_code, Fact::Known(0));
    assert!(started.elapsed() < Duration::from_secs(4), "nobody waits for the daemon: {:?}", started.elapsed());
    assert_eq!(children().len(), 1, "the daemon lives on and is ours now");
    drop(watch);
    assert_eq!(children(), Vec::<String>::new());
}
