//! Which build of PyTorch runs on this driver and these GPUs.

use super::both;
use crate::facts::reference::{drivers, pytorch};
use crate::facts::version::Version;
use crate::facts::{Fact, Facts};

/// The command that installs it, or which driver would be needed; absent without PyTorch or GPUs. The tables know builds for
/// `x86_64` alone.
pub fn remedy(facts: &Facts) -> Fact<String> {
    if facts.framework.torch_version.known().is_none() || std::env::consts::ARCH != "x86_64" {
        return facts.framework.torch_version.as_ref().and_then(|_| Fact::Absent);
    }
    both(facts.compatibility.driver_version.as_ref(), capabilities(facts), |driver, capabilities| {
        (driver, capabilities)
    })
    .and_then(|(driver, capabilities)| Fact::present(advice(driver, &capabilities)))
}

/// Those of the GPUs that are here, each once.
fn capabilities(facts: &Facts) -> Fact<Vec<String>> {
    facts.native.present.as_ref().and_then(|present| {
        let mut found: Vec<String> =
            present.iter().filter_map(|target| target.compute_capability.known().cloned()).collect();
        found.sort();
        found.dedup();
        Fact::present((!found.is_empty()).then_some(found))
    })
}

fn advice(driver: &str, capabilities: &[String]) -> Option<String> {
    let here = Version::parse(driver)?;
    let serving: Vec<&pytorch::Build> = pytorch::builds()
        .iter()
        .filter(|build| capabilities.iter().all(|capability| serves(build, capability)))
        .collect();
    let needed = |build: &&pytorch::Build| needed_driver(build, capabilities);
    let fits = |build: &&&pytorch::Build| needed(build).is_some_and(|(version, _)| version <= here);
    if let Some(build) = serving.iter().find(fits) {
        return Some(format!(
            "`pip install {}` (CUDA {}) runs on this driver and these GPUs",
            build.arguments, build.cuda
        ));
    }
    let capabilities = capabilities.join(", ");
    match serving.iter().filter_map(needed).min_by(|a, b| a.0.cmp(&b.0)) {
        Some((_, driver)) => Some(format!(
            "no build of PyTorch runs here; for compute capability {capabilities} driver {driver} or newer is needed"
        )),
        None => Some(format!("no build of PyTorch has code for compute capability {capabilities} all at once")),
    }
}

/// Machine code serves every GPU of its major whose minor is not lower.
fn serves(build: &pytorch::Build, capability: &str) -> bool {
    let parts = |text: &str| Version::parse(text).map(|version| (version.major(), version.part(1)));
    let Some((major, minor)) = parts(capability) else { return false };
    build.capabilities.iter().filter_map(|code| parts(code)).any(|code| code.0 == major && code.1 <= minor)
}

/// The newer of what the CUDA major and what the GPUs need, as a version and as it is written.
fn needed_driver(build: &pytorch::Build, capabilities: &[String]) -> Option<(Version, &'static str)> {
    let major = u32::try_from(Version::parse(&build.cuda)?.major()).ok()?;
    let floor = drivers::floor(major)?.driver.as_str();
    let of_gpu = |capability: &String| {
        let toolkit = &drivers::architecture(capability)?.toolkit;
        Some(drivers::toolkit(toolkit)?.driver.as_str())
    };
    let all = std::iter::once(floor).chain(capabilities.iter().filter_map(of_gpu));
    all.filter_map(|driver| Some((Version::parse(driver)?, driver))).max_by(|a, b| a.0.cmp(&b.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(driver: &str, capabilities: &[&str]) -> String {
        advice(driver, &capabilities.iter().map(|cc| (*cc).to_owned()).collect::<Vec<_>>()).expect("advice")
    }

    #[test]
    fn the_newest_build_that_driver_and_gpus_take_is_named() {
        assert!(told("580.65.06", &["9.0"]).starts_with("`pip install torch==2.15.0` (CUDA 13.2)"));
        assert!(
            told("550.54.14", &["9.0"]).contains("torch==2.11.0 --index-url https://download.pytorch.org/whl/cu126")
        );
        assert!(told("570.26", &["10.0"]).contains("torch==2.10.0`"), "Blackwell on a driver of CUDA 12");
        assert!(told("470.42.01", &["8.0"]).contains("whl/cu118"));
        assert!(told("580.65.06", &["7.0"]).contains("whl/cu126"), "CUDA 13 has nothing for Volta");
        assert!(told("580.65.06", &["8.9"]).contains("2.15.0"), "Ada runs code for 8.6");
    }

    #[test]
    fn where_none_runs_the_driver_that_would_is_named() {
        assert_eq!(
            told("535.104.05", &["10.0"]),
            "no build of PyTorch runs here; for compute capability 10.0 driver 570.26 or newer is needed"
        );
        assert!(told("580.65.06", &["5.0", "12.0"]).starts_with("no build of PyTorch has code"));
    }

    #[test]
    fn without_torch_or_gpus_there_is_nothing_to_say() {
        let mut facts = Facts::default();
        facts.framework.torch_version = Fact::Absent;
        assert_eq!(remedy(&facts), Fact::Absent);
        facts.framework.torch_version = Fact::Known("2.8.0".to_owned());
        assert!(remedy(&facts).is_unknown());
    }
}
