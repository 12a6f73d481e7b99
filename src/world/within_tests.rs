//! Links that try to lead out of a folder that plays the root.
#![allow(clippy::disallowed_methods)] // a test is no probe

use super::*;
use crate::facts::Fact;
use crate::world::{FakeRoot, Still, World};

fn image(root: &FakeRoot) -> World {
    World::image(root.path(), Vec::new(), Still::default(), std::time::Duration::from_secs(5))
}

#[test]
fn no_link_leads_out_of_the_root() {
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("secret"), "outside").expect("a file");
    let out = outside.path().join("secret");
    let up = "../".repeat(40);
    let root = FakeRoot::of(&[("etc/own", "inside"), ("a/b/c/deep", "inside")], &[]);
    for (path, target) in [
        ("absolute", out.to_str().expect("text").to_owned()),
        ("relative", format!("{up}{}", out.to_str().expect("text").trim_start_matches('/'))),
        ("a/b/up", format!("..{}", out.display())),
        ("folder", outside.path().display().to_string()),
        ("once", "/absolute".to_owned()),
        ("twice", "once".to_owned()),
    ] {
        root.link(path, &target);
    }
    let image = image(&root);
    for path in ["/absolute", "/relative", "/a/b/up", "/folder/secret", "/twice", "/../../../../../..//absolute"] {
        assert!(image.read(path).is_absent(), "{path}: {:?}", image.read(path));
        assert!(image.stat(path).is_absent() && image.open(path).is_absent() && image.real_path(path).is_absent());
    }
    assert!(image.list("/folder").is_absent());
    assert_eq!(image.link("/absolute"), Fact::Known(out), "what it says may be told");
}

#[test]
fn links_are_resolved_as_the_kernel_would_with_that_root() {
    let root = FakeRoot::of(&[("etc/own", "inside"), ("usr/bin/tool", "x"), ("opt/a/b/file", "y")], &[]);
    root.link("bin", "usr/bin").link("opt/abs", "/etc").link("opt/many", "../../../../../etc/own");
    root.link("opt/deep", "a/b").link("opt/chain", "abs/own").link("rooted", "/");
    let image = image(&root);
    for (path, real) in [
        ("/bin/tool", "/usr/bin/tool"),
        ("/opt/abs/own", "/etc/own"),
        ("/opt/many", "/etc/own"),
        ("/opt/deep/../../abs/own", "/etc/own"),
        ("/opt/deep/file", "/opt/a/b/file"),
        ("/opt/chain", "/etc/own"),
        ("/rooted/rooted/bin/../bin/tool", "/usr/bin/tool"),
        ("/..", "/"),
        ("/", "/"),
    ] {
        assert_eq!(image.real_path(path), Fact::Known(PathBuf::from(real)), "{path}");
    }
    assert!(image.stat_link("/bin").known().is_some_and(|stat| stat.kind == rustix::fs::FileType::Symlink));
    assert!(image.stat("/bin").known().is_some_and(|stat| stat.kind == rustix::fs::FileType::Directory));
}

#[test]
fn loops_end_and_are_no_absence() {
    let root = FakeRoot::new();
    root.link("self", "self").link("a", "b").link("b", "/a").link("grow", "grow/grow/grow");
    let image = image(&root);
    for path in ["/self", "/a/x", "/grow"] {
        assert!(image.read(path).is_unknown(), "{path}: {:?}", image.read(path));
    }
    let long = "/x".repeat(PATH_MAX);
    assert!(image.read(&long).is_unknown());
}

#[test]
fn what_is_no_folder_has_nothing_below_it() {
    let folder = FakeRoot::of(&[("file", "x")], &[]);
    let root = image(&folder);
    assert!(root.read("/file/below").is_absent() && root.stat_link("/file/below").is_absent());
    assert!(root.read("/nothing/below").is_absent());
}
