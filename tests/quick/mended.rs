//! What a remedy for a compose file says is written into one: the finding goes, and no new one comes.

use std::collections::BTreeMap;
use std::process::Command;

use gpu_preflight::check::Catalogue;
use gpu_preflight::facts::Phase;
use serde_json::Value;

use crate::support::program::fed;

/// A service of which nothing is said.
const BARE: &str = "services:\n  a:\n    image: registry.example.com/a:1\n";

/// Lines with which a check fails that holds where nothing is said.
const BROKEN: [(&str, &str); 5] = [
    ("recovery.grace-given", "stop_grace_period: 0s"),
    ("identity.not-root", "user: root"),
    ("limits.cpu-sufficient", "cpus: 1"),
    ("limits.shm-sufficient", "gpus: 1"),
    ("recovery.restarts-declared", "expose: [8000]"),
];

/// What the checks say of a service with these lines.
fn outcomes(lines: &[&str]) -> BTreeMap<String, String> {
    let text = lines.iter().fold(BARE.to_owned(), |text, line| format!("{text}    {line}\n"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    let output = fed(command.args(["check", "--format=json", "--verbose", "--compose", "-"]), &text);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{text}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    let word = |finding: &Value, key: &str| finding[key].as_str().expect("a word").to_owned();
    report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| (word(one, "check"), word(one, "outcome")))
        .collect()
}

/// The fields of a service that the text names, as `key: value` in backticks. What belongs under another key is none.
fn fields(remedy: &str) -> Vec<&str> {
    let pieces: Vec<&str> = remedy.split('`').collect();
    let is_field = |at: &usize| pieces[*at].contains(": ") && !pieces[*at + 1].starts_with(" under");
    (1..pieces.len()).step_by(2).filter(is_field).map(|at| pieces[at]).collect()
}

fn key(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

#[test]
fn what_a_remedy_says_of_a_service_mends_it() {
    let catalogue = Catalogue::load(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut mended = Vec::new();
    for check in &catalogue.checks {
        let Some(remedy) = check.file.remedy.get("compose").filter(|_| check.phases.contains(&Phase::Written)) else {
            continue;
        };
        let named = fields(remedy);
        let Some(first) = named.first() else { continue };
        let own = BROKEN.iter().filter(|(id, _)| *id == check.id).map(|(_, line)| *line);
        let (before, after): (Vec<&str>, Vec<&str>) = if remedy.starts_with("Remove") {
            (vec![first], named[1..].to_vec())
        } else if remedy.starts_with("Set") {
            let before: Vec<&str> = own.collect();
            let stays = before.iter().copied().filter(|line| named.iter().all(|field| key(field) != key(line)));
            (before.clone(), stays.chain(named.iter().copied()).collect())
        } else {
            continue;
        };
        let (was, is) = (outcomes(&before), outcomes(&after));
        let of = |outcomes: &BTreeMap<String, String>| outcomes.get(&check.id).cloned().unwrap_or_default();
        assert_eq!(of(&was), "fails", "{}: {before:?}", check.id);
        assert!(["holds", "not-applicable"].contains(&of(&is).as_str()), "{}: {after:?}: {}", check.id, of(&is));
        // A limit may be judged only where there is one, and what was blocked comes to light.
        let new: Vec<&String> = is
            .iter()
            .filter(|(id, told)| *told == "fails" && was.get(*id).is_some_and(|was| was == "holds"))
            .map(|(id, _)| id)
            .collect();
        assert!(new.is_empty(), "{}: {after:?} makes {new:?} fail", check.id);
        mended.push(check.id.as_str());
    }
    assert!(mended.len() > 13, "{mended:?}");
    assert!(BROKEN.iter().all(|(id, _)| mended.contains(id)), "{mended:?}");
}

#[test]
fn a_remedy_for_a_file_is_written_in_its_words() {
    let catalogue = Catalogue::load(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut asked = 0;
    for check in catalogue.checks.iter().filter(|check| check.phases.contains(&Phase::Written)) {
        let remedy = |place: &str| check.file.remedy.get(place).map_or("", String::as_str);
        let is_of_docker = |text: &str| text.starts_with("Run with") || text.contains("`-");
        if is_of_docker(remedy("docker")) {
            assert!(!remedy("compose").is_empty(), "{} tells who writes a compose file of `docker run`", check.id);
            asked += 1;
        }
        assert!(!is_of_docker(remedy("compose")), "{}: {}", check.id, remedy("compose"));
    }
    assert!(asked > 15, "{asked}");
}

#[test]
fn whoever_wrote_the_text_is_told_what_to_write() {
    let told = |option: &str, text: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
        let output = fed(command.args(["check", option, "-"]), text).stdout;
        String::from_utf8(output).expect("text").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let compose =
        told("--compose", "services:\n  llm:\n    image: example.com/llm\n    privileged: true\n    gpus: all\n");
    for words in ["pod: Set `mem_limit: 32g`", "pod: Remove `privileged: true`", "as `image: NAME:TAG`"] {
        assert!(compose.contains(words), "{words}: {compose}");
    }
    assert!(!compose.contains("Run with") && !compose.contains("FROM "), "{compose}");
    assert!(compose.contains(" example.com/llm names no release"), "{compose}");
    assert!(!compose.contains("example.com/llm: example.com/llm"), "{compose}");
    let pod = "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: example.com/llm}]}\n";
    let pod = told("--manifest", pod);
    assert!(pod.contains("as `image: NAME:TAG`") && !pod.contains("FROM ") && !pod.contains("Run with"), "{pod}");
    let dockerfile = told("--dockerfile", "FROM example.com/llm\nUSER 1000\n");
    assert!(dockerfile.contains("`FROM nvidia/cuda:"), "{dockerfile}");
}
