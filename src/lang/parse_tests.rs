//! What is an expression, and what is refused, where and why.

use super::*;

#[test]
fn mistakes_say_where_they_are() {
    for (text, at, part) in [
        ("a ==", 4, "expected a value, found the end"),
        ("a && (b", 7, "expected `)`"),
        ("a = b", 2, "`=` is written `==`"),
        ("'never", 0, "never ends"),
        ("list.exist(x, x)", 5, "did you mean `exists`?"),
        ("startsWith(a)", 0, "no function is called `startsWith`"),
        ("has(1)", 4, "asks about a path"),
        ("1.2.3 == a", 0, "no number"),
        ("", 0, "expected a value"),
    ] {
        let mistake = parse(text).expect_err(text);
        assert_eq!(mistake.at, at, "{text}: {}", mistake.message);
        assert!(mistake.message.contains(part), "{text}: {}", mistake.message);
    }
}

#[test]
fn no_input_exhausts_the_stack() {
    for deep in ["(", "!", "[", "a.all(x,", "size("] {
        assert!(parse(&deep.repeat(200)).is_err());
    }
    assert!(parse(&"1 + ".repeat(2000)).is_err());
}

#[test]
fn not_binds_tighter_than_comparison_and_and_tighter_than_or() {
    assert_eq!(parse("!a == b").map(reset), parse("(!a) == b").map(reset));
    assert_eq!(parse("a || b && c").map(reset), parse("a || (b && c)").map(reset));
}

fn reset(mut expr: Expr) -> Expr {
    fn clear(expr: &mut Expr) {
        expr.at = 0;
        match &mut expr.node {
            Node::Not(a) | Node::Size(a) | Node::Has(a) | Node::Version(a) => clear(a),
            Node::And(a, b) | Node::Or(a, b) | Node::Compare(_, a, b) | Node::In(a, b) => {
                clear(a);
                clear(b);
            }
            Node::Every { list, condition, .. } => {
                clear(list);
                clear(condition);
            }
            Node::List(items) => items.iter_mut().for_each(clear),
            _ => {}
        }
    }
    clear(&mut expr);
    expr
}
