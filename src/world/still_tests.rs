//! What is said of an image that does not run.

use super::*;
use crate::world::FakeRoot;

fn image(root: &FakeRoot, still: Still) -> World {
    World::image(root.path(), vec![("A".into(), "b".into())], still, Duration::from_secs(5))
}

fn run_by(uid: u32, gid: u32) -> Still {
    Still {
        is_configured: true,
        user: Some(User { uid, gid, groups: vec![44] }),
        folder: PathBuf::from("/srv"),
        ..Still::default()
    }
}

#[test]
fn what_runs_is_not_asked_whatever_the_files_say() {
    let root = FakeRoot::of(
        &[("proc/self/status", "Uid:\t7\n"), ("sys/x", "y"), ("dev/x", "y"), ("etc/hosts", "y"), ("etc/os", "z")],
        &[],
    );
    root.link("etc/mtab", "/proc/self/status").link("cwd", "/proc/self/cwd").link("procfs", "/proc");
    let world = image(&root, Still::default());
    let paths =
        ["/proc/self/status", "/sys/x", "/dev/x", "/etc/hosts", "/etc/mtab", "/cwd", "/procfs/self/status", "/proc"];
    for path in paths {
        let Fact::Unknown(gap) = world.read(path) else { panic!("{path}") };
        assert_eq!((gap.kind, gap.detail.as_str()), (GapKind::NotAsked, NOT_RUNNING), "{path}");
        assert!(world.list(path).is_unknown() && world.stat(path).is_unknown() && world.open(path).is_unknown());
    }
    assert_eq!(world.read("/etc/os"), Fact::Known("z".to_owned()));
    assert!(world.volume("/").is_unknown() && world.open_device_errno("/etc/os").is_unknown());
    assert!(world.connect(([127, 0, 0, 1], 1).into(), Duration::from_secs(1)).is_err());
}

#[test]
fn the_real_root_as_an_image_is_no_way_to_this_machine() {
    let world = World::image("/", Vec::new(), Still::default(), Duration::from_secs(5));
    assert!(!world.is_real() && world.read("/proc/self/status").is_unknown());
    assert!(world.exists("/etc").known().is_some_and(|is| *is));
}

#[test]
fn who_may_do_what_is_told_by_the_bits_for_the_user_of_the_image() {
    let root = FakeRoot::of(&[("tool", "x"), ("text", "x")], &[]);
    root.mode("tool", 0o750).mode("text", 0o644);
    let stat = root.stat("/tool");
    let owner = stat.known().expect("a file");
    for (still, executable, writable) in
        [(run_by(0, 0), true, true), (run_by(owner.uid.wrapping_add(1000), owner.gid.wrapping_add(1000)), false, false)]
    {
        let world = image(&root, still.clone());
        assert_eq!(world.executable("/tool"), Fact::Known(executable), "{still:?}");
        assert_eq!(world.writable("/text"), Fact::Known(writable), "{still:?}");
        assert_eq!(world.executable("/text"), Fact::Known(false), "nobody may, not even root");
    }
    let unknown = image(&root, Still::default());
    assert_eq!(unknown.executable("/tool"), Fact::Known(true));
    assert!(unknown.writable("/text").is_unknown() && unknown.writable("/nothing").is_absent());
}

#[test]
fn without_a_configuration_a_variable_is_missed_and_with_one_it_is_not() {
    let root = FakeRoot::new();
    let world = image(&root, Still::default()).remembering();
    assert!(world.missed().is_none());
    world.env("LD_LIBRARY_PATH");
    assert!(world.missed().is_some_and(|gap| gap.detail.contains("--image-config")));
    assert!(world.working_folder().is_unknown() && world.user_of_image().is_unknown());
    let world = image(&root, run_by(1, 1)).remembering();
    assert_eq!(world.env("A"), Some("b".to_owned()));
    assert!(world.missed().is_none());
    assert_eq!(world.working_folder(), Fact::Known(PathBuf::from("/srv")));
}

#[test]
fn nothing_but_regular_files_is_opened() {
    let root = FakeRoot::new();
    let fifo = root.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a fifo");
    root.link("link", "/fifo").folder("folder").file("file", "x");
    let world = image(&root, Still::default());
    for path in ["/fifo", "/link", "/folder"] {
        let Fact::Unknown(gap) = world.read(path) else { panic!("{path}") };
        assert!(gap.detail.contains("no regular file") && world.open(path).is_unknown(), "{path}: {gap}");
    }
    assert_eq!(world.read("/file"), Fact::Known("x".to_owned()));
    assert!(world.read("/nothing").is_absent());
}

#[test]
fn the_first_class_of_a_user_decides_as_the_kernel_has_it() {
    let root = FakeRoot::of(&[("x", "")], &[]);
    let of = |uid: u32, gid: u32, mode: u32| Stat { mode, uid, gid, ..root.stat("/x").known().cloned().expect("stat") };
    let user = User { uid: 7, gid: 8, groups: vec![9] };
    for (stat, bit, may) in [
        (of(7, 1, 0o100), 1, true),
        (of(7, 8, 0o077), 4, false),
        (of(1, 8, 0o040), 4, true),
        (of(1, 9, 0o020), 2, true),
        (of(1, 9, 0o707), 2, false),
        (of(1, 1, 0o001), 1, true),
        (of(1, 1, 0o770), 4, false),
    ] {
        assert_eq!(user.may(&stat, bit), may, "{stat:?} {bit}");
    }
}
