//! An image that is older than the machine that built the program: the program starts there, and says the same.
//!
//! What the system's own linker makes asks for the glibc of this machine; `packaging/linker` asks for an old one.

use object::Endianness;
use object::read::elf::ElfFile64;

use super::gpu::with_real_libraries;
use super::isolation::hardened;
use crate::support::docker::{BASE, OLD, PATIENT, Recipe, available, text};
use crate::support::real_parts::skip;

/// The glibc of the oldest systems in use, and of the wheels named manylinux2014.
const OLDEST: (u32, u32) = (2, 17);

/// The glibc that the program asks for.
fn glibc() -> (u32, u32) {
    let data = std::fs::read(env!("CARGO_BIN_EXE_gpu-preflight")).expect("the program");
    let elf = ElfFile64::<Endianness>::parse(&*data).expect("an ELF file");
    let (endian, sections) = (elf.endian(), elf.elf_section_table());
    let (mut needed, names) = sections.gnu_verneed(endian, &*data).expect("sections").expect("versions");
    let names = sections.strings(endian, &*data, names).expect("their names");
    let mut highest = (0, 0);
    while let Some((_, mut versions)) = needed.next().expect("a library") {
        while let Some(version) = versions.next().expect("a version") {
            let name = std::str::from_utf8(version.name(endian, names).expect("a name")).expect("text");
            let numbers = name.strip_prefix("GLIBC_").and_then(|numbers| numbers.split_once('.'));
            let Some((major, minor)) = numbers else { continue };
            let number = |text: &str| text.split('.').next().and_then(|text| text.parse().ok());
            highest = highest.max((number(major).expect("a number"), number(minor).expect("a number")));
        }
    }
    highest
}

/// Whether the program under test is linked as it is shipped.
fn is_portable() -> bool {
    let (major, minor) = glibc();
    assert!((major, minor) > (2, 0), "a program of glibc");
    (major, minor) <= OLDEST
        || skip(&format!(
            "the program asks for glibc {major}.{minor}: run packaging/tools, and test with packaging/linker as cargo's linker"
        ))
}

#[test]
fn an_old_image_is_told_the_same_as_a_new_one() {
    if !is_portable() || !available() {
        return;
    }
    let looks = |image| with_real_libraries(hardened(image)).map(|recipe| recipe.check(&[]));
    let (Some(old), Some(new)) = (looks(OLD), looks(BASE)) else { return };
    assert_eq!(old.fact("cuda.init_code"), 100, "{}", old.fact("cuda"));
    assert_eq!((old.verdict(), old.code), (new.verdict(), new.code));
    // Nobody mends Debian 11 any longer; what else is the same.
    let ended = |(check, subject): &(String, String)| check == "image.parts-maintained" && subject.contains("Linux 11");
    for outcome in ["fails", "unknown", "blocked"] {
        let mut told = old.subjects(outcome);
        let count = told.len();
        told.retain(|finding| !ended(finding));
        assert_eq!(told.len() < count, outcome == "fails", "{outcome}: {}", old.troubles());
        assert_eq!(told, new.subjects(outcome), "{outcome}: {}", old.troubles());
    }
}

#[test]
fn an_old_images_workload_is_started() {
    if !is_portable() || !available() {
        return;
    }
    let exec = ["gpu-preflight", "exec", PATIENT, "--mode=report", "--no-gpu", "--", "sh", "-c", "exit 7"];
    let output = Recipe::plain(OLD).run(&exec);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
}
