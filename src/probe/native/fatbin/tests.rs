//! True and damaged containers, made here byte by byte.

use super::*;
use std::io::Write;

/// Code of a kind (1 PTX, 2 machine code) for an architecture, with flags.
pub type Entry = (u16, u32, u64);

/// A container of these entries, each with a payload of `payload` bytes.
pub fn container(entries: &[Entry], payload: usize) -> Vec<u8> {
    let mut inner = Vec::new();
    for (kind, number, flags) in entries {
        let mut header = vec![0_u8; 64];
        header[0..2].copy_from_slice(&kind.to_le_bytes());
        header[2..4].copy_from_slice(&257_u16.to_le_bytes());
        header[4..8].copy_from_slice(&64_u32.to_le_bytes());
        header[8..16].copy_from_slice(&(payload as u64).to_le_bytes());
        header[28..32].copy_from_slice(&number.to_le_bytes());
        header[40..48].copy_from_slice(&flags.to_le_bytes());
        inner.extend(header);
        inner.resize(inner.len() + payload, 0xab);
    }
    let mut out = MAGIC.to_le_bytes().to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend(16_u16.to_le_bytes());
    out.extend((inner.len() as u64).to_le_bytes());
    out.extend(inner);
    out
}

fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    let words = |group: Group| group.iter().map(ToString::to_string).collect();
    groups(&file.into(), 0..bytes.len() as u64).map(|groups| groups.into_iter().map(words).collect())
}

#[test]
fn every_form_of_code_is_told_in_the_compilers_words() {
    let entries = [(2, 80, 0x2011), (2, 90, 0x10_2011), (2, 100, 0x120_8011), (1, 120, 0x8011), (8, 90, 0)];
    let found = read(&container(&entries, 24)).expect("a container");
    assert_eq!(found, [["sm_80", "sm_90a", "sm_100f", "compute_120"]]);
}

#[test]
fn containers_stand_in_a_row_with_padding_between() {
    let mut bytes = container(&[(2, 70, 0)], 8);
    bytes.extend([0; 16]);
    bytes.extend(container(&[(2, 75, 0), (2, 75, 0)], 0));
    bytes.extend([0; 8]);
    assert_eq!(read(&bytes).expect("two containers"), [["sm_70"], ["sm_75"]]);
    assert_eq!(read(&[]).expect("nothing"), Vec::<Vec<String>>::new());
}

#[test]
fn what_is_not_known_is_refused() {
    let good = container(&[(2, 80, 0), (1, 80, 0)], 16);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        read(&changed).expect_err("refused")
    };
    assert!(with(0, &[1]).contains("no container at byte 0"));
    assert!(with(4, &[2]).contains("unknown form at byte 0"), "another version");
    assert!(with(6, &[0]).contains("unknown form at byte 0"), "a header without a length");
    assert!(with(8, &[0xff; 8]).contains("unknown form at byte 0"), "longer than the section");
    assert!(with(20, &[0; 4]).contains("unknown form at byte 16"), "an entry without a header");
    assert!(with(24, &[0xff; 8]).contains("unknown form at byte 16"), "a payload longer than the container");
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_is_cut() {
    let good = container(&[(2, 80, 0), (1, 80, 0)], 16);
    for length in 16..good.len() {
        assert!(read(&good[..length]).is_err(), "{length} of {}", good.len());
    }
}
