//! The words of a line of sshd's configuration.

/// The words of a line: parted by white space, or once by `=` after the keyword; quotes hold words together and `#`
/// begins a comment.
pub fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    let split = line.find(|c: char| c.is_whitespace() || c == '=');
    let (keyword, rest) = line.split_at(split.unwrap_or(line.len()));
    if keyword.is_empty() || keyword.starts_with('#') {
        return Vec::new();
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut words = vec![keyword.trim_matches('"').to_owned()];
    let mut chars = rest.chars().peekable();
    while let Some(&next) = chars.peek() {
        match next {
            c if c.is_whitespace() => {
                chars.next();
            }
            '#' => break,
            '"' | '\'' => {
                chars.next();
                words.push(std::iter::from_fn(|| chars.next_if(|c| *c != next)).collect());
                chars.next();
            }
            _ => words.push(std::iter::from_fn(|| chars.next_if(|c| !c.is_whitespace())).collect()),
        }
    }
    words
}
