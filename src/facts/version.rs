//! Versions of many makes in one order.
//!
//! Where both texts are semantic versions (`12.9.1`, `2.7.1+cu128`), their order is
//! that of semantic versions: pre-releases come before the release, build metadata
//! does not count. Everything else (`580.65.06`, `12.9`, `2.6.0a0+git1`) is compared
//! by its dotted integers, where a missing one is zero and what follows them does
//! not count. The two agree where they meet, so the order is a total one.

use std::cmp::Ordering;

/// A version that can be compared.
#[derive(Debug, Clone)]
pub struct Version {
    /// The dotted integers, without zeros at the end.
    numbers: Vec<u64>,
    /// The pre-release of a semantic version; empty, which sorts last, for all others.
    pre: semver::Prerelease,
}

impl Version {
    /// Reads a version; none where the text does not begin with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(version) = semver::Version::parse(text) {
            return Some(Self::new(vec![version.major, version.minor, version.patch], version.pre));
        }
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let numbers = text.get(..end)?.split('.').take_while(|part| !part.is_empty());
        let numbers: Vec<u64> = numbers.map(|part| part.parse().ok()).collect::<Option<_>>()?;
        if numbers.is_empty() { None } else { Some(Self::new(numbers, semver::Prerelease::EMPTY)) }
    }

    fn new(mut numbers: Vec<u64>, pre: semver::Prerelease) -> Self {
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Self { numbers, pre }
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.part(0)
    }

    /// The number at a place, zero where there is none.
    pub fn part(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or(0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect(text)
    }

    #[test]
    fn drivers_are_compared_number_by_number() {
        assert!(version("580.65.06") > version("575.57.08"));
        assert!(version("525.60.13") < version("525.105.17"));
        assert!(version("450.80.02") < version("1000"));
    }

    #[test]
    fn a_missing_number_is_zero() {
        assert_eq!(version("12.9"), version("12.9.0"));
        assert!(version("12.9") < version("12.9.1"));
        assert_eq!(version("0"), version("0.0.0"));
    }

    #[test]
    fn semantic_versions_keep_their_rules() {
        assert!(version("2.7.0-rc1") < version("2.7.0"));
        assert_eq!(version("2.7.1+cu128"), version("2.7.1+cpu"));
        assert!(version("1.10.0") > version("1.9.3"));
        assert_eq!(version("2.6.0a0+ecf3bae"), version("2.6.0"));
    }

    #[test]
    fn what_begins_with_no_number_is_no_version() {
        for text in ["", "driver", ".5", "-1", "99999999999999999999999"] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_order_agrees_with_semver(a in (0_u64..4, 0_u64..4, 0_u64..4), b in (0_u64..4, 0_u64..4, 0_u64..4),
                                        pre_a in "(-rc[12])?", pre_b in "(-rc[12])?") {
            let text = |(x, y, z): (u64, u64, u64), pre: &str| format!("{x}.{y}.{z}{pre}");
            let (a, b) = (text(a, &pre_a), text(b, &pre_b));
            let expected = semver::Version::parse(&a).expect("semver").cmp_precedence(&semver::Version::parse(&b).expect("semver"));
            proptest::prop_assert_eq!(version(&a).cmp(&version(&b)), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Version::parse(&text);
        }
    }
}
