//! What compiles at run time, from what is installed.

use crate::facts::version::Version;
use crate::facts::{Fact, Facts, Framework, GapKind, Package};

/// Servers that compile kernels at every start, and end where they cannot.
const SERVERS: [&str; 2] = ["vllm", "sglang"];

/// Fills the derived fields of the room, and says what older recordings do not hold.
pub fn derive(facts: &mut Facts) {
    let was_asked = is_asked(&facts.compile.c_compiler);
    facts.compile.package = if was_asked { compiling_package(&facts.framework) } else { Fact::Absent };
    facts.compile.server = if was_asked { first_of(&facts.framework, &SERVERS) } else { Fact::Absent };
    facts.compile.was_asked = Fact::Known(was_asked);
    facts.framework.packages_asked = Fact::Known(is_asked(&facts.framework.packages));
    facts.storage.caches_asked = Fact::Known(is_asked(&facts.storage.caches));
}

/// What a probe could not read has another reason.
fn is_asked<T>(reading: &Fact<T>) -> bool {
    !matches!(reading, Fact::Unknown(gap) if gap.kind == GapKind::NotAsked)
}

/// PyTorch 2 has a compiler that writes Triton's language.
fn compiling_package(framework: &Framework) -> Fact<String> {
    let torch = framework.torch_version.as_ref().and_then(|version| {
        let is_second = Version::parse(version).is_some_and(|version| version.major() >= 2);
        Fact::present(is_second.then(|| format!("PyTorch {version}")))
    });
    match torch {
        Fact::Known(_) => torch,
        other => match first_of(framework, &["triton"]) {
            Fact::Absent => other,
            found => found,
        },
    }
}

/// The first of these packages that is installed, as `vllm 0.10.1`.
pub fn first_of(framework: &Framework, names: &[&str]) -> Fact<String> {
    match &framework.packages {
        Fact::Known(packages) => {
            let installed = |name: &&str| packages.iter().find(|package| package.name == *name);
            Fact::present(names.iter().find_map(installed).map(told))
        }
        Fact::Absent => Fact::Absent,
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}

fn told(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Compile;

    fn with(torch: Fact<String>, packages: Fact<Vec<Package>>) -> Compile {
        let mut facts = Facts::default();
        facts.compile.c_compiler = Fact::Absent;
        facts.framework.torch_version = torch;
        facts.framework.packages = packages;
        derive(&mut facts);
        facts.compile
    }

    fn package(name: &str) -> Fact<Vec<Package>> {
        Fact::Known(vec![Package { name: name.to_owned(), version: "1.0".to_owned(), ..Package::default() }])
    }

    fn refused<T>() -> Fact<T> {
        Fact::unknown(GapKind::NotPermitted, "EACCES")
    }

    #[test]
    fn torch_2_and_triton_compile_and_torch_1_does_not() {
        let torch = |version: &str| Fact::Known(version.to_owned());
        assert_eq!(with(torch("2.8.0+cu128"), refused()).package, torch("PyTorch 2.8.0+cu128"));
        assert_eq!(with(torch("1.13.1"), package("numba")).package, Fact::Absent);
        assert_eq!(with(Fact::Absent, package("triton")).package, torch("triton 1.0"));
        assert!(with(Fact::Absent, refused()).package.is_unknown());
    }

    #[test]
    fn a_server_is_told() {
        assert_eq!(with(Fact::Absent, package("vllm")).server, Fact::Known("vllm 1.0".to_owned()));
        assert_eq!(with(Fact::Absent, package("torch")).server, Fact::Absent);
        assert!(with(Fact::Absent, refused()).server.is_unknown());
    }

    #[test]
    fn a_recording_that_does_not_hold_the_room_says_nothing_of_it() {
        let mut facts = Facts::default();
        facts.framework.torch_version = Fact::Known("2.8.0".to_owned());
        derive(&mut facts);
        assert_eq!((facts.compile.was_asked, facts.compile.package), (Fact::Known(false), Fact::Absent));
        assert_eq!(facts.storage.caches_asked, Fact::Known(false));
        assert_eq!(facts.framework.packages_asked, Fact::Known(false));
    }
}
