//! True and damaged ELF files, made here byte by byte.
#![allow(clippy::disallowed_methods)]

use super::*;
use std::path::Path;
use std::time::Duration;

/// A small but true shared object with this soname, these dependencies and this run path (tag 15 or 29).
pub fn image(soname: &str, needed: &[&str], path: Option<(u64, &str)>) -> Vec<u8> {
    let mut strings = vec![0_u8];
    let mut dynamic: Vec<(u64, u64)> = Vec::new();
    let mut add = |tag: u64, text: &str| {
        dynamic.push((tag, strings.len() as u64));
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
    };
    for name in needed {
        add(1, name);
    }
    add(14, soname);
    if let Some((tag, text)) = path {
        add(tag, text);
    }
    let dynamic_offset = (HEADER + 2 * SEGMENT) as u64;
    let dynamic_length = (dynamic.len() as u64 + 2) * 16;
    let strings_offset = dynamic_offset + dynamic_length;
    dynamic.push((5, strings_offset));
    dynamic.push((0, 0));
    let size = strings_offset + strings.len() as u64;
    let machine: u16 = if std::env::consts::ARCH == "aarch64" { 183 } else { 62 };
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    out.extend(3_u16.to_le_bytes());
    out.extend(machine.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    for word in [0_u64, HEADER as u64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    for (kind, offset, length) in [(1_u32, 0, size), (2, dynamic_offset, dynamic_length)] {
        out.extend(kind.to_le_bytes());
        out.extend(4_u32.to_le_bytes());
        for word in [offset, offset, offset, length, length, 8] {
            out.extend(word.to_le_bytes());
        }
    }
    for (tag, value) in dynamic {
        out.extend(tag.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend(strings);
    out
}

fn read_bytes(bytes: &[u8]) -> Contents {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::write(root.path().join("lib.so"), bytes).expect("a file");
    let world = World::at(root.path(), Vec::new(), Duration::from_secs(1));
    let Fact::Known(found) = read(&world, "/lib.so") else { panic!("it can be read") };
    found
}

#[test]
fn the_dynamic_section_is_read() {
    let bytes = image("libcublas.so.12", &["libcublasLt.so.12", "libc.so.6"], Some((15, "$ORIGIN:/opt/lib")));
    let Contents::Elf(elf) = read_bytes(&bytes) else { panic!("an ELF file") };
    assert!(elf.is_native() && elf.shared && elf.whole, "{elf:?}");
    assert_eq!(elf.soname.as_deref(), Some("libcublas.so.12"));
    assert_eq!(elf.needed, ["libcublasLt.so.12", "libc.so.6"]);
    assert_eq!(elf.rpath, ["$ORIGIN", "/opt/lib"]);
    assert!(elf.runpath.is_empty());
}

#[test]
fn a_cut_file_is_not_whole_at_any_length_and_never_panics() {
    let bytes = image("libcudart.so.12", &["libc.so.6"], Some((29, "/opt/lib")));
    for length in 0..bytes.len() {
        match read_bytes(&bytes[..length]) {
            Contents::Elf(elf) => assert!(!elf.whole, "{length}"),
            Contents::Other => assert!(length < 5, "{length}"),
        }
    }
}

#[test]
fn no_byte_of_a_hostile_file_makes_it_panic() {
    let bytes = image("libcudart.so.12", &["libc.so.6"], Some((15, "/opt/lib")));
    let root = tempfile::tempdir().expect("a folder");
    let world = World::at(root.path(), Vec::new(), Duration::from_secs(1));
    for at in 0..bytes.len() {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            std::fs::write(root.path().join("lib.so"), &damaged).expect("a file");
            assert!(read(&world, "/lib.so").known().is_some());
        }
    }
}

#[test]
fn a_linker_script_and_an_empty_file_are_no_elf() {
    assert_eq!(read_bytes(b"/* GNU ld script */\nINPUT(libcudart.so.12)\n"), Contents::Other);
    assert_eq!(read_bytes(b""), Contents::Other);
}

#[test]
fn a_folder_in_place_of_a_file_is_a_gap() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(root.path().join("lib.so")).expect("a folder");
    let world = World::at(root.path(), Vec::new(), Duration::from_secs(1));
    assert!(read(&world, "/lib.so").is_unknown());
    assert!(read(&world, "/nothing.so").is_absent());
}

#[test]
fn our_own_program_is_understood() {
    let own = World::at("/", Vec::new(), Duration::from_secs(1));
    let path = own.real_path("/proc/self/exe").known().cloned().expect("a path");
    let Fact::Known(Contents::Elf(elf)) = read(&own, &Path::new(&path).to_string_lossy()) else {
        panic!("an ELF file")
    };
    assert!(elf.is_native() && elf.whole);
    assert!(elf.needed.iter().any(|name| name.starts_with("libc.so")), "{:?}", elf.needed);
}
