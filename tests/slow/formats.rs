//! Reports for machines, read by programs of others: five very different machines, one whose every word means no good, and
//! one with sixty-four GPUs.
//!
//! `PREFLIGHT_TEST_FORMATS` names a Python with those readers; `tests/outside/formats.py` asks them.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use gpu_preflight::facts::{Facts, Gpu, recording};
use gpu_preflight::report::Report;
use gpu_preflight::report::formats::{self, Format, Options};
use gpu_preflight::report::text::Layout;
use gpu_preflight::run::report_on;

use crate::support::docker::text;
use crate::support::hostile::spoilt;
use crate::support::real_parts::part;
use crate::support::report::plan;

/// Several services, a GPU that is slow, a library that hangs, an image in CI, and a real GPU.
const MACHINES: [(&str, &str); 5] = [
    ("open-jupyter-and-sshd-root", "production"),
    ("fake-slow-gpu-3-of-8", "training"),
    ("fake-hang-cuInit", "production"),
    ("image-in-ci", "image"),
    ("h200-cublas-hangs", "image"),
];

/// What ends or begins something in one of the formats, or is nothing that one can see.
pub const HOSTILE: &str = "\"'`]]>--><script>alert(1)</script></style></title>&amp;<img src=x onerror=alert(2)>|x|\\|y\\\n\
                       ::error::z %0A%250A\r\n| a | b |\n# h\n- [l](javascript:alert(3)) ![i](https://example.com/x.png) @all #1 \
                       {a=\"b\"} 1\n# TYPE x gauge\n\u{202e}\u{200b}\u{7}\u{1b}[2J\u{fffe}\u{ffff}\u{0} ~~s~~ **b** _i_ $x$ https://example.com";

/// The formats that somebody else reads.
const READ: [Format; 7] =
    [Format::Junit, Format::Sarif, Format::Github, Format::Gitlab, Format::Markdown, Format::Prometheus, Format::Line];

fn facts(machine: &str) -> Facts {
    let path = format!("{}/tests/machines/{machine}/facts.json", env!("CARGO_MANIFEST_DIR"));
    recording::read(&std::fs::read_to_string(path).expect("a recording")).expect("it is one").facts
}

/// A check of a site whose every word is hostile, its name 10 kB long.
fn hostile_check() -> (String, String, String) {
    let quoted = |text: &str| serde_json::to_string(text).expect("JSON").replace("\\u0007", "\\u0008");
    let text = quoted(&HOSTILE.replace(['{', '}'], ""));
    let file = format!(
        "title = {text}\nseverity = 'critical'\ndimension = 'security'\nowner = 'pod'\nphases = ['live', 'start', 'build']\n\
         expect = \"run.tool_version == 'x'\"\nmessage = {text}\nwhy = {text}\ndetect = {text}\nlinks = [{text}, 'javascript:alert(4)']\n\
         [remedy]\ndocker = {text}\nkubernetes = {text}\n\
         [[example]]\ngiven = {{ run = {{ tool_version = 'x' }} }}\nthen = 'holds'\n\
         [[example]]\ngiven = {{ run = {{ tool_version = '0' }} }}\nthen = 'fails'\n"
    );
    ("site.toml".to_owned(), format!("site.{}", "n".repeat(10_000)), file)
}

/// Everything that a report may be made of.
pub fn reports() -> Vec<(String, Report)> {
    let mut all: Vec<(String, Report)> = MACHINES
        .iter()
        .map(|(machine, profile)| ((*machine).to_owned(), report_on(facts(machine), &plan(&[], profile), None, &[])))
        .collect();
    let hostile = plan(&[hostile_check()], "production");
    for (machine, end) in [("open-jupyter-and-sshd-root", 0), ("fake-slow-gpu-3-of-8", 10_000)] {
        let facts = spoilt(&facts(machine), &|text| format!("{text}{HOSTILE}{}", "x".repeat(end)));
        all.push((format!("hostile-{machine}"), report_on(facts, &hostile, None, &[])));
    }
    all.push(("64-gpus".to_owned(), report_on(many(), &plan(&[], "production"), None, &[])));
    all
}

/// Eight GPUs, of which one is slow, eight times.
fn many() -> Facts {
    let mut facts = facts("fake-slow-gpu-3-of-8");
    let gpus: Vec<Gpu> = facts.gpus.known().expect("GPUs").clone();
    let multiplies = facts.compute.multiplies.known().expect("multiplies").clone();
    let copies = facts.compute.copies.known().expect("copies").clone();
    let of = |at: u32| at * 8;
    let again = (0..8).flat_map(|at| gpus.iter().map(move |gpu| Gpu { index: gpu.index + of(at), ..gpu.clone() }));
    facts.gpus = again.collect::<Vec<_>>().into();
    let again = (0..8).flat_map(|at| {
        multiplies.iter().cloned().map(move |mut one| {
            one.gpu += of(at);
            one
        })
    });
    facts.compute.multiplies = again.collect::<Vec<_>>().into();
    let again = (0..8).flat_map(|at| {
        copies.iter().cloned().map(move |mut one| {
            one.gpu += of(at);
            one
        })
    });
    facts.compute.copies = again.collect::<Vec<_>>().into();
    facts
}

pub fn rendered(report: &Report, format: Format) -> String {
    let layout = Layout { width: 100, color: false, verbose: false };
    let anchor = "docker/my image.Dockerfile:7".parse().expect("a place");
    formats::render(report, format, &Options { layout, anchor }).expect("JSON").to_string()
}

/// What the readers say of these files.
fn read(python: &Path, files: &[(Format, String)]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/formats.py");
    let files = files.iter().map(|(format, file)| format!("{format}={file}"));
    Command::new(python).arg(script).args(files).output().expect("Python starts")
}

#[test]
fn every_format_is_read_by_programs_of_others() {
    let Some(python) = part("PREFLIGHT_TEST_FORMATS") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for (name, report) in reports() {
        for format in READ {
            let file = folder.path().join(format!("{name}.{format}"));
            std::fs::write(&file, rendered(&report, format)).expect("written");
            files.push((format, file.to_str().expect("UTF-8").to_owned()));
        }
    }
    let output = read(&python, &files);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn those_programs_refuse_what_is_broken() {
    let Some(python) = part("PREFLIGHT_TEST_FORMATS") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (_, report) = reports().remove(0);
    for (format, from, to) in [
        (Format::Junit, "<skipped>", "<skipped message=\"x\">"),
        (Format::Junit, " failures=\"", " failures=\"1"),
        (Format::Sarif, "\"version\": \"2.1.0\"", "\"version\": \"2\""),
        (Format::Sarif, "\"uri\": \"", "\"uri\": \"file:///"),
        (Format::Gitlab, "\"severity\": \"critical\"", "\"severity\": \"high\""),
        (Format::Markdown, "| critical |", "| critical | | |"),
        (Format::Markdown, "uid 0 here", "<b>uid</b> 0 here"),
        (
            Format::Prometheus,
            "gpu_preflight_verdict{verdict=\"incomplete\"} 0",
            "gpu_preflight_verdict{verdict=\"ready\"} 0",
        ),
        (Format::Prometheus, "} 0\n", "} 0 1795632083\n"),
        (Format::Prometheus, "verdict=\"ready\"", "verdict=\"re\"ady\""),
        (Format::Github, "title=identity.not-root", "title=identity,not:root"),
        (Format::Line, "NOT READY", "NOT\nREADY"),
    ] {
        let whole = rendered(&report, format);
        let broken = whole.replacen(from, to, 1);
        assert_ne!(whole, broken, "{format}: {from}");
        let file = folder.path().join("report");
        std::fs::write(&file, broken).expect("written");
        let output = read(&python, &[(format, file.to_str().expect("UTF-8").to_owned())]);
        assert_eq!(output.status.code(), Some(1), "{format} with {to}: {}", text(&output.stderr));
    }
}

/// What this thread has had of a core: a machine that is busy elsewhere makes nothing slower by this clock.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("nanoseconds"))
}

#[test]
fn sixty_four_gpus_are_told_in_bounded_time() {
    let (_, report) = reports().pop().expect("the largest");
    for format in Format::ALL {
        let started = thread_time();
        let length = rendered(&report, *format).len();
        // A hundredth of it in a release.
        let took = thread_time().saturating_sub(started);
        assert!(took < Duration::from_secs(10), "{format}: {took:?}");
        let wide = [Format::Json, Format::Junit];
        assert!(length < 1 << 20 || wide.contains(format), "{format}: {length} bytes");
    }
}
