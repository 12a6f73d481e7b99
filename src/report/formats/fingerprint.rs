//! What a finding is known by from one run to the next: its check and its subject, and no figure of its message.

use std::collections::BTreeMap;

use super::Finding;

/// FNV-1a, <https://www.rfc-editor.org/rfc/rfc9923>.
const PRIME: u64 = 0x0100_0000_01b3;
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(offset: u64, words: &[&str]) -> u64 {
    // A byte that no UTF-8 has keeps the words apart.
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xff]));
    bytes.fold(offset, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Gives each finding of a report a fingerprint that no other has.
#[derive(Default)]
pub struct Fingerprints {
    seen: BTreeMap<String, usize>,
}

impl Fingerprints {
    /// 32 hexadecimal digits. Two subjects of the same name are told apart by their order.
    pub fn of(&mut self, finding: &Finding) -> String {
        let words = [finding.check.as_str(), finding.subject.as_deref().unwrap_or_default()];
        let of = |words: &[&str]| format!("{:016x}{:016x}", hash(OFFSET, words), hash(!OFFSET, words));
        let first = of(&words);
        let count = self.seen.entry(first.clone()).and_modify(|count| *count += 1).or_default();
        if *count == 0 { first } else { of(&[words[0], words[1], &count.to_string()]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_stays_and_is_one_findings_own() {
        let finding = |check: &str, subject: Option<&str>, message: &str| Finding {
            check: check.to_owned(),
            subject: subject.map(str::to_owned),
            message: message.to_owned(),
            ..Finding::default()
        };
        let one = finding("gpu.cool", Some("GPU 0"), "91 degrees");
        let fingerprint = |finding: &Finding| Fingerprints::default().of(finding);
        assert_eq!(fingerprint(&one), fingerprint(&finding("gpu.cool", Some("GPU 0"), "93 degrees")));
        // Written down: whoever stored one finds it again in later versions.
        assert_eq!(fingerprint(&one), "11d85ddd4a7a164e57102cef8cded233");
        let others = [
            finding("gpu.cool", Some("GPU 1"), ""),
            finding("gpu.cool", None, ""),
            finding("gpu.coo", Some("lGPU 0"), ""),
        ];
        let mut all = Fingerprints::default();
        let mut seen = std::collections::BTreeSet::from([all.of(&one)]);
        for other in others.iter().chain([&one, &one]) {
            assert!(seen.insert(all.of(other)), "{other:?}");
        }
    }
}
