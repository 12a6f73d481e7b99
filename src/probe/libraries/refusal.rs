//! Which libraries are not worth opening, or not safe to open, as their files show.

use crate::facts::{Candidate, Fact, Library};

/// Why no copy of this library need be opened: the one that the loader ends at is damaged, or there are copies and each
/// is for another machine. Opening a file that was cut short may end the process.
pub fn refusal(library: &Library) -> Option<String> {
    let refused = |copy: &Candidate| copy.loadable == Fact::Known(false);
    match &library.winner {
        Fact::Known(path) => {
            let winner = library.candidates.iter().find(|copy| copy.path == *path)?;
            refused(winner).then(|| format!("{path}: the file is cut short or damaged"))
        }
        Fact::Absent if !library.candidates.is_empty() && library.candidates.iter().all(refused) => {
            let copy = library.candidates.first()?;
            let machine = copy.machine.known().map_or("another machine", String::as_str);
            Some(format!("{}: the file is made for {machine}", copy.path))
        }
        _ => None,
    }
}
