//! What people write who know another language, and what it is called in this one.

use super::sign::{Function, listed};
use super::suggestion;

/// What to say of a sign or word that stands where an operator of ours could; `before` is the text in front of it.
pub fn sign(before: &str, rest: &str) -> Option<String> {
    let written = |theirs: &str, ours: &str| Some(format!("`{theirs}` is written `{ours}` here"));
    let word_before = before.trim_end().rsplit(|c: char| !is_of_word(c)).next().unwrap_or_default();
    let word = &rest[..rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len())];
    match (word_before, word) {
        ("not", _) => return written("not", "!"),
        (_, "and") => return written("and", "&&"),
        (_, "or") => return written("or", "||"),
        (_, "is") => return written("is", "=="),
        (_, "not") => return written("a not in b", "!(a in b)"),
        (_, "") => {}
        (digits, _) if ends_in_digit(before) && digits.starts_with(|c: char| c.is_ascii_digit()) => {
            return Some("a number is digits alone, without a unit, `_` or an exponent".to_owned());
        }
        _ => return text_function(word).then(|| function(word)),
    }
    match rest.chars().next()? {
        '=' if rest.starts_with("=~") => Some(function("matches")),
        '~' => Some(function("matches")),
        '=' => written("=", "=="),
        '&' => written("&", "&&"),
        '|' => written("|", "||"),
        '>' if before.trim_end().ends_with('<') => written("<>", "!="),
        '?' => Some("there is no `a ? b : c`; write `(a && b) || (!a && c)`".to_owned()),
        '+' | '-' | '*' | '/' | '%' => Some(arithmetic(before, rest)),
        '[' => Some("items have no numbers; ask them with `list.exists(item, …)` or `list.all(item, …)`".to_owned()),
        _ => None,
    }
}

/// What to say of a function that does not exist here.
pub fn function(name: &str) -> String {
    let hint = match name {
        "exists" | "all" => format!("; `{name}` is asked of a list: `list.{name}(item, condition)`"),
        "size" | "has" | "version" => format!("; write `{name}(…)` around it"),
        "len" | "length" | "count" => "; did you mean `size`?".to_owned(),
        "any" | "some" | "exists_one" => "; did you mean `exists`?".to_owned(),
        "every" | "each" => "; did you mean `all`?".to_owned(),
        "defined" | "isset" | "present" | "is_set" => "; did you mean `has`?".to_owned(),
        "semver" | "ver" => "; did you mean `version`?".to_owned(),
        "map" | "filter" | "first" | "last" => "; lists are asked with `exists` and `all`".to_owned(),
        "min" | "max" | "sum" | "abs" | "round" => "; there is no arithmetic".to_owned(),
        _ if text_function(name) => "; text is compared whole, with `==`, `!=` and `in`".to_owned(),
        _ => suggestion(name, Function::ALL.iter().map(|function| function.as_str())),
    };
    format!("no function is called `{name}` here{hint}; there are {}", listed::<Function>())
}

/// What to add where no fact has this name.
pub fn name(name: &str) -> &'static str {
    match name {
        "null" | "None" | "nil" | "undefined" | "none" => "; whether a fact is there is asked with `has(path)`",
        "True" | "TRUE" | "yes" => "; did you mean `true`?",
        "False" | "FALSE" | "no" => "; did you mean `false`?",
        _ => "",
    }
}

fn text_function(name: &str) -> bool {
    let plain = name.replace('_', "").to_lowercase();
    let known = [
        "startswith",
        "endswith",
        "contains",
        "matches",
        "match",
        "like",
        "glob",
        "regex",
        "lower",
        "upper",
        "lowercase",
        "uppercase",
        "split",
        "substring",
        "replace",
        "trim",
        "find",
        "indexof",
    ];
    known.contains(&plain.as_str())
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn ends_in_digit(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}

/// There is none; a product of plain numbers is worked out for whoever wrote it.
fn arithmetic(before: &str, rest: &str) -> String {
    let is_of_product = |c: char| c.is_ascii_digit() || c == '*' || c == ' ';
    let left = &before[before.trim_end_matches(is_of_product).len()..];
    let right = &rest[..rest.find(|c: char| !is_of_product(c)).unwrap_or(rest.len())];
    let factors = format!("{left}{right}");
    let product = factors.split('*').map(|factor| factor.trim().parse::<i64>().ok());
    match product.reduce(|a, b| a?.checked_mul(b?)).flatten() {
        Some(product) => format!("there is no arithmetic; write {product} for {}", factors.trim()),
        None => "there is no arithmetic; compare with a number, or ask for a fact that has it".to_owned(),
    }
}
