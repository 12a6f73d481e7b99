//! Findings in columns that fit the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// One row.
#[derive(Default)]
pub struct Line {
    /// The sign of how it stands.
    pub mark: &'static str,
    /// How much it matters.
    pub severity: &'static str,
    /// The check.
    pub check: String,
    /// What there is to say; a line feed begins a new line in the column.
    pub text: String,
}

/// From this width on, ids stand in a column of their own; below, they stand over the text.
const WIDE: u16 = 96;

/// The rows, wrapped to `width` columns.
pub fn render(lines: &[Line], width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for line in lines {
        let mark = format!(" {} {}", line.mark, line.severity);
        if width >= WIDE {
            table.add_row([mark, line.check.clone(), line.text.clone()]);
        } else {
            table.add_row([mark, format!("{}\n{}", line.check, line.text)]);
        }
    }
    let fixed = |columns| ColumnConstraint::Absolute(Width::Fixed(columns));
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(fixed(13));
    }
    if width >= WIDE
        && let Some(column) = table.column_mut(1)
    {
        column.set_constraint(fixed(36));
    }
    table.to_string()
}

/// Text in lines of at most `width` columns, broken at spaces.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut table = Table::new();
    let columns = u16::try_from(width).unwrap_or(u16::MAX);
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(columns);
    table.add_row([text]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}
