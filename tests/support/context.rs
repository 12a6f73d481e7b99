//! Which facts are context: they stand in recordings and reports, and no check reads them.

use std::collections::BTreeSet;

use gpu_preflight::check::template::Template;
use gpu_preflight::check::{Catalogue, Check};
use gpu_preflight::facts::Facts;
use gpu_preflight::facts::shape::{Shape, Shaped};
use gpu_preflight::lang::tree::{Expr, Node};

/// A field by the record that declares it and its name.
pub type Fields = BTreeSet<(&'static str, &'static str)>;

/// The fields of the facts that no check asks in `each`, `when` or `expect`, or quotes in its words.
pub fn context(catalogue: &Catalogue) -> Fields {
    let mut reads = Reads { names: Vec::new(), fields: Fields::new() };
    for check in &catalogue.checks {
        reads.check(check);
    }
    declared(Facts::SHAPE).difference(&reads.fields).copied().collect()
}

/// The record inside a list, a map or a reading; the shape itself where there is none.
pub fn inner(shape: &'static Shape) -> &'static Shape {
    match shape.bare() {
        Shape::List(item) | Shape::Map(item) => inner(item),
        other => other,
    }
}

/// Every field of the records at and under `shape`.
pub fn declared(shape: &'static Shape) -> Fields {
    let Shape::Record(record) = inner(shape) else { return Fields::new() };
    let own = record.fields.iter().map(|field| (record.name, field.name));
    own.chain(record.fields.iter().flat_map(|field| declared(field.shape))).collect()
}

/// What the checks read. Everything on the way to a fact counts: `it.load.seen` reads `load` as well.
struct Reads<'a> {
    /// `it` and the items of `exists` and `all`, innermost last.
    names: Vec<(&'a str, &'static Shape)>,
    fields: Fields,
}

impl<'a> Reads<'a> {
    fn check(&mut self, check: &'a Check) {
        if let Some(path) = &check.each {
            let item = self.path(path);
            self.names.push(("it", item));
        }
        check.when.iter().map(|when| &when.expr).chain([&check.expect]).for_each(|expr| self.expr(expr));
        check.subject.iter().chain([&check.message]).for_each(|template| self.template(template));
        self.names.clear();
    }

    /// Notes the fields on a path and gives what stands at its end.
    fn path(&mut self, path: &[String]) -> &'static Shape {
        let named = self.names.iter().rev().find(|(name, _)| *name == path[0]).map(|(_, shape)| *shape);
        let (start, steps) = named.map_or((Facts::SHAPE, path), |shape| (shape, &path[1..]));
        steps.iter().fold(start, |shape, step| {
            let Shape::Record(record) = inner(shape) else { panic!("{path:?} was checked at load") };
            let field = inner(shape).field(step).unwrap_or_else(|| panic!("{path:?} was checked at load"));
            self.fields.insert((record.name, field.name));
            field.shape
        })
    }

    /// A record in a message is written as its first field, which names it.
    fn template(&mut self, template: &Template) {
        for path in template.paths() {
            if let Shape::Record(record) = inner(self.path(path)) {
                self.fields.insert((record.name, record.fields[0].name));
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.node {
            Node::Path(path) => {
                self.path(path);
            }
            Node::Not(a) | Node::Size(a) | Node::Has(a) | Node::Version(a) => self.expr(a),
            Node::And(a, b) | Node::Or(a, b) | Node::Compare(_, a, b) | Node::In(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Node::List(items) => items.iter().for_each(|item| self.expr(item)),
            Node::Every { list, name, condition, .. } => {
                let Node::Path(path) = &list.node else { return };
                let item = self.path(path);
                self.names.push((name, item));
                self.expr(condition);
                self.names.pop();
            }
            Node::Bool(_) | Node::Integer(_) | Node::Float(_) | Node::Text(_) => {}
        }
    }
}
