//! What `harden` makes is built and run: the findings are gone, and no new one has come.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::docker::{DEV, PATIENT, Recipe, available, text};
use crate::support::report::Report;

/// The workload of the image: it says that it runs, and ends when it is told to.
const WORKLOAD: &str = "trap 'exit 0' TERM; echo serving; while :; do sleep 0.1; done";

/// An image that a test has made, removed when it goes out of scope.
pub struct Image(pub String);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["image", "rm", "--force", &self.0]).output();
    }
}

/// The files that answer what a container of the development image says of itself.
fn files(recipe: &Recipe, folder: &Path, options: &[&str]) {
    let out = format!("{}:/out", folder.display());
    let recipe = recipe.clone().with(["--volume", &out]);
    let harden = ["gpu-preflight", "harden", "--into=/out", PATIENT];
    let output = recipe.run(&[&harden, options, &["--", "sh", "-c", WORKLOAD]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Builds the Dockerfile that was made, on top of `base`.
pub fn build(folder: &Path, base: &str, name: &str) -> Image {
    std::fs::copy(env!("CARGO_BIN_EXE_gpu-preflight"), folder.join("gpu-preflight")).expect("a copy");
    let argument = format!("IMAGE={base}");
    let file = folder.join("Dockerfile.hardened");
    let build = ["build", "--quiet", "--tag", name, "--build-arg", &argument, "--file"];
    let output = Command::new("docker").args(build).arg(file).arg(folder).output().expect("docker");
    assert!(output.status.success(), "{}", text(&output.stderr));
    Image(name.to_owned())
}

/// Runs the image by the script that was made, with more of docker's flags before the image.
pub fn run(folder: &Path, flags: &[String], image: &Image, command: &[&str]) -> Output {
    let mut script = Command::new("sh");
    script.arg(folder.join("docker-run.sh")).args(flags).arg(&image.0).args(command);
    script.output().expect("a shell")
}

fn check(folder: &Path, image: &Image, options: &[&str]) -> Report {
    let flags = ["--rm".to_owned(), "--entrypoint=gpu-preflight".to_owned()];
    Report::read(&run(folder, &flags, image, &[&["check", "--format=json", "--verbose", PATIENT], options].concat()))
}

/// Whether a file of the folder names the check as answered.
fn is_answered(folder: &Path, check: &str) -> bool {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect(file);
    ["Dockerfile.hardened", "docker-run.sh"].iter().any(|file| {
        let comments = read(file);
        let mut comments = comments.lines().filter(|line| line.starts_with('#'));
        comments.any(|line| line.split([' ', ',', ':']).any(|word| word == check))
    })
}

/// Holds what is left against what was there: nothing new, and nothing that the files claim to answer. How many are gone.
pub fn gone(folder: &Path, before: &Report, after: &Report) -> usize {
    let failing =
        |report: &Report| -> BTreeSet<String> { report.with_outcome("fails").into_iter().map(str::to_owned).collect() };
    let (was, left) = (failing(before), failing(after));
    let new: Vec<_> = left.difference(&was).collect();
    assert!(new.is_empty(), "{new:?}: {}", after.troubles());
    let promised: Vec<_> = left.iter().filter(|check| is_answered(folder, check)).collect();
    assert!(promised.is_empty(), "{promised:?}: {}", after.troubles());
    was.difference(&left).count()
}

#[test]
fn the_development_image_hardened_by_its_own_findings_is_ready() {
    if !available() {
        return;
    }
    let (recipe, options) = (Recipe::plain(DEV), ["--no-gpu"]);
    let before = recipe.check(&options);
    assert_eq!(before.verdict(), "not-ready", "{}", before.troubles());
    let folder = tempfile::tempdir().expect("a folder");
    files(&recipe, folder.path(), &options);
    let image = build(folder.path(), DEV, "gpu-preflight-test/hardened");
    let after = check(folder.path(), &image, &options);
    assert_eq!(after.verdict(), "ready", "{}", after.troubles());
    let gone = gone(folder.path(), &before, &after);
    assert!(gone > 8, "only {gone} are gone: {}", after.troubles());
}
