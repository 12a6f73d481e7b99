//! File patterns with `*`, `?` and `[…]`, as configuration files use them.

use crate::facts::{Fact, Gap};
use crate::world::World;

/// The paths that a pattern names, in lexical order. A folder that is not there names nothing; one that may not be
/// read is a gap.
pub fn expand(world: &World, pattern: &str) -> Result<Vec<String>, Gap> {
    let mut paths = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for path in paths {
            if !part.contains(['*', '?', '[']) {
                next.push(format!("{path}/{part}"));
                continue;
            }
            let folder = if path.is_empty() { "/" } else { &path };
            match world.list(folder) {
                Fact::Known(names) => {
                    let hidden = |name: &str| name.starts_with('.') && !part.starts_with('.');
                    let names = names.iter().filter(|name| !hidden(name) && matches(part, name));
                    next.extend(names.map(|name| format!("{path}/{name}")));
                }
                Fact::Absent => {}
                Fact::Unknown(gap) => return Err(gap),
            }
        }
        paths = next;
    }
    Ok(paths)
}

/// Whether a name fits a pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last `*` has to take one more character.
    let mut retry = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n));
            p += 1;
        } else if let Some(after) = one(&pattern, p, name[n]) {
            p = after;
            n += 1;
        } else if let Some((star, taken)) = retry {
            retry = Some((star, taken + 1));
            p = star + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Matches one character; the position after its part of the pattern.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            let end = at + 2 + pattern.get(at + 2..)?.iter().position(|c| *c == ']')?;
            let set = pattern.get(at + 1..end)?;
            let (negated, set) = match set.split_first() {
                Some(('!' | '^', rest)) => (true, rest),
                _ => (false, set),
            };
            let within = set.contains(&c) || set.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(&c));
            (within != negated).then_some(end + 1)
        }
        other => (other == c).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name) in
            [("*.conf", "a.conf"), ("*", ""), ("a?c*", "abcd"), ("*a*b", "xaab"), ("[a-c]x", "bx"), ("[!a]x", "bx")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.conf", "a.conf~"), ("a?", "a"), ("", "a"), ("[a-c]x", "dx"), ("[", "a"), ("[]", "]")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_becomes_sorted_paths() {
        let world = FakeRoot::of(&[("etc/b/run/", ""), ("etc/a/run/", ""), ("etc/.hidden/run/", "")], &[]);
        assert_eq!(expand(&world, "/etc/*/run"), Ok(vec!["/etc/a/run".to_owned(), "/etc/b/run".to_owned()]));
        assert_eq!(expand(&world, "/nothing/*"), Ok(Vec::new()));
    }
}
