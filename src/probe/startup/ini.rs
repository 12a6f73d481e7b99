//! Files of sections with keys and values, as supervisord and systemd use them.

/// A section of a file in the style of INI.
pub struct Section {
    /// Its name.
    pub name: String,
    /// Keys and values in their order.
    pub entries: Vec<(String, String)>,
}

impl Section {
    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Sections with their entries. A line that begins with white space, or follows a backslash, continues the one before.
pub fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let continues = goes_on || line.starts_with([' ', '\t']);
        goes_on = trimmed.ends_with('\\');
        let content = trimmed.trim_end_matches('\\').trim_end();
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push(Section { name: name.trim().to_owned(), entries: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        if continues && let Some((_, value)) = section.entries.last_mut() {
            value.push(' ');
            value.push_str(content);
        } else if let Some((key, value)) = content.split_once('=') {
            // supervisord begins a comment at ` ;`.
            let value = value.split(" ;").next().unwrap_or(value);
            section.entries.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_belong_to_the_value_before() {
        let found = sections("x=0\n[a]\n# c\nk = v \\\n  w\nl=1 ; c\n  2\n[b]\n=\n");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].get("k"), found[0].get("l"), found[0].get("m")), (Some("v w"), Some("1 2"), None));
    }

    #[test]
    fn garbage_makes_no_sections() {
        assert!(sections("\u{0}[[\n] =\n").is_empty());
    }
}
