//! On facts that are all known, our language and CEL agree. The `cel` crate is the oracle.

use cel::{Context, Program, Value as Cel};
use gpu_preflight::facts::shape::{Field, Record, Shape};
use gpu_preflight::lang::{Scope, Truth, check, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

static WORLD: Shape = Shape::Record(&Record {
    name: "World",
    doc: &[],
    fields: &[
        Field { name: "n", doc: &[], shape: &Shape::Integer },
        Field { name: "m", doc: &[], shape: &Shape::Integer },
        Field { name: "f", doc: &[], shape: &Shape::Number },
        Field { name: "s", doc: &[], shape: &Shape::Text },
        Field { name: "t", doc: &[], shape: &Shape::Text },
        Field { name: "b", doc: &[], shape: &Shape::Bool },
        Field { name: "c", doc: &[], shape: &Shape::Bool },
        Field { name: "l", doc: &[], shape: &Shape::List(&Shape::Integer) },
        Field { name: "r", doc: &[], shape: &Shape::List(&Shape::Record(&ITEM)) },
    ],
});

static ITEM: Record = Record {
    name: "Item",
    doc: &[],
    fields: &[
        Field { name: "n", doc: &[], shape: &Shape::Integer },
        Field { name: "s", doc: &[], shape: &Shape::Text },
    ],
};

fn facts() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["", "a", "ab", "b", "é"]);
    let item = (-2_i64..3, text.clone()).prop_map(|(n, s)| json!({ "n": n, "s": s }));
    (
        (-3_i64..4, -3_i64..4, prop::sample::select(vec![-0.5, 0.0, 1.0, 2.5])),
        (text.clone(), text, any::<bool>(), any::<bool>()),
        (prop::collection::vec(-2_i64..3, 0..4), prop::collection::vec(item, 0..3)),
    )
        .prop_map(|((n, m, f), (s, t, b, c), (l, r))| {
            json!({ "n": n, "m": m, "f": f, "s": s, "t": t, "b": b, "c": c, "l": l, "r": r })
        })
}

fn number(item: bool) -> impl Strategy<Value = String> {
    let mut names = vec!["n", "m", "f", "0", "1", "2.5", "size(l)", "size(s)"];
    if item {
        names.extend(["x.n", "size(x.s)"]);
    }
    prop::sample::select(names).prop_map(str::to_owned)
}

fn text(item: bool) -> impl Strategy<Value = String> {
    let mut names = vec!["s", "t", "'a'", "'b'", "\"\""];
    if item {
        names.push("x.s");
    }
    prop::sample::select(names).prop_map(str::to_owned)
}

fn condition(item: bool) -> BoxedStrategy<String> {
    let order = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let equality = prop::sample::select(vec!["==", "!="]);
    let leaf = prop_oneof![
        (number(item), order, number(item)).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text(item), equality, text(item)).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        prop::sample::select(vec!["b", "c", "true", "false", "n in l", "m in [1, 2]", "s in ['a', 'b']", "has(r)"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || {b}")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
    .boxed()
}

fn expression() -> impl Strategy<Value = String> {
    let quantified = (prop::sample::select(vec!["exists", "all"]), condition(true), condition(false))
        .prop_map(|(kind, inner, outer)| format!("r.{kind}(x, {inner}) || {outer}"));
    prop_oneof![condition(false), quantified]
}

fn by_cel(text: &str, facts: &Value) -> Option<bool> {
    let program = Program::compile(text).expect("CEL reads what we read");
    let mut context = Context::default();
    for (name, value) in facts.as_object().expect("a record") {
        context.add_variable(name.as_str(), value.clone()).expect("CEL takes JSON");
    }
    match program.execute(&context) {
        Ok(Cel::Bool(value)) => Some(value),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn both_agree_on_known_facts(text in expression(), facts in facts()) {
        // `has(r)` asks CEL about a variable and not a field, which it refuses: it is true of a known fact.
        let expr = parse(&text).expect("we read what we generate");
        check(&expr, &WORLD, &[]).expect("what we generate has a type");
        let ours = Scope::new(&facts).truth(&expr, &mut Vec::new());
        let theirs = by_cel(&text.replace("has(r)", "true"), &facts);
        prop_assert_eq!(Some(ours == Truth::True), theirs, "{}", text);
    }
}

fn truth(text: &str, facts: &Value) -> Truth {
    let expr = parse(text).expect("an expression");
    check(&expr, &WORLD, &[]).expect("a typed expression");
    Scope::new(facts).truth(&expr, &mut Vec::new())
}

#[test]
fn what_is_not_known_is_neither_true_nor_false() {
    let facts = json!({
        "n": { "unknown": "not-permitted", "detail": "EACCES" }, "m": null, "f": 1.0, "s": "a", "t": null,
        "b": { "unknown": "timed-out" }, "c": null, "l": { "unknown": "crashed" }, "r": null,
    });
    for unknown in [
        "n > 1",
        "n == 1",
        "!(n != 1)",
        "b",
        "!b",
        "b && true",
        "b || false",
        "n in [1]",
        "1 in l",
        "size(l) > 0",
        "has(n)",
        "b == true",
    ] {
        assert!(matches!(truth(unknown, &facts), Truth::Unknown(_)), "{unknown}");
    }
    for yes in ["true || b", "b || true", "m != 1", "!(m == 1)", "!c", "!has(m)", "size(r) == 0", "r.all(x, x.n > 0)"] {
        assert_eq!(truth(yes, &facts), Truth::True, "{yes}");
    }
    for no in
        ["false && b", "b && false", "m == 1", "m < 1", "m >= 1", "t == 'a'", "c", "m in [1]", "r.exists(x, true)"]
    {
        assert_eq!(truth(no, &facts), Truth::False, "{no}");
    }
}

#[test]
fn an_unknown_answer_names_the_fact_and_the_reason() {
    let facts = json!({ "n": { "unknown": "not-permitted", "detail": "/proc/1/fd: EACCES" } });
    assert_eq!(truth("n > 1", &facts), Truth::Unknown("n: not permitted: /proc/1/fd: EACCES".to_owned()));
}

#[test]
fn one_item_that_settles_it_is_enough() {
    let facts = json!({ "r": [{ "n": { "unknown": "timed-out" }, "s": "a" }, { "n": 3, "s": "b" }] });
    assert_eq!(truth("r.exists(x, x.n > 2)", &facts), Truth::True);
    assert_eq!(truth("r.all(x, x.n < 2)", &facts), Truth::False);
    assert!(matches!(truth("r.all(x, x.n > 2)", &facts), Truth::Unknown(_)));
    assert!(matches!(truth("r.exists(x, x.n > 5)", &facts), Truth::Unknown(_)));
}

#[test]
fn evidence_is_what_was_read_each_once() {
    let facts = json!({ "n": 1, "m": 2, "b": false, "r": [{ "n": 5, "s": "a" }] });
    let expr = parse("n < m && n > 0 && r.exists(x, x.n == 5)").expect("an expression");
    let mut evidence = Vec::new();
    Scope::new(&facts).truth(&expr, &mut evidence);
    let paths: Vec<&str> = evidence.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(paths, ["n", "m", "r[0].n"]);
}
