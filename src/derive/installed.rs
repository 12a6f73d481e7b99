//! What follows from the records of package managers.

use super::{both, was_asked};
use crate::facts::{Fact, Facts, Vulnerability, VulnerabilitySeverity};

const DAY: u64 = 24 * 60 * 60;

/// Fills the derived fields.
pub fn derive(facts: &mut Facts) {
    let taken = Fact::Known(facts.run.taken_at_seconds);
    let packages = &mut facts.packages;
    packages.asked = Fact::Known(was_asked(&packages.managers));
    packages.advisories_asked = Fact::Known(was_asked(&packages.advisories));
    let of = |wanted: &dyn Fn(VulnerabilitySeverity) -> bool| {
        let all = packages.vulnerabilities.as_ref();
        all.map(|all| all.iter().filter(|one| wanted(one.severity)).map(words).collect::<Vec<_>>())
    };
    let critical = of(&|severity| severity == VulnerabilitySeverity::Critical);
    let high = of(&|severity| severity == VulnerabilitySeverity::High);
    packages.other_vulnerabilities = of(&|severity| severity > VulnerabilitySeverity::High);
    (packages.critical_vulnerabilities, packages.high_vulnerabilities) = (critical, high);
    packages.system_age_days =
        both(packages.system_changed_seconds.as_ref(), taken, |changed, taken| taken.saturating_sub(*changed) / DAY);
}

/// `CVE-2022-45907 in torch 1.12.0, fixed in 1.13.1`.
fn words(one: &Vulnerability) -> String {
    let name = one.aliases.iter().find(|alias| alias.starts_with("CVE-")).unwrap_or(&one.id);
    let fix = one.fixed_in.known().map_or_else(String::new, |fix| format!(", fixed in {fix}"));
    format!("{name} in {} {}{fix}", one.package, one.installed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PackageManager;

    #[test]
    fn vulnerabilities_are_told_by_how_bad_they_are_and_nobody_looked_without_advisories() {
        let mut facts = Facts::default();
        derive(&mut facts);
        assert_eq!(
            (&facts.packages.asked, &facts.packages.advisories_asked),
            (&Fact::Known(false), &Fact::Known(false))
        );
        assert!(facts.packages.other_vulnerabilities.is_not_asked());
        let one = |severity, fixed: Option<&str>| Vulnerability {
            id: "PYSEC-1".to_owned(),
            aliases: vec!["GHSA-x".to_owned(), "CVE-1".to_owned()],
            package: "torch".to_owned(),
            manager: PackageManager::Python,
            kind: Fact::Absent,
            installed: "1.12.0".to_owned(),
            fixed_in: Fact::present(fixed.map(str::to_owned)),
            severity,
        };
        let all = [one(VulnerabilitySeverity::Critical, Some("1.13.1")), one(VulnerabilitySeverity::Unrated, None)];
        facts.packages.vulnerabilities = Fact::Known(all.to_vec());
        derive(&mut facts);
        let packages = facts.packages;
        assert_eq!(
            packages.critical_vulnerabilities,
            Fact::Known(vec!["CVE-1 in torch 1.12.0, fixed in 1.13.1".to_owned()])
        );
        assert_eq!(packages.other_vulnerabilities, Fact::Known(vec!["CVE-1 in torch 1.12.0".to_owned()]));
        assert_eq!(packages.high_vulnerabilities, Fact::Known(Vec::new()));
    }

    #[test]
    fn an_image_is_as_old_as_the_last_change_of_its_packages() {
        let mut facts = Facts::default();
        facts.run.taken_at_seconds = 1_795_632_076;
        facts.packages.managers = Fact::Known(Vec::new());
        facts.packages.system_changed_seconds = Fact::Known(1_795_632_076 - 3 * DAY - 5);
        derive(&mut facts);
        assert_eq!(
            (facts.packages.asked.clone(), facts.packages.system_age_days.clone()),
            (Fact::Known(true), Fact::Known(3))
        );
    }
}
