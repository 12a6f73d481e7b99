//! YAML as a tree with lines.
//!
//! The crate `saphyr-parser` tells what it reads as events with their places, and this keeps of it what compose files and
//! manifests use. Where an alias stands the same node is meant, so that nothing grows however often one is named; events and
//! depth have a bound.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Events of a file: beyond 1 MiB of text nothing is read, and each event takes some bytes.
const EVENTS: usize = 100_000;
/// How deep lists and maps may lie in one another.
const DEPTH: usize = 64;
/// How deep `<<` is followed.
const MERGES: usize = 8;
/// Maps that are asked for one key by `<<`, all together.
const MERGED: usize = 1000;

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

    /// The text of a scalar, of numbers and switches too.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether it is true; none where it is no switch.
    pub fn switch(&self) -> Option<bool> {
        match self.text()? {
            "true" | "True" | "TRUE" | "yes" | "on" => Some(true),
            "false" | "False" | "FALSE" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Rc<Self>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map, those of `<<` aside; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let entries = match &self.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(name, value)| (&**name, &**value))
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

/// Every document of a file.
pub fn documents(text: &str) -> Result<Vec<Rc<Node>>, Wrong> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let template = if text.contains("{{") { "; a template has to be rendered first" } else { "" };
            (error.marker().line(), error.marker().col() + 1, format!("no YAML: {}{template}", error.info()))
        })?;
        let place = (span.start.line(), span.start.col() + 1);
        builder.take(event, place).map_err(|why| (place.0, place.1, why))?;
    }
    Ok(builder.documents)
}

/// A list or map that is not closed yet.
struct Open {
    line: usize,
    anchor: usize,
    is_map: bool,
    nodes: Vec<Rc<Node>>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    events: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, (line, _): (usize, usize)) -> Result<(), String> {
        self.events += 1;
        if self.events > EVENTS {
            return Err(format!("more than {EVENTS} parts"));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.put(Node { line, value: Value::Text(text.into_owned(), style != ScalarStyle::Plain) }, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, false)?,
            Event::MappingStart(anchor, _) => self.begin(line, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or("an alias stands within what it names")?;
                self.place(node);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, anchor: usize, is_map: bool) -> Result<(), String> {
        if self.open.len() >= DEPTH {
            return Err(format!("lists and maps lie more than {DEPTH} deep in one another"));
        }
        self.open.push(Open { line, anchor, is_map, nodes: Vec::new() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { line, anchor, is_map, nodes }) = self.open.pop() else { return };
        let value = if is_map {
            let mut nodes = nodes.into_iter();
            Value::Map(std::iter::from_fn(|| Some((nodes.next()?, nodes.next()?))).collect())
        } else {
            Value::List(nodes)
        };
        self.put(Node { line, value }, anchor);
    }

    fn put(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.place(node);
    }

    fn place(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.documents.push(node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Rc<Node> {
        documents(text).unwrap_or_else(|wrong| panic!("{wrong:?}")).remove(0)
    }

    #[test]
    fn every_node_has_its_line() {
        let node = one("a: 1\nb:\n  - x\n  - {c: 'true', d: true}\n");
        let second = &node.get("b").expect("a list").items()[1];
        assert_eq!((second.line, second.get("c").and_then(Node::text)), (4, Some("true")));
        assert_eq!((node.line_of("b"), node.get("a").and_then(Node::text)), (Some(2), Some("1")));
        assert_eq!((second.get("d").and_then(Node::switch), node.get("a").and_then(Node::switch)), (Some(true), None));
    }

    #[test]
    fn null_is_nothing_and_a_quoted_null_is_a_text() {
        let node = one("a: null\nb: ~\nc:\nd: 'null'\n");
        assert!(["a", "b", "c"].iter().all(|key| node.get(key).is_none()) && node.get("d").is_some());
        assert_eq!(node.line_of("c"), Some(3));
    }

    #[test]
    fn merges_and_aliases_are_followed() {
        let node = one("x: &x {a: 1, b: 2}\ny: &y {c: 3}\nz:\n  <<: [*x, *y]\n  b: 4\nw: {<<: *y}\n");
        let text = |way: &[&str]| node.at(way).and_then(Node::text);
        assert_eq!((text(&["z", "a"]), text(&["z", "b"]), text(&["z", "c"])), (Some("1"), Some("4"), Some("3")));
        assert_eq!((text(&["w", "c"]), text(&["w", "a"])), (Some("3"), None));
    }

    #[test]
    fn several_documents_are_all_read_and_empty_ones_are_nothing() {
        assert_eq!(documents("---\na: 1\n---\n---\nb: 2\n...\n").expect("three").len(), 3);
        assert_eq!(documents("").expect("none").len(), 0);
    }

    #[test]
    fn hostile_files_are_refused_and_bombs_stay_small() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..30 {
            let list = vec![format!("*a{}", level - 1); 9].join(",");
            bomb = format!("{bomb}a{level}: &a{level} [{list}]\n");
        }
        assert_eq!(one(&bomb).get("a29").expect("a list").items().len(), 9);
        let mut merged = "a0: &a0 {x: 1}\n".to_owned();
        for level in 1..9 {
            let list = vec![format!("*a{}", level - 1); 200].join(",");
            merged = format!("{merged}a{level}: &a{level} {{<<: [{list}]}}\n");
        }
        assert!(one(&merged).at(&["a8", "none"]).is_none(), "and it is told at once");
        let refused = |text: &str, part: &str| {
            let (line, _, why) = documents(text).expect_err(part);
            assert!(why.contains(part) && line > 0, "{line}: {why}");
        };
        refused(&"[".repeat(5000), "recursion limit");
        refused(&"[".repeat(100), "deep");
        let deep = (0..200).map(|depth| " ".repeat(depth)).collect::<Vec<_>>().join("a:\n");
        refused(&deep, "deep");
        refused("a: &a [*a]\n", "within what it names");
        refused("a: [1\nb: 2\n", "no YAML");
        refused("{{- if x }}\na: 1\n{{- end }}\n", "a template has to be rendered first");
        refused("a: *none\n", "no YAML");
        refused("\u{0}", "no YAML");
        refused(&"- a\n".repeat(EVENTS), "parts");
    }

    #[test]
    fn a_mistake_has_its_line_and_column() {
        let (line, column, _) = documents("a: 1\nb: c: d\n").expect_err("no YAML");
        assert_eq!((line, column), (2, 5));
    }
}
