//! Why facts are missing, told of a whole reading at once.
//!
//! A probe that dies, or gives up, leaves facts that it did not come to. They say of themselves only that nobody asked;
//! here they are told why. `record!` and `words!` derive it for what they declare.

use std::collections::BTreeMap;

use super::{Fact, Gap, GapKind};

/// A reading whose gaps can be filled.
pub trait Gaps {
    /// Says of every fact in it that was not asked why it was not.
    fn fill_gaps(&mut self, gap: &Gap);

    /// One of which nothing is known, for this reason.
    fn all_unknown(gap: &Gap) -> Self
    where
        Self: Default,
    {
        let mut reading = Self::default();
        reading.fill_gaps(gap);
        reading
    }
}

impl<T: Gaps> Gaps for Fact<T> {
    fn fill_gaps(&mut self, gap: &Gap) {
        match self {
            Self::Known(value) => value.fill_gaps(gap),
            Self::Unknown(own) if own.kind == GapKind::NotAsked => own.clone_from(gap),
            Self::Absent | Self::Unknown(_) => {}
        }
    }
}

impl<T: Gaps> Gaps for Option<T> {
    fn fill_gaps(&mut self, gap: &Gap) {
        if let Some(inner) = self {
            inner.fill_gaps(gap);
        }
    }
}

impl<T: Gaps> Gaps for Vec<T> {
    fn fill_gaps(&mut self, gap: &Gap) {
        for inner in self {
            inner.fill_gaps(gap);
        }
    }
}

impl<T: Gaps> Gaps for BTreeMap<String, T> {
    fn fill_gaps(&mut self, gap: &Gap) {
        for inner in self.values_mut() {
            inner.fill_gaps(gap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Disk, Storage};

    fn crashed() -> Gap {
        Gap::new(GapKind::Crashed, "statvfs ended in SIGSEGV")
    }

    #[test]
    fn what_nobody_came_to_ask_gets_the_reason_however_deep_and_what_was_answered_stays() {
        let refused = Fact::unknown(GapKind::NotPermitted, "EACCES");
        let disk = Disk {
            kind: Fact::Known("ext4".to_owned()),
            total_bytes: refused.clone(),
            free_bytes: Fact::Absent,
            free_inodes: Fact::unknown(GapKind::NotAsked, "the device has none"),
            ..Disk::default()
        };
        let mut storage = Storage { disks: Fact::Known(vec![disk]), ..Storage::default() };
        storage.fill_gaps(&crashed());
        let disk = &storage.disks.known().expect("a list")[0];
        assert_eq!(disk.kind, Fact::Known("ext4".to_owned()));
        assert_eq!((&disk.total_bytes, &disk.free_bytes), (&refused, &Fact::Absent));
        assert_eq!(disk.free_inodes, Fact::Unknown(crashed()), "a reason of its own does not make it asked");
        assert_eq!(disk.writable, Fact::Unknown(crashed()));
    }

    #[test]
    fn of_a_reading_that_never_came_nothing_is_known_for_the_reason() {
        assert_eq!(Storage::all_unknown(&crashed()).disks, Fact::Unknown(crashed()));
        let disk = Disk::all_unknown(&crashed());
        assert_eq!((disk.kind, disk.path.as_str()), (Fact::Unknown(crashed()), ""));
    }
}
