//! The laws that bind all checks at once: one test each, over the whole catalogue.

use std::collections::BTreeSet;

use gpu_preflight::check::load::{CHECKS, PROFILES, read};
use gpu_preflight::check::prove::prove;
use gpu_preflight::check::{Catalogue, CheckFile, Outcome, judge, matches};
use gpu_preflight::facts::compat::doubt::{SHARE_OF_EXPECTED, SHARE_OF_SIBLINGS};
use gpu_preflight::facts::shape::{Shape, Shaped};
use gpu_preflight::facts::{Facts, Phase, compat};
use gpu_preflight::lang::parse::{Expr, Node};
use gpu_preflight::profile::Profile;

/// The catalogue as it stands in the files, with examples.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::load(&[]).unwrap_or_else(|error| panic!("{error}"));
    for check in &mut catalogue.checks {
        let (id, text) = CHECKS.iter().find(|(id, _)| *id == check.id).expect("every check has a file");
        let read = read(id, id, text).unwrap_or_else(|error| panic!("{error}"));
        let embedded = std::mem::replace(&mut check.file, read.file.clone());
        let without_examples = CheckFile { example: Vec::new(), ..read.file };
        assert_eq!(embedded, without_examples, "{id}: what is embedded is what the file says");
    }
    catalogue
}

#[test]
fn there_are_at_least_sixty_checks_and_every_one_is_valid() {
    assert!(catalogue().checks.len() >= 60, "{}", catalogue().checks.len());
    assert_eq!(catalogue().checks.len(), CHECKS.len());
}

#[test]
fn every_check_says_why_how_and_what_to_do() {
    for check in catalogue().checks {
        let (id, file) = (&check.id, &check.file);
        assert!(!file.why.trim().is_empty(), "{id}: no why");
        assert!(!file.detect.trim().is_empty(), "{id}: no detect");
        assert!(!file.remedy.is_empty(), "{id}: no remedy");
        assert!(!file.title.ends_with('.') && !file.message.ends_with('.'), "{id}: no full stop in title and message");
        for (place, remedy) in &file.remedy {
            assert!(remedy.ends_with('.'), "{id}: the remedy for {place} is a sentence with a full stop");
        }
        for link in &file.links {
            assert!(link.starts_with("https://"), "{id}: {link}");
        }
    }
}

#[test]
fn every_check_has_a_remedy_for_its_owner_and_gives_what_its_examples_say() {
    let wrong: Vec<String> =
        catalogue().checks.iter().filter_map(|check| prove(&check.id, check).err()).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_is_shown_holding_failing_and_not_knowing() {
    for check in catalogue().checks {
        let shown: BTreeSet<Outcome> = check.file.example.iter().map(|example| example.then).collect();
        for outcome in [Outcome::Holds, Outcome::Fails, Outcome::Unknown] {
            assert!(shown.contains(&outcome), "{} has no example that is {outcome}", check.id);
        }
    }
}

#[test]
fn no_rate_is_accused_that_was_not_measured_twice() {
    let floors = [("share_of_expected >= ", SHARE_OF_EXPECTED), ("share_of_siblings >= ", SHARE_OF_SIBLINGS)];
    let mut found = 0;
    for (id, text) in CHECKS {
        for (words, doubted) in floors {
            for after in text.split(words).skip(1) {
                let number: String = after.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                let floor: f64 = number.parse().unwrap_or_else(|_| panic!("{id}: {words}{after}"));
                assert!(floor <= doubted, "{id}: {floor} accuses what is measured only once");
                found += 1;
            }
        }
    }
    assert!(found >= 6, "{found}");
}

#[test]
fn the_blind_machine_neither_acquits_nor_accuses() {
    let blind = serde_json::to_value(Facts::default()).expect("facts are JSON");
    // `run` is what we were told, not what we saw: every answer is tried.
    for (gpu_expected, tier) in
        [(true, "standard"), (true, "quick"), (true, "deep"), (true, "soak"), (false, "standard")]
    {
        let mut facts = blind.clone();
        facts["run"]["gpu_expected"] = gpu_expected.into();
        facts["run"]["tier"] = tier.into();
        for phase in Phase::ALL {
            for finding in judge(&catalogue(), &facts, *phase) {
                let told = matches!(finding.outcome, Outcome::Holds | Outcome::Fails);
                assert!(!told, "{} {} on a machine that nobody could see", finding.check, finding.outcome);
            }
        }
    }
}

#[test]
fn deriving_from_nothing_learns_nothing() {
    let mut facts = Facts::default();
    compat::derive(&mut facts);
    for phase in Phase::ALL {
        for finding in judge(&catalogue(), &serde_json::to_value(&facts).expect("facts are JSON"), *phase) {
            let told = matches!(finding.outcome, Outcome::Holds | Outcome::Fails);
            assert!(!told, "{} {} after deriving from nothing", finding.check, finding.outcome);
        }
    }
}

#[test]
fn no_check_waits_for_one_that_matters_less() {
    let catalogue = catalogue();
    for check in &catalogue.checks {
        for cause in &check.file.requires {
            let cause = catalogue.get(cause).expect("requires was resolved");
            assert!(
                cause.file.severity <= check.file.severity,
                "{} ({}) would be blocked by {} ({})",
                check.id,
                check.file.severity,
                cause.id,
                cause.file.severity
            );
        }
    }
}

#[test]
fn every_fact_is_read_by_some_check_or_marked_as_context() {
    let mut used = BTreeSet::new();
    for check in &catalogue().checks {
        let prefix = check.each.as_ref().map(|path| path.join("."));
        let mut names: Vec<(String, String)> = prefix.iter().map(|path| ("it".to_owned(), path.clone())).collect();
        used.extend(prefix.clone());
        for expr in check.when.iter().chain([&check.expect]) {
            paths(expr, &mut names, &mut used);
        }
        for path in
            check.message.paths().chain(check.subject.iter().flat_map(gpu_preflight::check::template::Template::paths))
        {
            used.insert(full(path, &names));
        }
    }
    let mut missing = Vec::new();
    walk(Facts::SHAPE, "", &mut |path, is_context| {
        if !is_context && !used.iter().any(|known| known == path || known.starts_with(&format!("{path}."))) {
            missing.push(path.to_owned());
        }
    });
    assert!(missing.is_empty(), "no check reads {missing:#?}");
}

fn full(path: &[String], names: &[(String, String)]) -> String {
    let replaced = names.iter().rev().find(|(name, _)| *name == path[0]).map(|(_, path)| path.clone());
    let first = replaced.unwrap_or_else(|| path[0].clone());
    [&[first], &path[1..]].concat().join(".")
}

fn paths(expr: &Expr, names: &mut Vec<(String, String)>, read: &mut BTreeSet<String>) {
    match &expr.node {
        Node::Path(path) => {
            read.insert(full(path, names));
        }
        Node::Not(a) | Node::Size(a) | Node::Has(a) | Node::Version(a) => paths(a, names, read),
        Node::And(a, b) | Node::Or(a, b) | Node::Compare(_, a, b) | Node::In(a, b) => {
            paths(a, names, read);
            paths(b, names, read);
        }
        Node::List(items) => items.iter().for_each(|item| paths(item, names, read)),
        Node::Every { list, name, condition, .. } => {
            paths(list, names, read);
            let Node::Path(path) = &list.node else { return };
            names.push((name.clone(), full(path, names)));
            paths(condition, names, read);
            names.pop();
        }
        Node::Bool(_) | Node::Integer(_) | Node::Float(_) | Node::Text(_) => {}
    }
}

/// Calls `visit` with every leaf of the facts. What lies under a context field is context.
fn walk(shape: &'static Shape, path: &str, visit: &mut impl FnMut(&str, bool)) {
    for field in shape.fields() {
        let here = if path.is_empty() { field.name.to_owned() } else { format!("{path}.{}", field.name) };
        let inner = match field.shape.bare() {
            Shape::List(item) => item,
            other => other,
        };
        if field.is_context() || inner.fields().is_empty() {
            visit(&here, field.is_context());
        } else if here != "probes" {
            walk(inner, &here, visit);
        }
    }
}

#[test]
fn every_profile_is_valid_and_every_pattern_of_it_matches_a_check() {
    let catalogue = catalogue();
    let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["image", "notebook", "production", "training"]);
    for (name, text) in PROFILES {
        let profile = Profile::read(name, name, text, &catalogue).unwrap_or_else(|error| panic!("{error}"));
        assert!(!profile.file.title.is_empty() && !profile.file.description.is_empty(), "{name}");
        for pattern in profile.file.severity.keys() {
            assert!(catalogue.checks.iter().any(|check| matches(pattern, &check.id)), "{name}: {pattern}");
        }
    }
}
