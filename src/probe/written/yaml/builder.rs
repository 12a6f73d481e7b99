//! The tree, put together from events.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, ScalarStyle};

use super::{DEPTH, EVENTS, Fill, Node, Value};

/// A list or map that is not closed yet.
struct Open {
    line: usize,
    anchor: usize,
    is_map: bool,
    nodes: Vec<Rc<Node>>,
    /// The keys of a map so far: of one that stands twice nobody can say which counts.
    keys: HashSet<String>,
}

/// Puts events together.
pub(super) struct Builder {
    fill: Fill,
    documents: Vec<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    events: usize,
}

impl Builder {
    /// With nothing in it yet.
    pub(super) fn of(fill: Fill) -> Self {
        Self { fill, documents: Vec::new(), open: Vec::new(), anchors: HashMap::new(), events: 0 }
    }

    /// Every document, at the end.
    pub(super) fn documents(self) -> Vec<Rc<Node>> {
        self.documents
    }

    /// The next event, with its line.
    pub(super) fn take(&mut self, event: Event<'_>, (line, _): (usize, usize)) -> Result<(), String> {
        self.events += 1;
        if self.events > EVENTS {
            return Err(format!("more than {EVENTS} parts"));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                // What names something is taken as it stands.
                let is_key = self.open.last().is_some_and(|open| open.is_map && open.nodes.len() % 2 == 0);
                if is_key
                    && text != "<<"
                    && !self.open.last_mut().is_some_and(|open| open.keys.insert(text.to_string()))
                {
                    return Err(format!("`{text}` stands twice in this map"));
                }
                let is_quoted = style != ScalarStyle::Plain;
                let value = if is_key || !text.contains('$') {
                    Value::Text(text.into_owned(), is_quoted)
                } else {
                    match (self.fill)(&text) {
                        (text, Some(why)) => Value::Open(text, why),
                        // An empty value that comes from a variable is a text and not null.
                        (filled, None) => Value::Text(filled, true),
                    }
                };
                self.put(Node { line, value }, anchor);
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
        self.open.push(Open { line, anchor, is_map, nodes: Vec::new(), keys: HashSet::new() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { line, anchor, is_map, nodes, .. }) = self.open.pop() else { return };
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
