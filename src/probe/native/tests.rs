//! A folder that plays an image with libraries of all kinds.

use super::fatbin::tests::container;
use super::*;
use crate::facts::Candidate;
use crate::probe::elf::tests::with_sections;
use crate::world::FakeRoot;

const SITE: &str = "/opt/venv/lib/python3.12/site-packages";

/// A library whose objects carry machine code for these architectures.
fn built_for(architectures: &[u32]) -> Vec<u8> {
    let entries: Vec<_> = architectures.iter().map(|number| (2, *number, 0)).collect();
    with_sections(&[(".nv_fatbin", &[container(&entries, 8), container(&entries, 16)].concat())])
}

fn look(world: &World, libraries: &Fact<Vec<Library>>) -> Vec<NativeLibrary> {
    let framework = Framework { site_packages: Fact::Known(vec![SITE.to_owned()]), ..Framework::default() };
    collect(world, &framework, libraries).libraries.known().expect("libraries").clone()
}

fn paths(libraries: &[NativeLibrary]) -> Vec<&str> {
    libraries.iter().map(|library| library.path.strip_prefix(SITE).unwrap_or(&library.path)).collect()
}

#[test]
fn libraries_with_gpu_code_are_found_wherever_packages_put_them() {
    let root = FakeRoot::of(&[], &[("LD_LIBRARY_PATH", "/opt/own:/nothing")]);
    let code = built_for(&[80, 90]);
    root.file(&format!("{SITE}/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so"), &code);
    root.file(&format!("{SITE}/torch/lib/libtorch_cuda.so"), &code);
    root.file(&format!("{SITE}/torch/include/libtrap.so"), &code);
    root.file(&format!("{SITE}/nvidia/cudnn/lib/libcudnn_ops.so.9"), &code);
    root.file(&format!("{SITE}/numpy.libs/libopenblas.so.0"), with_sections(&[(".text", b"x")]));
    root.file(&format!("{SITE}/torch/lib/libshm.so"), b"no library");
    root.file("/opt/own/libown.so", &code);
    root.link("opt/own/libown.so.1", "libown.so");
    let found = look(&root, &Fact::Known(Vec::new()));
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
    let root = FakeRoot::new();
    let old = format!("{SITE}/nvidia/cublas/lib/libcublas.so.12");
    root.file(&old, built_for(&[50]));
    root.file("/usr/local/cuda/lib64/libcublas.so.12.9.1", built_for(&[90]));
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
    let found = look(&root, &Fact::Known(vec![library]));
    assert_eq!(paths(&found), ["/usr/local/cuda/lib64/libcublas.so.12.9.1"]);
    assert_eq!(found[0].role, LibraryRole::Core);
    assert_eq!(paths(&look(&root, &Fact::Known(Vec::new()))), Vec::<&str>::new());
}

#[test]
fn a_section_of_unknown_form_is_a_gap_and_hides_no_other_library() {
    let root = FakeRoot::new();
    root.file(&format!("{SITE}/torch/lib/libtorch_cuda.so"), with_sections(&[(".nv_fatbin", &[1; 64])]));
    root.file(&format!("{SITE}/other.so"), built_for(&[90]));
    let found = look(&root, &Fact::Known(Vec::new()));
    assert_eq!(paths(&found), ["/torch/lib/libtorch_cuda.so", "/other.so"]);
    let Fact::Unknown(gap) = &found[0].sets else { panic!("{:?}", found[0]) };
    assert!(gap.detail.contains("no container at byte 64"), "{gap}");
}

#[test]
fn an_image_without_packages_has_no_gpu_code() {
    let root = FakeRoot::new();
    assert_eq!(look(&root, &Fact::Absent), Vec::new());
}

/// Its containers lie in `.data`, and what stands in its section of GPU code would say that it runs nowhere (cuFFT 11.3).
#[test]
fn cufft_is_not_spoken_of_and_its_neighbours_are() {
    let root = FakeRoot::new();
    let code = built_for(&[50]);
    root.file(&format!("{SITE}/nvidia/cufft/lib/libcufft.so.11"), &code);
    root.file(&format!("{SITE}/nvidia/cufft/lib/libcufftw.so.11"), &code);
    root.file(&format!("{SITE}/nvidia/curand/lib/libcurand.so.10"), &code);
    let found = look(&root, &Fact::Known(Vec::new()));
    assert_eq!(paths(&found), ["/nvidia/cufft/lib/libcufftw.so.11", "/nvidia/curand/lib/libcurand.so.10"]);
}
