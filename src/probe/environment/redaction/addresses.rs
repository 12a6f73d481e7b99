//! Users and passwords in addresses: `scheme://user:password@host`.

use super::REDACTED;

/// Bytes of one address that are looked at.
const LONGEST: usize = 2_048;
/// A user without a password that is so long is a token: `https://TOKEN@host`.
const TOKEN: usize = 16;

/// The line without them.
pub fn redacted(line: &str, count: &mut usize) -> String {
    let (mut kept, mut rest) = (String::new(), line);
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        kept += head;
        rest = tail;
        if let Some(end) = user(tail) {
            kept += REDACTED;
            *count += 1;
            rest = &tail[end..];
        }
    }
    kept + rest
}

/// Where the user of an address ends, if he is a secret.
fn user(text: &str) -> Option<usize> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let ends = |c: char| c.is_whitespace() || "\"'`<>|".contains(c);
    let address = text.split(ends).next().unwrap_or_default();
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let at = authority.rfind('@').or_else(|| {
        // A password may hold a slash that should have been written as an escape; a port is a number.
        let at = address.find('@')?;
        let (_, behind) = authority.split_once(':')?;
        behind.contains(|c: char| !c.is_ascii_digit()).then_some(at)
    })?;
    let user = &address[..at];
    (!user.contains(REDACTED) && (user.contains(':') || user.len() >= TOKEN)).then_some(at)
}
