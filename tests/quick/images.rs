//! Images that do not run, by the command line: what is refused, what is told, and that nothing of this machine is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::program::fed;

fn run(arguments: &[&str], input: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(arguments).env("LD_LIBRARY_PATH", "/of/this/machine").env("SOME_API_KEY", "hunter2hunter2");
    fed(&mut command, input.unwrap_or_default())
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", errors(output)))
}

/// A folder with these files.
fn image(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

const START: (&str, &str) = ("opt/start.sh", "#!/bin/sh\nexec jupyter lab --ip=0.0.0.0 --ServerApp.token=''\n");

#[test]
fn an_image_whose_command_opens_jupyter_is_not_ready() {
    let folder = image(&[START, ("etc/passwd", "app:x:1000:1000::/:/bin/sh\n")]);
    let config =
        json!([{ "Config": { "User": "app", "Cmd": ["/opt/start.sh"], "Healthcheck": { "Test": ["CMD", "x"] } } }]);
    let arguments = ["check", "--format=json", "--verbose", "--no-gpu", "--root", text(folder.path())];
    let report = json_of(&run(&[&arguments[..], &["--image-config", "-"]].concat(), Some(&config.to_string())));
    assert_eq!((&report["verdict"], &report["profile"]), (&json!("not-ready"), &json!("image")));
    let finding = |report: &Value, check: &str| {
        let findings = report["findings"].as_array().expect("findings");
        findings.iter().find(|finding| finding["check"] == check).expect("a finding")["outcome"].clone()
    };
    assert_eq!(finding(&report, "service.jupyter-declared-authenticated"), "fails");
    assert_eq!(finding(&report, "image.user-not-root"), "holds");
    let report = json_of(&run(&arguments, None));
    assert_eq!(finding(&report, "service.jupyter-declared-authenticated"), "unknown", "nobody said what it starts");
    assert_eq!((&report["verdict"], finding(&report, "image.user-not-root")), (&json!("incomplete"), json!("unknown")));
}

#[test]
fn nothing_of_this_machine_is_told_of_an_image() {
    // A running container's files, as somebody may have put them into an image.
    let folder = image(&[
        ("proc/self/status", "Uid:\t7\t7\t7\t7\n"),
        ("proc/meminfo", "MemTotal: 4 kB\n"),
        ("etc/hosts", "127.0.0.1 x\n"),
        ("sys/fs/cgroup/memory.max", "1\n"),
    ]);
    let facts = json_of(&run(&["facts", "--root", text(folder.path())], None));
    let told = facts.to_string();
    for ours in ["SOME_API_KEY", "hunter2", "/of/this/machine"] {
        assert!(!told.contains(ours), "{ours}");
    }
    assert_eq!((&facts["run"]["image_only"], &facts["run"]["phase"]), (&json!(true), &json!("build")));
    for part in ["container", "host", "limits", "process", "isolation"] {
        for (name, value) in facts[part].as_object().expect("a part") {
            let is_open = value["unknown"] == "not-asked" || value.as_array().is_some_and(Vec::is_empty);
            assert!(is_open || value.is_number() || value.is_boolean() && value == false, "{part}.{name}: {value}");
        }
    }
    for (part, name) in
        [("identity", "uid"), ("network", "listeners"), ("host", "memory_bytes"), ("limits", "memory_bytes")]
    {
        assert!(facts[part][name]["unknown"].is_string(), "{part}.{name}: {}", facts[part][name]);
    }
    assert_eq!(
        facts["probes"].as_array().expect("probes").iter().filter(|probe| probe["name"] == "libraries").count(),
        1
    );
}

#[test]
fn what_cannot_be_an_image_is_refused_with_the_reason() {
    let folder =
        image(&[("file", "x"), ("config.json", "[]"), ("foreign.json", r#"{"architecture": "s390x", "config": {}}"#)]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let root = text(folder.path());
    for (arguments, exit, why) in [
        (vec!["check", "--root", "/nothing/here"], 78, "there is no such folder"),
        (vec!["check", "--root", &path("file")], 78, "there is no such folder"),
        (vec!["facts", "--oci", "/nothing/here"], 78, "/nothing/here"),
        (vec!["gpus", "--oci", root], 78, "no index.json and no manifest.json"),
        (vec!["check", "--oci", &path("file")], 78, "ends in the middle of a header"),
        (vec!["check", "--root", root, "--image-config", &path("config.json")], 78, "describes 0 images"),
        (vec!["check", "--image-config", &path("foreign.json")], 78, "made for s390x"),
        (vec!["check", "--image-config", &path("nothing")], 78, "there is no such file"),
        (vec!["check", "--root", root, "--phase", "live"], 64, "phase build"),
        (vec!["check", "--root", root, "--oci", root], 64, "cannot be used"),
        (vec!["check", "--root", root, "--as-process", "1"], 64, "cannot be used"),
    ] {
        let output = run(&arguments, None);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", errors(&output));
        assert!(errors(&output).contains(why), "{arguments:?}: {}", errors(&output));
    }
}

#[test]
fn a_damaged_layer_leaves_everything_unknown_and_says_which() {
    let layout = image(&[
        ("index.json", r#"{"manifests": [{"digest": "sha256:m"}]}"#),
        ("blobs/sha256/m", r#"{"config": {"digest": "sha256:c"}, "layers": [{"digest": "sha256:l"}]}"#),
        ("blobs/sha256/c", r#"{"config": {"Cmd": ["x"]}}"#),
        ("blobs/sha256/l", &"no tar ".repeat(100)),
    ]);
    let report = json_of(&run(&["check", "--format=json", "--oci", text(layout.path())], None));
    assert_eq!(report["verdict"], "incomplete");
    let why = report["facts"]["image"]["tools"]["detail"].as_str().expect("a reason");
    assert!(why.contains("layer 1") && why.contains("is no tar archive"), "{why}");
}
