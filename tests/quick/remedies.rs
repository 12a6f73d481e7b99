//! What remedies and the first screen of a report promise, over the whole catalogue and over recorded machines.

use gpu_preflight::check::{Catalogue, Check, Owner};
use gpu_preflight::facts::{ContainerKind, Fact};
use gpu_preflight::report::text::{Layout, render};
use gpu_preflight::run::{Plan, report_on};
use gpu_preflight::weigh::remedy;

use super::machines::{facts, machines};
use crate::support::outcome::padded;

fn checks() -> Vec<Check> {
    Catalogue::load(&[]).unwrap_or_else(|error| panic!("{error}")).checks
}

#[test]
fn in_kubernetes_nobody_is_told_a_flag_of_docker() {
    for check in checks() {
        let remedies = &check.file.remedy;
        let words = remedies.get("kubernetes").map(|words| words.to_lowercase());
        // What no field of a pod says is the node's.
        let is_told = words.is_some() || remedies.contains_key("node");
        assert!(check.owner != Owner::Pod || is_told, "{}: in a cluster nobody is told anything", check.id);
        let words = words.unwrap_or_default();
        assert!(!words.contains("docker") && !words.contains("run with `-"), "{}: {words}", check.id);
    }
}

#[test]
fn what_is_told_in_a_pod_is_never_a_docker_flag() {
    let mut machine = facts("open-jupyter-and-sshd-root");
    machine.container.kind = Fact::Known(ContainerKind::Kubernetes);
    let report = report_on(machine, &plan(), None, &[]);
    for finding in report.failures() {
        let told = remedy(finding, &report.facts);
        assert!(!told.contains("Run with `-"), "{}: {told}", finding.check);
    }
}

/// A daemon cannot give more than it has, and many have no more than what the checks ask for.
#[test]
fn no_remedy_asks_for_more_open_files_than_the_checks_do() {
    for check in checks() {
        for (place, words) in &check.file.remedy {
            for rest in words.split("nofile=").skip(1) {
                let limits: String =
                    rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == ':').collect();
                assert_eq!(limits, "65536:65536", "{} ({place})", check.id);
            }
        }
    }
}

#[test]
fn a_remedy_names_what_is_judged() {
    let of = |id: &str, place: &str| {
        let checks = checks();
        let check = checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no {id}"));
        check.file.remedy[place].clone()
    };
    assert!(
        of("image.caches-cleared", "image").contains("/var/cache/apt/*"),
        "apt keeps its packages and indexes there"
    );
    for id in ["service.jupyter-authenticated", "service.jupyter-loopback-authenticated"] {
        let words = of(id, "image");
        for setting in ["IdentityProvider.token", "ServerApp.token", "NotebookApp.token"] {
            assert!(words.contains(setting), "{id} does not know {setting}");
        }
    }
    for place in ["docker", "kubernetes", "image"] {
        let words = of("identity.not-root", place);
        assert!(words.contains("runit") && words.contains("alone"), "{place}: a supervisor would loop: {words}");
    }
    assert!(of("service.jupyter-not-root", "image").starts_with("Remove Jupyter"));
}

#[test]
fn every_mark_of_the_overview_that_is_no_tick_says_why() {
    let (plan, layout) = (plan(), Layout { width: 1000, color: false, verbose: false });
    let mut seen = 0;
    for (name, facts) in machines() {
        let text = render(&report_on(facts, &plan, None, &[]), layout).to_string();
        let rows = text.lines().skip_while(|line| !line.starts_with("  port 8888")).take_while(|line| !line.is_empty());
        for row in rows {
            let mark = row.chars().nth(13);
            if matches!(mark, Some('✗' | '!' | '?')) {
                seen += 1;
                assert!(row.contains(" fails") || row.contains(" could not be told"), "{name}: {row}");
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

fn plan() -> Plan {
    padded("production", 0)
}

#[test]
fn what_no_field_of_a_pod_says_is_told_to_who_runs_the_node() {
    let mut machine = facts("open-jupyter-and-sshd-root");
    let told = |machine: &gpu_preflight::facts::Facts| {
        let report = report_on(machine.clone(), &plan(), None, &[]);
        let found = report.failures().find(|finding| finding.check == "limits.pids-limited").expect("it fails").clone();
        (found.owner, remedy(&found, &report.facts))
    };
    let (owner, words) = told(&machine);
    assert!(owner == Owner::Pod && words.contains("--pids-limit"), "{owner}: {words}");
    machine.container.kind = Fact::Known(ContainerKind::Kubernetes);
    let (owner, words) = told(&machine);
    assert!(owner == Owner::Node && words.contains("podPidsLimit"), "{owner}: {words}");
}
