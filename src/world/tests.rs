//! The door: what it reads, and what it says when it cannot.

use super::*;
use rustix::fs::FileType;

fn world(root: &Path) -> World {
    World::at(root, vec![("HOME".into(), "/root".into())], Duration::from_secs(1))
}

#[test]
fn not_there_is_absent_and_refused_is_a_gap() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(root.path().join("folder")).expect("a folder");
    let world = world(root.path());
    assert_eq!(world.read("/nothing"), Fact::Absent);
    let Fact::Unknown(gap) = world.read("/folder") else { panic!("a folder is no text") };
    assert_eq!(gap.kind, GapKind::Malformed);
    assert!(gap.detail.contains("/folder"), "{gap}");
}

#[test]
fn a_fifo_is_refused_and_not_waited_for() {
    let root = tempfile::tempdir().expect("a folder");
    let fifo = root.path().join("pipe");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a fifo");
    assert!(world(root.path()).read("/pipe").is_unknown());
}

#[test]
fn only_loopback_is_contacted() {
    let root = tempfile::tempdir().expect("a folder");
    let elsewhere = "192.0.2.1:80".parse().expect("an address");
    assert!(world(root.path()).connect(elsewhere, Duration::from_millis(10)).is_err());
}
