//! What CI systems are given: the GitHub Action and the job of GitLab by their official schemas, and the Action's own step
//! run as a runner would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::docker::{BASE, available, text};
use crate::support::real_parts::part;

fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

#[test]
fn the_action_and_the_job_are_valid_by_the_schemas_of_their_makers() {
    let Some(python) = part("PREFLIGHT_TEST_FORMATS") else { return };
    let validator = Path::new(&python).with_file_name("check-jsonschema");
    let verdict = |schema: &str, file: &Path| {
        let output =
            Command::new(&validator).args(["--builtin-schema", schema]).arg(file).output().expect("a validator");
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    for (schema, file) in [("vendor.github-actions", "action.yml"), ("vendor.gitlab-ci", "packaging/ci/gitlab.yml")] {
        let (is_valid, said) = verdict(schema, &repository(file));
        assert!(is_valid, "{file}: {said}");
    }
    let broken = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    let action = std::fs::read_to_string(repository("action.yml")).expect("the action");
    std::fs::write(broken.path(), action.replace("using: composite", "using: hope")).expect("written");
    assert!(!verdict("vendor.github-actions", broken.path()).0, "the validator refuses what is broken");
}

/// Runs the Action's step as a runner does: inputs as variables, and a file for its outputs.
fn step(inputs: &[(&str, &str)], folder: &Path) -> (Output, String) {
    let outputs = folder.join("outputs");
    std::fs::write(&outputs, "").expect("written");
    let mut command = Command::new("bash");
    command.arg(repository("packaging/ci/judge")).env("PROGRAM", env!("CARGO_BIN_EXE_gpu-preflight"));
    command.env("RUNNER_TEMP", folder).env("GITHUB_OUTPUT", &outputs).env_remove("GITHUB_STEP_SUMMARY");
    let output = command.envs(inputs.iter().copied()).current_dir(repository("tests/written")).output().expect("bash");
    (output, std::fs::read_to_string(&outputs).expect("outputs"))
}

#[test]
fn the_step_of_the_action_ends_as_the_verdict_and_leaves_every_report() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, code) in
        [("sound-vllm.Dockerfile", 0), ("broken-article.Dockerfile", 1), ("broken-argument-user.Dockerfile", 2)]
    {
        let (output, outputs) = step(&[("DOCKERFILE", file)], folder.path());
        assert_eq!(output.status.code(), Some(code), "{file}: {}{}", text(&output.stdout), text(&output.stderr));
        let annotation = format!("::error file={file},line=");
        assert_eq!(text(&output.stdout).contains(&annotation), code == 1, "{file}: {}", text(&output.stdout));
        for line in outputs.lines() {
            let (_, path) = line.split_once('=').expect("a name and a path");
            assert!(std::fs::metadata(path).is_ok_and(|meta| meta.len() > 100), "{line}");
        }
        assert_eq!(outputs.lines().count(), 4, "{outputs}");
    }
    let (output, _) = step(&[("DOCKERFILE", "broken-article.Dockerfile"), ("FAIL_ON", "never")], folder.path());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(step(&[], folder.path()).0.status.code(), Some(64), "nothing to judge");
}

#[test]
fn the_step_of_the_action_judges_an_image_of_the_engine() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let inputs = [("IMAGE", BASE), ("DOCKERFILE", "docker/Dockerfile"), ("FAIL_ON", "low")];
    let (output, outputs) = step(&inputs, folder.path());
    assert_eq!(output.status.code(), Some(1), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains(" file=docker/Dockerfile,line=1,"), "{}", text(&output.stdout));
    let html = outputs.lines().find_map(|line| line.strip_prefix("html=")).expect("a page");
    let folder = Path::new(html).parent().expect("a folder");
    assert!(!folder.join("image.tar").exists(), "the archive is not left behind");
}
