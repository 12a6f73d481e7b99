//! Shell text as people write it, and as nobody should.

use super::*;

fn check(text: &str, expected: &[&[&str]]) {
    assert_eq!(commands(text), expected, "{text}");
}

#[test]
fn words_keep_what_quotes_held_together() {
    check("a 'b c' \"d \\\" $e\" f\\ g --token=''", &[&["a", "b c", "d \" $e", "f g", "--token="]]);
    check("a --token ''", &[&["a", "--token", ""]]);
}

#[test]
fn separators_and_keywords_part_commands() {
    check("if a; then b & c && d || e | f; fi", &[&["a"], &["b"], &["c"], &["d"], &["e"], &["f"], &["fi"]]);
}

#[test]
fn what_is_substituted_parts_no_words_and_is_read_as_well() {
    check("x=$(a b)", &[&["x=$(a b)"], &["a", "b"]]);
    check(
        "a --port=$(b \"(c)\" $(d)) --token=''",
        &[&["a", "--port=$(b \"(c)\" $(d))", "--token="], &["b", "(c)", "$(d)"], &["d"]],
    );
    check(
        "a \"x $(b) ${C:-d e}\" `f g` ${H:-i j} k",
        &[&["a", "x $(b) ${C:-d e}", "`f g`", "${H:-i j}", "k"], &["b"], &["f", "g"]],
    );
    check(
        "a $((1 + 2)) $(b ')' \\) c)",
        &[&["a", "$((1 + 2))", "$(b ')' \\) c)"], &["1", "+", "2"], &["b", ")", ")", "c"]],
    );
}

#[test]
fn what_is_never_closed_hides_nothing() {
    check("a \"${B:-it's}\" c\nd", &[&["a", "${B:-it's}", "c"], &["d"]]);
    assert!(commands("a ${b\njupyter lab\n").contains(&vec!["jupyter".to_owned(), "lab".to_owned()]));
    assert!(commands("a $(b\njupyter lab\n").contains(&vec!["jupyter".to_owned(), "lab".to_owned()]));
}

#[test]
fn substitutions_that_nest_without_end_are_left_at_a_depth() {
    let text = format!("{}a{}", "$(".repeat(500), ")".repeat(500));
    assert!(commands(&text).len() < 20);
}

#[test]
fn comments_redirections_and_continued_lines_are_no_words() {
    check("#!/bin/sh\na \\\n  b # c\nexec d 2>&1 >/dev/null e", &[&["a", "b"], &["exec", "d", "e"]]);
    check("a#b", &[&["a#b"]]);
}

#[test]
fn a_here_document_is_text_and_no_command() {
    check("cat > f <<'EOF'\njupyter lab\nEOF\nb", &[&["cat"], &["b"]]);
    check("cat <<-A\n\tx\n\tA\nb <<< c", &[&["cat"], &["b"]]);
}

#[test]
fn text_that_never_ends_its_quotes_is_survived() {
    for text in [
        "'a",
        "\"a\\",
        "a\\",
        "cat <<EOF\nx",
        "<",
        "<<",
        ">&",
        "((((",
        "$(",
        "a`",
        "\"$(",
        "${a",
        "$(\"",
        "\u{0}\u{1b}[31m",
    ] {
        let _ = commands(text);
    }
    check("", &[]);
}
