//! Reads check files and refuses what would not work, with file, line, column and the nearest right name.

use std::collections::{BTreeSet, HashMap};

use super::complete::{self, lacking, lacking_of_site};
use super::error::{ConfigError, at_key, parse_toml, whole};
use super::examples::prove;
use super::file::{CheckFile, PLACES};
use super::parts::{Parts, cannot_be_read};
use super::room::{Condition, Room};
use super::template::Template;
use super::{Catalogue, Check, embedded};
use crate::facts::Facts;
use crate::facts::shape::{Shape, Shaped};
use crate::lang::types::shape_at;
use crate::lang::{self, Mistake, suggestion};
use serde::{Deserialize, Serialize};

pub use super::embedded::{CHECKS, PROFILES, ROOMS, rooms};

/// A folder of checks that a site brings.
#[derive(Debug, Serialize, Deserialize)]
pub struct SiteRoom {
    /// Its `room.toml`, if it has one: path and text.
    pub shared: Option<(String, String)>,
    /// Its checks: path, id and text.
    pub checks: Vec<(String, String, String)>,
}

impl Catalogue {
    /// The checks that are part of the program, without their examples, and those of a site.
    pub fn load(site: &[SiteRoom]) -> Result<Self, ConfigError> {
        let mut checks = embedded::checks()?;
        let ours = checks.len();
        let mut names = Vec::new();
        let mut shared = Vec::new();
        let mut wrong = Vec::new();
        for SiteRoom { shared: room, checks: own } in site {
            let read_room = |(file, text): &(String, String)| Room::read(file, text);
            let beside = room.as_ref().map(read_room).transpose()?.unwrap_or_default();
            for (file, id, text) in own {
                if !is_name(id) {
                    wrong.push(whole(
                        file,
                        "a room and a state are called by letters, digits, - and _ alone".to_owned(),
                    ));
                    continue;
                }
                if checks.iter().any(|check: &Check| check.id == *id) {
                    wrong.push(whole(file, format!("a check called `{id}` exists already")));
                    continue;
                }
                match read_of_site(file, id, text, &beside) {
                    Ok(check) => checks.push(check),
                    Err(error) => wrong.push(error),
                }
                names.push(file.clone());
            }
            shared.extend(room.as_ref().map(|(file, text)| (file, text, beside)));
        }
        ConfigError::all(wrong)?;
        let ids: Vec<String> = checks.iter().map(|check| check.id.clone()).collect();
        shared.iter().try_for_each(|(file, text, room)| room.refuse_unknown(file, text, &ids))?;
        order(checks, |index| match index.checked_sub(ours) {
            Some(index) => names[index].clone(),
            None => embedded::file_of(&ids[index]),
        })
    }
}

/// Whether `ROOM.STATE` can be written on a command line, in a profile and in a report as it stands.
fn is_name(id: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    id.split_once('.').is_some_and(|(room, state)| is_part(room) && is_part(state))
}

/// Reads and validates one check file; `room` is what stands beside it.
pub fn read(file: &str, id: &str, text: &str, room: &Room) -> Result<Check, ConfigError> {
    validate(file, id, text, parse_toml(file, text)?, room, Vec::new())
}

/// The same of a check that a site brings, which has to say more; its examples come out as they say.
pub fn read_of_site(file: &str, id: &str, text: &str, room: &Room) -> Result<Check, ConfigError> {
    let parsed: CheckFile = parse_toml(file, text)?;
    let lacking = lacking_of_site(text, &parsed);
    let check = validate(file, id, text, parsed, room, lacking)?;
    prove(file, &check).map(|()| check)
}

/// Validates what a check file says, and tells everything that is wrong at once; `text` is the file, to tell the place of
/// a mistake, and `lacking` what was found lacking before.
fn validate(
    file: &str,
    id: &str,
    text: &str,
    parsed: CheckFile,
    room: &Room,
    lacking_before: Vec<String>,
) -> Result<Check, ConfigError> {
    let none = Room::default();
    let room = if parsed.ignore_room { &none } else { room };
    let mut wrong: Vec<ConfigError> = Vec::new();
    wrong.extend(complete::as_error(file, &[lacking(&parsed, room), lacking_before].concat()));
    if let Some(place) = parsed.remedy.keys().find(|place| !PLACES.contains(&place.as_str())) {
        let near = suggestion(place, PLACES);
        wrong.push(at_key(file, text, place, place, 0, format!("`{place}` is no place for a remedy{near}")));
    }
    let facts = Facts::SHAPE;
    let located =
        |key: &str, value: &str, mistake: Mistake| at_key(file, text, key, value, mistake.at, mistake.message);
    let mut names: Vec<(String, &'static Shape)> = Vec::new();
    let mut each = None;
    if let Some(path) = &parsed.each {
        let steps: Vec<String> = path.split('.').map(ToOwned::to_owned).collect();
        // Without it nothing else can be told: who `it` is, is not known.
        let shape = shape_at(&steps, 0, facts, &[]).map_err(|m| located("each", path, m))?;
        let Shape::List(item) = shape else {
            return Err(at_key(file, text, "each", path, 0, format!("`{path}` is no list")));
        };
        names.push(("it".to_owned(), *item));
        each = Some(steps);
    }
    if parsed.each.is_some() != parsed.subject.is_some() {
        wrong.push(whole(file, "`each` and `subject` go together".to_owned()));
    }
    let severities = || parsed.raised.iter().map(|raised| raised.severity).chain([parsed.severity]);
    if severities().zip(severities().skip(1)).any(|(first, next)| first >= next) {
        wrong.push(whole(file, "`raised` goes from the most severe on, and each is above `severity`".to_owned()));
    }
    let condition = |key: &str, value: &str| {
        let read = lang::parse(value).and_then(|expr| lang::check(&expr, facts, &names).map(|()| expr));
        read.map_err(|m| located(key, value, m))
    };
    let template = |key: &str, value: &str| Template::parse(value, facts, &names).map_err(|m| located(key, value, m));
    let own = parsed.when.as_ref().map(|value| {
        let expr = condition("when", value)?;
        Ok(Condition { text: value.clone(), expr })
    });
    let own = kept(own.transpose(), &mut wrong);
    let raised = parsed.raised.iter().map(|raised| Ok((raised.severity, condition("when", &raised.when)?)));
    let raised = kept(raised.collect::<Result<_, ConfigError>>(), &mut wrong);
    let is_said = |text: &&String| !text.is_empty(); // what is not is lacking, and was told
    let expect = Some(&parsed.expect).filter(is_said).and_then(|expect| kept(condition("expect", expect), &mut wrong));
    let message = kept(template("message", &parsed.message), &mut wrong);
    let subject = parsed.subject.as_deref().map(|value| template("subject", value)).transpose();
    let subject = kept(subject, &mut wrong);
    ConfigError::all(wrong)?;
    let (Some(when), Some(raised), Some(expect), Some(message), Some(subject)) =
        (own, raised, expect, message, subject)
    else {
        return Err(cannot_be_read(file)); // each of these was told above
    };
    Parts { each, when, raised, expect, message, subject }.check(id, parsed, room).ok_or_else(|| cannot_be_read(file))
}

/// What was read; what could not be is put with the rest that is wrong.
fn kept<T>(read: Result<T, ConfigError>, wrong: &mut Vec<ConfigError>) -> Option<T> {
    read.map_err(|error| wrong.push(error)).ok()
}

/// Puts every check after those it requires, else in the order of the files, and gathers all its causes. Every run does it,
/// so each check is looked at once for each that requires it; `file_of` tells where one stands.
fn order(checks: Vec<Check>, file_of: impl Fn(usize) -> String) -> Result<Catalogue, ConfigError> {
    let at: HashMap<&str, usize> = checks.iter().enumerate().map(|(at, check)| (check.id.as_str(), at)).collect();
    let mut requires: Vec<Vec<usize>> = Vec::with_capacity(checks.len());
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); checks.len()];
    for (index, check) in checks.iter().enumerate() {
        let named = check.requires.iter().map(|id| at.get(id.as_str()).copied().ok_or(id));
        let named: Vec<usize> = named.collect::<Result<_, _>>().map_err(|id| {
            let near = suggestion(id, checks.iter().map(|check| check.id.as_str()));
            whole(&file_of(index), format!("`requires` names no check `{id}`{near}"))
        })?;
        for required in &named {
            behind[*required].push(index);
        }
        requires.push(named);
    }
    let mut awaited: Vec<usize> = requires.iter().map(Vec::len).collect();
    let mut ready: BTreeSet<usize> = (0..checks.len()).filter(|index| awaited[*index] == 0).collect();
    let mut sequence: Vec<usize> = Vec::with_capacity(checks.len());
    let mut causes: Vec<Vec<usize>> = vec![Vec::new(); checks.len()];
    while let Some(index) = ready.pop_first() {
        let mut own: Vec<usize> = Vec::new();
        for required in &requires[index] {
            for cause in causes[*required].iter().chain([required]) {
                if !own.contains(cause) {
                    own.push(*cause);
                }
            }
        }
        causes[index] = own;
        sequence.push(index);
        for next in &behind[index] {
            awaited[*next] -= 1;
            if awaited[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    if let Some(index) = awaited.iter().position(|awaited| *awaited > 0) {
        return Err(whole(&file_of(index), format!("`{}` requires itself through others", checks[index].id)));
    }
    let named = |causes: &Vec<usize>| causes.iter().map(|cause| checks[*cause].id.clone()).collect();
    let causes: Vec<Vec<String>> = causes.iter().map(named).collect();
    let with_causes = checks.into_iter().zip(causes).map(|(check, causes)| Some(Check { causes, ..check }));
    let mut all: Vec<Option<Check>> = with_causes.collect();
    Ok(Catalogue { checks: sequence.into_iter().filter_map(|index| all[index].take()).collect() })
}
