//! Variables of whoever starts the services, as far as the text gives them a default.

/// A value with its variables filled in by their defaults.
pub fn filled(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('$') {
            out.push('$');
            rest = behind;
            continue;
        }
        let Some((inner, after)) = behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            let end =
                behind.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(behind.len());
            let name = behind.get(..end).unwrap_or_default();
            return Err(format!("the variable {name} has no value in the text"));
        };
        let Some((_, default)) = inner.split_once('-') else {
            let name = inner.split([':', '?', '+']).next().unwrap_or_default();
            return Err(format!("the variable {name} has no value in the text"));
        };
        out.push_str(default);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
