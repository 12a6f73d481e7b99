//! Where in a repository a finding is shown. A finding speaks of a container, and what shows it wants a file and a line.

use super::Finding;

/// A file of a repository and a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the root of the repository.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self { file: "Dockerfile".to_owned(), line: 1 }
    }
}

impl std::str::FromStr for Place {
    type Err = String;

    /// `FILE:LINE`, or a file alone for its first line.
    fn from_str(text: &str) -> Result<Self, String> {
        let (file, line) = match text.rsplit_once(':') {
            Some((file, line)) => (file, line.parse().ok().filter(|line| *line > 0)),
            None => (text, Some(1)),
        };
        let line = line.ok_or_else(|| "FILE:LINE, for example Dockerfile:1".to_owned())?;
        let is_inside = !file.starts_with('/') && !file.contains(':') && file.split('/').all(|part| part != "..");
        if file.is_empty() || !is_inside {
            return Err(
                "a file is named from the root of the repository on, for example docker/Dockerfile:1".to_owned()
            );
        }
        let file = file.strip_prefix("./").unwrap_or(file).to_owned();
        Ok(Self { file, line })
    }
}

impl Place {
    /// The file as a relative URI, as RFC 3986 has it.
    pub fn uri(&self) -> String {
        use std::fmt::Write as _;
        let mut uri = String::new();
        for byte in self.file.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
        uri
    }
}

/// The place that a finding is shown at: where it stands in a file that was judged, if that can be one of the repository;
/// else the one that was asked for.
pub fn place(finding: &Finding, anchor: &Place) -> Place {
    let own = finding.places.first().and_then(|place| format!("{}:{}", place.file, place.line).parse().ok());
    own.unwrap_or_else(|| anchor.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_of_a_text_is_shown_where_it_stands_there() {
        let anchor = Place::default();
        let at = |file: &str| {
            let places = vec![crate::facts::Place { file: file.to_owned(), line: 7 }];
            place(&Finding { places, ..Finding::default() }, &anchor)
        };
        assert_eq!(at("docker/Dockerfile"), Place { file: "docker/Dockerfile".to_owned(), line: 7 });
        assert_eq!(at("/tmp/Dockerfile"), anchor, "no file of a repository");
        assert_eq!(place(&Finding::default(), &anchor), anchor);
    }

    #[test]
    fn a_place_lies_in_the_repository() {
        let place = |file: &str, line| Ok(Place { file: file.to_owned(), line });
        assert_eq!("Dockerfile:12".parse(), place("Dockerfile", 12));
        assert_eq!("./a/b c".parse(), place("a/b c", 1));
        for wrong in ["", ":1", "/etc/x:1", "../x:1", "a/../x:1", "file://x:1", "x:0", "x:y", "C:\\x:1"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
        assert_eq!("a/b c%é".parse::<Place>().expect("a place").uri(), "a/b%20c%25%C3%A9");
    }
}
