//! A report or a recording as JSON, for programs.

/// The whole document, indented, with a line feed at the end.
pub fn render(document: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}
