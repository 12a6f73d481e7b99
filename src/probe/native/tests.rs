//! A folder that plays an image with libraries of all kinds.
#![allow(clippy::disallowed_methods)]

use std::path::Path;
use std::time::Duration;

use super::fatbin::tests::container;
use super::*;
use crate::facts::Candidate;
use crate::probe::elf::tests::with_sections;

const SITE: &str = "/opt/venv/lib/python3.12/site-packages";

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

/// A library whose objects carry machine code for these architectures.
fn built_for(architectures: &[u32]) -> Vec<u8> {
    let entries: Vec<_> = architectures.iter().map(|number| (2, *number, 0)).collect();
    with_sections(&[(".nv_fatbin", &[container(&entries, 8), container(&entries, 16)].concat())])
}

fn look(root: &Path, environment: &[(&str, &str)], libraries: &Fact<Vec<Library>>) -> Vec<NativeLibrary> {
    let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let world = World::at(root, environment, Duration::from_secs(5));
    let framework = Framework { site_packages: Fact::Known(vec![SITE.to_owned()]), ..Framework::default() };
    collect(&world, &framework, libraries).libraries.known().expect("libraries").clone()
}

fn paths(libraries: &[NativeLibrary]) -> Vec<&str> {
    libraries.iter().map(|library| library.path.strip_prefix(SITE).unwrap_or(&library.path)).collect()
}

#[test]
fn libraries_with_gpu_code_are_found_wherever_packages_put_them() {
    let root = tempfile::tempdir().expect("a folder");
    let code = built_for(&[80, 90]);
    write(root.path(), &format!("{SITE}/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so"), &code);
    write(root.path(), &format!("{SITE}/torch/lib/libtorch_cuda.so"), &code);
    write(root.path(), &format!("{SITE}/torch/include/libtrap.so"), &code);
    write(root.path(), &format!("{SITE}/nvidia/cudnn/lib/libcudnn_ops.so.9"), &code);
    write(root.path(), &format!("{SITE}/numpy.libs/libopenblas.so.0"), &with_sections(&[(".text", b"x")]));
    write(root.path(), &format!("{SITE}/torch/lib/libshm.so"), b"no library");
    write(root.path(), "/opt/own/libown.so", &code);
    std::os::unix::fs::symlink("libown.so", root.path().join("opt/own/libown.so.1")).expect("a link");
    let found = look(root.path(), &[("LD_LIBRARY_PATH", "/opt/own:/nothing")], &Fact::Known(Vec::new()));
    assert_eq!(
        paths(&found),
        [
            "/torch/lib/libtorch_cuda.so",
            "/opt/own/libown.so",
            "/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so",
            "/nvidia/cudnn/lib/libcudnn_ops.so.9",
        ]
    );
    assert_eq!((found[0].role, found[1].role), (LibraryRole::Core, LibraryRole::Optional));
    assert_eq!(found[0].object_count, Fact::Known(2));
    assert_eq!(found[0].architectures, Fact::Known(vec!["sm_80".to_owned(), "sm_90".to_owned()]));
}

#[test]
fn of_cublas_only_the_copy_counts_that_the_workload_gets() {
    let root = tempfile::tempdir().expect("a folder");
    let old = format!("{SITE}/nvidia/cublas/lib/libcublas.so.12");
    write(root.path(), &old, &built_for(&[50]));
    write(root.path(), "/usr/local/cuda/lib64/libcublas.so.12.9.1", &built_for(&[90]));
    let winner = "/usr/local/cuda/lib64/libcublas.so.12".to_owned();
    let copy = Candidate {
        path: winner.clone(),
        real_path: Fact::Known("/usr/local/cuda/lib64/libcublas.so.12.9.1".to_owned()),
        ..Candidate::default()
    };
    let library = Library {
        id: LibraryId::Cublas,
        chosen: true,
        winner: Fact::Known(winner),
        candidates: vec![copy],
        ..Library::default()
    };
    let found = look(root.path(), &[], &Fact::Known(vec![library]));
    assert_eq!(paths(&found), ["/usr/local/cuda/lib64/libcublas.so.12.9.1"]);
    assert_eq!(found[0].role, LibraryRole::Core);
    assert_eq!(paths(&look(root.path(), &[], &Fact::Known(Vec::new()))), Vec::<&str>::new());
}

#[test]
fn a_section_of_unknown_form_is_a_gap_and_hides_no_other_library() {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path(), &format!("{SITE}/torch/lib/libtorch_cuda.so"), &with_sections(&[(".nv_fatbin", &[1; 64])]));
    write(root.path(), &format!("{SITE}/other.so"), &built_for(&[90]));
    let found = look(root.path(), &[], &Fact::Known(Vec::new()));
    assert_eq!(paths(&found), ["/torch/lib/libtorch_cuda.so", "/other.so"]);
    let Fact::Unknown(gap) = &found[0].sets else { panic!("{:?}", found[0]) };
    assert!(gap.detail.contains("no container at byte 64"), "{gap}");
}

#[test]
fn an_image_without_packages_has_no_gpu_code() {
    let root = tempfile::tempdir().expect("a folder");
    assert_eq!(look(root.path(), &[], &Fact::Absent), Vec::new());
}

/// Its containers lie in `.data`, and what stands in its section of GPU code would say that it runs nowhere (cuFFT 11.3).
#[test]
fn cufft_is_not_spoken_of_and_its_neighbours_are() {
    let root = tempfile::tempdir().expect("a folder");
    let code = built_for(&[50]);
    write(root.path(), &format!("{SITE}/nvidia/cufft/lib/libcufft.so.11"), &code);
    write(root.path(), &format!("{SITE}/nvidia/cufft/lib/libcufftw.so.11"), &code);
    write(root.path(), &format!("{SITE}/nvidia/curand/lib/libcurand.so.10"), &code);
    let found = look(root.path(), &[], &Fact::Known(Vec::new()));
    assert_eq!(paths(&found), ["/nvidia/cufft/lib/libcufftw.so.11", "/nvidia/curand/lib/libcurand.so.10"]);
}
