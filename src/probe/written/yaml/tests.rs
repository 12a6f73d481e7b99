//! Trees, and what is no tree.

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
    let quoted = second.get("c").expect("a text");
    assert_eq!((quoted.text(), quoted.switch()), (Some("true"), None), "a text is no switch");
}

#[test]
fn a_switch_has_many_spellings() {
    let switch = |text: &str| one(&format!("a: {text}\n")).get("a").and_then(Node::switch);
    for (on, off) in [("true", "false"), ("yes", "no"), ("on", "off"), ("y", "n")] {
        let capital = |text: &str| format!("{}{}", text[..1].to_uppercase(), &text[1..]);
        for (text, value) in [(on, true), (off, false)] {
            assert_eq!(
                [text.to_owned(), capital(text), text.to_uppercase()].map(|text| switch(&text)),
                [Some(value); 3],
                "{text}"
            );
        }
    }
    assert!(["'yes'", "1", "tRUE", "enabled", "[true]"].into_iter().all(|text| switch(text).is_none()));
}

#[test]
fn a_key_that_stands_twice_is_a_mistake() {
    let (line, column, why) = documents("a:\n  b: 1\n  c: 2\n  b: 3\n").expect_err("b stands twice");
    assert_eq!((line, column, why.as_str()), (4, 3, "`b` stands twice in this map"));
    assert!(documents("a: {b: 1}\nc: {b: 1}\n---\na: b\n").is_ok(), "in other maps it is another one");
    assert!(documents("a: &a {b: 1}\nc: {<<: *a, b: 2}\nd: [b, b]\n").is_ok(), "a merge is written over");
}

#[test]
fn a_key_is_found_however_deep() {
    let node = one("a: [{b: {containers: []}}]\nd: containers\n");
    assert!(node.mentions(|key| key == "containers") && !node.mentions(|key| key == "d2"));
    assert!(!one("d: containers\n").mentions(|key| key == "containers"), "a value is no key");
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

#[test]
fn entries_are_those_of_merged_maps_too() {
    let node = one("x: &x {a: 1, b: 2}\ny: {<<: [*x, {c: 3}], b: 4}\n");
    let found: Vec<_> = node.get("y").expect("a map").entries().into_iter().collect();
    let told: Vec<_> = found.iter().map(|(key, value)| (key.text(), value.text())).collect();
    assert_eq!(told, [(Some("b"), Some("4")), (Some("a"), Some("1")), (Some("c"), Some("3"))]);
}

#[test]
fn what_a_variable_leaves_open_is_no_text() {
    let node = filled("a: ${A}\nb: ${B:-true}\n${C:-c}: 1\n", |text| {
        (text.replace("${B:-true}", "true"), text.contains("{A").then(|| "open".to_owned()))
    });
    let node = &node.expect("a document")[0];
    let a = node.get("a").expect("a value");
    assert_eq!((a.text(), a.open(), a.raw()), (None, Some("open"), Some("${A}")));
    assert_eq!((node.get("b").map(|b| b.text() == Some("true")), node.get("${C:-c}").is_some()), (Some(true), true));
}
