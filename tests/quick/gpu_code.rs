//! On which GPUs an image can run: the table, the assumptions and the wanted GPUs, with PyTorch 2.7.0 as the example.
//!
//! `PREFLIGHT_TEST_TORCH` names a site-packages folder with the real wheel of PyTorch 2.7.0. Without it the tests that
//! read it say that they were skipped.

use std::path::Path;
use std::process::{Command, Output};

use gpu_preflight::facts::{CodeSet, Fact, Facts, Framework, LibraryRole, Native, NativeLibrary, SCHEMA};
use serde_json::Value;

use crate::support::real_parts::part;

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(arguments).env("COLUMNS", "100").envs(environment.iter().copied());
    command.output().expect("the program runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The recording of an image with PyTorch 2.7.0, as far as GPU code goes.
fn recording(folder: &Path) -> String {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let common = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90";
    let torch = NativeLibrary {
        path: "/sp/torch/lib/libtorch_cuda.so".to_owned(),
        role: LibraryRole::Core,
        object_count: Fact::Known(378),
        architectures: Fact::Known(words(&format!("{common} sm_90a"))),
        sets: Fact::Known(vec![
            CodeSet { architectures: words(common), object_count: 375 },
            CodeSet { architectures: words(&format!("{common} sm_90a")), object_count: 3 },
        ]),
    };
    let facts = Facts {
        schema: SCHEMA.to_owned(),
        framework: Framework {
            torch_version: Fact::Known("2.7.0+cu126".to_owned()),
            torch_cuda: Fact::Known("12.6".to_owned()),
            ..Framework::default()
        },
        native: Native { libraries: Fact::Known(vec![torch]), ..Native::default() },
        ..Facts::default()
    };
    let path = folder.join("facts.json");
    std::fs::write(&path, serde_json::to_string(&facts).expect("JSON")).expect("a file");
    path.to_string_lossy().into_owned()
}

#[test]
fn the_table_says_which_gpu_which_library_and_which_driver() {
    let folder = tempfile::tempdir().expect("a folder");
    let facts = recording(folder.path());
    let output = run(&["gpus", "--from", &facts, "B200", "H200", "V100"], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        text(&output),
        "PyTorch 2.7.0+cu126, CUDA 12.6: 1 library with GPU code, 1 of which decides

                      GPU                   why, and which driver
 ✗ cannot run   10.0  B200                  libtorch_cuda.so has no code for it
 ✓ runs         9.0   H200                  driver 525.60.13 or newer
 ✓ runs         7.0   Tesla V100-SXM2-16GB  driver 525.60.13 or newer, R580 at most

/sp/torch/lib/libtorch_cuda.so
  sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90 sm_90a (378 objects)
"
    );
    let all = text(&run(&["gpus", "--from", &facts], &[("COLUMNS", "80")]));
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    assert!(all.lines().count() < 60 && all.contains("GeForce RTX 5090"), "{all}");
}

#[test]
fn the_table_is_data_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = json(&run(&["gpus", "--from", &recording(folder.path()), "--format", "json"], &[]));
    assert_eq!(table["schema"], "gpu-preflight/gpus/1");
    let gpu =
        |name: &str| table["gpus"].as_array().expect("gpus").iter().find(|gpu| gpu["gpu"] == name).expect("a row");
    assert_eq!(gpu("NVIDIA GeForce RTX 5090")["code"], "missing");
    assert_eq!(gpu("NVIDIA L4")["code"], "native");
    assert_eq!(gpu("NVIDIA H200")["minimum_driver"], "525.60.13");
}

#[test]
fn a_name_that_no_gpu_has_and_a_recording_without_gpu_code_are_refused() {
    let output = run(&["gpus", "H1000"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the nearest name is `H100`"), "{output:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("facts.json");
    std::fs::write(&path, format!(r#"{{"schema": "{SCHEMA}"}}"#)).expect("a file");
    let output = run(&["gpus", "--from", path.to_str().expect("UTF-8")], &[]);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing of GPU code"), "{output:?}");
}

#[test]
fn an_assumption_is_judged_and_marked_wherever_it_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let facts = recording(folder.path());
    let judge = |assume: &str, format: &str| {
        run(&["judge", &facts, "--only", "framework", "--assume", assume, "--format", format], &[])
    };
    let output = judge("gpu=B200", "json");
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["findings"][0]["check"], "framework.target-supported");
    assert_eq!(report["findings"][0]["owner"], "image");
    assert_eq!(report["findings"][0]["subject"], "NVIDIA B200 (assumed)");
    let told = text(&judge("gpu=B200,driver=535.104.05", "text"));
    assert!(told.contains("assumed: NVIDIA B200, driver 535.104.05"), "{told}");
    assert!(told.contains("this image cannot run on NVIDIA B200 (assumed): /sp/torch/lib/libtorch_cuda.so"), "{told}");

    let report = json(&judge("gpu=H200,driver=470.82.01", "json"));
    assert_eq!(report["findings"][0]["check"], "framework.target-driver-sufficient");
    assert_eq!(report["findings"][0]["owner"], "node");
    let message = report["findings"][0]["message"].as_str().expect("a message");
    assert!(message.starts_with("driver 470.82.01 (assumed)") && message.contains("525.60.13 or newer"), "{message}");

    for wrong in ["gpu=H1000", "driver=new", "colour=red", "H200"] {
        assert_eq!(judge(wrong, "text").status.code(), Some(64), "{wrong}");
    }
}

#[test]
fn a_profile_gates_on_the_gpus_that_it_wants() {
    let folder = tempfile::tempdir().expect("a folder");
    let facts = recording(folder.path());
    let profile = folder.path().join("site.toml");
    let judge = |want: &str| {
        std::fs::write(&profile, format!("title = 'Ours'\nphase = 'build'\nwant = [{want}]\n")).expect("a file");
        run(&["judge", &facts, "--only", "framework.target*", "--profile", profile.to_str().expect("UTF-8")], &[])
    };
    assert_eq!(judge("'H100', 'L40S'").status.code(), Some(0));
    let output = judge("'H100', 'RTX 5090'");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("NVIDIA GeForce RTX 5090 (wanted)"), "{}", text(&output));
    let output = judge("'H1000'");
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the nearest name is `H100`"), "{output:?}");
}

#[test]
fn the_real_pytorch_runs_up_to_hopper_and_not_on_blackwell() {
    let Some(packages) = part("PREFLIGHT_TEST_TORCH") else { return };
    let packages = packages.to_string_lossy().into_owned();
    // Of this machine's own packages nothing is to be seen.
    let environment = [("PYTHONPATH", packages.as_str()), ("PATH", "/nonexistent"), ("HOME", "/nonexistent")];
    let output = run(&["gpus", "--format", "json"], &environment);
    let table = json(&output);
    assert_eq!(table["torch_version"], "2.7.0+cu126");
    let torch_cuda = format!("{packages}/torch/lib/libtorch_cuda.so");
    let library =
        table["libraries"].as_array().expect("libraries").iter().find(|library| library["path"] == torch_cuda);
    let library = library.unwrap_or_else(|| panic!("{}", table["libraries"]));
    assert_eq!(library["object_count"], 378);
    assert_eq!(
        library["architectures"],
        serde_json::json!(["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_90a"])
    );
    for (name, code) in [
        ("NVIDIA B200", "missing"),
        ("NVIDIA GeForce RTX 5090", "missing"),
        ("NVIDIA H100 80GB HBM3", "native"),
        ("NVIDIA H200", "native"),
        ("NVIDIA A100-SXM4-80GB", "native"),
        ("NVIDIA L4", "native"),
        ("NVIDIA L40S", "native"),
        ("Tesla T4", "native"),
        ("Tesla V100-SXM2-16GB", "native"),
    ] {
        let row = table["gpus"].as_array().expect("gpus").iter().find(|gpu| gpu["gpu"] == name).expect("a row");
        assert_eq!(row["code"], code, "{row}");
        if code == "missing" {
            assert_eq!(row["deciding_library"], torch_cuda, "{row}");
        }
    }
}

#[test]
fn an_image_without_gpu_code_is_not_ready_for_a_gpu_that_it_is_meant_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("bare.json");
    let native = r#"{"libraries": []}"#;
    std::fs::write(&bare, format!(r#"{{"schema": "{SCHEMA}", "native": {native}}}"#)).expect("a file");
    let bare = bare.to_str().expect("UTF-8");
    let output = run(&["gpus", "--from", bare], &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(text(&output), "no library with GPU code was found in this image\n");

    let profile = folder.path().join("site.toml");
    let words = "title = 'Site'\ndescription = 'x'\nphase = 'build'\nwant = ['H100']\n";
    std::fs::write(&profile, words).expect("a file");
    let image = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machines/image-in-ci/facts.json");
    let mut facts: Value = serde_json::from_str(&std::fs::read_to_string(image).expect("a file")).expect("JSON");
    facts["native"]["libraries"] = serde_json::json!([]);
    let path = folder.path().join("image.json");
    std::fs::write(&path, facts.to_string()).expect("a file");
    let arguments = ["judge", path.to_str().expect("UTF-8"), "--profile", profile.to_str().expect("UTF-8")];
    let output = run(&arguments, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = text(&output).replace("\n           ", " ");
    assert!(told.contains("the image has no framework and no cuBLAS with GPU code"), "{told}");
}
