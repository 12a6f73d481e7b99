//! The bill of materials against the official schema of `CycloneDX`, by a validator of others, and against what the package
//! managers themselves list.
//!
//! `PREFLIGHT_TEST_CYCLONEDX` names a Python that has `cyclonedx-python-lib`.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gpu_preflight::facts::{Gap, GapKind, Installed, Inventory, Licence, PackageManager};
use gpu_preflight::report::sbom::cyclonedx;
use serde_json::Value;

use crate::support::docker::{BASE, DEV, Recipe, available, text};
use crate::support::real_parts::part;

/// Says nothing of a valid document, and its first error of another.
const VALIDATOR: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(error)[:2000] if error else 0)
";

/// What the validator says; `None` where there is none here.
pub fn verdict(document: &str) -> Option<Result<(), String>> {
    let python = part("PREFLIGHT_TEST_CYCLONEDX")?;
    let mut command = Command::new(python);
    command.args(["-c", VALIDATOR]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("Python starts");
    child.stdin.take().expect("a pipe").write_all(document.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    Some(if output.status.success() { Ok(()) } else { Err(text(&output.stderr)) })
}

fn names(bill: &Value, prefix: &str) -> BTreeSet<String> {
    let components = bill["components"].as_array().expect("components");
    let of = components.iter().filter(|one| one["purl"].as_str().is_some_and(|purl| purl.starts_with(prefix)));
    of.map(|one| format!("{} {}", one["name"].as_str().expect("a name"), one["version"].as_str().expect("a version")))
        .collect()
}

#[test]
fn twenty_thousand_packages_are_a_bill_in_bounded_time() {
    let mut inventory = Inventory::default();
    inventory.packages.extend((0..20_000).map(hostile));
    let started = Instant::now();
    let document = cyclonedx(&inventory, None);
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}, in an unoptimised build", started.elapsed());
    assert_eq!(document["components"].as_array().map(Vec::len), Some(20_000));
}

#[test]
fn the_bills_of_two_images_are_valid_and_list_what_dpkg_and_pip_list() {
    if !available() {
        return;
    }
    for image in [BASE, DEV] {
        let container = Recipe::plain(image).start(&["sleep", "300"]);
        let output = container.exec(&["gpu-preflight", "sbom"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let document = text(&output.stdout);
        let Some(verdict) = verdict(&document) else { return };
        assert_eq!(verdict, Ok(()), "{image}");
        let bill: Value = serde_json::from_str(&document).expect("JSON");
        let lines = |command: &[&str]| container.exec(command);
        let dpkg = text(&lines(&["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n"]).stdout);
        let listed = dpkg.lines().filter_map(|line| line.strip_prefix("installed ")).map(str::to_owned).collect();
        assert_eq!(names(&bill, "pkg:deb/debian/"), listed, "{image}");
        if image == DEV {
            let pip = lines(&["/opt/jupyter/bin/python", "-m", "pip", "list", "--format=freeze"]);
            let listed: Vec<String> = text(&pip.stdout).lines().map(str::to_lowercase).collect();
            let ours = names(&bill, "pkg:pypi/");
            let is_missing = |line: &&String| {
                let (name, version) = line.split_once("==").expect("a version");
                !ours.contains(&format!("{} {version}", name.replace(['_', '.'], "-")))
            };
            let missing: Vec<&String> = listed.iter().filter(is_missing).collect();
            assert!(listed.len() > 20 && missing.is_empty(), "{missing:?} of {}", listed.len());
        }
        let again = text(&container.exec(&["gpu-preflight", "sbom"]).stdout);
        assert_eq!(document, again, "{image}: two bills of one image are one");
    }
}

/// What a record may say that nobody would write.
fn hostile(at: usize) -> Installed {
    let words = ["a", "ä b", "x\u{202e}y", "\"<&>\"", "\u{0}", "a/../../b", "%41", "🦀"];
    let word = |shift: usize| format!("{}{at}", words[(at + shift) % words.len()]);
    let licence = match at % 3 {
        0 => Some(Licence::Expression("MIT OR nonsense".to_owned())),
        1 => Some(Licence::Named(word(3))),
        _ => None,
    };
    Installed {
        manager: PackageManager::ALL[at % PackageManager::ALL.len()],
        name: word(0),
        version: word(1),
        architecture: Some(word(2)),
        build: Some((word(4), String::new())),
        licence,
        ..Installed::default()
    }
}

/// The validator takes minutes for more.
const BILL: usize = 400;

#[test]
fn packages_with_any_names_are_a_valid_bill() {
    let mut inventory =
        Inventory { system: "debian".to_owned(), system_version: "12".to_owned(), ..Inventory::default() };
    inventory.packages.extend((0..BILL).map(hostile));
    inventory.note(PackageManager::Rpm, Some(Gap::new(GapKind::NotSupported, "is here and is not read")));
    let document = cyclonedx(&inventory, Some(1_795_632_076)).to_string();
    let Some(valid) = verdict(&document) else { return };
    assert_eq!(valid, Ok(()));
    let broken = document.replacen("\"bomFormat\":\"CycloneDX\"", "\"bomFormat\":\"other\"", 1);
    assert_ne!(document, broken);
    assert!(matches!(verdict(&broken), Some(Err(_))), "the validator refuses what is not valid");
}
