//! Reports for machines: what is written where, what becomes of it when it cannot be written, and what each format promises
//! that no schema says. Whether others can read them is asked in `tests/slow/formats.rs`.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use gpu_preflight::check::{Dimension, Outcome};
use gpu_preflight::report::Report;
use gpu_preflight::report::formats::{self, Format, Options, Place};
use gpu_preflight::report::text::Layout;
use gpu_preflight::run::report_on;
use serde_json::Value;

use crate::machines::{facts, machines};
use crate::support::report::plan;

const MACHINE: &str = "open-jupyter-and-sshd-root";

fn recording(machine: &str) -> String {
    format!("{}/tests/machines/{machine}/facts.json", env!("CARGO_MANIFEST_DIR"))
}

fn judge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.arg("judge").arg(recording(MACHINE)).args(arguments).stdin(Stdio::null()).env_remove("GITHUB_STEP_SUMMARY");
    command
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    said(&judge(arguments).output().expect("it runs"))
}

fn to(folder: &Path, format: &str) -> String {
    format!("{format}={}/report.{format}", folder.display())
}

fn read(folder: &Path, format: &str) -> String {
    std::fs::read_to_string(folder.join(format!("report.{format}"))).expect("a report")
}

fn rendered(report: &Report, format: Format) -> String {
    let layout = Layout { width: 100, color: false, verbose: false };
    formats::render(report, format, &Options { layout, anchor: Place::default() }).expect("JSON").to_string()
}

#[test]
fn json_names_what_holds_and_tells_of_it_where_it_is_asked_to() {
    let report = report_on(facts("healthy-8xh200-fake"), &plan(&[], "production"), None, &[]);
    let json = |verbose: bool| {
        let layout = Layout { width: 100, color: false, verbose };
        let options = Options { layout, anchor: Place::default() };
        let text = formats::render(&report, Format::Json, &options).expect("JSON").to_string();
        let value: Value = serde_json::from_str(&text).expect("JSON");
        (text.len(), value)
    };
    let ((short, brief), (long, whole)) = (json(false), json(true));
    assert!(short * 2 < long, "{short} of {long} bytes");
    let told = |report: &Value| -> Vec<(String, String)> {
        let word = |one: &Value, key: &str| one[key].as_str().expect("a word").to_owned();
        let all = report["findings"].as_array().expect("findings").iter();
        all.map(|one| (word(one, "check"), word(one, "outcome"))).collect()
    };
    assert!(told(&brief).iter().all(|(_, outcome)| !["holds", "not-applicable"].contains(&outcome.as_str())));
    // Every check stands in one place.
    let named = |key: &str| -> Vec<String> {
        brief[key].as_array().expect("ids").iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
    };
    let mut ids: Vec<String> = told(&brief).into_iter().map(|(check, _)| check).collect();
    ids.dedup();
    ids.extend([named("holding"), named("not_applicable")].concat());
    ids.sort_unstable();
    let mut all: Vec<String> = told(&whole).into_iter().map(|(check, _)| check).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(ids, all);
    for (check, outcome) in told(&whole).iter().filter(|(check, _)| named("not_applicable").contains(check)) {
        assert_eq!(outcome, "not-applicable", "{check}");
    }
    for key in ["verdict", "score", "facts", "about", "fix_first", "holding"] {
        assert_eq!(brief[key], whole[key], "{key}");
    }
}

#[test]
fn every_format_is_written_where_it_is_asked_for_beside_the_usual_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked: Vec<String> = Format::ALL.iter().map(|format| to(folder.path(), format.as_str())).collect();
    let arguments: Vec<&str> = asked.iter().flat_map(|asked| ["--report", asked.as_str()]).collect();
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert!(stdout.contains("NOT READY   score 39"), "{stdout}");
    for (format, begins) in [
        ("text", "gpu-preflight "),
        ("json", "{\n  \"schema\": \"gpu-preflight/report/"),
        ("junit", "<?xml version=\"1.0\""),
        ("sarif", "{\n  \"$schema\""),
        ("github", "::error file=Dockerfile,line=1,title=service.jupyter-authenticated::"),
        ("gitlab", "[\n"),
        ("markdown", "### gpu-preflight: NOT READY\n"),
        ("html", "<!doctype html>\n"),
        ("prometheus", "# HELP gpu_preflight_info "),
        ("line", "NOT READY: service.jupyter-authenticated: "),
    ] {
        assert!(read(folder.path(), format).starts_with(begins), "{format}: {}", read(folder.path(), format));
    }
    // The usual report takes each of them too, and says the same.
    assert_eq!(run(&["--format", "line"]).1, read(folder.path(), "line"));
}

#[test]
fn a_link_to_standard_output_is_not_written_to_whatever_that_is_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/stdout", &link).expect("a link");
    let path = link.display().to_string();
    for arguments in [["--output", &path], ["--report", &format!("json={path}")]] {
        let (code, _, stderr) = run(&arguments);
        assert!(code == 74 && stderr.contains("is a link to a stream"), "{arguments:?}: {code} {stderr}");
    }
    // One to a file is followed, as ever.
    let file = folder.path().join("file");
    std::fs::remove_file(&link).expect("gone");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    std::fs::write(&file, "old").expect("written");
    assert_eq!(run(&["--output", &path]).0, 1);
    assert!(std::fs::read_to_string(&file).expect("there").starts_with("gpu-preflight "));
}

#[test]
fn standard_output_is_for_one_report() {
    let (code, stdout, stderr) = run(&["--report", "line=-"]);
    assert_eq!((code, stdout.lines().count(), stderr.as_str()), (1, 1, ""));
    let (_, stdout, _) = run(&["--report", "gitlab=-"]);
    assert!(serde_json::from_str::<Value>(&stdout).expect("JSON").is_array());
    for (arguments, words) in [
        (&["--report", "line=-", "--report", "junit=-"][..], "--report junit=-: - has a report already"),
        (&["--report", "line=x", "--report", "junit=x"], "--report junit=x: x has a report already"),
        (&["--report", "line=x", "--output", "x"], "--report line=x: x has a report already"),
        (&["--report", "line=-", "--format", "json"], "--format json and --report line=- both want standard output"),
        (&["--report", "line"], "FORMAT=PATH, for example junit=report.xml"),
        (&["--report", "line="], "no path after line="),
        (&["--report", "jnuit=x"], "did you mean `junit`?"),
        (&["--sarif-anchor", "/etc/passwd:1"], "from the root of the repository on"),
        (&["--sarif-anchor", "Dockerfile:0"], "FILE:LINE"),
    ] {
        let (code, _, stderr) = run(arguments);
        assert!(code == 64 && stderr.contains(words), "{arguments:?}: {code} {stderr}");
    }
    assert!(!Path::new("x").exists(), "nothing is written before all is agreed on");
}

#[test]
fn a_report_that_cannot_be_written_keeps_no_other_from_it_and_leaves_the_old_one_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |format: &str| to(folder.path(), format);
    // A folder, a disk that is full, and a way that leads nowhere.
    std::fs::create_dir(folder.path().join("report.junit")).expect("a folder");
    let full = "markdown=/dev/full";
    let nowhere = format!("sarif={}/none/report", folder.path().display());
    let (line, gitlab) = (place("line"), place("gitlab"));
    let before = [&line, &place("junit")].map(|to| ["--report".to_owned(), to.clone()]).concat();
    let after = [full, &nowhere, &gitlab].map(|to| ["--report".to_owned(), to.to_owned()]).concat();
    let arguments: Vec<&str> = before.iter().chain(&after).map(String::as_str).collect();
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 74, "{stderr}");
    assert!(stdout.contains("NOT READY"), "{stdout}");
    for words in ["--report junit: ", "--report markdown: /dev/full: No space left", "--report sarif: "] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
    assert!(read(folder.path(), "line").starts_with("NOT READY"));
    assert!(read(folder.path(), "gitlab").starts_with('['));

    // A limit on the length of files, as a quota: the old file stays, and nothing is left beside it.
    std::fs::write(folder.path().join("report.prometheus"), "old").expect("written");
    let script = format!(
        "ulimit -f 1; exec {} judge {} --report prometheus={}/report.prometheus --report line={}/second.line",
        env!("CARGO_BIN_EXE_gpu-preflight"),
        recording(MACHINE),
        folder.path().display(),
        folder.path().display(),
    );
    let (code, _, stderr) = said(&Command::new("sh").args(["-c", &script]).output().expect("a shell"));
    assert!(code == 74 && stderr.contains("File too large"), "{code} {stderr}");
    assert_eq!(read(folder.path(), "prometheus"), "old");
    assert!(folder.path().join("second.line").exists());
    let paths = std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.path());
    assert_eq!(paths.filter(|path| path.extension().is_some_and(|extension| extension == "new")).count(), 0);
}

#[test]
fn a_reader_that_has_gone_is_no_failure_on_standard_output_and_one_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("coreutils").success());
    let report = format!("line={}", pipe.display());
    let (code, _, stderr) = run(&["--report", &report]);
    assert!(code == 74 && stderr.contains("--report line: "), "nobody reads it: {code} {stderr}");
    let script =
        format!("{} judge {} --report junit=-; echo $? >&2", env!("CARGO_BIN_EXE_gpu-preflight"), recording(MACHINE));
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("({script}) | true")]).env("LC_ALL", "C");
    let (_, _, stderr) = said(&shell.output().expect("a shell"));
    assert_eq!(stderr.trim(), "1", "the verdict stands");
}

#[test]
fn exec_reports_beside_the_workload_and_never_on_its_standard_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = to(folder.path(), "junit");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command
        .args(["exec", "--mode", "report", "--no-gpu", "--only", "limits", "--report", &report, "--report", "line=-"]);
    command.args(["--", "echo", "mine"]).env_remove("GPU_PREFLIGHT_MODE").stdin(Stdio::null());
    let (code, stdout, stderr) = said(&command.output().expect("it runs"));
    assert_eq!((code, stdout.as_str()), (0, "mine\n"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "the line, in place of the text: {stderr}");
    assert!(read(folder.path(), "junit").contains("<testsuite "));
}

#[test]
fn the_summary_of_a_step_gets_the_whole_table_and_stays_below_its_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let summary = folder.path().join("summary");
    let github = || {
        let mut command = judge(&["--report", "github=-"]);
        said(&command.env("GITHUB_STEP_SUMMARY", &summary).output().expect("it runs"))
    };
    std::fs::write(&summary, "before\n").expect("written");
    let (code, stdout, stderr) = github();
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert_eq!(stdout.lines().count(), 10, "nine, and how many more: {stdout}");
    assert!(
        stdout.lines().last().expect("a line").contains("8 more; the summary of this step has them all"),
        "{stdout}"
    );
    let text = std::fs::read_to_string(&summary).expect("it is there");
    assert!(text.starts_with("before\n### gpu-preflight: NOT READY"), "{text}");
    let failing = report_on(facts(MACHINE), &plan(&[], "production"), None, &[]).count(Outcome::Fails);
    assert_eq!(text.lines().filter(|line| line.starts_with("| ✗ ") || line.starts_with("| ! ")).count(), failing);
    // Somebody else has nearly filled it.
    let nearly = (1 << 20) - 600;
    std::fs::write(&summary, "x".repeat(nearly - 1) + "\n").expect("written");
    assert_eq!(github().0, 1);
    let text = std::fs::read_to_string(&summary).expect("it is there");
    assert!(text.len() <= 1 << 20 && text.len() > nearly && text.ends_with('\n'), "{}", text.len());
    std::fs::write(&summary, "x".repeat(1 << 20)).expect("written");
    // The annotations are there; that the summary is not takes nothing from the verdict.
    let (code, _, stderr) = github();
    assert!(code == 1 && stderr.contains("has no room left"), "{code} {stderr}");
    // Without GitHub there is none, and without the format nobody asks.
    assert_eq!(run(&["--report", "github=-"]).0, 1);
    assert_eq!(judge(&[]).env("GITHUB_STEP_SUMMARY", "/nowhere/x").output().expect("runs").status.code(), Some(1));
}

/// GitHub shows the severity of the rule, and takes one with a `security-severity` for one of security.
fn rules_say_what_their_worst_finding_says(report: &Report, rules: &Value, what: &str) {
    for rule in rules.as_array().expect("rules") {
        let of_rule = report.failures().filter(|finding| rule["id"] == finding.check.as_str());
        let worst = of_rule.min_by_key(|finding| finding.severity).expect("a rule has a result");
        let said = (&rule["properties"]["security-severity"], &rule["properties"]["problem.severity"]);
        let score = ["9.5", "8.0", "5.5", "2.0", "0.0"][worst.severity as usize];
        let of_security = worst.dimension == Dimension::Security;
        assert_eq!(said.0.as_str(), of_security.then_some(score), "{what} {}", worst.check);
        assert_ne!(said.1.is_string(), of_security, "{what} {}", worst.check);
    }
}

#[test]
fn each_format_keeps_its_promises_of_every_machine() {
    for profile in ["production", "image"] {
        let plan = plan(&[], profile);
        for (name, facts) in machines() {
            let report = report_on(facts, &plan, None, &[]);
            let what = format!("{name} {profile}");
            let line = rendered(&report, Format::Line);
            assert!(line.len() <= 80 && line.lines().count() == 1 && line.ends_with('\n'), "{what}: {line}");
            assert!(line.starts_with(report.verdict.title()), "{what}: {line}");
            assert!((1..=10).contains(&rendered(&report, Format::Github).lines().count()), "{what}");
            let failing = report.failures().count();
            let json = |format| -> Value { serde_json::from_str(&rendered(&report, format)).expect("JSON") };
            let sarif = json(Format::Sarif);
            assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(failing), "{what}");
            rules_say_what_their_worst_finding_says(&report, &sarif["runs"][0]["tool"]["driver"]["rules"], &what);
            let is_left = report.verdict.title() == "INCOMPLETE";
            let is_open = |outcome| outcome == Outcome::Unknown || is_left && outcome == Outcome::Blocked;
            let open = report.findings.iter().filter(|f| f.gating && is_open(f.outcome)).count();
            let gitlab = json(Format::Gitlab);
            assert_eq!(gitlab.as_array().map(Vec::len), Some(failing + open), "{what}: no waivers here");
            let junit = rendered(&report, Format::Junit);
            assert_eq!(junit.matches("<failure ").count(), failing, "{what}");
            assert_eq!(junit.matches("<error ").count(), open, "{what}");
            assert_eq!(junit.matches("<testcase ").count(), report.findings.len(), "{what}");
            let page = rendered(&report, Format::Prometheus);
            let series: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
            let mut names: Vec<&str> =
                series.iter().filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), series.len(), "{what}: a series twice");
            // Two runs on one machine differ in nothing, figures of messages aside.
            assert_eq!(rendered(&report, Format::Sarif), rendered(&report, Format::Sarif));
        }
    }
}

#[test]
fn a_waived_failure_is_told_as_one_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("site.toml");
    let text =
        "[[waive]]\ncheck = 'identity.not-root'\nreason = 'known & <old>'\nowner = 'us'\nexpires = '2999-01-01'\n";
    std::fs::write(&profile, text).expect("written");
    let asked: Vec<String> = ["junit", "sarif", "gitlab", "markdown"].map(|format| to(folder.path(), format)).to_vec();
    let mut arguments = vec!["--profile", profile.to_str().expect("UTF-8")];
    arguments.extend(asked.iter().flat_map(|asked| ["--report", asked.as_str()]));
    assert_eq!(run(&arguments).0, 1);
    let waiver = "known &amp; &lt;old&gt; (us, until 2999-01-01)";
    assert!(read(folder.path(), "junit").contains(&format!("<skipped>waived: {waiver}; runs as root")));
    assert!(read(folder.path(), "markdown").contains(&format!("waived: {waiver}")));
    assert!(!read(folder.path(), "gitlab").contains("identity.not-root"), "nobody has to do anything");
    let sarif: Value = serde_json::from_str(&read(folder.path(), "sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    for result in results {
        let count = usize::from(result["ruleId"] == "identity.not-root");
        assert_eq!(result["suppressions"].as_array().map(Vec::len), Some(count), "{result}");
    }
    assert!(
        results
            .iter()
            .any(|result| result["suppressions"][0]["justification"] == "known & <old> (us, until 2999-01-01)")
    );
}
