//! True and damaged ELF files, made here byte by byte.
#![allow(clippy::disallowed_methods)]

use super::*;
use crate::world::FakeRoot;
use std::path::Path;
use std::time::Duration;

/// Size of the header of a 64-bit file.
const HEADER: usize = size_of::<Header>();
/// Size of a program header of a 64-bit file.
const SEGMENT: usize = size_of::<Segment>();

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
    let Fact::Known(found) = read(FakeRoot::new().file("lib.so", bytes), "/lib.so") else { panic!("it can be read") };
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
            Contents::Other => assert!(length < HEADER, "{length}"),
        }
    }
}

#[test]
fn no_byte_of_a_hostile_file_makes_it_panic() {
    let bytes = image("libcudart.so.12", &["libc.so.6"], Some((15, "/opt/lib")));
    let root = FakeRoot::new();
    for at in 0..bytes.len() {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            assert!(read(root.file("lib.so", &damaged), "/lib.so").known().is_some());
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
    let root = FakeRoot::new();
    assert!(read(root.folder("lib.so"), "/lib.so").is_unknown());
    assert!(read(&root, "/nothing.so").is_absent());
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

/// Where the header of a segment lies in an [`image`]: 0 is loaded, 1 the dynamic section.
fn segment(index: usize) -> usize {
    HEADER + index * SEGMENT
}

fn with(bytes: &[u8], changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (at, new) in changes {
        out[*at..at + new.len()].copy_from_slice(new);
    }
    out
}

#[test]
fn what_the_loader_refuses_is_not_whole() {
    let good = image("libcudart.so.12", &["libc.so.6"], None);
    let huge = u64::MAX.to_le_bytes();
    for (what, changes) in [
        ("no segments", vec![(56, &[0, 0][..])]),
        ("segments nowhere", vec![(32, &[0; 8][..])]),
        ("segments outside", vec![(32, &huge[..])]),
        ("segments of another size", vec![(54, &[57, 0][..])]),
        ("more segments than bytes", vec![(56, &[0xfe, 0xff][..])]),
        ("a count of segments in a section that is not there", vec![(56, &[0xff, 0xff][..])]),
        ("sections outside", vec![(40, &huge[..]), (60, &[1, 0][..])]),
        ("a segment outside", vec![(segment(0) + 8, &huge[..])]),
        ("a segment longer than the file", vec![(segment(1) + 32, &huge[..])]),
    ] {
        let Contents::Elf(elf) = read_bytes(&with(&good, &changes)) else { panic!("{what}") };
        assert!(!elf.whole, "{what}");
    }
}

#[test]
fn names_that_cannot_be_read_leave_the_rest() {
    let good = image("libcudart.so.12", &["libc.so.6"], Some((29, "/opt/lib")));
    let dynamic = segment(2);
    let outside = with(&good, &[(dynamic + 8, &u64::MAX.to_le_bytes())]);
    let Contents::Elf(elf) = read_bytes(&outside) else { panic!("an ELF file") };
    assert_eq!((elf.needed.len(), elf.soname.as_deref()), (0, Some("libcudart.so.12")));
    let uneven = with(&good, &[(segment(1) + 32, &[5 * 16 - 1])]);
    let Contents::Elf(elf) = read_bytes(&uneven) else { panic!("an ELF file") };
    assert_eq!(elf.needed, ["libc.so.6"], "half an entry at the end");
    // The run path stands last: without its zero it does not end within the file.
    let Contents::Elf(elf) = read_bytes(&with(&good, &[(good.len() - 1, b"x")])) else { panic!("an ELF file") };
    assert_eq!((elf.runpath.len(), elf.soname.as_deref()), (0, Some("libcudart.so.12")));
}

/// A file whose tables claim to be as long as it is: a terabyte, most of it a hole.
#[test]
fn tables_of_a_terabyte_are_not_read() {
    const SIZE: u64 = 1 << 40;
    let root = FakeRoot::new();
    let look = |bytes: &[u8]| {
        let path = root.file("lib.so", bytes).path().join("lib.so");
        std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(SIZE)).expect("a hole");
        let Fact::Known(file) = root.open("/lib.so") else { panic!("it opens") };
        (read(&root, "/lib.so"), sections::find(&file, SIZE, &[".nv_fatbin"]))
    };
    let good = image("libcudart.so.12", &["libc.so.6"], None);
    let (elf, _) = look(&with(&good, &[(segment(1) + 32, &(SIZE - 4096).to_le_bytes())]));
    let Fact::Known(Contents::Elf(elf)) = elf else { panic!("an ELF file") };
    assert!(elf.whole && elf.needed == ["libc.so.6"], "its front is read: {elf:?}");
    // Counts above 16 bits stand in the first section: that of segments at byte 44 of it, of sections at byte 32.
    let sectioned = with_sections(&[(".nv_fatbin", b"abc")]);
    let table = usize::try_from(u64::from_le_bytes(*sectioned[40..].first_chunk().expect("a number"))).expect("small");
    let most = u32::MAX.to_le_bytes();
    let segments = with(&sectioned, &[(32, &[64]), (54, &[56]), (56, &[0xff; 2]), (table + 44, &most)]);
    let (elf, found) = look(&segments);
    assert!(elf.is_unknown() && found.is_some(), "{elf:?}");
    let (_, found) = look(&with(&sectioned, &[(60, &[0; 2]), (table + 32, &most)]));
    assert_eq!(found, None, "four billion sections");
    let (_, found) = look(&with(&sectioned, &[(60, &[0xff; 2])]));
    assert_eq!(found, None, "more sections than any library has");
    let names = table + 2 * 64 + 32;
    let (_, found) = look(&with(&sectioned, &[(names, &(SIZE - 4096).to_le_bytes())]));
    assert_eq!(found, None, "a terabyte of names");
}

#[test]
fn a_thousand_names_are_not_all_read_and_nothing_is_said_of_them() {
    let many: Vec<String> = (0..1000).map(|number| format!("lib{number}.so")).collect();
    let needed: Vec<&str> = many.iter().map(String::as_str).collect();
    let root = FakeRoot::new();
    let read = |bytes: &[u8]| read(root.file("lib.so", bytes), "/lib.so");
    assert!(read(&image("libcudart.so.12", &needed[..200], None)).known().is_some());
    assert!(read(&image("libcudart.so.12", &needed, None)).is_unknown());
    let long = image("libcudart.so.12", &[], Some((15, &"/".repeat(5000))));
    assert!(read(&[long, vec![0; 8192]].concat()).is_unknown(), "a longer run path than is read");
}

/// A file of these sections and no segments.
pub fn with_sections(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut names = vec![0_u8];
    let mut body = Vec::new();
    let mut headers = vec![[0_u8; 64]];
    let mut section = |name: &str, kind: u32, offset: u64, length: u64| {
        let mut header = [0_u8; 64];
        header[0..4].copy_from_slice(&u32::try_from(names.len()).expect("short").to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&offset.to_le_bytes());
        header[32..40].copy_from_slice(&length.to_le_bytes());
        headers.push(header);
        names.extend(name.as_bytes());
        names.push(0);
    };
    for (name, bytes) in sections {
        section(name, 1, (HEADER + body.len()) as u64, bytes.len() as u64);
        body.extend_from_slice(bytes);
    }
    let names_length = 1 + sections.iter().map(|(name, _)| name.len() + 1).sum::<usize>() + ".shstrtab".len() + 1;
    section(".shstrtab", 3, (HEADER + body.len()) as u64, names_length as u64);
    let count = u16::try_from(headers.len()).expect("few");
    body.extend_from_slice(&names);
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(HEADER, 0);
    out[40..48].copy_from_slice(&((HEADER + body.len()) as u64).to_le_bytes());
    out[58..60].copy_from_slice(&64_u16.to_le_bytes());
    out[60..62].copy_from_slice(&count.to_le_bytes());
    out[62..64].copy_from_slice(&(count - 1).to_le_bytes());
    out.extend(body);
    out.extend(headers.concat());
    out
}

fn found(bytes: &[u8], names: &[&str]) -> Option<Vec<(u64, u64)>> {
    let root = FakeRoot::new();
    let Fact::Known(file) = root.file("lib.so", bytes).open("/lib.so") else { panic!("it opens") };
    let found = sections::find(&file, bytes.len() as u64, names)?;
    Some(found.into_iter().map(|place| (place.start, place.end)).collect())
}

#[test]
fn sections_are_found_by_their_whole_names() {
    let file = with_sections(&[(".nv_fatbin", b"abc"), (".nv_fatbinary", b"de"), (".text", b"f")]);
    assert_eq!(found(&file, &[".nv_fatbin"]), Some(vec![(64, 67)]));
    assert_eq!(found(&file, &[".text", ".nv_fatbin"]), Some(vec![(64, 67), (69, 70)]));
    assert_eq!(found(&file, &["__nv_relfatbin"]), Some(Vec::new()));
}

#[test]
fn tables_of_sections_that_lie_outside_are_refused() {
    let good = with_sections(&[(".nv_fatbin", b"abc")]);
    assert_eq!(found(&good[..good.len() - 1], &[".nv_fatbin"]), None);
    for (at, bytes) in [(40, vec![0xff; 8]), (58, vec![1, 0]), (62, vec![9, 0]), (4, vec![1]), (0, vec![0])] {
        let mut wrong = good.clone();
        wrong[at..at + bytes.len()].copy_from_slice(&bytes);
        assert_eq!(found(&wrong, &[".nv_fatbin"]), None, "byte {at}");
    }
    let section = good.len() - 2 * 64;
    let long = with(&good, &[(section + 32, &u64::MAX.to_le_bytes())]);
    assert_eq!(found(&long, &[".nv_fatbin"]), None, "longer than the file");
    let nameless = with(&good, &[(section, &u32::MAX.to_le_bytes())]);
    assert_eq!(found(&nameless, &[".nv_fatbin"]), None, "a name outside of the table of names");
    let endless = with_sections(&[(".nv_fatbin", b"abc")]);
    let table = endless.len() - 3 * 64;
    let endless = with(&endless, &[(table - 1, b"x")]);
    assert_eq!(found(&endless, &[".nv_fatbin"]), None, "a name without an end");
    let empty = with(&good, &[(section + 4, &8_u32.to_le_bytes())]);
    assert_eq!(found(&empty, &[".nv_fatbin"]), Some(Vec::new()), "it takes no place in the file");
}
