//! What remedies and the first screen of a report promise, over the whole catalogue and over recorded machines.

use gpu_preflight::check::{Catalogue, Check, Outcome, Owner};
use gpu_preflight::cli::Assumption;
use gpu_preflight::facts::{ContainerKind, Fact, Limits, Phase};
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

/// The row of the overview with this name.
fn row(report: &gpu_preflight::report::Report, name: &str) -> String {
    let text = render(report, Layout { width: 1000, color: false, verbose: false }).to_string();
    text.lines().find(|line| line.starts_with(&format!("  {name:<11}"))).unwrap_or_default().to_owned()
}

#[test]
fn no_line_of_the_overview_is_ticked_for_something_else_that_holds() {
    let of = |name: &str, phase: Option<Phase>| report_on(facts(name), &plan(), phase, &[]);
    let image = of("image-in-ci", None);
    assert!(row(&image, "CUDA").contains("·  no runtime"), "{}", row(&image, "CUDA"));
    let root = of("h200-healthy", Some(Phase::Build));
    let user = row(&root, "user");
    assert!(user.contains("root, ") && !user.contains('✓'), "nobody asked whether root is right: {user}");
    let live = row(&of("healthy-h200-fake", None), "user");
    assert!(live.contains('✓'), "{live}");
    let port = row(&of("open-jupyter-and-sshd-root", Some(Phase::Build)), "port 22");
    assert!(port.contains("fails") && !port.contains("not looked at"), "what fails was looked at: {port}");
}

#[test]
fn what_is_only_worth_knowing_makes_no_line_worse() {
    let report = report_on(facts("h200-mps"), &plan(), None, &[]);
    let open = |id: &str| report.findings.iter().any(|f| f.check == id && f.outcome == Outcome::Unknown);
    assert!(open("compute.cudnn-benchmark-asked"), "it could not be told here");
    let multiply = row(&report, "multiply");
    assert!(!multiply.contains("cudnn-benchmark-asked"), "{multiply}");
}

#[test]
fn what_keeps_a_workload_from_running_is_told_before_a_right_too_many() {
    for (machine, cause) in [
        ("h200-no-uvm-node", "driver.uvm-node-usable"),
        ("h200-no-nodes", "driver.devices-visible"),
        ("h200-cublas-three-times-as-slow", "compute.library-fast"),
        ("open-jupyter-and-sshd-root", "service.jupyter-authenticated"),
    ] {
        let report = report_on(facts(machine), &plan(), None, &[]);
        assert_eq!(report.cause().map(|finding| finding.check.as_str()), Some(cause), "{machine}");
    }
}

#[test]
fn what_is_assumed_is_said_where_it_decides_a_mark() {
    let assumed = [Assumption::Driver("535.104.05".to_owned())];
    let with = |assumed: &[Assumption]| row(&report_on(facts("h200-healthy"), &plan(), None, assumed), "driver");
    assert!(with(&assumed).contains("judged for what is assumed"), "{}", with(&assumed));
    assert!(!with(&[]).contains("assumed"), "{}", with(&[]));
}

#[test]
fn gaps_of_one_reason_are_told_once() {
    let mut machine = facts("healthy-h200-fake");
    machine.limits = Limits::default();
    let report = report_on(machine, &plan(), None, &[]);
    let rows = |verbose| {
        let text = render(&report, Layout { width: 120, color: false, verbose }).to_string();
        text.lines().filter(|line| line.starts_with("  ? ") && line.contains("  limits.")).count()
    };
    assert!(rows(true) > 5, "{}", rows(true));
    assert_eq!(rows(false), 1);
    let text = render(&report, Layout { width: 120, color: false, verbose: false }).to_string();
    assert!(text.contains("limits.pids-limited") && text.contains("more; --verbose lists them"), "{text}");
}
