//! Layers as docker, podman and somebody hostile would write them.
#![allow(clippy::disallowed_methods)] // a test is no probe

use std::fs;
use std::io::Write;
use std::time::Duration;

use tar::{Builder, EntryType, Header};

use super::*;
use crate::facts::Fact;
use crate::world::{FakeRoot, World};

/// One entry of a layer.
enum Piece<'a> {
    File(&'a str, &'a [u8]),
    Folder(&'a str, u32),
    Link(&'a str, &'a str),
    Again(&'a str, &'a str),
    Device(&'a str),
    Kind(&'a str, EntryType),
}
use Piece::{Again, Device, File, Folder, Kind, Link};

fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(1000);
    header.set_gid(1000);
    header.set_mtime(7);
    header
}

/// The archive of these pieces; a name is taken as it is, wherever it leads.
fn layer(pieces: &[Piece]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for piece in pieces {
        let (name, mut header, bytes): (&str, Header, &[u8]) = match *piece {
            File(name, bytes) => (name, header(EntryType::Regular, bytes.len() as u64, 0o644), bytes),
            Folder(name, mode) => (name, header(EntryType::Directory, 0, mode), b""),
            Link(name, target) => {
                let mut header = header(EntryType::Symlink, 0, 0o777);
                header.set_link_name_literal(target).expect("a target");
                (name, header, b"")
            }
            Again(name, target) => {
                let mut header = header(EntryType::Link, 0, 0o644);
                header.set_link_name_literal(target).expect("a target");
                (name, header, b"")
            }
            Device(name) => {
                let mut header = header(EntryType::Char, 0, 0o666);
                header.set_device_major(1).expect("a number");
                header.set_device_minor(3).expect("a number");
                (name, header, b"")
            }
            Kind(name, kind) => (name, header(kind, 0, 0o644), b""),
        };
        let place = &mut header.as_old_mut().name;
        if name.len() < place.len() {
            place[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, bytes).expect("memory");
        } else {
            builder.append_data(&mut header, name, bytes).expect("memory");
        }
    }
    builder.into_inner().expect("memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let frame = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    // Two frames, and one that is to be skipped between them.
    [frame(first), vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], frame(second)].concat()
}

const CONFIG: &str = r#"{"architecture": "amd64", "config": {}}"#;

/// What `docker save` writes of these layers.
fn saved(layers: &[Vec<u8>]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image.tar");
    let names: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest = serde_json::json!([{ "Config": "c.json", "Layers": names }]).to_string();
    let mut pieces = vec![File("manifest.json", manifest.as_bytes()), File("c.json", CONFIG.as_bytes())];
    pieces.extend(names.iter().zip(layers).map(|(name, bytes)| File(name, bytes)));
    fs::write(&path, layer(&pieces)).expect("a file");
    (folder, path)
}

fn world(layers: &[Vec<u8>]) -> World {
    let (_folder, path) = saved(layers);
    let tree = find(&path).and_then(|found| found.tree()).expect("an image");
    World::archived(tree, Duration::from_secs(5))
}

fn known(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

#[test]
fn later_layers_replace_remove_and_empty_what_earlier_ones_have() {
    let layers = [
        layer(&[
            Folder("etc/", 0o755),
            File("etc/kept", b"1"),
            File("etc/replaced", b"1"),
            File("etc/removed", b"1"),
            File("opt/old/a", b"1"),
            File("opt/old/deep/b", b"1"),
            File("opt/gone/c", b"1"),
            File("var/file", b"1"),
            Link("bin", "usr/bin"),
            Folder("usr/bin/", 0o755),
        ]),
        layer(&[
            File("etc/replaced", b"22"),
            File("etc/.wh.removed", b""),
            File("opt/old/new", b"2"),
            File("opt/old/.wh..wh..opq", b""),
            File("opt/.wh.gone", b""),
            File("opt/gone/again", b"2"),
            Folder("var/file/", 0o700),
            File("var/file/inside", b"2"),
            File("bin/tool", b"2"),
            File(".wh.nothing", b""),
        ]),
    ];
    for pack in [|layer: &Vec<u8>| layer.clone(), |layer: &Vec<u8>| gzip(layer), |layer: &Vec<u8>| zstd(layer)] {
        let world = world(&layers.iter().map(pack).collect::<Vec<_>>());
        for (path, text) in [
            ("/etc/kept", "1"),
            ("/etc/replaced", "22"),
            ("/opt/old/new", "2"),
            ("/opt/gone/again", "2"),
            ("/var/file/inside", "2"),
            ("/usr/bin/tool", "2"),
            ("/bin/tool", "2"),
        ] {
            assert_eq!(world.read(path), known(text), "{path}");
        }
        for path in ["/etc/removed", "/opt/old/a", "/opt/old/deep", "/opt/gone/c", "/nothing", "/etc/.wh.removed"] {
            assert!(world.stat_link(path).is_absent(), "{path}: {:?}", world.stat_link(path));
        }
        assert_eq!(world.list("/opt/old"), Fact::Known(vec!["new".to_owned()]));
        assert_eq!(world.real_path("/bin/tool"), Fact::Known(PathBuf::from("/usr/bin/tool")));
        let stat = world.stat("/etc/replaced");
        assert!(
            stat.known().is_some_and(
                |stat| (stat.uid, stat.mode, stat.size_bytes, stat.modified_seconds) == (1000, 0o644, 2, 7)
            )
        );
        assert!(world.left_out_entries().is_empty());
    }
}

#[test]
fn nothing_leads_out_and_what_was_left_out_is_said() {
    let long = format!("deep/{}", "n".repeat(300));
    let world = world(&[layer(&[
        File("../../outside", b"x"),
        File("/absolute", b"in"),
        File("a/../b/./c", b"in"),
        Link("out", "/../../../etc/passwd"),
        Link("up", "../../../../../../etc/passwd"),
        Link("loop", "loop"),
        Again("again", "b/c"),
        Again("missing", "../../etc/shadow"),
        Device("null"),
        Kind("odd", EntryType::new(b'9')),
        File(&long, b"long"),
    ])]);
    for (path, text) in [("/absolute", "in"), ("/b/c", "in"), ("/again", "in"), (&format!("/{long}"), "long")] {
        assert_eq!(world.read(path), known(text), "{path}");
    }
    assert!(world.read("/out").is_absent() && world.read("/up").is_absent() && world.read("/outside").is_absent());
    assert!(world.read("/loop").is_unknown() && world.read("/null").is_unknown(), "a device is never read");
    assert_eq!(world.stat("/null").map(|stat| stat.device_number), Fact::Known((1, 3)));
    let left_out = world.left_out_entries();
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    assert!(left_out[0].contains("leads out") && left_out[1].contains("missing") && left_out[2].contains("odd"));
}

#[test]
fn of_a_compressed_layer_short_files_and_programs_are_kept_and_the_others_are_said() {
    let big = usize::try_from(layer::KEPT_MAX).expect("a size") + 1;
    let (weights, mut library) = (vec![7; big], vec![8; big]);
    library[..4].copy_from_slice(b"\x7fELF");
    let plain = layer(&[File("weights", &weights), File("lib.so", &library), File("after", b"x")]);
    let packed = world(&[gzip(&plain)]);
    let Fact::Unknown(gap) = packed.open("/weights") else { panic!("a gap") };
    assert!(gap.detail.contains("compressed"), "{gap}");
    assert_eq!(packed.stat("/weights").map(|stat| stat.size_bytes), Fact::Known(big as u64));
    assert_eq!(packed.read("/after"), known("x"));
    for world in [&packed, &world(&[plain])] {
        let file = world.open("/lib.so").known().map(|file| {
            let mut end = [0; 2];
            file.read_exact_at(&mut end, big as u64 - 2).expect("bytes");
            assert!(file.read_exact_at(&mut end, big as u64 - 1).is_err());
            (file.size().expect("a size"), end)
        });
        assert_eq!(file, Some((big as u64, [8, 8])));
    }
}

#[test]
fn what_is_damaged_is_refused_with_the_reason() {
    let whole = layer(&[File("a", &[1; 5000])]);
    let error = |layer: Vec<u8>| {
        let (_folder, path) = saved(&[layer]);
        find(&path).and_then(|found| found.tree()).expect_err("an error")
    };
    assert!(error(whole[..1000].to_vec()).contains("ends in the middle of a file"));
    assert!(error(whole[..700].to_vec()).contains("ends in the middle"));
    assert!(error(b"not a tar at all".repeat(100)).contains("is no tar archive"));
    assert!(!error(gzip(&whole)[..60].to_vec()).is_empty() && !error(vec![0x28, 0xb5, 0x2f, 0xfd, 9]).is_empty());
    let mut giant = header(EntryType::GNULongName, 1 << 40, 0o644);
    giant.set_cksum();
    assert!(error(giant.as_bytes().to_vec()).contains("a name of"));
    let mut endless = header(EntryType::Regular, 1 << 62, 0o644);
    endless.set_cksum();
    assert!(error(endless.as_bytes().to_vec()).contains("ends in the middle of a file"));
    assert!(!error(gzip(endless.as_bytes())).is_empty());
}

#[test]
fn layouts_are_followed_to_the_image_of_this_machine_and_no_further() {
    let root = FakeRoot::new();
    let own = if std::env::consts::ARCH == "x86_64" { "amd64" } else { "arm64" };
    let manifest = r#"{"config": {"digest": "sha256:c"}, "layers": [{"digest": "sha256:l"}]}"#;
    let index = |machine: &str| {
        format!(
            r#"{{"manifests": [{{"digest": "sha256:m", "platform": {{"architecture": "{machine}"}}}},
                {{"digest": "sha256:x", "platform": {{"architecture": "unknown"}}}}]}}"#
        )
    };
    root.file("index.json", r#"{"manifests": [{"digest": "sha256:i"}]}"#);
    root.file("blobs/sha256/i", index(own)).file("blobs/sha256/m", manifest).file("blobs/sha256/c", CONFIG);
    root.file("blobs/sha256/l", gzip(&layer(&[File("a", b"x")])));
    let found = find(root.path()).expect("an image");
    assert_eq!(found.config, CONFIG);
    assert_eq!(World::archived(found.tree().expect("a tree"), Duration::from_secs(1)).read("/a"), known("x"));
    let refused = |text: &str, why: &str| {
        root.file("blobs/sha256/i", text);
        let error = find(root.path()).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
    };
    refused(&index("s390x"), "for this machine type");
    refused(r#"{"manifests": [{"digest": "sha256:m"}, {"digest": "sha256:c"}]}"#, "holds 2 images");
    refused(r#"{"manifests": [{"digest": "sha256:../../../etc/passwd"}]}"#, "a digest is none");
    refused(r#"{"manifests": [{"digest": "sha256:i"}]}"#, "indexes in indexes");
    refused(r#"{"manifests": [{"digest": "sha256:nothing"}]}"#, "is not in it");
    refused("[]", "names no image");
    // A blob that is a link out of the layout is not there.
    fs::remove_file(root.path().join("blobs/sha256/m")).expect("a file");
    root.link("blobs/sha256/m", "/etc/passwd").file("blobs/sha256/i", index(own));
    assert!(find(root.path()).is_err_and(|error| error.contains("is not in it")));
    assert!(find(&root.path().join("blobs")).is_err_and(|error| error.contains("neither")));
    assert!(find(Path::new("/nothing/here")).is_err());
    root.file("whole.tar.gz", gzip(b"x"));
    assert!(find(&root.path().join("whole.tar.gz")).is_err_and(|error| error.contains("uncompress it first")));
}
