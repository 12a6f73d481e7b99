//! The door: what it reads, and what it says when it cannot.

use super::*;
use crate::facts::{Fact, GapKind};
use rustix::fs::FileType;

#[test]
fn not_there_is_absent_and_refused_is_a_gap() {
    let world = FakeRoot::of(&[("folder/", "")], &[]);
    assert_eq!(world.read("/nothing"), Fact::Absent);
    let Fact::Unknown(gap) = world.read("/folder") else { panic!("a folder is no text") };
    assert_eq!(gap.kind, GapKind::Malformed);
    assert!(gap.detail.contains("/folder"), "{gap}");
}

#[test]
fn a_fifo_is_refused_and_not_waited_for() {
    let root = FakeRoot::new();
    let fifo = root.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a fifo");
    assert!(root.read("/pipe").is_unknown());
}

#[test]
fn only_loopback_is_contacted() {
    let elsewhere = "192.0.2.1:80".parse().expect("an address");
    assert!(FakeRoot::new().connect(elsewhere, Duration::from_millis(10)).is_err());
}
