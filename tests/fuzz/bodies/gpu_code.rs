//! A library with sections of GPU code: a whole file, or only the section in a file that is well-formed.

use gpu_preflight::derive::target;
use gpu_preflight::facts::reference::gpus;
use gpu_preflight::facts::{Fact, Facts, Framework};
use gpu_preflight::probe::native;

use super::root::Root;

pub fn read(bytes: &[u8], root: &Root) {
    let Some((whole, rest)) = bytes.split_first() else { return };
    let file = if whole % 4 == 0 { rest.to_vec() } else { around(rest) };
    root.write("/sp/torch/lib/libtorch_cuda.so", &file);
    let framework = Framework { site_packages: Fact::Known(vec!["/sp".to_owned()]), ..Framework::default() };
    let native = native::collect(&root.world(&[]), &framework, &Fact::Absent);
    let facts = Facts { native, ..Facts::default() };
    for name in ["NVIDIA B200", "NVIDIA H200", "Tesla T4"] {
        let _ = target::on_model(&facts, gpus::gpu(name).expect("a model"));
    }
}

/// An ELF file whose `.nv_fatbin` is `section`.
fn around(section: &[u8]) -> Vec<u8> {
    let names = b"\0.nv_fatbin\0.shstrtab\0";
    let names_at = 64 + section.len() as u64;
    let table_at = names_at + names.len() as u64;
    let header = |name: u32, kind: u32, offset: u64, length: u64| {
        let mut header = [0_u8; 64];
        header[0..4].copy_from_slice(&name.to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&offset.to_le_bytes());
        header[32..40].copy_from_slice(&length.to_le_bytes());
        header
    };
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(64, 0);
    out[40..48].copy_from_slice(&table_at.to_le_bytes());
    out[58..60].copy_from_slice(&64_u16.to_le_bytes());
    out[60..62].copy_from_slice(&3_u16.to_le_bytes());
    out[62..64].copy_from_slice(&2_u16.to_le_bytes());
    out.extend(section);
    out.extend(names);
    out.extend([0; 64]);
    out.extend(header(1, 1, 64, section.len() as u64));
    out.extend(header(12, 3, names_at, names.len() as u64));
    out
}
