//! One document, read and checked: what makes no sense is refused, with its place.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{IMAGES, Product, Purl, Statement};
use crate::facts::{cut, cut_word, moment};

/// Bytes of one document.
pub const LIMIT: u64 = 16 << 20;
/// Statements of all documents together.
pub const STATEMENTS_MAX: usize = 20_000;

/// Products of a statement, and names of one thing.
const LIST_MAX: usize = 1_024;

/// How every document of this format says what it is.
const CONTEXT: &str = "https://openvex.dev/ns";

/// Labels of the specification for why something is not affected.
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// Why a document is refused, and where that stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line and column, where it is no JSON of this form.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl Mistake {
    fn new(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into() }
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@context")]
    context: String,
    timestamp: String,
    last_updated: Option<String>,
    statements: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    vulnerability: Named,
    status: String,
    products: Option<Vec<Component>>,
    justification: Option<String>,
    impact_statement: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    aliases: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id")]
    id: Option<String>,
    /// By their kinds, as `purl` or `cpe23`.
    identifiers: Option<BTreeMap<String, Option<String>>>,
    subcomponents: Option<Vec<Component>>,
}

impl Component {
    /// The addresses of packages by which it is known. Another identifier names nothing that is looked at here.
    fn purls(&self) -> Vec<Purl> {
        let own = self.identifiers.iter().filter_map(|all| all.get("purl")?.as_ref());
        self.id.iter().chain(own).filter_map(|text| Purl::read(text)).collect()
    }

    /// Whether it is an image by every name that it has. One without a name, and one whose name is of something else or
    /// cannot be read, may be any product.
    fn is_image(&self) -> bool {
        let others = self.identifiers.iter().flat_map(BTreeMap::values).flatten();
        let mut names = self.id.iter().chain(others).peekable();
        names.peek().is_some() && names.all(|name| names_image(name))
    }
}

/// Whether this is the address of an image, or an IRI, of which the document says no more.
fn names_image(name: &str) -> bool {
    match Purl::read(name) {
        Some(purl) => IMAGES.contains(&purl.kind.as_str()),
        None => !name.starts_with("pkg:") && (name.contains("://") || name.starts_with("urn:")),
    }
}

/// The statements of a document of this name.
pub fn read(name: &str, text: &str) -> Result<Vec<Statement>, Mistake> {
    let document: Document = serde_json::from_str(text)
        .map_err(|error| Mistake { place: Some((error.line(), error.column())), message: error.to_string() })?;
    if !document.context.starts_with(CONTEXT) {
        return Err(Mistake::new(format!("is no OpenVEX document: its `@context` is not {CONTEXT}")));
    }
    if document.statements.is_empty() {
        return Err(Mistake::new("has no statement"));
    }
    if document.statements.len() > STATEMENTS_MAX {
        return Err(Mistake::new(format!("has more than the {STATEMENTS_MAX} statements that are read")));
    }
    let issued = document.last_updated.unwrap_or(document.timestamp);
    let numbered = (1..).zip(document.statements);
    let statement = |(number, written): (usize, Written)| {
        let place = format!("{}, statement {number}", cut(name));
        statement(place, written, &issued).map_err(|why| Mistake::new(format!("statement {number}: {why}")))
    };
    numbered.map(statement).collect()
}

fn statement(place: String, written: Written, issued: &str) -> Result<Statement, String> {
    let time = written.last_updated.as_deref().or(written.timestamp.as_deref()).unwrap_or(issued);
    let at = moment(time).ok_or_else(|| format!("`{}` is no time as RFC 3339 has it", cut_word(time)))?;
    let excuse = match written.status.as_str() {
        "not_affected" => Some(reason(written.justification.as_deref(), written.impact_statement.as_deref())?),
        "fixed" => Some("fixed".to_owned()),
        "affected" | "under_investigation" => None,
        other => {
            let other = cut_word(other);
            return Err(format!("`{other}` is no status: not_affected, fixed, affected or under_investigation"));
        }
    };
    let components = written.products.unwrap_or_default();
    if components.is_empty() {
        return Err("it names no product, and so is about nothing".to_owned());
    }
    let names: Vec<String> = std::iter::once(written.vulnerability.name)
        .chain(written.vulnerability.aliases.into_iter().flatten())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return Err("its vulnerability has no name".to_owned());
    }
    let inner = |one: &Component| one.subcomponents.as_ref().map_or(0, Vec::len);
    if names.len() > LIST_MAX || components.iter().map(|one| 1 + inner(one)).sum::<usize>() > LIST_MAX {
        return Err(format!("it lists more than the {LIST_MAX} that are read"));
    }
    let product = |one: Component| Product {
        is_image: one.is_image(),
        purls: one.purls(),
        subcomponents: one.subcomponents.iter().flatten().flat_map(Component::purls).collect(),
    };
    let products = components.into_iter().map(product).collect();
    Ok(Statement { place, names: names.iter().map(|name| cut(name)).collect(), products, excuse, at })
}

/// Why something is not affected, which has to be said.
fn reason(justification: Option<&str>, impact: Option<&str>) -> Result<String, String> {
    match (justification, impact) {
        (Some(label), _) if JUSTIFICATIONS.contains(&label) => Ok(label.to_owned()),
        (Some(label), _) => {
            let known = JUSTIFICATIONS.join(", ");
            Err(format!("`{}` is no justification; there are {known}", cut_word(label)))
        }
        (None, Some(impact)) if !impact.trim().is_empty() => Ok(cut(impact)),
        _ => Err("not_affected needs a justification or an impact_statement".to_owned()),
    }
}
