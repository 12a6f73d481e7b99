//! Variables of options, and `config`, which prints what is in force: the same that `check` then does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::Arg;
use gpu_preflight::cli;
use gpu_preflight::cli::variables::{self, PREFIX, Variables, WITHOUT};
use serde_json::Value;

/// The program with these variables and no others of ours, and no contract beside it.
fn preflight(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX)) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).current_dir("/");
    command.envs(variables.iter().map(|(name, value)| (format!("{PREFIX}{name}"), value)));
    command
}

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    preflight(variables, arguments).output().expect("it runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", errors(output)))
}

/// What `config` says of an option: its value, and who says it with which name.
fn said(config: &Value, option: &str) -> (String, String) {
    let all = config["options"].as_array().expect("a list");
    let found = all.iter().find(|one| one["option"] == option).unwrap_or_else(|| panic!("no {option}: {config}"));
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("value"), format!("{} {}", text("source"), text("source_name")).trim().to_owned())
}

fn config(variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let output = run(variables, &[&["config", "--format", "json"], arguments].concat());
    assert_eq!(code(&output), 0, "{variables:?} {arguments:?}: {}", errors(&output));
    json(&output)
}

fn pair(value: &str, from: &str) -> (String, String) {
    (value.to_owned(), from.to_owned())
}

#[test]
fn every_option_has_its_variable_or_a_reason_to_have_none() {
    let parser = cli::command();
    let mut without = BTreeSet::new();
    let mut same: BTreeMap<String, (String, String)> = BTreeMap::new();
    for command in parser.get_subcommands() {
        for option in command.get_arguments().filter(|option| option.get_long().is_some()) {
            let (name, long) = (command.get_name(), option.get_long().expect("it has one"));
            let Some(variable) = variables::name(name, option) else {
                without.insert((name.to_owned(), long.to_owned()));
                continue;
            };
            assert_eq!(variable, format!("GPU_PREFLIGHT_{}", long.replace('-', "_").to_uppercase()));
            // One name is one option: of two meanings one would be a surprise.
            let (other, meaning) = same.entry(variable).or_insert_with(|| (name.to_owned(), meaning(option)));
            assert_eq!(*meaning, self::meaning(option), "--{long} of {name} and of {other}");
        }
    }
    let listed = WITHOUT.iter().flat_map(|(commands, option, why)| {
        assert!(why.len() > 20, "--{option}: {why}");
        commands.iter().map(|command| ((*command).to_owned(), (*option).to_owned()))
    });
    assert_eq!(without, listed.collect(), "those without and no others");
    assert!(same.len() > 30, "{same:?}");
    let all: Vec<(String, String)> = same.keys().map(|name| (name.clone(), "1".to_owned())).collect();
    assert_eq!(Variables::of(all).strangers(&parser), [], "none is taken for a stranger");
}

/// What a value of an option may be.
fn meaning(option: &Arg) -> String {
    let words: Vec<_> = option.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect();
    format!("{:?} {:?} {:?} {words:?}", option.get_action(), option.get_value_names(), option.get_value_delimiter())
}

#[test]
fn help_says_once_that_there_are_variables() {
    let mut parser = cli::command();
    parser.build();
    for command in parser.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let has_any = command.get_arguments().any(|option| variables::name(command.get_name(), option).is_some());
        for help in [command.render_help(), command.render_long_help()] {
            let count = help.to_string().matches("can come from a variable").count();
            assert_eq!(count, usize::from(has_any), "{}", command.get_name());
        }
    }
    for arguments in [["check", "--help"], ["check", "-h"]] {
        let output = run(&[("TIER", "quick"), ("PHASE", "nonsense")], &arguments);
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(code(&output), 0, "help is there where a variable is wrong");
        assert!(!help.contains("[env") && !help.contains("GPU_PREFLIGHT_TIER"), "{help}");
    }
}

#[test]
fn variables_say_what_flags_say() {
    let here = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        fs::write(here.path().join(name), text).expect("written");
        here.path().join(name).to_str().expect("UTF-8").to_owned()
    };
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/0.1.0.json");
    let recorded = recorded.to_str().expect("UTF-8");
    let (log, contract) = (file("app.log", "x"), file("contract.toml", ""));
    let (report, output) = (format!("junit={}/report.xml", here.path().display()), format!("{log}.json"));
    let own = std::process::id().to_string();
    let set = [
        ("PHASE", "start"),
        ("DEADLINE", "7s"),
        ("TIER", "soak"),
        ("FOR", "30s"),
        ("LOG", &log),
        ("AS_PROCESS", &own),
        ("PROFILE", "training"),
        ("CONTRACT", &contract),
        ("ONLY", "limits, gpu.granted"),
        ("SKIP", "gpu.granted"),
        ("ASSUME", "gpu=NVIDIA H200, driver=580.65.06"),
        ("FAIL_ON", "medium"),
        ("EXIT_STYLE", "slurm"),
        ("BASELINE", recorded),
        ("OUTPUT", &output),
        ("REPORT", &report),
        ("SARIF_ANCHOR", "Containerfile:3"),
        ("COLOR", "never"),
    ]
    .map(|(name, value)| (name, value.replace(", ", ",")));
    let flags = ["NO_GPU", "FAIL_ON_NEW_ONLY", "VERBOSE"].map(|name| (name, "yes".to_owned()));
    let set: Vec<(&str, &str)> = set.iter().chain(&flags).map(|(name, value)| (*name, value.as_str())).collect();
    let found = config(&set, &[]);
    for (name, value) in &set {
        let option = name.to_lowercase().replace('_', "-");
        assert_eq!(said(&found, &option).1, format!("variable GPU_PREFLIGHT_{name}"));
        assert_eq!(said(&found, &option).0.replace(", ", ","), *value, "--{option}");
    }
    assert_eq!(found["check_count"], said_count("limits."), "what --only and --skip leave: {found}");
    assert!(!Path::new(&output).exists(), "config writes to standard output alone");
}

/// Checks of the catalogue whose id begins so.
fn said_count(room: &str) -> usize {
    let catalogue = gpu_preflight::check::Catalogue::load(&[]).expect("a catalogue");
    catalogue.checks.iter().filter(|check| check.id.starts_with(room)).count()
}

#[test]
fn the_command_line_wins_over_a_variable_and_that_over_contract_and_profile() {
    let here = tempfile::tempdir().expect("a folder");
    fs::write(here.path().join("gpu-preflight.toml"), "profile = 'training'\n").expect("written");
    fs::write(here.path().join("ours.toml"), "title = 'Ours'\nphase = 'build'\ngate = ['critical']\n")
        .expect("written");
    let contract = here.path().join("gpu-preflight.toml").display().to_string();
    let both = |variables: &[(&str, &str)], arguments: &[&str]| {
        let outputs = ["config", "check"].map(|command| {
            let arguments =
                [&[command, "--format=json", "--no-gpu", "--tier=quick", "--only=limits"], arguments].concat();
            preflight(variables, &arguments).current_dir(here.path()).output().expect("it runs")
        });
        let [config, report] = outputs.map(|output| json(&output));
        // What is said to be in force is what check does.
        assert_eq!(config["contract_file"], report["facts"]["contract"]["file"]);
        let deadline = report["facts"]["run"]["deadline_seconds"].as_f64().expect("a number");
        assert_eq!(said(&config, "deadline").0, format!("{deadline}s"));
        assert_eq!(said(&config, "profile").0, report["profile"]);
        assert_eq!(said(&config, "phase").0, report["phase"]);
        assert_eq!(said(&config, "tier").0, report["facts"]["run"]["tier"]);
        assert_eq!(config["check_count"], report["selection"]["check_count"]);
        assert_eq!(config["profile_check_count"], report["selection"]["profile_check_count"]);
        config
    };
    let found = both(&[], &[]);
    assert_eq!(said(&found, "profile"), pair("training", &format!("contract {contract}")));
    assert_eq!(said(&found, "contract"), pair(&contract, "default"));
    assert_eq!(said(&found, "phase"), pair("live", "default"));
    assert_eq!(said(&found, "fail-on"), pair("critical, high", "default"));
    let found = both(&[("PROFILE", "notebook"), ("DEADLINE", "8"), ("TIER", "deep")], &[]);
    assert_eq!(said(&found, "profile"), pair("notebook", "variable GPU_PREFLIGHT_PROFILE"));
    assert_eq!(said(&found, "deadline"), pair("8s", "variable GPU_PREFLIGHT_DEADLINE"));
    assert_eq!(said(&found, "tier"), pair("quick", "command-line"));
    let found = both(&[("PROFILE", "notebook"), ("PHASE", "")], &["--profile", "ours.toml"]);
    assert_eq!(said(&found, "profile"), pair("ours.toml", "command-line"));
    assert_eq!(found["profile_file"], "ours.toml");
    assert_eq!(said(&found, "phase"), pair("build", "profile ours.toml"), "an empty variable is none");
    assert_eq!(said(&found, "fail-on"), pair("critical", "profile ours.toml"));
    let found = both(&[("PROFILE", "ours.toml"), ("PHASE", "start"), ("FAIL_ON", "low")], &[]);
    assert_eq!(said(&found, "phase"), pair("start", "variable GPU_PREFLIGHT_PHASE"));
    assert_eq!(said(&found, "fail-on"), pair("low", "variable GPU_PREFLIGHT_FAIL_ON"));
}

#[test]
fn a_flag_takes_yes_and_no() {
    for (value, is_set) in [
        ("1", "yes"),
        ("true", "yes"),
        ("Yes", "yes"),
        (" ON ", "yes"),
        ("0", "no"),
        ("false", "no"),
        ("no", "no"),
        ("OFF", "no"),
        ("", "no"),
        (" ", "no"),
    ] {
        let from = if value.trim().is_empty() { "default" } else { "variable GPU_PREFLIGHT_NO_GPU" };
        assert_eq!(said(&config(&[("NO_GPU", value)], &[]), "no-gpu"), pair(is_set, from), "`{value}`");
    }
    let found = config(&[("QUIET", "off")], &["--verbose"]);
    assert_eq!(said(&found, "verbose").0, "yes", "what is not set conflicts with nothing");
    let output = run(&[("NO_GPU", "maybe")], &["config"]);
    assert_eq!(code(&output), 64);
    assert!(
        errors(&output).contains("GPU_PREFLIGHT_NO_GPU is `maybe`: a flag takes 1, true, yes, on"),
        "{}",
        errors(&output)
    );
    assert_eq!(said(&config(&[("NO_GPU", "maybe")], &["--no-gpu"]), "no-gpu"), pair("yes", "command-line"));
}

#[test]
fn a_variable_separates_where_the_option_does_and_is_one_value_elsewhere() {
    let left = |variables: &[(&str, &str)]| config(variables, &[])["check_count"].as_u64();
    assert_eq!(left(&[("ONLY", "gpu.granted,limits.memory-limited")]), Some(2));
    let output = run(&[("CHECKS", "/nothing/a,/nothing/b")], &["config"]);
    assert!(errors(&output).contains("/nothing/a,/nothing/b: "), "{}", errors(&output));
    assert_eq!(code(&output), 78, "{}", errors(&output));
    // As two reports, to two places, it would be `junit=/a, line=/b`.
    let found = config(&[("REPORT", "junit=/a,line=/b")], &[]);
    assert_eq!(said(&found, "report"), pair("junit=/a,line=/b", "variable GPU_PREFLIGHT_REPORT"));
}

#[test]
fn a_mistake_in_a_variable_is_told_with_its_name() {
    for (variables, arguments, wanted, words) in [
        (
            &[("TIER", "quik")][..],
            &["check"][..],
            64,
            "GPU_PREFLIGHT_TIER is `quik`, none of standard, quick, deep, soak; did you mean `quick`?",
        ),
        (&[("DEADLINE", "soon")], &[], 64, "GPU_PREFLIGHT_DEADLINE is `soon`: a time from 0.1s to 25h"),
        (&[("UID", "root")], &["harden"], 64, "GPU_PREFLIGHT_UID is `root`: "),
        (&[("OSV", "/x")], &["check", "--dockerfile", "Dockerfile"], 64, "--osv <PATH> comes from GPU_PREFLIGHT_OSV"),
        (
            &[("FAIL_ON_NEW_ONLY", "1"), ("TIER", "quick")],
            &["check"],
            64,
            "--fail-on-new-only from GPU_PREFLIGHT_FAIL_ON_NEW_ONLY",
        ),
        (&[("FOR", "10m")], &["check"], 64, "this is standard; --for comes from GPU_PREFLIGHT_FOR"),
        (
            &[("PROFILE", "prodution")],
            &["list"],
            78,
            "did you mean `production`?; --profile comes from GPU_PREFLIGHT_PROFILE",
        ),
        (&[("ONLY", "limts")], &["check"], 64, "--only comes from GPU_PREFLIGHT_ONLY"),
        (&[("TIER", "a\u{1b}[31mb")], &["check"], 64, "GPU_PREFLIGHT_TIER is `a\\u{1b}[31mb`"),
    ] {
        let output = run(variables, arguments);
        let errors = errors(&output);
        assert_eq!(code(&output), wanted, "{variables:?} {arguments:?}: {errors}");
        assert!(errors.contains(words), "{words}\nis not in\n{errors}");
    }
    // What the command line has wrong by itself is told as ever.
    for arguments in [&["check", "--tier", "nonsense"][..], &["check", "--bogus"], &["check", "--verbose", "--quiet"]] {
        let output = run(&[("TIER", "nonsense"), ("PHASE", "start")], arguments);
        assert_eq!(errors(&output), errors(&run(&[], arguments)), "{arguments:?}");
    }
    // What is wrong for one command stops no other.
    for arguments in [&["explain", "gpu.granted"][..], &["list"], &["check", "--help"]] {
        let output = run(&[("TIER", "nonsense"), ("UID", "root"), ("FAIL_ON_NEW_ONLY", "1")], arguments);
        assert_eq!((code(&output), errors(&output)), (0, String::new()), "{arguments:?}");
    }
}

#[test]
fn the_style_of_a_variable_is_heard_whatever_else_is_wrong() {
    let nagios = ("EXIT_STYLE", "nagios");
    for (variables, arguments) in [
        (&[nagios, ("TIER", "nonsense")][..], &[][..]),
        (&[nagios], &["check", "--bogus"]),
        (&[nagios, ("PROFILE", "nonsense")], &["check"]),
    ] {
        let output = run(variables, arguments);
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(code(&output), 3, "{variables:?} {arguments:?}: {}", errors(&output));
        assert!(line.starts_with("GPU-PREFLIGHT UNKNOWN: "), "{line}");
    }
    assert_eq!(code(&run(&[nagios], &["check", "--exit-style=slurm", "--bogus"])), 0, "the command line wins");
    assert_eq!(code(&run(&[nagios], &["facts", "--bogus"])), 64, "this command knows no style");
}

#[test]
fn the_workload_starts_in_spite_of_a_wrong_variable_where_nothing_may_stop_it() {
    let workload = ["exec", "--", "sh", "-c", "exit 42"];
    for (wrong, refused, words) in [
        (("TIER", "nonsense"), 64, "GPU_PREFLIGHT_TIER is `nonsense`"),
        (("FOR", "10m"), 64, "--for comes from GPU_PREFLIGHT_FOR"),
        (("PROFILE", "nonsense"), 78, "--profile comes from GPU_PREFLIGHT_PROFILE"),
    ] {
        let output = run(&[wrong], &workload);
        assert_eq!(code(&output), refused, "{}", errors(&output));
        let output = run(&[wrong, ("MODE", "report")], &workload);
        assert_eq!(code(&output), 42, "{}", errors(&output));
        assert!(errors(&output).contains(words), "{}", errors(&output));
    }
    let found = config(&[("MODE", "report"), ("BLOCK_ON_INCOMPLETE", "1")], &[]);
    let names: Vec<&str> =
        found["other_variables"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["GPU_PREFLIGHT_BLOCK_ON_INCOMPLETE", "GPU_PREFLIGHT_MODE"]);
    assert_eq!(found["unknown_variables"], Value::Array(Vec::new()));
}

#[test]
fn a_variable_that_means_nothing_is_told_and_what_others_set_is_not() {
    let slip = ("FAILON", "never");
    let others = [
        ("PORT", "tcp://10.0.0.1:80"),
        ("SERVICE_HOST", "10.0.0.1"),
        ("SERVICE_PORT_HTTP", "80"),
        ("PORT_80_TCP_ADDR", "10.0.0.1"),
        ("MODE_PORT", "tcp://10.0.0.1:80"),
        ("PROBE", "1"),
    ];
    let strange = [("VERSION", "0.1.0"), ("SOMETHING_ELSE", "x")];
    let all = [&[slip][..], &others, &strange].concat();
    let found = config(&all, &[]);
    let names: Vec<(&str, &str)> = found["unknown_variables"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["name"].as_str().expect("a name"), one["near"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        names,
        [
            ("GPU_PREFLIGHT_FAILON", "GPU_PREFLIGHT_FAIL_ON"),
            ("GPU_PREFLIGHT_SOMETHING_ELSE", ""),
            ("GPU_PREFLIGHT_VERSION", "")
        ]
    );
    let told = errors(&run(&all, &["explain", "gpu.granted"]));
    assert_eq!(
        told,
        "gpu-preflight: the variable GPU_PREFLIGHT_FAILON means nothing; did you mean `GPU_PREFLIGHT_FAIL_ON`?\n"
    );
    assert_eq!(errors(&run(&[&others[..], &strange].concat(), &["explain", "gpu.granted"])), "");
}

#[test]
fn a_child_takes_no_option_from_a_variable() {
    for name in ["errand", "collect"] {
        let output = run(&[("TIER", "nonsense"), ("FORMAT", "nonsense"), ("FAILON", "x")], &["__probe", name]);
        assert_eq!(code(&output), code(&run(&[], &["__probe", name])), "{}", errors(&output));
        assert_eq!(errors(&output), "");
    }
}

#[test]
fn config_refuses_what_check_refuses_in_the_same_words() {
    let here = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("wrong.toml", "title = 'x'\n[severity]\n'limts.*' = 'low'\n"),
        ("gpu-preflight.toml", "[needs]\nmemory = 'lots'\ncuda = 'new'\n"),
        ("Dockerfile", "RUN x\n"),
        ("baseline.json", "{"),
    ] {
        fs::write(here.path().join(name), text).expect("written");
    }
    fs::write(here.path().join("sound.toml"), "").expect("written");
    let sound = &["--contract", "sound.toml"][..];
    for (arguments, wanted) in [
        (&[][..], 78),
        (&["--profile", "wrong.toml"], 78),
        (&["--contract", "/nothing/c.toml"], 78),
        (&["--dockerfile", "/nothing/Dockerfile"], 78),
        (&["--dockerfile", "Dockerfile"], 78),
        (&["--baseline", "baseline.json"], 78),
        (&["--checks", "/nothing"], 78),
        (&["--root", "/nothing"], 78),
        (&["--image-config", "baseline.json"], 78),
        (&["--only", "limts"], 64),
        (&["--as-process", "4194304"], 64),
        (&["--image-config", "-", "--baseline", "-"], 64),
    ] {
        let said = ["config", "check"].map(|command| {
            let contract = if arguments.is_empty() || arguments.contains(&"--contract") { &[][..] } else { sound };
            let arguments = [&[command, "--no-gpu", "--tier=quick"], arguments, contract].concat();
            let output = preflight(&[], &arguments).current_dir(here.path()).output().expect("it runs");
            (code(&output), errors(&output))
        });
        assert_eq!(said[0], said[1], "{arguments:?}");
        assert_eq!(said[0].0, wanted, "{arguments:?}: {}", said[0].1);
        assert!(!said[0].1.is_empty());
    }
}

#[test]
fn waivers_are_told_with_whether_they_are_over() {
    let here = tempfile::tempdir().expect("a folder");
    let waiver = |check: &str, day: &str| {
        format!("[[waive]]\ncheck = '{check}'\nreason = 'known'\nowner = 'us'\nexpires = '{day}'\n")
    };
    let text = waiver("identity.not-root", "2001-01-01") + &waiver("limits.memory-limited", "9999-12-31");
    fs::write(here.path().join("gpu-preflight.toml"), text).expect("written");
    let output = preflight(&[], &["config"]).current_dir(here.path()).output().expect("it runs");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "waiver: identity.not-root, expired on 2001-01-01, us\n",
        "waiver: limits.memory-limited, until 9999-12-31, us\n",
        "file of the profile: part of the program\n",
        "/gpu-preflight.toml\n",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    let page =
        String::from_utf8_lossy(&run(&[("LOG", "/a\u{1b}[31m")], &["config", "--phase=start"]).stdout).into_owned();
    assert!(page.contains("/a\\u{1b}[31m") && !page.contains('\u{1b}'), "{page}");
}
