//! The development image of an article, started plainly beside a healthy GPU: can it go to production? Not as it is, and
//! every weakness that the article names is told with who mends it and how.

use std::collections::BTreeSet;

use serde_json::Value;

use super::gpu::with_fake_gpu;
use crate::support::docker::{REPLICA, Recipe, available};
use crate::support::report::Report;

/// What is wrong however its services are started, with what the finding must name.
const WEAKNESSES: [(&str, &str); 23] = [
    // strong login, least privilege
    ("identity.not-root", "root"),
    ("identity.passwords-absent", "root"),
    ("service.ssh-absent", "22"),
    ("service.ssh-host-keys-unique", "/etc/ssh/ssh_host_"),
    ("service.plain-http-not-reachable", "8888"),
    ("isolation.root-read-only", ""),
    ("isolation.no-new-privileges", ""),
    ("image.privilege-tools-absent", "sudo"),
    ("image.network-tools-absent", "git"),
    ("image.remote-access-absent", "jupyter-lab"),
    // strict CPU, GPU, memory
    ("limits.memory-limited", "memory"),
    ("limits.cpu-limited", "CPU"),
    ("limits.pids-limited", "processes"),
    ("limits.gpu-memory-bounded", "GPU memory"),
    // health check, metrics
    ("startup.health-answered", "health"),
    ("observability.metrics-served", "/metrics"),
    // maintenance
    ("image.parts-maintained", "PyTorch 2.7"),
    ("image.editors-absent", "nano"),
    // what people write is lost
    ("recovery.work-kept", "8888"),
    // TF32
    ("compute.tf32-asked", "times slower"),
    ("isolation.setuid-disarmed", ""),
    ("image.network-tools-absent", "ssh"),
    ("image.remote-access-absent", "sshd"),
];

/// The dimensions that the article asks about.
const ASKED: [&str; 6] = ["security", "resource control", "startup", "observability", "maintenance", "recovery"];

fn failing<'a>(report: &'a Report, check: &str) -> Vec<&'a Value> {
    report.failing().into_iter().filter(|finding| finding["check"] == check).collect()
}

/// Names what is missing in a report, a line each.
fn faults(report: &Report) -> Vec<String> {
    let mut faults = Vec::new();
    if (report.verdict(), report.code) != ("not-ready", 1) {
        faults.push(format!("{} ({})", report.verdict(), report.code));
    }
    for (check, named) in WEAKNESSES {
        let found = failing(report, check);
        let text = |finding: &&Value| format!("{} {}", finding["subject"], finding["message"]);
        if !found.iter().any(|finding| text(finding).contains(named)) {
            let told: Vec<String> = found.iter().map(text).collect();
            faults.push(format!("{check} does not name `{named}`: {told:?}"));
        }
    }
    for finding in report.failing() {
        let owner = finding["owner"].as_str().unwrap_or_default();
        let places: &[&str] = if owner == "pod" { &["docker", "kubernetes"] } else { &[owner] };
        let told = |place: &&&str| finding["remedy"][**place].as_str().is_some_and(|words| !words.is_empty());
        if places.iter().find(told).is_none() {
            faults.push(format!("{} has no remedy for {owner}", finding["check"]));
        }
    }
    let dimensions = report.json["score"]["dimensions"].as_array().expect("dimensions");
    for name in ASKED {
        let Some(own) = dimensions.iter().find(|dimension| dimension["dimension"] == name) else {
            faults.push(format!("{name} is silent"));
            continue;
        };
        if own["high"] == 100 && own["low"] == 100 {
            faults.push(format!("{name} is 100: {own}"));
        }
    }
    faults
}

#[test]
fn the_development_image_of_the_article_is_not_ready_and_every_weakness_is_named() {
    if !available() {
        return;
    }
    let variants = ["open", "token"].into_iter().flat_map(|login| [("runit", login), ("script", login)]);
    let wrong: BTreeSet<String> = std::thread::scope(|scope| {
        let running: Vec<_> = variants.map(|(by, login)| scope.spawn(move || variant(by, login))).collect();
        running.into_iter().flat_map(|one| one.join().expect("no panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The faults of one way to start it.
fn variant(by: &str, login: &str) -> Vec<String> {
    let folder = format!("/opt/article/{login}");
    let command: &[&str] = if by == "runit" { &["runsvdir", &folder] } else { &["sh", "/opt/article/start", login] };
    let container = with_fake_gpu(Recipe::plain(REPLICA)).with([SEARCHED]).start(command);
    container.until_listening(8888);
    container.until_listening(22);
    let report = container.check(&[]);
    let mut faults = faults(&report);
    if login == "open" {
        let first = report.findings().next().expect("findings");
        if first["check"] != "service.jupyter-authenticated" {
            faults.push(format!("the first is {}", first["check"]));
        }
    } else {
        let found = failing(&report, "service.jupyter-not-root");
        let remedy = found.first().and_then(|finding| finding["remedy"]["image"].as_str()).unwrap_or_default();
        if !remedy.starts_with("Remove Jupyter") {
            faults.push(format!("Jupyter with a token is not to be removed: {remedy}"));
        }
    }
    faults.into_iter().map(|fault| format!("{by}, {login}: {fault}")).collect()
}

#[test]
fn a_service_that_may_not_run_as_another_user_is_told_to_end_again_and_again() {
    const SERVICES: &str = "cp -r /opt/article/token /tmp/services && exec runsvdir /tmp/services";
    if !available() {
        return;
    }
    // What a remedy for root does where a supervisor was made for it: sshd may not read its keys.
    let container = Recipe::plain(REPLICA).with(["--user=1001", "--env=HOME=/home/app"]).start(&["sh", "-c", SERVICES]);
    container.until_listening(8888);
    container.output(&["sleep", "21"]);
    let report = container.check(&["--no-gpu", "--only=recovery.services-stay-up"]);
    let ends = ("recovery.services-stay-up".to_owned(), "/tmp/services/sshd/run".to_owned());
    assert!(report.subjects("fails").contains(&ends), "{}", report.troubles());
    assert_eq!(report.failing().len(), 1, "Jupyter stays up: {}", report.troubles());
}

/// The fake libraries before what the image has itself.
const SEARCHED: &str = "--env=LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/usr/local/cuda/lib64";
