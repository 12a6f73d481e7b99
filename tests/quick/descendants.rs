//! Nobody's children: what a library forked out of its group is ended before the workload starts.

use gpu_preflight::world::child::Descendants;

use crate::support::own_process::is_own;
use crate::support::patience;

#[test]
fn a_daemon_of_a_probe_is_ended_and_everybody_elses_is_not() {
    // While it watches, the orphans of other tests would come to this process.
    if !is_own("descendants::a_daemon_of_a_probe_is_ended_and_everybody_elses_is_not") {
        return;
    }
    let sleeper = || std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
    let mut older = sleeper();
    let watch = Descendants::watch();
    let folder = tempfile::tempdir().expect("a folder");
    // A daemon that forks itself out of its group and session, with the mark of a probe and without.
    let daemon = |name: &str, marked: bool| {
        let file = folder.path().join(name);
        let text = format!("setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60' &", file.display());
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &text]).env_remove("GPU_PREFLIGHT_PROBE");
        if marked {
            shell.env("GPU_PREFLIGHT_PROBE", "1");
        }
        assert!(shell.status().expect("a shell").success());
        patience::until("the daemon starts", || file.exists());
        std::fs::read_to_string(&file).expect("the daemon's process id").trim().to_owned()
    };
    let [ours, theirs] = [daemon("ours", true), daemon("theirs", false)];
    drop(watch);
    let lives = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    // On a busy machine one that was killed may take a moment to be gone.
    patience::until("the probe's daemon ends", || !lives(&ours));
    assert!(lives(&theirs), "somebody else's daemon was ended");
    assert!(std::process::Command::new("kill").arg(&theirs).status().expect("kill").success());
    assert!(older.try_wait().expect("a status").is_none(), "a child from before was ended");
    older.kill().expect("a kill");
    older.wait().expect("an end");
}
