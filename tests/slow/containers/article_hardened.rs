//! The way that the article asks for, walked: its image with a server of the workload in it is not ready; what `harden` makes
//! of its findings is built and started, serves, is ready with a GPU and without one, and stops when it is told to.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::article::{SEARCHED, SERVER};
use super::gpu::{NODES, fakes, with_fake_gpu};
use super::harden::{build, gone, run};
use crate::support::docker::{Image, PATIENT, REPLICA, Recipe, available, text};
use crate::support::report::Report;

/// How the workload is started.
const WORKLOAD: [&str; 2] = ["python3", "/app/serve.py"];

/// Seconds that `docker stop` may take where nothing hinders it. Docker itself would wait for ten.
const STOPPED: Duration = Duration::from_secs(5);

fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().expect("docker")
}

/// A container by its name, removed when it goes out of scope.
struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        docker(&["rm", "--force", self.0]);
    }
}

/// The flags that give a container the healthy fake GPU.
fn gpu() -> Vec<String> {
    let library = format!("--volume={}:/usr/local/nvidia/lib64:ro", fakes().display());
    let path = "--env=LD_LIBRARY_PATH=/usr/local/nvidia/lib64".to_owned();
    NODES.iter().map(|node| (*node).to_owned()).chain([library, path]).collect()
}

/// Whether something listens on port 8000.
const LISTENS: &str = "for n in $(seq 600); do grep -q ':1F40 .* 0A ' /proc/net/tcp && exit; sleep 0.2; done; exit 1";

#[test]
fn the_articles_image_hardened_serves_is_ready_and_stops() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("serve.py"), SERVER).expect("written");
    let dockerfile = format!("FROM {REPLICA}\nCOPY serve.py /app/serve.py\n");
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("written");
    let plain = Image::build(folder.path());

    // Beside its open Jupyter and its sshd, with a healthy GPU.
    let recipe = Recipe::plain(&plain.name).with(["--volume", &format!("{}:/out", folder.path().display())]);
    let recipe = with_fake_gpu(recipe).with([SEARCHED]);
    let container = recipe.start(&["sh", "-c", "runsvdir /opt/article/open & exec python3 /app/serve.py"]);
    for port in [22, 8000, 8888] {
        container.until_listening(port);
    }
    let before = container.check(&[]);
    assert_eq!(before.verdict(), "not-ready", "{}", before.troubles());
    let harden = ["gpu-preflight", "harden", "--into=/out", PATIENT, "--"];
    let output = container.exec(&[&harden[..], &WORKLOAD].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    drop(container);

    // Its entrypoint looks first, and starts nothing that is not ready.
    let image = build(folder.path(), &plain.name, "gpu-preflight-test/article-hardened");
    let container = Named("gpu-preflight-test-article-hardened");
    let own = ["--detach".to_owned(), format!("--name={}", container.0)];
    let started = run(folder.path(), &[&own[..], &gpu()].concat(), &image, &[]);
    assert!(started.status.success(), "{}", text(&started.stderr));
    let output = docker(&["exec", container.0, "sh", "-c", LISTENS]);
    assert!(output.status.success(), "it does not serve: {}", text(&docker(&["logs", container.0]).stderr));

    let check = |options: &[&str]| {
        let own = ["exec", container.0, "gpu-preflight", "check", "--format=json", PATIENT];
        Report::read(&docker(&[&own, options].concat()))
    };
    for options in [&[][..], &["--no-gpu"]] {
        let after = check(options);
        assert_eq!((after.verdict(), after.code), ("ready", 0), "{options:?}: {}", after.troubles());
        for check in ["startup.health-answered", "observability.metrics-served", "identity.not-root"] {
            assert_eq!(after.outcomes(check), ["holds"], "{check}: {}", after.troubles());
        }
    }
    let after = check(&[]);
    let gone = gone(folder.path(), &before, &after);
    assert!(gone > 12, "only {gone} are gone: {}", after.troubles());
    // What it leaves open it names: Jupyter is still installed, though nothing starts it.
    assert_eq!(after.outcomes("image.remote-access-absent"), ["fails"], "{}", after.troubles());
    assert!(after.troubles().contains("jupyter-lab"), "{}", after.troubles());
    let left = after.subjects("fails");
    assert!(!left.iter().any(|(check, _)| check.starts_with("service.ssh")), "{}", after.troubles());

    let begun = Instant::now();
    docker(&["stop", container.0]);
    let state = docker(&["inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", container.0]);
    assert_eq!(text(&state.stdout).trim(), "0 false", "it ended by itself");
    assert!(begun.elapsed() < STOPPED, "{:?}", begun.elapsed());
}
