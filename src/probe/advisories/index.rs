//! An index of advisories: what is needed of them, a line for each package that one speaks of.
//!
//! It is made where its user says (`osv-index --output`) and is then given in the place of the export. Nothing makes one by
//! itself: an image is never written to, and an index beside an export that has changed since would be believed.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive::Reader;
use super::{Read, Time};
use crate::facts::{Gap, GapKind};
use crate::world::OpenFile;

/// How every index begins.
pub const BEGINNING: &str = "{\"schema\":\"gpu-preflight/osv-index/1\"";
const SCHEMA: &str = "gpu-preflight/osv-index/1";
/// Bytes of one line.
const LINE_LIMIT: u64 = 8 << 20;
/// Lines that are read between two looks at the clock.
const OFTEN: u64 = 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    schema: String,
    count: u64,
    malformed_count: u64,
    newest: String,
    ecosystems: Vec<String>,
}

/// The text of an index. Lines are `PyPI torch {…}`, by ecosystem and name, in ASCII.
pub fn text(mut read: Read) -> String {
    let head = Head {
        schema: SCHEMA.to_owned(),
        count: read.count,
        malformed_count: read.malformed_count,
        newest: read.newest,
        ecosystems: read.ecosystems.into_iter().collect(),
    };
    let mut text = ascii(&serde_json::to_string(&head).unwrap_or_default());
    text.push('\n');
    read.entries.sort_by(|a, b| (&a.0, &a.1, &a.2.id).cmp(&(&b.0, &b.1, &b.2.id)));
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_graphic());
    // No package has another name, and nobody would ask for one.
    for (ecosystem, name, entry) in
        read.entries.iter().filter(|(ecosystem, name, _)| is_word(ecosystem) && is_word(name))
    {
        let entry = ascii(&serde_json::to_string(entry).unwrap_or_default());
        let _ = writeln!(text, "{ecosystem} {name} {entry}");
    }
    text
}

/// JSON with every sign that is not ASCII as an escape, so that nothing on the way changes it.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            text.push(c);
        } else {
            let _ = c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(text, "\\u{unit:04x}"));
        }
    }
    text
}

/// Reads the lines that are asked for.
pub fn read(
    time: &Time<'_>,
    file: &Arc<OpenFile>,
    path: &Path,
    is_wanted: &dyn Fn(&str, &str) -> bool,
) -> Result<Read, Gap> {
    let wrong = |why: &dyn std::fmt::Display| Gap::new(GapKind::Malformed, format!("{}: {why}", path.display()));
    let mut lines = BufReader::new(Reader::new(Arc::clone(file)).map_err(|error| wrong(&error))?);
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| -> Result<bool, Gap> {
        line.clear();
        (&mut lines).take(LINE_LIMIT).read_until(b'\n', line).map_err(|error| wrong(&error))?;
        match line.pop() {
            None => Ok(false),
            Some(b'\n') => Ok(true),
            Some(_) => Err(wrong(&"a line is longer than is read, or the end of the index is missing")),
        }
    };
    next(&mut line)?;
    let head: Head = serde_json::from_slice(&line).map_err(|error| wrong(&error))?;
    let mut read = Read {
        count: head.count,
        malformed_count: head.malformed_count,
        newest: head.newest,
        ecosystems: head.ecosystems.into_iter().collect(),
        entries: Vec::new(),
    };
    let mut number = 0_u64;
    while next(&mut line)? {
        number += 1;
        if number.is_multiple_of(OFTEN)
            && let Some(gap) = time.up()
        {
            return Err(gap);
        }
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let (Some(ecosystem), Some(name), Some(entry)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong(&format!("line {number} makes no sense")));
        };
        let (Ok(ecosystem), Ok(name)) = (std::str::from_utf8(ecosystem), std::str::from_utf8(name)) else {
            return Err(wrong(&format!("line {number} is not UTF-8")));
        };
        if is_wanted(ecosystem, name) {
            let entry = serde_json::from_slice(entry).map_err(|error| wrong(&error))?;
            read.entries.push((ecosystem.to_owned(), name.to_owned(), entry));
        }
    }
    Ok(read)
}
