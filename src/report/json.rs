//! The report as JSON, for programs.

use super::Report;

/// The whole report, indented, with a line feed at the end.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
