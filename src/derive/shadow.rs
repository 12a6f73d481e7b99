//! Driver libraries that are here and of no use: mounted where no loader finds them, hidden by another, stubs.

use super::stack::{chosen, winner};
use crate::facts::{Candidate, Fact, Facts, FoundBy, LibraryId};

fn is_real(copy: &Candidate) -> bool {
    copy.loadable == Fact::Known(true) && copy.is_stub == Fact::Known(false)
}

/// A mounted libcuda without its link, or in a folder that no loader asks. What device plugins mount lies in a folder of
/// its own, which a variable names, so there it is the variable that is missing.
pub fn unlinked_cuda(facts: &Facts) -> Fact<String> {
    chosen(facts, LibraryId::Cuda).and_then(|library| match &library.winner {
        Fact::Known(_) => Fact::Absent,
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        Fact::Absent => {
            let by_hook = [FoundBy::Mounted, FoundBy::DefaultFolder, FoundBy::Cache];
            let copies = library.candidates.iter().filter(|copy| is_real(copy) && by_hook.contains(&copy.found_by));
            let copy = copies.into_iter().find(|copy| copy.is_mounted == Fact::Known(true));
            Fact::present(copy.map(|copy| copy.path.clone()))
        }
    })
}

/// Whether the management library that wins is a stub, and the driver's own that it hides.
pub fn management_library(facts: &Facts) -> (Fact<bool>, Fact<String>) {
    let library = chosen(facts, LibraryId::Nvml);
    let wins = library.and_then(|library| Fact::present(winner(library).map(|copy| (library, copy))));
    let is_stub = wins.as_ref().and_then(|(_, copy)| copy.is_stub.clone());
    let hidden = wins.and_then(|(library, copy)| {
        let is_foreign = copy.is_stub == Fact::Known(true) || copy.is_mounted == Fact::Known(false);
        let own = |other: &&Candidate| is_real(other) && other.is_mounted == Fact::Known(true);
        let own = library.candidates.iter().filter(|other| other.path != copy.path).find(own);
        Fact::present(own.filter(|_| is_foreign).map(|own| own.path.clone()))
    });
    (is_stub, hidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Library;

    fn copy(path: &str, found_by: FoundBy, mounted: bool, stub: bool) -> Candidate {
        Candidate {
            path: path.to_owned(),
            found_by,
            loadable: Fact::Known(true),
            is_mounted: Fact::Known(mounted),
            is_stub: Fact::Known(stub),
            ..Candidate::default()
        }
    }

    fn facts(id: LibraryId, winner: Option<&str>, candidates: Vec<Candidate>) -> Facts {
        let winner = Fact::present(winner.map(str::to_owned));
        let library = Library { id, chosen: true, winner, candidates, ..Library::default() };
        Facts { libraries: Fact::Known(vec![library]), ..Facts::default() }
    }

    #[test]
    fn a_mounted_libcuda_that_no_loader_finds_is_told() {
        let unlinked = |winner, found_by, mounted| {
            let copies = vec![copy("/usr/lib/libcuda.so.580.65.06", found_by, mounted, false)];
            unlinked_cuda(&facts(LibraryId::Cuda, winner, copies))
        };
        let told = Fact::Known("/usr/lib/libcuda.so.580.65.06".to_owned());
        assert_eq!(unlinked(None, FoundBy::Mounted, true), told);
        assert_eq!(unlinked(None, FoundBy::DefaultFolder, true), told);
        assert_eq!(unlinked(None, FoundBy::Toolkit, true), Fact::Absent, "a variable is missing there");
        assert_eq!(unlinked(None, FoundBy::DefaultFolder, false), Fact::Absent, "the image's own");
        assert_eq!(unlinked(Some("/usr/lib/libcuda.so.1"), FoundBy::Mounted, true), Fact::Absent);
        assert!(unlinked_cuda(&Facts::default()).is_unknown());
        assert_eq!(unlinked_cuda(&facts(LibraryId::Nvml, None, Vec::new())), Fact::Absent);
    }

    #[test]
    fn a_foreign_management_library_hides_the_drivers_own() {
        let (own, by) = ("/usr/local/nvidia/lib64/libnvidia-ml.so.1", FoundBy::LibraryPath);
        let asked = |mounted: bool, stub: bool, other: Option<Candidate>| {
            let mut copies = vec![copy("/opt/libnvidia-ml.so.1", by, mounted, stub)];
            copies.extend(other);
            management_library(&facts(LibraryId::Nvml, Some("/opt/libnvidia-ml.so.1"), copies))
        };
        let drivers = || Some(copy(own, by, true, false));
        let told = Fact::Known(own.to_owned());
        assert_eq!(asked(false, false, drivers()), (Fact::Known(false), told.clone()));
        assert_eq!(asked(false, true, drivers()), (Fact::Known(true), told));
        assert_eq!(asked(true, false, drivers()), (Fact::Known(false), Fact::Absent), "both are mounted");
        assert_eq!(asked(false, false, None), (Fact::Known(false), Fact::Absent), "the only one");
        assert_eq!(asked(false, true, None), (Fact::Known(true), Fact::Absent));
        let unknown = management_library(&Facts::default());
        assert!(unknown.0.is_unknown() && unknown.1.is_unknown());
    }
}
