//! Which of two versions is newer: of Python by PEP 440, of Debian by dpkg.
//!
//! dpkg's order is written here, from `lib/dpkg/version.c` of dpkg and deb-version(7): of the crates for it one was given
//! up in 2019, and the other brings an engine of regular expressions, dates and large numbers for forty lines.

use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;

/// Characters of a version that are compared; nobody writes a longer one to good purpose.
const LONGEST: usize = 256;

/// An order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Python's.
    Pep440,
    /// Debian's.
    Dpkg,
}

/// A version, read once.
#[derive(Debug, Clone)]
pub enum Parsed {
    /// Of Python; without what it was built for (`+cu126`), and with it.
    Python { public: Version, whole: Version },
    /// Of Debian.
    Debian(String),
}

impl Parsed {
    /// None where its scheme cannot read it.
    pub fn read(scheme: Scheme, text: &str) -> Option<Self> {
        match scheme {
            Scheme::Pep440 => {
                let whole = python(text)?;
                Some(Self::Python { public: whole.clone().without_local(), whole })
            }
            Scheme::Dpkg => (text.len() <= LONGEST && !text.is_empty()).then(|| Self::Debian(text.to_owned())),
        }
    }

    /// Another version in the same scheme; none where that cannot read it.
    pub fn other(&self, text: &str) -> Option<Self> {
        let scheme = if matches!(self, Self::Python { .. }) { Scheme::Pep440 } else { Scheme::Dpkg };
        Self::read(scheme, text)
    }

    /// How an installed version stands to one of an advisory.
    ///
    /// A local version counts only against another one: PEP 440 has `1.12.0+cu116` equal `1.12.0` where the other side says
    /// nothing of a build.
    pub fn stands_to(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Python { public, .. }, Self::Python { whole: other, .. }) if !other.is_local() => public.cmp(other),
            _ => self.order(other),
        }
    }

    /// The order of two versions of one scheme.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Python { whole, .. }, Self::Python { whole: other, .. }) => whole.cmp(other),
            (Self::Debian(own), Self::Debian(other)) => dpkg(own, other),
            _ => Ordering::Equal,
        }
    }
}

/// A version of PEP 440; one of absurd length costs nothing.
fn python(text: &str) -> Option<Version> {
    (text.len() <= LONGEST).then(|| Version::from_str(text).ok()).flatten()
}

/// dpkg's order.
pub fn dpkg(a: &str, b: &str) -> Ordering {
    let (a_epoch, a_version, a_revision) = parts(a);
    let (b_epoch, b_version, b_revision) = parts(b);
    numbers(a_epoch, b_epoch).then_with(|| part(a_version, b_version)).then_with(|| part(a_revision, b_revision))
}

/// `[epoch:]version[-revision]`; the version may have colons and hyphens of its own.
fn parts(text: &str) -> (&str, &str, &str) {
    let (epoch, rest) = text.trim().split_once(':').unwrap_or(("", text.trim()));
    let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version, revision)
}

/// In turns what is no number, sign by sign, and numbers.
fn part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (a_words, a_rest) = split(a, |c| !c.is_ascii_digit());
        let (b_words, b_rest) = split(b, |c| !c.is_ascii_digit());
        let (a_number, a_next) = split(a_rest, |c| c.is_ascii_digit());
        let (b_number, b_next) = split(b_rest, |c| c.is_ascii_digit());
        let found = words(a_words, b_words).then_with(|| numbers(a_number, b_number));
        if found.is_ne() {
            return found;
        }
        (a, b) = (a_next, b_next);
    }
    Ordering::Equal
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// A tilde comes before the end, the end before letters, letters before everything else.
fn words(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + (1 << 32),
    };
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (one, other) = (a.next(), b.next());
        let found = weight(one).cmp(&weight(other));
        if found.is_ne() || (one.is_none() && other.is_none()) {
            return found;
        }
    }
}

/// Digits as numbers of any size.
fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked by hand against PEP 440 and the examples in it.
    const PYTHON: &[(&str, Ordering, &str)] = &[
        ("1.0", Ordering::Equal, "1.0.0"),
        ("1.0", Ordering::Equal, "v1.0"),
        ("1.0", Ordering::Less, "1.0.1"),
        ("1.9", Ordering::Less, "1.10"),
        ("2.0", Ordering::Less, "1!0.1"),
        ("1!1.0", Ordering::Greater, "2026.1"),
        ("1.0.dev1", Ordering::Less, "1.0a1"),
        ("1.0a1", Ordering::Less, "1.0b1"),
        ("1.0b1", Ordering::Less, "1.0rc1"),
        ("1.0rc1", Ordering::Less, "1.0"),
        ("1.0rc2", Ordering::Greater, "1.0rc1"),
        ("1.0rc10", Ordering::Greater, "1.0rc9"),
        ("1.0-alpha1", Ordering::Equal, "1.0a1"),
        ("1.0c1", Ordering::Equal, "1.0rc1"),
        ("1.0a1.dev1", Ordering::Less, "1.0a1"),
        ("1.0", Ordering::Less, "1.0.post1"),
        ("1.0.post1", Ordering::Less, "1.0.1"),
        ("1.0.post1.dev1", Ordering::Less, "1.0.post1"),
        ("1.0-1", Ordering::Equal, "1.0.post1"),
        ("1.0rc1.post1", Ordering::Less, "1.0"),
        ("1.12.0+cu116", Ordering::Equal, "1.12.0"),
        ("1.13.1+cu117", Ordering::Equal, "1.13.1"),
        ("1.12.0+cu116", Ordering::Less, "1.13.1"),
        ("1.0+abc.10", Ordering::Greater, "1.0+abc.9"),
        ("1.0+abc", Ordering::Less, "1.0+5"),
        ("2.7.0a0+git1234", Ordering::Less, "2.7.0"),
    ];

    /// Checked by hand against deb-version(7), and each by `dpkg --compare-versions`.
    const DEBIAN: &[(&str, Ordering, &str)] = &[
        ("1.0", Ordering::Equal, "1.0"),
        ("1.0-1", Ordering::Less, "1.0-2"),
        ("1.0", Ordering::Less, "1.0-1"),
        ("1.0", Ordering::Equal, "1.0-0"),
        ("1:0.5", Ordering::Greater, "2.0"),
        ("0:1.0", Ordering::Equal, "1.0"),
        ("1.0~rc1", Ordering::Less, "1.0"),
        ("1.0~~", Ordering::Less, "1.0~~a"),
        ("1.0~~a", Ordering::Less, "1.0~"),
        ("1.0~", Ordering::Less, "1.0"),
        ("1.0", Ordering::Less, "1.0a"),
        ("1.0a", Ordering::Less, "1.0+"),
        ("1.0+dfsg", Ordering::Greater, "1.0"),
        ("1.2.9", Ordering::Less, "1.2.10"),
        ("1.02", Ordering::Equal, "1.2"),
        ("2.36-9+deb12u9", Ordering::Less, "2.36-9+deb12u10"),
        ("2.36-9+deb12u10", Ordering::Greater, "2.36-9"),
        ("7.88.1-10+deb12u5~bpo11+1", Ordering::Less, "7.88.1-10+deb12u5"),
        ("3.0.11-1~deb12u2", Ordering::Less, "3.0.11-1"),
        ("1.0-1ubuntu0.1", Ordering::Greater, "1.0-1"),
        ("2:9.0.1378-2+deb12u2", Ordering::Greater, "2:9.0.1378-2"),
        ("1.0-2-3", Ordering::Greater, "1.0-2"),
        ("1:1:2-3", Ordering::Greater, "1:1-4"),
        ("20230311", Ordering::Less, "20240101"),
        ("99999999999999999999999999", Ordering::Greater, "99999999999999999999999998"),
        ("1.0-1+b1", Ordering::Greater, "1.0-1"),
        ("1.0.", Ordering::Greater, "1.0"),
    ];

    #[test]
    fn versions_stand_as_their_schemes_say() {
        for (scheme, pairs) in [(Scheme::Pep440, PYTHON), (Scheme::Dpkg, DEBIAN)] {
            for (a, expected, b) in pairs {
                let compared = |a: &str, b: &str| {
                    let a = Parsed::read(scheme, a)?;
                    Some(a.stands_to(&a.other(b)?))
                };
                assert_eq!(compared(a, b), Some(*expected), "{scheme:?}: {a} and {b}");
                // A local version on the other side is one that counts.
                if scheme == Scheme::Dpkg || !a.contains('+') || b.contains('+') {
                    assert_eq!(compared(b, a), Some(expected.reverse()), "{scheme:?}: {b} and {a}");
                }
            }
        }
        assert!(PYTHON.len() + DEBIAN.len() >= 40);
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "abc", "1.0.x", "2004-01-01 legacy", &"1".repeat(400)] {
            assert!(Parsed::read(Scheme::Pep440, text).is_none(), "{text}");
        }
        assert!(Parsed::read(Scheme::Pep440, "1.0").expect("a version").other("nonsense").is_none());
        assert_eq!(dpkg("ä", "ä"), Ordering::Equal);
    }
}
