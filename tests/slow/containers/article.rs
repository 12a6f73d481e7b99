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
    // What could not be told in time on a busy machine proves nothing once.
    let mut found = faults_of(&container.check(&[]), login);
    for _ in 0..2 {
        if !found.is_empty() {
            found = faults_of(&container.check(&[]), login);
        }
    }
    found.into_iter().map(|fault| format!("{by}, {login}: {fault}")).collect()
}

/// What is missing in a report on a container with this login.
fn faults_of(report: &Report, login: &str) -> Vec<String> {
    let mut faults = faults(report);
    if login == "open" {
        let first = report.findings().next().expect("findings");
        if first["check"] != "service.jupyter-authenticated" {
            faults.push(format!("the first is {}", first["check"]));
        }
    } else {
        let found = failing(report, "service.jupyter-not-root");
        let remedy = found.first().and_then(|finding| finding["remedy"]["image"].as_str()).unwrap_or_default();
        if !remedy.starts_with("Remove Jupyter") {
            faults.push(format!("Jupyter with a token is not to be removed: {remedy}"));
        }
    }
    faults
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

/// A server as the article wants it: its health, its metrics, its log in records, and an end at SIGTERM though it is
/// process 1.
pub const SERVER: &str = r"
import http.server, json, signal, sys
pages = {'/healthz': 'ok', '/metrics': 'request_duration_seconds_sum 1\ngpu_memory_bytes 5\n'}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = pages.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write((body or '').encode())
    def log_message(self, *_):
        print(json.dumps({'level': 'info', 'time': '2026-11-27T10:00:00Z', 'message': 'a request'}), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer(('0.0.0.0', 8000), Handler)
for _ in range(9):
    Handler.log_message(None)
server.serve_forever()
";

#[test]
fn a_server_that_does_what_the_article_asks_for_is_seen_to_do_it() {
    if !available() {
        return;
    }
    let start = format!("cat >/tmp/serve.py <<'END'\n{SERVER}\nEND\nexec python3 /tmp/serve.py >/tmp/serve.log");
    let container = Recipe::plain(REPLICA).start(&["sh", "-c", &start]);
    container.until_listening(8000);
    let report = container.check(&["--no-gpu"]);
    for check in [
        "startup.health-answered",
        "startup.health-good",
        "startup.health-fast",
        "observability.metrics-served",
        "observability.metrics-tell-latency",
        "observability.log-structured",
        "observability.log-tells-level",
        "observability.log-tells-time",
    ] {
        assert_eq!(report.outcomes(check), ["holds"], "{check}: {}", report.fact("services.web"));
    }
    assert_eq!(report.fact("workload.script"), "/tmp/serve.py");
    assert_eq!(report.fact("services.web")[0]["health_path"], "/healthz");
    assert_eq!(report.outcomes("service.plain-http-not-reachable"), ["fails"]);

    container.output(&["sh", "-c", "for line in 1 2 3 4 5 6; do echo started $line; done >/tmp/prose.log"]);
    let report = container.check(&["--no-gpu", "--log=/tmp/prose.log"]);
    assert_eq!(report.outcomes("observability.log-structured"), ["fails"], "{}", report.fact("workload"));
    let report = container.check(&["--no-gpu", "--log=/tmp"]);
    assert_eq!(report.outcomes("observability.log-structured"), ["unknown"], "{}", report.fact("workload"));
}

/// The fake libraries before what the image has itself.
pub const SEARCHED: &str = "--env=LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/usr/local/cuda/lib64";
