//! Findings in columns that fit the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::text::Shown;

/// One row.
#[derive(Default)]
pub struct Line {
    /// The sign of how it stands.
    pub mark: &'static str,
    /// How much it matters.
    pub severity: &'static str,
    /// The check.
    pub check: String,
    /// What there is to say.
    pub text: String,
    /// What to do about it, on a line of its own.
    pub cure: Option<String>,
}

/// From this width on, ids stand in a column of their own; below, they stand over the text.
const WIDE: u16 = 96;

/// The rows, wrapped to `width` columns.
pub fn render(lines: &[Line], width: u16) -> Vec<Shown> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for line in lines {
        let mark = format!(" {} {}", line.mark, line.severity);
        // What is shown as an escape is as wide as the escape, so it is made one before columns are laid out.
        let check = Shown::line(&line.check);
        let text: Vec<Shown> = [&line.text].into_iter().chain(&line.cure).map(|text| Shown::line(text)).collect();
        let text = text.iter().map(|text| &**text).collect::<Vec<_>>().join("\n");
        if width >= WIDE {
            table.add_row([&mark, &*check, &text]);
        } else {
            table.add_row([&mark, &format!("{check}\n{text}")]);
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
    shown(&table)
}

/// Text in lines of at most `width` columns, broken at spaces.
pub fn wrap(text: &str, width: usize) -> Vec<Shown> {
    let mut table = Table::new();
    let columns = u16::try_from(width).unwrap_or(u16::MAX);
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(columns);
    table.add_row([&*Shown::line(text)]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    shown(&table)
}

/// The lines of a table.
pub fn shown(table: &Table) -> Vec<Shown> {
    table.lines().map(|line| Shown::line(line.trim_end())).collect()
}
