//! Reads check files and refuses what would not work, with file, line, column and the nearest right name.

use std::collections::{BTreeSet, HashMap};

use super::complete::{self, lacking, lacking_of_site};
use super::error::{ConfigError, at_key, parse_toml, whole};
use super::examples::prove;
use super::file::{CheckFile, PLACES};
use super::room::{self, Condition, Room, RoomFile};
use super::template::Template;
use super::{Catalogue, Check};
use crate::facts::Facts;
use crate::facts::shape::{Shape, Shaped};
use crate::lang::types::shape_at;
use crate::lang::{self, Mistake, suggestion};
use serde::{Deserialize, Serialize};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

pub use embedded::{CHECKS, PROFILES, ROOMS};
use embedded::{CHECKS_JSON, ROOMS_JSON};

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
        let rooms = rooms()?;
        let none = Room::default();
        let mut checks = Vec::new();
        let mut names = Vec::new();
        for (id, parsed) in embedded::<CheckFile>(CHECKS_JSON)? {
            let file = format!("checks/{}.toml", id.replacen('.', "/", 1));
            let folder = id.split('.').next().unwrap_or_default();
            let room = rooms.iter().find(|(name, _)| name == folder).map_or(&none, |(_, room)| room);
            checks.push(validate(&file, &id, text_of(CHECKS, &id), parsed, room, Vec::new())?);
            names.push(file);
        }
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
        order(checks, &names)
    }
}

/// The rooms that are part of the program and have a `room.toml`, by name.
pub fn rooms() -> Result<Vec<(String, Room)>, ConfigError> {
    let validate = |(name, parsed): (String, RoomFile)| {
        let room = Room::validate(&format!("checks/{name}/{}", room::FILE), text_of(ROOMS, &name), parsed)?;
        Ok((name, room))
    };
    embedded(ROOMS_JSON)?.into_iter().map(validate).collect()
}

/// Whether `ROOM.STATE` can be written on a command line, in a profile and in a report as it stands.
fn is_name(id: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    id.split_once('.').is_some_and(|(room, state)| is_part(room) && is_part(state))
}

fn embedded<T: serde::de::DeserializeOwned>(json: &str) -> Result<Vec<(String, T)>, ConfigError> {
    serde_json::from_str(json)
        .map_err(|error| whole("checks", format!("the embedded catalogue cannot be read: {error}")))
}

fn text_of(files: &[(&str, &'static str)], name: &str) -> &'static str {
    files.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text)
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
    let phases = if parsed.phases.is_empty() { &room.file.phases } else { &parsed.phases };
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
    let (Some(when), Some(raised), Some(expect), Some(message), Some(subject), Some(dimension), Some(owner)) = (
        own,
        raised,
        expect,
        message,
        subject,
        parsed.dimension.or(room.file.dimension),
        parsed.owner.or(room.file.owner),
    ) else {
        return Err(whole(file, "cannot be read".to_owned())); // each of these was told above
    };
    Ok(Check {
        id: id.to_owned(),
        dimension,
        owner,
        phases: phases.clone(),
        requires: room.file.requires.iter().chain(&parsed.requires).cloned().collect(),
        when: room.condition(when),
        each,
        raised,
        expect,
        message,
        subject,
        causes: Vec::new(),
        quieter_causes: Vec::new(),
        file: parsed,
    })
}

/// What was read; what could not be is put with the rest that is wrong.
fn kept<T>(read: Result<T, ConfigError>, wrong: &mut Vec<ConfigError>) -> Option<T> {
    read.map_err(|error| wrong.push(error)).ok()
}

/// Puts every check after those it requires, else in the order of the files, and gathers all its causes. Every run does it,
/// so each check is looked at once for each that requires it.
fn order(checks: Vec<Check>, files: &[String]) -> Result<Catalogue, ConfigError> {
    let at: HashMap<String, usize> = checks.iter().enumerate().map(|(at, check)| (check.id.clone(), at)).collect();
    let mut awaited: Vec<usize> = Vec::new();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); checks.len()];
    for (index, (check, file)) in checks.iter().zip(files).enumerate() {
        for id in &check.requires {
            let Some(required) = at.get(id) else {
                let near = suggestion(id, checks.iter().map(|check| check.id.as_str()));
                return Err(whole(file, format!("`requires` names no check `{id}`{near}")));
            };
            behind[*required].push(index);
        }
        awaited.push(check.requires.len());
    }
    let mut ready: BTreeSet<usize> = (0..checks.len()).filter(|index| awaited[*index] == 0).collect();
    let mut left: Vec<Option<Check>> = checks.into_iter().map(Some).collect();
    let mut done: Vec<Check> = Vec::with_capacity(left.len());
    let mut places: HashMap<usize, usize> = HashMap::new();
    while let Some(index) = ready.pop_first() {
        let Some(mut check) = left[index].take() else { continue };
        for id in &check.requires {
            let required = at.get(id).and_then(|required| places.get(required));
            let through = required.map_or(&[][..], |place| &done[*place].causes);
            for cause in through.iter().chain([id]) {
                if !check.causes.contains(cause) {
                    check.causes.push(cause.clone());
                }
            }
        }
        places.insert(index, done.len());
        done.push(check);
        for next in &behind[index] {
            awaited[*next] -= 1;
            if awaited[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    if let Some((check, file)) = left.iter().zip(files).find_map(|(check, file)| Some((check.as_ref()?, file))) {
        return Err(whole(file, format!("`{}` requires itself through others", check.id)));
    }
    Ok(Catalogue { checks: done })
}
