//! The flags of `docker run` that the text of a Docker remedy names.
//!
//! It names them in backticks, with their values, so that they can be given as they stand. What follows "without" or "in
//! place of" is taken away; a clause after ", or " is another way. The tests apply every one of them in a container.

/// One flag of `docker run`, with its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flag {
    /// `--memory`, `-e`.
    pub name: String,
    /// What follows it, unless it is a switch.
    pub value: Option<String>,
}

impl Flag {
    /// The flags of a text like `--read-only --tmpfs /tmp -e A=b --pid=host`. A word that is neither a flag nor a value of
    /// one is passed over.
    pub fn all(text: &str) -> Vec<Self> {
        let mut flags: Vec<Self> = Vec::new();
        for word in text.split_whitespace() {
            match (word.split_once('='), flags.last_mut()) {
                (Some((name, value)), _) if name.starts_with("--") => {
                    flags.push(Self { name: name.to_owned(), value: Some(value.to_owned()) });
                }
                _ if word.starts_with('-') => flags.push(Self { name: word.to_owned(), value: None }),
                (_, Some(flag)) if flag.value.is_none() => flag.value = Some(word.to_owned()),
                _ => {}
            }
        }
        flags
    }
}

/// One way that a remedy offers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Way {
    /// Flags that the container gets.
    pub added: Vec<Flag>,
    /// Flags that it gets no longer.
    pub removed: Vec<Flag>,
}

impl Way {
    /// The ways in the text of a Docker remedy that name a flag.
    pub fn all(remedy: &str) -> Vec<Self> {
        let ways = remedy.split(", or ").map(Self::read);
        ways.filter(|way| *way != Self::default()).collect()
    }

    fn read(clause: &str) -> Self {
        let (mut way, mut takes_away) = (Self::default(), false);
        // What stands between backticks, and the words before it.
        let mut parts = clause.split('`');
        while let (Some(words), Some(code)) = (parts.next(), parts.next()) {
            if words.contains("without") || words.contains("in place of") {
                takes_away = true;
            } else if words.contains("with") {
                takes_away = false;
            }
            if code.starts_with('-') {
                if takes_away { &mut way.removed } else { &mut way.added }.extend(Flag::all(code));
            }
        }
        way
    }

    /// All that it names.
    pub fn flags(&self) -> impl Iterator<Item = &Flag> {
        self.added.iter().chain(&self.removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(name: &str, value: Option<&str>) -> Flag {
        Flag { name: name.to_owned(), value: value.map(str::to_owned) }
    }

    #[test]
    fn flags_are_read_with_their_values() {
        let read = Flag::all("--read-only --tmpfs /tmp:exec -e HOME=/tmp --pid=host");
        let expected = [
            flag("--read-only", None),
            flag("--tmpfs", Some("/tmp:exec")),
            flag("-e", Some("HOME=/tmp")),
            flag("--pid", Some("host")),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_clause_after_or_is_another_way() {
        let ways = Way::all("Run with `--cpus 8`, or bind with `--cpuset-cpus 0-7`, or what you like, as `man` says.");
        let added: Vec<&[Flag]> = ways.iter().map(|way| &*way.added).collect();
        assert_eq!(added, [[flag("--cpus", Some("8"))], [flag("--cpuset-cpus", Some("0-7"))]]);
    }

    #[test]
    fn what_follows_without_or_in_place_of_is_taken_away() {
        let taken = |text| Way::all(text).remove(0);
        let way = taken("Run with `--cap-drop ALL` and without `--cap-add`.");
        assert_eq!((way.added, way.removed), (vec![flag("--cap-drop", Some("ALL"))], vec![flag("--cap-add", None)]));
        let way = taken("Run with `--shm-size 8g` in place of `--ipc=host`.");
        assert_eq!((way.added.len(), way.removed), (1, vec![flag("--ipc", Some("host"))]));
        assert_eq!(Way::all("Set `limits` without `docker`."), []);
    }
}
