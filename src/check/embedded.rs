//! The checks that are part of the program.
//!
//! That nothing is wrong with them is a law of the tests, which read each from its file as they would one of a site. To
//! look for it again at every start would take as long as all the rest of loading them.

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::Check;
use super::error::{ConfigError, whole};
use super::file::CheckFile;
use super::parts::{Parts, cannot_be_read};
use super::room::{self, Condition, Room, RoomFile};
use super::template::Template;
use crate::lang::{self, Mistake};

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The rooms that have a `room.toml`, by name.
pub fn rooms() -> Result<Vec<(String, Room)>, ConfigError> {
    let validate = |(name, parsed): (String, RoomFile)| {
        let text = ROOMS.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text);
        let room = Room::validate(&format!("checks/{name}/{}", room::FILE), text, parsed)?;
        Ok((name, room))
    };
    read(ROOMS_JSON)?.into_iter().map(validate).collect()
}

/// The checks, without their examples and in the order of their files.
pub(super) fn checks() -> Result<Vec<Check>, ConfigError> {
    let rooms: HashMap<String, Room> = rooms()?.into_iter().collect();
    let none = Room::default();
    let check = |(id, parsed): (String, CheckFile)| {
        let room = if parsed.ignore_room { None } else { rooms.get(id.split('.').next().unwrap_or_default()) };
        let parts = parts(&parsed).map_err(|mistake| whole(&file_of(&id), mistake.message))?;
        parts.check(&id, parsed, room.unwrap_or(&none)).ok_or_else(|| cannot_be_read(&file_of(&id)))
    };
    read(CHECKS_JSON)?.into_iter().map(check).collect()
}

/// Where a check of ours stands.
pub(super) fn file_of(id: &str) -> String {
    format!("checks/{}.toml", id.replacen('.', "/", 1))
}

fn parts(file: &CheckFile) -> Result<Parts, Mistake> {
    let when = file.when.as_ref().map(|text| lang::parse(text).map(|expr| Condition { text: text.clone(), expr }));
    let raised = file.raised.iter().map(|raised| Ok((raised.severity, lang::parse(&raised.when)?)));
    Ok(Parts {
        each: file.each.as_ref().map(|path| path.split('.').map(ToOwned::to_owned).collect()),
        when: when.transpose()?,
        raised: raised.collect::<Result<_, _>>()?,
        expect: lang::parse(&file.expect)?,
        message: Template::read(&file.message)?,
        subject: file.subject.as_deref().map(Template::read).transpose()?,
    })
}

fn read<T: DeserializeOwned>(json: &str) -> Result<Vec<(String, T)>, ConfigError> {
    serde_json::from_str(json)
        .map_err(|error| whole("checks", format!("the embedded catalogue cannot be read: {error}")))
}
