//! Nothing that others wrote drives a terminal: not a fact, not a site check, not a profile, not a name of a file, not an
//! argument, in whatever it is printed. What must not come out is listed here once more, apart from `text::shown`.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use gpu_preflight::check::load::SiteRoom;
use gpu_preflight::check::{Catalogue, CheckFile};
use gpu_preflight::derive::target::on_model;
use gpu_preflight::explain;
use gpu_preflight::facts::reference::gpus::gpus as gpu_models;
use gpu_preflight::facts::shape::{Shape, Shaped};
use gpu_preflight::facts::{Facts, Gap, GapKind, Gaps};
use gpu_preflight::report::formats::{self, Format, Options, Place};
use gpu_preflight::report::text::{self, Layout};
use gpu_preflight::report::{diff, gpus, summary};
use gpu_preflight::run::{Plan, report_on};
use gpu_preflight::weigh::Profile;
use serde_json::{Map, Value, json};

use crate::machines::machines;
use crate::support::hostile::spoilt;
use crate::support::report::plan;

/// One of each kind: a title for the window, a bell, a screen that is cleared by C0 and by C1, a line of one's own, text
/// from right to left, what cannot be seen, and letters for machines alone.
const HOSTILE: &str = "\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}2J\u{7f}\u{85}\r\nSPOOF \u{202e}\u{2066}\u{61c}\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}\u{2028}\u{fff9}\u{e0041}\u{e0101}\u{fe0f}x";

/// What a terminal, or an eye, would be misled by.
fn misleads(c: char) -> bool {
    (c.is_control() && c != '\n') || (!c.is_ascii() && HOSTILE.contains(c))
}

#[track_caller]
fn tame(what: &str, printed: &str) {
    if let Some(at) = printed.find(misleads) {
        let around: String = printed[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what} prints {:?} after {around:?}", printed[at..].chars().next().expect("it was found"));
    }
}

/// The same of pages so wide that nothing is wrapped: no line of them begins with what is somebody else's.
#[track_caller]
fn tame_lines(what: &str, printed: &str) {
    tame(what, printed);
    assert!(!printed.lines().any(|line| line.trim_start().starts_with("SPOOF")), "{what}:\n{printed}");
}

/// Everything known: each list with one item, each text hostile, and of words and numbers the `turn`th.
fn everything(shape: &'static Shape, turn: usize) -> Value {
    match shape.bare() {
        Shape::Bool => turn.is_multiple_of(2).into(),
        Shape::Integer => [0, 8888, 22, 1][turn % 4].into(),
        Shape::Number => json!(0.5),
        Shape::Text => HOSTILE.into(),
        Shape::Anything => json!({ HOSTILE: HOSTILE }),
        Shape::Word(words) => words[turn % words.len()].name.into(),
        Shape::List(item) => json!([everything(item, turn)]),
        Shape::Map(item) => json!({ HOSTILE: everything(item, turn) }),
        Shape::Record(record) => {
            let fields = record.fields.iter().map(|field| (field.name.to_owned(), everything(field.shape, turn)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Shape::Maybe(_) | Shape::Optional(_) => unreachable!("bare"),
    }
}

fn facts(value: Value) -> Facts {
    serde_json::from_value(value).expect("facts")
}

/// Machines with hostile words in every text: the recorded ones, two that know everything there is, and one that knows
/// nothing for a hostile reason.
fn hostile_machines() -> Vec<(String, Facts)> {
    let mut all: Vec<(String, Facts)> = Vec::new();
    for (at, (name, facts)) in machines().into_iter().enumerate() {
        // A machine is spoilt in one of two ways, for the time that it takes. Every text there is comes below.
        if at % 2 == 0 || name == "open-jupyter-and-sshd-root" {
            all.push((format!("{name}, before"), spoilt(&facts, &|text| format!("{HOSTILE}{text}"))));
        }
        if at % 2 == 1 || name == "h100-deep" {
            all.push((format!("{name}, behind"), spoilt(&facts, &|text| format!("{text}{HOSTILE}"))));
        }
    }
    all.extend((0..12).map(|turn| (format!("everything, {turn}"), facts(everything(Facts::SHAPE, turn)))));
    all.push(("nothing".to_owned(), Facts::all_unknown(&Gap::new(GapKind::TimedOut, HOSTILE))));
    all
}

/// Everything that is printed of these facts under a plan, but for what `--format json` gives.
fn printed(what: &str, plan: &Plan, facts: &Facts) {
    let report = report_on(facts.clone(), plan, None, &[]);
    for (width, verbose) in [(60, true), (100, true), (140, false)] {
        let layout = Layout { width, color: false, verbose };
        tame(what, &text::render(&report, layout).to_string());
    }
    let wide = Layout { width: u16::MAX, color: false, verbose: true };
    tame_lines(what, &text::render(&report, wide).to_string());
    tame_lines(what, &summary::render(&report).to_string());
    let present = facts.native.present.known().into_iter().flatten().chain(&facts.native.targets).cloned();
    let targets = present.chain(gpu_models().iter().take(4).map(|model| on_model(facts, model))).collect();
    let table = gpus::table(facts, facts.compatibility.runtime_version.clone(), targets);
    tame_lines(what, &gpus::text(&table, wide).to_string());
}

/// Every format of a report, and what `diff` says of it.
fn written(what: &str, plan: &Plan, facts: &Facts) {
    let report = report_on(facts.clone(), plan, None, &[]);
    let wide = Layout { width: u16::MAX, color: false, verbose: true };
    let options = Options { layout: wide, anchor: Place::default() };
    for format in Format::ALL {
        let told = formats::render(&report, *format, &options).expect("JSON");
        tame_lines(&format!("{what} as {format}"), &told);
    }
    tame_lines(what, &formats::step_summary(&report));
    let nothing = report_on(Facts::default(), plan, None, &[]);
    for pair in [[&report, &nothing], [&nothing, &report]] {
        let diff = diff::compare(pair[0], pair[1]);
        tame_lines(what, &diff::text(&diff, [HOSTILE, HOSTILE], pair, wide));
    }
}

#[test]
fn no_text_of_a_fact_drives_a_terminal() {
    let plan = plan(&[], "production");
    for (name, facts) in hostile_machines() {
        printed(&name, &plan, &facts);
        // Of the recorded ones a few: a format has few words of its own, and takes its time.
        if ["everything, ", "nothing", "open-jupyter", "fake-slow"].iter().any(|some| name.starts_with(some)) {
            written(&name, &plan, &facts);
        }
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn preflight(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(arguments).env_remove("GPU_PREFLIGHT_MODE").stdin(Stdio::null()).output().expect("it runs")
}

/// Runs it and gives what it said on both streams.
#[track_caller]
fn said(arguments: &[&str], code: i32) -> [String; 2] {
    let output = preflight(arguments);
    let streams = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).expect("UTF-8"));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {streams:?}");
    for text in &streams {
        tame(&format!("{arguments:?}"), text);
    }
    streams
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn the_program_prints_no_hostile_recording_as_it_stands_and_json_says_it_all_the_same() {
    let folder = folder();
    let path = folder.path().join("facts.json");
    let known = hostile_machines();
    let pick = |wanted: &str| known.iter().find(|(name, _)| name == wanted).expect(wanted).1.clone();
    for name in ["open-jupyter-and-sshd-root, before", "h100-deep, behind", "everything, 1"] {
        let mut facts = pick(name);
        facts.schema = gpu_preflight::facts::SCHEMA.to_owned();
        facts.written.judged_count = 0;
        std::fs::write(&path, serde_json::to_string(&facts).expect("JSON")).expect("written");
        for arguments in [&["judge"][..], &["judge", "--verbose"], &["gpus", "--from"]] {
            let told = preflight(&[arguments, &[utf8(&path)]].concat());
            for stream in [told.stdout, told.stderr] {
                tame(&format!("{arguments:?} of {name}"), &String::from_utf8(stream).expect("UTF-8"));
            }
            let told = preflight(&[arguments, &[utf8(&path), "--format", "json"]].concat()).stdout;
            let text = String::from_utf8(told).expect("UTF-8");
            tame(&format!("{arguments:?} of {name} as JSON"), &text);
            let value: Value = serde_json::from_str(&text).expect("JSON");
            assert!(value.to_string().contains('\u{202e}'), "what was told is still told");
        }
    }
}

/// A site check in which every text is hostile that may be.
fn hostile_check() -> String {
    let text = toml_text(HOSTILE);
    let places = ["docker", "kubernetes", "image", "workload", "node", "hardware"];
    let remedies = places.map(|place| format!("{place} = {text}\n")).concat();
    format!(
        "title = {text}\nseverity = 'critical'\ndimension = 'security'\nowner = 'pod'\n\
         phases = ['live', 'start', 'build']\nwhen = \"run.tool_version != {quoted} || run.tool_version == {quoted}\"\n\
         expect = \"run.tool_version == {quoted}\"\nmessage = {text}\nwhy = {text}\ndetect = {text}\nlinks = [{text}]\n\
         [remedy]\n{remedies}\
         [[example]]\ngiven = {{ run = {{ tool_version = {text} }} }}\nthen = 'holds'\n\
         [[example]]\ngiven = {{ run = {{ tool_version = '0' }} }}\nthen = 'fails'\n",
        quoted = toml_text(HOSTILE).replace('"', "'"),
    )
}

/// A text as TOML writes it, without a character that TOML forbids.
fn toml_text(text: &str) -> String {
    let escaped: Vec<String> = text.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
    format!("\"{}\"", escaped.concat())
}

#[test]
fn no_text_of_a_site_check_drives_a_terminal() {
    let text_fields = CheckFile::SHAPE.fields().iter().filter(|field| matches!(field.shape.bare(), Shape::Text));
    for field in text_fields.filter(|field| !["each", "subject"].contains(&field.name)) {
        assert!(hostile_check().contains(&format!("{} = ", field.name)), "{} is not tried", field.name);
    }
    let file = format!("{HOSTILE}.toml");
    let hostile = (file.clone(), "spoof.text".to_owned(), hostile_check());
    let each = hostile_check().replacen("expect", "each = 'gpus'\nsubject = \"{it.index} \\u202e\\u001b\"\nexpect", 1);
    let each = each.replace("given = { run", "given = { gpus = [{ index = 0 }], run");
    let each = (file, "spoof.each".to_owned(), each);
    let plan = plan(&[hostile.clone(), each.clone()], "production");
    for (at, (name, facts)) in machines().into_iter().take(12).enumerate() {
        printed(&name, &plan, &facts);
        if at < 2 {
            written(&name, &plan, &facts);
        }
    }
    let catalogue = Catalogue::load(&[SiteRoom { shared: None, checks: vec![hostile, each] }]).expect("valid");
    let checks: Vec<_> = catalogue.checks.iter().filter(|check| check.id.starts_with("spoof.")).collect();
    assert_eq!(checks.len(), 2);
    let profiles = Profile::all(&catalogue).expect("valid profiles");
    for check in &checks {
        tame("explain", &explain::page(check, 1, &profiles).to_string());
    }
    tame_lines("list", &explain::list(&checks, |check| Some(check.file.severity.to_string())).to_string());
}

#[test]
fn no_mistake_in_a_file_drives_a_terminal() {
    let folder = folder();
    let room = folder.path().join(HOSTILE).join("spoof");
    std::fs::create_dir_all(&room).expect("a folder");
    let file = room.join("text.toml");
    let text = toml_text(HOSTILE);
    let bare = hostile_check();
    let line = |streams: [String; 2]| {
        assert_eq!(streams[1].lines().count(), 1, "one line: {streams:?}");
    };
    std::fs::write(&file, &bare).expect("written");
    let folder = folder.path().join(HOSTILE);
    let folder = utf8(&folder);
    for arguments in [&["list"][..], &["explain", "spoof.text"]] {
        said(&[arguments, &["--checks", folder]].concat(), 0);
    }
    let misnamed = room.join(format!("{HOSTILE}.toml"));
    std::fs::rename(&file, &misnamed).expect("renamed");
    line(said(&["list", "--checks", folder], 78));
    std::fs::remove_file(&misnamed).expect("removed");
    for wrong in [
        format!("{text} = 1\n"),
        bare.replacen("'critical'", &text, 1),
        bare.replacen("'pod'", &text, 1),
        bare.replacen("['live'", &format!("[{text}, 'live'"), 1),
        format!("requires = [{text}]\n{bare}"),
        bare.replacen("run.tool_version", &format!("run.{}", "\\u202e\\u001b"), 1),
        bare.replacen("run.tool_version !=", "container.kind ==", 1),
        bare.replacen("message = \"", "message = \"{\\u001b\\u202e}", 1),
        bare.replacen("message = \"", "message = \"{identity.uid|\\u001b\\u202e}", 1),
        format!("{bare}{text} = 'x'\n"),
        format!("each = {text}\nsubject = 'x'\n{bare}"),
        bare.replacen("title = ", "title = \u{1b}\u{202e}", 1),
        "\u{202e}\u{9b}".to_owned(),
        format!("{bare}[[example]]\ngiven = {{ {text} = 1 }}\nthen = 'holds'\n"),
        format!("{bare}[[example]]\ngiven = {{ }}\nthen = 'holds'\nmessage = {text}\n"),
    ] {
        std::fs::write(&file, wrong).expect("written");
        line(said(&["list", "--checks", folder], 78));
    }
    std::fs::write(&file, b"\xff").expect("written");
    line(said(&["list", "--checks", folder], 78));

    let check = "check = 'limits.memory-limited'\n";
    for wrong in [
        format!("{text} = 1\n"),
        format!("want = [{text}]\n"),
        format!("gate = [{text}]\n"),
        format!("phase = {text}\n"),
        format!("[severity]\n{text} = 'low'\n"),
        format!("[severity]\n'limits.*' = {text}\n"),
        format!("[[waive]]\ncheck = {text}\nreason = 'r'\nowner = 'o'\nexpires = '2030-01-01'\n"),
        format!("[[waive]]\n{check}reason = 'r'\nowner = 'o'\nexpires = {text}\n"),
        format!("[[waive]]\n{check}{text} = 'o'\n"),
    ] {
        std::fs::write(&file, wrong).expect("written");
        line(said(&["list", "--profile", utf8(&file)], 78));
    }
    for wrong in [
        json!({ HOSTILE: 1 }),
        json!({ "schema": HOSTILE }),
        json!({ "schema": "gpu-preflight/facts/2", "identity": { "uid": HOSTILE } }),
        json!({ "schema": "gpu-preflight/facts/2", "identity": { HOSTILE: 1, "uid": "root" } }),
        json!(HOSTILE),
    ] {
        std::fs::write(&file, wrong.to_string()).expect("written");
        line(said(&["judge", utf8(&file)], 78));
    }
    // What a newer version wrote is no mistake, and is said.
    let newer = json!({
        "schema": "gpu-preflight/facts/9", HOSTILE: 1, "run": { "tool_version": HOSTILE, "tier": HOSTILE },
        "identity": { HOSTILE: 1, "uid": HOSTILE }, "container": { "kind": { "unknown": HOSTILE, "detail": HOSTILE } },
    });
    std::fs::write(&file, newer.to_string()).expect("written");
    for format in ["text", "json"] {
        let told = preflight(&["judge", "--format", format, utf8(&file)]);
        tame("a newer recording", &String::from_utf8(told.stdout).expect("UTF-8"));
    }
    let told = preflight(&["gpus", "--from", utf8(&file)]);
    tame("a newer recording", &String::from_utf8(told.stderr).expect("UTF-8"));
}

#[test]
fn no_word_of_a_profile_drives_a_terminal() {
    let catalogue = Catalogue::load(&[]).expect("valid");
    let text = toml_text(HOSTILE);
    let waiver = |check: &str, subject: &str, expires: &str| {
        format!("[[waive]]\ncheck = '{check}'\n{subject}reason = {text}\nowner = {text}\nexpires = '{expires}'\n")
    };
    let file = [
        format!("title = {text}\ndescription = {text}\n"),
        waiver("limits.memory-limited", "", "2999-01-01"),
        waiver("identity.not-root", "", "2999-01-01"),
        waiver("gpu.granted", &format!("subject = {text}\n"), "2999-01-01"),
        waiver("limits.pids-limited", "", "1999-01-01"),
    ]
    .concat();
    let profile = Profile::read(HOSTILE, HOSTILE, &file, &catalogue).expect("valid");
    let plan = Plan::of(catalogue, profile);
    for (at, (name, facts)) in machines().into_iter().step_by(4).enumerate() {
        printed(&name, &plan, &facts);
        if at < 2 {
            written(&name, &plan, &facts);
        }
    }
}

#[test]
fn no_argument_drives_a_terminal() {
    let with = |option: &str| format!("{option}={HOSTILE}");
    let nowhere = format!("/nowhere/{HOSTILE}");
    for (arguments, code) in [
        (&["explain", HOSTILE][..], 64),
        (&[HOSTILE], 64),
        (&[&with("--bogus")], 64),
        (&[&with("--tier")], 64),
        (&[&with("--phase")], 64),
        (&[&with("--for")], 64),
        (&[&with("--deadline")], 64),
        (&[&with("--only")], 64),
        (&[&with("--assume")], 64),
        (&["--assume", &format!("driver={HOSTILE}")], 64),
        (&["--assume", &format!("gpu={HOSTILE}")], 64),
        (&["gpus", HOSTILE], 64),
        (&[&with("--profile")], 78),
        (&[&with("--checks")], 78),
        (&["judge", &nowhere], 78),
        (&["facts", "--no-gpu", "--tier", "quick", "--output", &nowhere], 74),
        (&["exec", "--mode", "off", "--", HOSTILE], 127),
        (&["exec", "--mode", HOSTILE, "--", "true"], 64),
    ] {
        said(arguments, code);
    }
}
