//! Dockerfiles taken apart: lines, here-documents, and what is none.

use super::*;

fn told(text: &str) -> Vec<(usize, String, String)> {
    let read = read(text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    read.all.into_iter().map(|one| (one.line, one.keyword, one.text)).collect()
}

fn one(line: usize, keyword: &str, text: &str) -> (usize, String, String) {
    (line, keyword.to_owned(), text.to_owned())
}

#[test]
fn continued_lines_are_joined_and_comments_between_them_left_out() {
    let text = "# syntax=docker/dockerfile:1\n\nfrom a:1 \\\n  # why\n\n  AS b\nRUN x \\  \n && y\n";
    assert_eq!(told(text), [one(3, "FROM", "a:1   AS b"), one(7, "RUN", "x  && y")]);
}

#[test]
fn the_directive_changes_what_continues_a_line() {
    let text = "# escape=`\nFROM a\nRUN dir c:\\ `\n x\n";
    assert_eq!(told(text), [one(2, "FROM", "a"), one(3, "RUN", "dir c:\\  x")]);
    assert_eq!(told("# a comment\n# escape=`\nFROM a\nRUN x `\n")[1].2, "x `", "a comment ends the directives");
    assert_eq!(told("FROM a\nRUN x \\\\\nENV A=1\n")[1].2, "x \\\\", "two of them are one of the text");
}

#[test]
fn here_documents_stand_anywhere_in_a_command() {
    let text =
        "FROM a\nRUN python3 - <<'EOF' && cat <<-B > /b\nFROM nothing\nEOF\n\tb\n\tB\nCOPY <<X /x\n1\nX\nUSER 1\n";
    let read = read(text).expect("a Dockerfile");
    let texts: Vec<Vec<&str>> =
        read.all.iter().map(|one| one.documents.iter().map(|document| document.text.as_str()).collect()).collect();
    assert_eq!(texts, [vec![], vec!["FROM nothing\n", "b\n"], vec!["1\n"], vec![]]);
    assert!(!read.all[1].documents[0].expands && read.all[1].documents[1].expands);
    assert_eq!(read.all[3].line, 10);
    assert_eq!((read.all[1].line_of("nothing"), read.all[1].line_of("python3"), read.all[1].line_of("b")), (3, 2, 2));
    assert_eq!(told("FROM a\nRUN echo $((1<<3)) \"<<EOF\" <<<EOF && x << y\n").len(), 2, "none of them is one");
}

#[test]
fn a_word_is_found_on_its_line() {
    let read = read("FROM a\nRUN pip install \\\n  torch==2.5.1 \\\n  vllm\n").expect("a Dockerfile");
    let of = |word| read.all[1].line_of(word);
    assert_eq!((of("pip"), of("torch"), of("vllm"), of("none")), (2, 3, 4, 2));
}

#[test]
fn what_is_no_dockerfile_is_refused_with_its_place() {
    for (text, place, part) in [
        ("", (1, 1), "without a FROM"),
        ("hello world\n", (1, 1), "`HELLO` is no instruction"),
        ("FROM a\n  RUM x\n", (2, 3), "`RUM` is no instruction"),
        ("RUN x\nFROM a\n", (1, 1), "RUN stands before the first FROM"),
        ("FROM a\nRUN <<EOF\nx\n", (2, 1), "never ends"),
        ("FROM a\nUSER\n", (2, 1), "USER says nothing"),
        ("{{- if x }}\nFROM a\n{{ end }}\n", (1, 1), "a template has to be rendered first"),
        ("\u{0}\u{1}", (1, 1), "is no instruction"),
    ] {
        let (line, column, message) = read(text).expect_err(text);
        assert!((line, column) == place && message.contains(part), "{text}: {line}:{column}: {message}");
    }
}
