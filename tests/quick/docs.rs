//! `docs/` and the JSON Schemas are made from the source, committed, and compared here.

use std::fmt::Write as _;

use crate::support::context::{Fields, context, declared, inner};
use gpu_preflight::check::file::PLACES;
use gpu_preflight::check::room::RoomFile;
use gpu_preflight::check::{Catalogue, CheckFile};
use gpu_preflight::cli;
use gpu_preflight::exit::{End, Style};
use gpu_preflight::facts::Facts;
use gpu_preflight::facts::shape::{Field, Shape, Shaped, text};
use gpu_preflight::report::Report;
use gpu_preflight::report::config::Config;
use gpu_preflight::report::diff::Diff;
use gpu_preflight::report::gpus::GpuTable;
use gpu_preflight::report::watch::Watched;
use gpu_preflight::weigh::Profile;
use gpu_preflight::weigh::contract::ContractFile;
use gpu_preflight::weigh::profile::ProfileFile;
use gpu_preflight::{exit, explain};
use serde_json::{Map, Value, json};

use crate::support::bless;

const MADE: &str = "<!-- Made from the source by `just bless`; a test compares it. -->";

#[test]
fn checks_page_is_current() {
    let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
    let mut checks: Vec<_> = catalogue.checks.iter().collect();
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    let mut page = format!("{MADE}\n# Checks\n\n");
    for check in &checks {
        let anchor: String = check.id.chars().filter(|c| *c != '.').collect();
        writeln!(page, "- [{}](#{anchor}): {} ({})", check.id, check.file.title, check.file.severity).expect("memory");
    }
    let profiles = Profile::all(&catalogue).expect("valid profiles");
    for check in &checks {
        write!(page, "\n{}", explain::page(check, 2, &profiles)).expect("memory");
    }
    bless::compare("docs/checks.md", &page);
}

#[test]
fn facts_page_is_current() {
    let context = context(&Catalogue::load(&[]).expect("a valid catalogue"));
    let mut page = format!(
        "{MADE}\n# Facts\n\nA recording holds these. A fact is its value, `null` when it was looked for and is not there, \
         or `{{\"unknown\": KIND, \"detail\": TEXT}}`. {} of {} are marked as context: they stand in recordings and \
         reports, and no check reads them.\n",
        context.len(),
        declared(Facts::SHAPE).len(),
    );
    for group in Facts::SHAPE.fields() {
        write!(page, "\n## {}\n\n{}\n", group.name, words(Facts::SHAPE, group, &context)).expect("memory");
        rows(&mut page, group.name, inner(group.shape), &context);
    }
    bless::compare("docs/facts.md", &page);
}

fn rows(page: &mut String, prefix: &str, shape: &'static Shape, context: &Fields) {
    if shape.fields().is_empty() {
        return;
    }
    page.push_str("\n| fact | type | what it says |\n|---|---|---|\n");
    let mut nested = Vec::new();
    for field in shape.fields() {
        let words = words(shape, field, context).replace('|', "\\|");
        writeln!(page, "| `{}` | {} | {words} |", field.name, type_of(field.shape)).expect("memory");
        if !inner(field.shape).fields().is_empty() {
            nested.push(field);
        }
    }
    for field in nested {
        let path = format!("{prefix}.{}", field.name);
        write!(page, "\n### {path}\n").expect("memory");
        rows(page, &path, inner(field.shape), context);
    }
}

/// What a fact says, and whether it is context.
fn words(shape: &'static Shape, field: &'static Field, context: &Fields) -> String {
    let Shape::Record(record) = shape else { unreachable!("a field has a record") };
    let mark = if context.contains(&(record.name, field.name)) { " _Context._" } else { "" };
    format!("{}{mark}", field.text())
}

fn type_of(shape: &'static Shape) -> String {
    match shape.bare() {
        Shape::Bool => "true or false".to_owned(),
        Shape::Integer => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Anything => "anything".to_owned(),
        Shape::Word(words) => words.iter().map(|word| format!("`{}`", word.name)).collect::<Vec<_>>().join(", "),
        Shape::List(item) => format!("list of {}", type_of(item)),
        Shape::Map(item) => format!("map of {}", type_of(item)),
        Shape::Record(record) => record.name.to_owned(),
        Shape::Maybe(_) | Shape::Optional(_) => unreachable!("bare"),
    }
}

#[test]
fn command_line_page_is_current() {
    let mut page = format!("{MADE}\n# Command line\n");
    let mut command = cli::command().term_width(100).bin_name("gpu-preflight");
    command.build();
    write!(page, "\n```text\n{}```\n", help(&mut command)).expect("memory");
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let name = sub.get_name().to_owned();
        write!(page, "\n## {name}\n\n```text\n{}```\n", help(sub)).expect("memory");
    }
    page.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for exit in exit::ALL {
        writeln!(page, "| {} | {} |", exit.code, exit.meaning).expect("memory");
    }
    page.push_str("\n`--exit-style` says them in the words of others:\n\n| how it ends |");
    for style in Style::ALL {
        write!(page, " {style} |").expect("memory");
    }
    page.push_str("\n|---|---|---|---|---|\n");
    for end in End::ALL {
        write!(page, "| {end} |").expect("memory");
        for style in Style::ALL {
            write!(page, " {} |", style.code(*end, false)).expect("memory");
        }
        page.push('\n');
    }
    page.push_str("\n`--fail-on never` makes the first four of these 0 in every style.\n");
    page.push_str("\n## Profiles\n\n");
    let catalogue = Catalogue::load(&[]).expect("a valid catalogue");
    for name in Profile::names() {
        let text = Profile::embedded(name).expect("it is listed");
        let profile = Profile::read(name, name, text, &catalogue).expect("it is valid");
        writeln!(page, "- `{name}`: {}. {}", profile.file.title, profile.file.description.trim()).expect("memory");
    }
    bless::compare("docs/cli.md", &page);
}

fn help(command: &mut clap::Command) -> String {
    let text = command.render_long_help().to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn schemas_are_current() {
    for (name, shape) in [
        ("facts", Facts::SHAPE),
        ("report", Report::SHAPE),
        ("gpus", GpuTable::SHAPE),
        ("diff", Diff::SHAPE),
        ("config", Config::SHAPE),
        ("watch", Watched::SHAPE),
        ("check", CheckFile::SHAPE),
        ("room", RoomFile::SHAPE),
        ("profile", ProfileFile::SHAPE),
        ("contract", ContractFile::SHAPE),
    ] {
        let mut definitions = Map::new();
        let root = schema(shape, &mut definitions);
        let mut document = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("gpu-preflight {name}"),
        });
        let map = document.as_object_mut().expect("an object");
        map.extend(root.as_object().expect("an object").clone());
        map.insert("$defs".to_owned(), definitions.into());
        let text = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
        bless::compare(format!("docs/schema/{name}.json"), &text);
    }
}

fn schema(shape: &'static Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Text => json!({ "type": "string" }),
        Shape::Anything => json!({}),
        Shape::Word(words) => {
            let of =
                |word: &gpu_preflight::facts::shape::Word| json!({ "const": word.name, "description": text(word.doc) });
            json!({ "oneOf": words.iter().map(of).collect::<Vec<_>>() })
        }
        Shape::List(item) => json!({ "type": "array", "items": schema(item, definitions) }),
        Shape::Map(item) => json!({ "type": "object", "additionalProperties": schema(item, definitions) }),
        Shape::Optional(inner) => json!({ "anyOf": [schema(inner, definitions), { "type": "null" }] }),
        Shape::Maybe(inner) => {
            definitions.entry("Gap").or_insert_with(gap);
            json!({ "anyOf": [schema(inner, definitions), { "type": "null" }, { "$ref": "#/$defs/Gap" }] })
        }
        Shape::Record(record) => {
            if !definitions.contains_key(record.name) {
                definitions.insert(record.name.to_owned(), Value::Null);
                let definition = object(record.fields, &text(record.doc), definitions);
                definitions.insert(record.name.to_owned(), definition);
            }
            json!({ "$ref": format!("#/$defs/{}", record.name) })
        }
    }
}

fn object(fields: &'static [Field], doc: &str, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut property = schema(field.shape, definitions);
        property.as_object_mut().expect("an object").insert("description".to_owned(), field.text().into());
        properties.insert(field.name.to_owned(), property);
    }
    json!({ "type": "object", "description": doc, "properties": properties, "additionalProperties": false })
}

fn gap() -> Value {
    let kinds: Vec<&str> = gpu_preflight::facts::GapKind::ALL.iter().map(|kind| kind.as_str()).collect();
    json!({
        "type": "object",
        "description": "The reading could not be had.",
        "properties": { "unknown": { "enum": kinds }, "detail": { "type": "string" } },
        "required": ["unknown"],
        "additionalProperties": false,
    })
}

#[test]
fn every_fact_is_documented() {
    fn visit(shape: &'static Shape, path: &str) {
        for field in shape.fields() {
            assert!(field.text().ends_with('.'), "{path}.{} has no doc comment that ends in a full stop", field.name);
            visit(inner(field.shape), &format!("{path}.{}", field.name));
        }
    }
    visit(Facts::SHAPE, "facts");
    visit(Report::SHAPE, "report");
    assert_eq!(PLACES.len(), 7);
}
