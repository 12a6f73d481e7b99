//! What a check file has to bring. All that is lacking is said at once, for whoever writes one would rather hear it so.

use super::error::ConfigError;
use super::file::{CheckFile, Outcome, Owner, Severity};
use super::room::Room;

/// What a check leaves out: each key with what it is for. Examples are asked for apart, because those of our own checks
/// are not part of the program.
pub fn lacking(check: &CheckFile, room: &Room) -> Vec<String> {
    let mut lacking = Vec::new();
    let mut need = |there: bool, what: &str| {
        if !there {
            lacking.push(what.to_owned());
        }
    };
    let says = |text: &str| !text.trim().is_empty();
    need(says(&check.title), "`title` (the state that should hold)");
    need(says(&check.expect), "`expect` (the expression that is true when it does)");
    need(says(&check.message), "`message` (what is wrong when it does not)");
    need(says(&check.why), "`why` (what happens otherwise)");
    need(says(&check.detect), "`detect` (where it is read from)");
    let of_room = "here or in the `room.toml` beside it";
    let owner = check.owner.or(room.file.owner);
    need(check.dimension.or(room.file.dimension).is_some(), &format!("`dimension`, {of_room}"));
    need(owner.is_some(), &format!("`owner`, {of_room}"));
    need(!check.phases.is_empty() || !room.file.phases.is_empty(), &format!("`phases`, {of_room}: live, start, build"));
    if let Some(owner) = owner {
        let places = places(owner);
        let answered = places.iter().any(|place| check.remedy.contains_key(*place));
        need(answered, &format!("a `[remedy]` for its owner, {owner}: {}", places.join(" or ")));
    }
    lacking
}

/// What the check of a site has to say beside: how severe it is, and an example that holds and one that fails. One that is
/// unknown is not asked for: some facts are always known.
pub fn lacking_of_site(text: &str, check: &CheckFile) -> Vec<String> {
    let written: toml::Table = text.parse().unwrap_or_default();
    let mut lacking = Vec::new();
    if !written.contains_key("severity") {
        let words = Severity::ALL.iter().map(|severity| severity.as_str()).collect::<Vec<_>>().join(", ");
        lacking.push(format!("`severity`: {words}"));
    }
    let is_constant = ["true", "false"].contains(&check.expect.trim()); // it comes out one way, whatever is given
    for outcome in [Outcome::Holds, Outcome::Fails] {
        if !is_constant && !check.example.iter().any(|example| example.then == outcome) {
            lacking.push(format!("an `[[example]]` with `then = \"{outcome}\"`"));
        }
    }
    lacking
}

/// One error for everything that is lacking, or none.
pub fn as_error(file: &str, lacking: &[String]) -> Option<ConfigError> {
    (!lacking.is_empty()).then(|| ConfigError {
        file: file.to_owned(),
        message: format!("the check lacks {}", lacking.join("; ")),
        ..ConfigError::default()
    })
}

/// Where a remedy has to be given, by who fixes it.
fn places(owner: Owner) -> &'static [&'static str] {
    match owner {
        Owner::Pod => &["docker", "kubernetes"],
        Owner::Hardware => &["hardware", "node"],
        Owner::Workload => &["workload"],
        Owner::Image => &["image"],
        Owner::Node => &["node"],
    }
}
