//! GPU containers without a GPU: a healthy fake one, and NVIDIA's real libraries.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::isolation::{BASE_ACCUSATIONS, DEV_ACCUSATIONS, assert_ready, hardened};
use crate::support::docker::{BASE, DEV, PATIENT, Recipe, available, text};
use crate::support::real_parts::part;
use crate::support::report::Report;

/// Where the loader of every Debian image looks without being told.
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu";
/// Where pip puts packages in the images.
const PACKAGES: &str = "/usr/local/lib/python3.11/dist-packages";

/// Device nodes that open, as a container with a GPU has them.
pub const NODES: [&str; 3] =
    ["--device=/dev/null:/dev/nvidiactl", "--device=/dev/null:/dev/nvidia0", "--device=/dev/null:/dev/nvidia-uvm"];

/// The fake GPU libraries, built once.
pub fn fakes() -> &'static Path {
    static BUILT: OnceLock<tempfile::TempDir> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let build = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/build");
            let output = Command::new(build).arg(folder.path()).output().expect("tests/fakes/build");
            assert!(output.status.success(), "{}", text(&output.stderr));
            folder
        })
        .path()
}

/// A container with the fake GPU, its libraries in a mounted folder as Kubernetes device plugins give them.
pub fn with_fake_gpu(recipe: Recipe) -> Recipe {
    with_fake_libraries(recipe.with(NODES))
}

/// The same without its device nodes.
pub fn with_fake_libraries(recipe: Recipe) -> Recipe {
    const FOLDER: &str = "/usr/local/nvidia/lib64";
    recipe.mount(fakes(), FOLDER).with([format!("--env=LD_LIBRARY_PATH={FOLDER}")])
}

/// With NVIDIA's own libraries of CUDA 12 and Debian's of the driver, found by `LD_LIBRARY_PATH`. `None` after a skip.
pub fn with_real_libraries(recipe: Recipe) -> Option<Recipe> {
    const FOLDER: &str = "/opt/nvidia";
    let (wheels, driver) = (part("PREFLIGHT_TEST_NVIDIA_WHEELS")?, part("PREFLIGHT_TEST_NVIDIA_DRIVER")?);
    let folders = ["driver", "cuda_runtime/lib", "cublas/lib"].map(|folder| format!("{FOLDER}/{folder}")).join(":");
    let recipe = recipe.mount(&wheels.join("nvidia/cuda_runtime"), &format!("{FOLDER}/cuda_runtime"));
    let recipe = recipe.mount(&wheels.join("nvidia/cublas"), &format!("{FOLDER}/cublas"));
    Some(recipe.mount(&driver, &format!("{FOLDER}/driver")).with([format!("--env=LD_LIBRARY_PATH={folders}")]))
}

/// The library of a report with this id.
fn library<'a>(report: &'a Report, id: &str) -> &'a Value {
    let libraries = report.fact("libraries").as_array().expect("libraries");
    libraries.iter().find(|library| library["id"] == id).unwrap_or_else(|| panic!("no {id} in {libraries:?}"))
}

#[test]
fn a_hardened_container_with_a_healthy_gpu_is_ready() {
    if !available() {
        return;
    }
    for (image, accusations) in [(BASE, &BASE_ACCUSATIONS[..]), (DEV, &DEV_ACCUSATIONS[..])] {
        assert_ready(&with_fake_gpu(hardened(image)).check(&[]), accusations);
    }
}

#[test]
fn a_container_that_was_given_no_gpu_says_who_would_have_to_grant_one() {
    if !available() {
        return;
    }
    let report = hardened(BASE).check(&[]);
    assert_eq!((report.verdict(), report.code), ("not-ready", 1), "{}", report.troubles());
    let first = report.findings().next().expect("findings");
    assert_eq!(first["check"], "gpu.granted", "{}", report.troubles());
    assert_eq!(first["owner"], "pod", "{first}");
}

#[test]
fn nvidias_own_runtime_without_a_driver_gives_its_known_answers() {
    let Some(wheels) = part("PREFLIGHT_TEST_NVIDIA_WHEELS").filter(|_| available()) else { return };
    let report = Recipe::plain(DEV).mount(&wheels, PACKAGES).check(&[]);
    assert_eq!(report.verdict(), "not-ready");
    assert!(report.fact("cuda.library").is_null(), "{}", report.fact("cuda"));
    let runtime = library(&report, "libcudart");
    assert_eq!(runtime["version"], "12.9", "{runtime}");
    assert!(runtime["winner"].as_str().is_some_and(|path| path.starts_with(PACKAGES)), "{runtime}");
    let cublas = library(&report, "libcublas");
    assert!(cublas["version"].as_str().is_some_and(|version| version.starts_with("12.9.")), "{cublas}");
    assert_eq!(report.findings().next().expect("findings")["check"], "gpu.granted", "{}", report.troubles());
}

#[test]
fn debians_driver_libraries_without_a_kernel_driver_give_their_known_answers() {
    let Some(driver) = part("PREFLIGHT_TEST_NVIDIA_DRIVER").filter(|_| available()) else { return };
    let recipe = ["libcuda.so.1", "libnvidia-ml.so.1"].into_iter().fold(Recipe::plain(BASE), |recipe, name| {
        let file = driver.join(name).canonicalize().expect("the file behind the link");
        recipe.mount(&file, &format!("{LIBRARIES}/{name}"))
    });
    for user in ["--user=0", "--user=1001"] {
        let container = recipe.clone().with([user]).start(&["sleep", "600"]);
        let report = container.check(&[]);
        assert_eq!(report.verdict(), "not-ready");
        assert_eq!(report.fact("cuda.init_code"), 100, "{}", report.fact("cuda"));
        assert_eq!(report.fact("cuda.init_name"), "CUDA_ERROR_NO_DEVICE");
        assert_eq!(report.fact("nvml.init_code"), 9, "{}", report.fact("nvml"));
        assert_eq!(report.fact("nvml.init_name"), "NVML_ERROR_DRIVER_NOT_LOADED");

        // NVML makes device nodes when it may, and a node that it made would be the next report's cause.
        assert_eq!(container.output(&["sh", "-c", "ls /dev | grep -c nvidia || true"]), "0", "{user}");
        assert_eq!(container.check(&[]).with_outcome("fails"), report.with_outcome("fails"), "{user}");
    }
}

#[test]
fn real_libraries_leave_the_workload_a_clean_process() {
    let Some(wheels) = part("PREFLIGHT_TEST_NVIDIA_WHEELS").filter(|_| available()) else { return };
    let recipe = Recipe::plain(DEV).mount(&wheels, PACKAGES).with(NODES);
    let script = "grep -cE 'cublas|cudart|cuda' /proc/self/maps; ls /proc/self/fd";
    let exec = ["gpu-preflight", "exec", PATIENT, "--mode=report", "--", "sh", "-c", script];
    // The last one is the folder that ls itself has open.
    assert_eq!(text(&recipe.run(&exec).stdout), "0\n0\n1\n2\n3\n");
}
