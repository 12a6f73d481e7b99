//! Text that is judged before there is an image: files written for the purpose, half of them sound.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gpu_preflight::probe::written::{File, Mistake, Runner, read};
use serde_json::Value;

use crate::support::bless;
use crate::support::program::fed;

/// Checks that a day decides: what is mended today is not for ever.
const BY_DATE: &str = "--skip=image.parts-maintained,image.ngc-release-recent";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/written")
}

/// The files, sorted.
fn files() -> Vec<String> {
    let names = fs::read_dir(folder()).expect("a folder").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != "outcomes.txt").collect();
    names.sort();
    names
}

/// The option that reads a file.
fn option(name: &str) -> &'static str {
    match name {
        name if name.ends_with("Dockerfile") => "--dockerfile",
        name if name.ends_with("compose.yaml") => "--compose",
        _ => "--manifest",
    }
}

/// Runs in the folder of the files, so that they are called by their names.
fn check(arguments: &[&str], input: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.arg("check").args(arguments).current_dir(folder()).env("SOME_API_KEY", "hunter2hunter2");
    fed(&mut command, input.unwrap_or_default())
}

fn report(arguments: &[&str], input: Option<&str>) -> Value {
    report_and_code(arguments, input).0
}

fn report_and_code(arguments: &[&str], input: Option<&str>) -> (Value, Option<i32>) {
    let output = check(&[&["--format=json", "--verbose", BY_DATE], arguments].concat(), input);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout);
    (report.unwrap_or_else(|error| panic!("{arguments:?}: {error}: {errors}")), output.status.code())
}

fn findings(report: &Value) -> &[Value] {
    report["findings"].as_array().expect("findings")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// One line for each finding that fails or could not be told.
fn told(report: &Value) -> String {
    let mut out = String::new();
    let (asked, all) = (&report["selection"]["check_count"], text(report, "verdict"));
    writeln!(out, "{all}, of {asked} checks").expect("memory");
    for note in report["notes"].as_array().expect("notes") {
        writeln!(out, "  note {}", note.as_str().expect("text")).expect("memory");
    }
    for finding in findings(report).iter().filter(|one| matches!(text(one, "outcome"), "fails" | "unknown" | "blocked"))
    {
        let places: Vec<String> =
            finding["places"].as_array().into_iter().flatten().map(|at| at["line"].to_string()).collect();
        let subject = finding["subject"].as_str().map_or(String::new(), |subject| format!(" [{subject}]"));
        let (outcome, severity, check) = (text(finding, "outcome"), text(finding, "severity"), text(finding, "check"));
        writeln!(
            out,
            "  {outcome} {severity} {check}{subject}, line {}: {}",
            places.join(" "),
            text(finding, "message")
        )
        .expect("memory");
    }
    out
}

#[test]
fn outcomes_of_the_written_files_are_current() {
    let mut page = String::new();
    for name in files() {
        let report = report(&[option(&name), &name], None);
        writeln!(page, "{name}: {}", told(&report)).expect("memory");
    }
    bless::compare("tests/written/outcomes.txt", &page);
}

#[test]
fn nothing_sound_is_accused_and_everything_broken_is_stopped() {
    let names = files();
    assert_eq!(names.iter().filter(|name| name.starts_with("sound")).count(), 12);
    assert_eq!(names.iter().filter(|name| name.starts_with("broken")).count(), 21);
    assert_eq!(names.iter().filter(|name| name.starts_with("open")).count(), 1);
    for name in names {
        let (report, code) = report_and_code(&[option(&name), &name], None);
        let accused: Vec<String> = findings(&report)
            .iter()
            .filter(|one| {
                text(one, "outcome") == "fails" && matches!(text(one, "severity"), "critical" | "high" | "medium")
            })
            .map(|one| format!("{} {}", text(one, "check"), text(one, "message")))
            .collect();
        let open = findings(&report).iter().filter(|one| matches!(text(one, "outcome"), "unknown" | "blocked")).count();
        if name.starts_with("sound") {
            assert!(accused.is_empty() && open == 0, "{name}: {accused:?}, {open} open");
            assert_eq!(text(&report, "verdict"), "ready", "{name}");
        } else if name.starts_with("open") {
            assert!(accused.is_empty() && open > 0, "{name}: {accused:?}");
            assert_eq!(text(&report, "verdict"), "incomplete", "{name}");
        } else {
            assert_ne!(text(&report, "verdict"), "ready", "{name}");
        }
        let expected = match text(&report, "verdict") {
            "ready" => 0,
            "not-ready" => 1,
            _ => 2,
        };
        assert_eq!(code, Some(expected), "{name}");
    }
}

#[test]
fn every_failure_stands_on_a_line_of_a_file() {
    for name in files() {
        let report = report(&[option(&name), &name], None);
        let lines = fs::read_to_string(folder().join(&name)).expect("text").lines().count() as u64;
        for finding in findings(&report).iter().filter(|one| text(one, "outcome") == "fails") {
            let places = finding["places"].as_array().unwrap_or_else(|| panic!("{name}: {finding}"));
            assert!(!places.is_empty(), "{name}: {finding}");
            for place in places {
                assert_eq!(place["file"], name.as_str());
                assert!((1..=lines).contains(&place["line"].as_u64().expect("a line")), "{name}: {finding}");
            }
        }
    }
}

#[test]
fn the_report_says_that_only_text_was_read() {
    let shown = |arguments: &[&str]| String::from_utf8(check(arguments, None).stdout).expect("text");
    let text = shown(&["--dockerfile", "sound-vllm.Dockerfile", BY_DATE]);
    assert!(text.contains("only the text of sound-vllm.Dockerfile was read"), "{text}");
    let verdict = text.lines().find(|line| line.starts_with("READY")).expect("a verdict");
    assert!(verdict.starts_with("READY, of "), "{verdict}");
    let text = shown(&["--dockerfile", "broken-article.Dockerfile", BY_DATE]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("at broken-article.Dockerfile:"), "{text}");
    assert!(!text.contains("0123456789abcdef"), "no value of a secret is told: {text}");
    assert!(!text.contains("\n\n\n"), "one empty line is enough: {text}");
    let facts = report(&["--dockerfile", "broken-article.Dockerfile"], None).to_string();
    assert!(!facts.contains("0123456789abcdef") && !facts.contains("SOME_API_KEY") && !facts.contains("letmein"));
}

#[test]
fn a_text_comes_from_standard_input_too() {
    let fails = |report: &Value| {
        let failing = findings(report).iter().filter(|one| text(one, "outcome") == "fails");
        failing.map(|one| text(one, "check").to_owned()).collect::<Vec<_>>()
    };
    let read = report(&["--dockerfile", "-"], Some("FROM ubuntu:24.04\nUSER root\nHEALTHCHECK CMD x\n"));
    assert!(fails(&read).contains(&"image.user-not-root".to_owned()), "{:?}", fails(&read));
    let sound = report(&["--dockerfile", "-"], Some("FROM ubuntu:24.04\nUSER 1000\nHEALTHCHECK CMD x\n"));
    assert_eq!(fails(&sound), ["image.digest-named"]);
}

#[test]
fn an_image_and_what_runs_it_are_judged_together() {
    let manifest = |user: &str| {
        format!(
            "kind: Deployment\nmetadata: {{name: d}}\nspec:\n  template:\n    spec:\n      automountServiceAccountToken: false\n      \
             securityContext: {{runAsNonRoot: true{user}}}\n      containers:\n      - name: c\n        image: x:1\n        \
             resources: {{limits: {{memory: 8Gi, cpu: 4, nvidia.com/gpu: 1}}}}\n        \
             securityContext: {{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}}\n"
        )
    };
    let outcome = |dockerfile: &str, user: &str, check: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Dockerfile");
        fs::write(&path, dockerfile).expect("a file");
        let report = report(&["--dockerfile", path.to_str().expect("text"), "--manifest", "-"], Some(&manifest(user)));
        let finding = findings(&report).iter().find(|one| text(one, "check") == check).expect(check);
        text(finding, "outcome").to_owned()
    };
    let (root, named, number) =
        ("FROM python:3.12\nUSER root\n", "FROM python:3.12\nUSER app\n", "FROM python:3.12\nUSER 1000\n");
    assert_eq!(outcome(root, "", "identity.not-root"), "fails", "the pod would not start");
    assert_eq!(outcome(root, ", runAsUser: 1000", "identity.not-root"), "holds", "the pod says otherwise");
    assert_eq!(outcome(named, "", "identity.not-root"), "holds");
    assert_eq!(outcome(named, "", "identity.user-numeric"), "fails");
    assert_eq!(outcome(number, "", "identity.user-numeric"), "holds");
    assert_eq!(outcome(named, ", runAsUser: 1000", "identity.user-numeric"), "not-applicable");
    let opened = "FROM python:3.12\nUSER 1000\nCMD [\"jupyter\", \"lab\", \"--ip=0.0.0.0\", \"--ServerApp.token=\"]\n";
    assert_eq!(outcome(opened, "", "service.jupyter-declared-authenticated"), "fails");
}

#[test]
fn wanted_gpus_and_drivers_are_held_against_what_pip_brings() {
    let outcome = |install: &str, assume: &str| {
        let text = format!("FROM ubuntu:24.04\nRUN {install}\nUSER 1000\nHEALTHCHECK CMD x\n");
        let report = report(&["--dockerfile", "-", "--assume", assume], Some(&text));
        let finding = |check: &str| {
            let found =
                findings(&report).iter().find(|one| one["check"] == check && one["outcome"] != "not-applicable");
            found.map_or("-", |found| self::text(found, "outcome")).to_owned()
        };
        [finding("framework.target-supported"), finding("framework.target-driver-sufficient")]
    };
    let torch = |tag: &str| format!("pip install torch==2.5.1 --index-url https://download.pytorch.org/whl/{tag}");
    assert_eq!(outcome(&torch("cu124"), "gpu=H100 PCIe,driver=550.54.14"), ["holds", "holds"]);
    assert_eq!(outcome(&torch("cu121"), "gpu=B200"), ["fails", "-"]);
    assert_eq!(outcome("pip install torch==2.14.1", "driver=550.54.14"), ["-", "fails"]);
    assert_eq!(outcome("pip install torch==2.7.0", "driver=550.54.14"), ["-", "holds"]);
    assert_eq!(outcome("pip install torch", "gpu=B200"), ["unknown", "-"], "nobody can say, and nobody is accused");
    assert_eq!(outcome("pip install torch", "driver=550.54.14"), ["-", "unknown"]);
}

#[test]
fn a_part_that_is_mended_no_longer_is_told_by_the_name_of_its_image() {
    let output = check(
        &["--format=json", "--dockerfile", "-"],
        Some("FROM python:3.8-slim-buster\nUSER 1000\nHEALTHCHECK CMD x\n"),
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let over: Vec<&str> = findings(&report)
        .iter()
        .filter(|one| text(one, "check") == "image.parts-maintained" && text(one, "outcome") == "fails")
        .map(|one| text(one, "subject"))
        .collect();
    assert_eq!(over, ["Debian GNU/Linux 10", "Python 3.8"]);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let refused = |arguments: &[&str], input: &str, code: i32, part: &str| {
        let output = check(arguments, Some(input));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && errors.contains(part), "{arguments:?}: {errors}");
    };
    refused(&["--dockerfile", "-"], "hello\n", 78, "-:1:1: `HELLO` is no instruction of a Dockerfile");
    refused(&["--dockerfile", "-"], "", 78, "-:1:1: ends without a FROM");
    refused(&["--dockerfile", "none.Dockerfile"], "", 78, "none.Dockerfile: there is no such file");
    refused(&["--compose", "-"], "services:\n  a: b: c\n", 78, "-:2:7: no YAML");
    refused(&["--compose", "sound-deployment.yaml"], "", 78, "sound-deployment.yaml:1:1: has no `services`");
    refused(&["--manifest", "sound.compose.yaml"], "", 78, "sound.compose.yaml:2:1: a document has no `kind`");
    refused(
        &["--manifest", "-"],
        "{{- if .Values.x }}\nkind: Pod\n{{- end }}\n",
        78,
        "a template has to be rendered first",
    );
    refused(&["--manifest", "."], "", 78, ".: ");
    refused(&["--dockerfile", "-"], &"x".repeat((1 << 20) + 1), 78, "is larger than 1 MiB");
    refused(&["--dockerfile", "-", "--phase", "live"], "FROM a\n", 64, "has no phase live");
    refused(&["--dockerfile", "-", "--root", "/"], "FROM a\n", 64, "cannot be used with");
    refused(&["--compose", "-", "--manifest", "-"], "", 64, "cannot be used with");
}

/// Reads a file as whatever its name says that it is.
fn told_of(name: &str, text: String) -> Result<usize, Mistake> {
    let file = File { name: name.to_owned(), text };
    let told = match option(name) {
        "--dockerfile" => read(Some(&file), None),
        "--compose" => read(None, Some(&Runner::Compose(file))),
        _ => read(None, Some(&Runner::Manifest(file))),
    };
    told.map(|told| told.all.len())
}

#[test]
fn no_cut_and_no_slip_in_a_file_makes_a_panic() {
    for name in files() {
        let whole = fs::read_to_string(folder().join(&name)).expect("text");
        let ends = (0..whole.len()).step_by(50).filter(|end| whole.is_char_boundary(*end));
        let cuts: Vec<String> = ends.map(|end| whole[..end].to_owned()).collect();
        // Signs that mean something to one of the languages, in the place of what stands there.
        let signs = "{[*&!|>'\"%@`#:-?,]}\\$<\n\t\0\u{feff}\u{e9}".chars().cycle();
        let places = (0..whole.len()).step_by(23).filter(|at| whole.is_char_boundary(*at));
        let slips = places.zip(signs).map(|(at, sign)| {
            let rest: String = whole[at..].chars().skip(1).collect();
            format!("{}{sign}{rest}", &whole[..at])
        });
        let mut refused = 0;
        for text in cuts.into_iter().chain(slips) {
            match told_of(&name, text) {
                Ok(count) => assert!(count > 0, "{name}"),
                Err(mistake) => {
                    let is_whole = mistake.line >= 1 && mistake.column >= 1 && !mistake.message.is_empty();
                    assert!(is_whole, "{name}: {mistake:?}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "{name}: nothing at all is no such file");
    }
}
