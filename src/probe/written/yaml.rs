//! YAML as a tree with lines.
//!
//! The crate `saphyr-parser` tells what it reads as events with their places, and this keeps of it what compose files and
//! manifests use. Where an alias stands the same node is meant, so that nothing grows however often one is named; events and
//! depth have a bound.

mod builder;

use std::collections::HashSet;
use std::rc::Rc;

use builder::Builder;
use saphyr_parser::Parser;

/// Events of a file: beyond 1 MiB of text nothing is read, and each event takes some bytes.
const EVENTS: usize = 100_000;
/// How deep lists and maps may lie in one another.
const DEPTH: usize = 64;
/// How deep `<<` is followed.
const MERGES: usize = 8;
/// Maps that are asked for one key by `<<`, all together.
const MERGED: usize = 1000;
/// Entries of a map, with those of `<<`, that are told.
const ENTRIES: usize = 2000;

/// What is wrong, with line and column.
pub type Wrong = (usize, usize, String);

/// A node.
#[derive(Debug)]
pub struct Node {
    /// Its line, from 1.
    pub line: usize,
    value: Value,
}

#[derive(Debug)]
enum Value {
    /// A text; whether quotes say that it is one.
    Text(String, bool),
    /// A text with a variable whose value is not known, and why that is so.
    Open(String, String),
    List(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>),
}

impl Node {
    /// What stands under a key, also through `<<`; none where it is null.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let mut left = MERGED;
        self.merged(key, 0, &mut left).filter(|node| !node.is_null())
    }

    fn merged(&self, key: &str, depth: usize, left: &mut usize) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        if let Some((_, value)) = entries.iter().find(|(name, _)| name.text() == Some(key)) {
            return Some(&**value);
        }
        let merges = entries.iter().filter(|(name, _)| depth < MERGES && name.text() == Some("<<"));
        for node in merges.flat_map(|(_, value)| value.one_or_more()) {
            *left = left.checked_sub(1)?;
            if let Some(found) = node.merged(key, depth + 1, left) {
                return Some(found);
            }
        }
        None
    }

    /// What stands at a way of keys.
    pub fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The line of a key, whatever stands under it.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(name, _)| name.line)
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Text(text, false) if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Why a scalar is not known.
    pub fn open(&self) -> Option<&str> {
        match &self.value {
            Value::Open(_, why) => Some(why),
            _ => None,
        }
    }

    /// The text of a scalar, with the names of variables that are not known.
    pub fn raw(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) | Value::Open(text, _) => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar, of numbers and switches too; none where it is not known.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether it is true, in all the spellings of YAML 1.1, by which kubectl reads; none where it is no switch, as in quotes.
    pub fn switch(&self) -> Option<bool> {
        let Value::Text(text, false) = &self.value else { return None };
        match text.as_str() {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        }
    }

    /// Whether one of these keys stands in it, however deep. Of a tree that is too large to look through it may.
    pub fn mentions(&self, is_it: impl Fn(&str) -> bool) -> bool {
        let (mut left, mut seen) = (vec![self], 0);
        while let Some(node) = left.pop() {
            seen += 1;
            if seen > EVENTS {
                return true;
            }
            match &node.value {
                Value::List(items) => left.extend(items.iter().map(|item| &**item)),
                Value::Map(entries) => {
                    if entries.iter().any(|(key, _)| key.text().is_some_and(&is_it)) {
                        return true;
                    }
                    left.extend(entries.iter().map(|(_, value)| &**value));
                }
                _ => {}
            }
        }
        false
    }

    /// How it stands in the file, as far as it is a text.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Text(text, true) => format!("'{text}'"),
            Value::Text(text, false) | Value::Open(text, _) => text.clone(),
            _ => "a list or a map".to_owned(),
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Rc<Self>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map, those of `<<` behind its own; none of anything else.
    pub fn entries(&self) -> Vec<(&Self, &Self)> {
        let (mut found, mut seen, mut left) = (Vec::new(), HashSet::new(), MERGED);
        self.collect(0, &mut left, &mut seen, &mut found);
        found
    }

    fn collect<'a>(
        &'a self,
        depth: usize,
        left: &mut usize,
        seen: &mut HashSet<&'a str>,
        found: &mut Vec<(&'a Self, &'a Self)>,
    ) {
        let Value::Map(entries) = &self.value else { return };
        let is_merge = |name: &Self| name.text() == Some("<<");
        for (name, value) in entries.iter().filter(|(name, _)| !is_merge(name)) {
            if found.len() >= ENTRIES {
                return;
            }
            if name.text().is_none_or(|text| seen.insert(text)) {
                found.push((name, value));
            }
        }
        let merges = entries.iter().filter(|(name, _)| depth < MERGES && is_merge(name));
        for node in merges.flat_map(|(_, value)| value.one_or_more()) {
            if *left == 0 || found.len() >= ENTRIES {
                return;
            }
            *left -= 1;
            node.collect(depth + 1, left, seen, found);
        }
    }

    /// Whether it holds more than so many items or entries of its own.
    pub fn is_long(&self, most: usize) -> bool {
        match &self.value {
            Value::List(items) => items.len() > most,
            Value::Map(entries) => entries.len() > most,
            _ => false,
        }
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// The items of a list, or the node itself.
    pub fn one_or_more(&self) -> impl Iterator<Item = &Self> {
        let (one, more) =
            if matches!(self.value, Value::List(_)) { (None, self.items()) } else { (Some(self), &[][..]) };
        one.into_iter().chain(more.iter().map(|node| &**node))
    }
}

/// Fills the variables of a scalar; also why, where one has no value.
type Fill = fn(&str) -> (String, Option<String>);

/// Every document of a file.
pub fn documents(text: &str) -> Result<Vec<Rc<Node>>, Wrong> {
    filled(text, |text| (text.to_owned(), None))
}

/// The same, with the variables of every value filled in.
pub fn filled(text: &str, fill: Fill) -> Result<Vec<Rc<Node>>, Wrong> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::of(fill);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let template = if text.contains("{{") { "; a template has to be rendered first" } else { "" };
            (error.marker().line(), error.marker().col() + 1, format!("no YAML: {}{template}", error.info()))
        })?;
        let place = (span.start.line(), span.start.col() + 1);
        builder.take(event, place).map_err(|why| (place.0, place.1, why))?;
    }
    Ok(builder.documents())
}

#[cfg(test)]
mod tests;
