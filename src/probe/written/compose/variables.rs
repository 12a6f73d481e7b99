//! Variables of whoever starts the services, as far as the text gives them a default.

/// How deep defaults may lie in one another.
const DEPTH: usize = 8;

/// A value with its variables filled in by their defaults. One without a default stays in place as `${NAME}`, and why the
/// value is not known is told beside.
pub fn filled(text: &str) -> (String, Option<String>) {
    let (mut out, mut open) = (String::new(), None);
    fill(text, 0, &mut out, &mut open);
    (out, open)
}

fn fill(text: &str, depth: usize, out: &mut String, open: &mut Option<String>) {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('$') {
            out.push('$');
            rest = behind;
            continue;
        }
        let is_braced = behind.starts_with('{');
        let inner = behind.strip_prefix('{').unwrap_or(behind);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let end = inner.find(|letter| !is_part(letter)).unwrap_or(inner.len());
        let (name, after) = inner.split_at(end);
        // Only the name comes first; what stands behind its operator may hold any sign.
        let (operator, after) = if is_braced { closed(after) } else { ("", after) };
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
        if let Some(default) = default.filter(|_| !name.is_empty() && depth < DEPTH) {
            fill(default, depth + 1, out, open);
        } else {
            out.push_str("${");
            out.push_str(name);
            out.push('}');
            open.get_or_insert_with(|| format!("the variable {name} has no value in the text"));
        }
        rest = after;
    }
    out.push_str(rest);
}

/// What stands before the brace that closes, and what stands behind it.
fn closed(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut last = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if last == '$' => depth += 1,
            '}' if depth == 0 => return (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
            '}' => depth -= 1,
            _ => {}
        }
        last = letter;
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_default_is_a_value() {
        for (text, value, is_open) in [
            ("a${B:-c}d", "acd", false),
            ("${B-}", "", false),
            ("${X:?text-with-dash}", "${X}", true),
            ("${X:+a-b}", "${X}", true),
            ("${A:-${B:-c}}-d", "c-d", false),
            ("${A:-${B}}x", "${B}x", true),
            ("$A:1 $$B", "${A}:1 $B", true),
            ("${A", "${A}", true),
        ] {
            let (told, open) = filled(text);
            assert_eq!((told.as_str(), open.is_some()), (value, is_open), "{text}");
        }
    }
}
