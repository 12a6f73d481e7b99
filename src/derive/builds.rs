//! Which build of a framework runs on this driver and these GPUs.

use super::both;
use crate::facts::reference::builds::{Build, Framework};
use crate::facts::reference::drivers;
use crate::facts::version::Version;
use crate::facts::{Fact, Facts};

/// The command that installs it, or which driver would be needed; absent where no framework is here whose builds are known,
/// or no GPU. The tables know builds for `x86_64` alone.
pub fn remedy(facts: &Facts) -> Fact<String> {
    framework(facts).and_then(|framework| {
        here(facts).and_then(|(driver, capabilities)| Fact::present(advice(framework, &driver, &capabilities)))
    })
}

/// The newest build of this framework that runs here; absent where none does, or no GPU is here.
pub fn fitting(framework: Framework, facts: &Facts) -> Fact<&'static Build> {
    here(facts).and_then(|(driver, capabilities)| {
        let driver = Version::parse(&driver);
        Fact::present(driver.and_then(|driver| newest(&serving(framework, &capabilities), &driver, &capabilities)))
    })
}

/// The one that the workload would install: vLLM asks for one PyTorch alone, so that any other breaks it.
fn framework(facts: &Facts) -> Fact<Framework> {
    let packages = facts.framework.packages.known().map_or(&[][..], Vec::as_slice);
    let has = |name: &str| packages.iter().any(|package| package.name == name);
    if has("vllm") {
        return Fact::Known(Framework::Vllm);
    }
    match &facts.framework.torch_version {
        Fact::Known(_) => Fact::Known(Framework::Torch),
        _ if has("jax") || has("jaxlib") => Fact::Known(Framework::Jax),
        Fact::Absent => Fact::Absent,
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}

/// The driver and the capabilities of the GPUs that are here.
fn here(facts: &Facts) -> Fact<(String, Vec<String>)> {
    if std::env::consts::ARCH != "x86_64" {
        return Fact::Absent;
    }
    both(facts.compatibility.driver_version.clone(), capabilities(facts), |driver, capabilities| (driver, capabilities))
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

/// Those that run on all of these GPUs, newest first.
fn serving(framework: Framework, capabilities: &[String]) -> Vec<&'static Build> {
    let serves_all = |build: &&Build| capabilities.iter().all(|capability| serves(build, capability));
    framework.builds().iter().filter(serves_all).collect()
}

/// The newest that this driver runs.
fn newest(serving: &[&'static Build], driver: &Version, capabilities: &[String]) -> Option<&'static Build> {
    let fits = |build: &&&Build| needed_driver(build, capabilities).is_some_and(|(needed, _)| needed <= *driver);
    serving.iter().find(fits).copied()
}

fn advice(framework: Framework, driver: &str, capabilities: &[String]) -> Option<String> {
    let serving = serving(framework, capabilities);
    if let Some(build) = newest(&serving, &Version::parse(driver)?, capabilities) {
        return Some(format!(
            "`pip install {}` (CUDA {}) runs on this driver and these GPUs",
            build.arguments, build.cuda
        ));
    }
    let needed = serving.iter().filter_map(|build| needed_driver(build, capabilities)).min_by(|a, b| a.0.cmp(&b.0));
    let (name, capabilities) = (framework.name(), capabilities.join(", "));
    match needed {
        Some((_, driver)) => Some(format!(
            "no build of {name} runs here; for compute capability {capabilities} driver {driver} or newer is needed"
        )),
        None => Some(format!("no build of {name} has code for compute capability {capabilities} all at once")),
    }
}

/// Machine code serves every GPU of its major whose minor is not lower; what compiles serves all that its CUDA knows.
fn serves(build: &Build, capability: &str) -> bool {
    let parts = |text: &str| Version::parse(text).map(|version| (version.major(), version.part(1)));
    let Some((major, minor)) = parts(capability) else { return false };
    if let Some(oldest) = &build.oldest {
        let known = drivers::architecture(capability).and_then(|row| Version::parse(&row.toolkit));
        let is_known = known.zip(Version::parse(&build.cuda)).is_some_and(|(needed, here)| needed <= here);
        return is_known && parts(oldest) <= Some((major, minor));
    }
    build.capabilities.iter().filter_map(|code| parts(code)).any(|code| code.0 == major && code.1 <= minor)
}

/// The newer of what the CUDA major and what the GPUs need, as a version and as it is written.
fn needed_driver(build: &Build, capabilities: &[String]) -> Option<(Version, &'static str)> {
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
    use crate::facts::Package;

    fn told(driver: &str, capabilities: &[&str]) -> String {
        told_of(Framework::Torch, driver, capabilities)
    }

    fn told_of(framework: Framework, driver: &str, capabilities: &[&str]) -> String {
        advice(framework, driver, &capabilities.iter().map(|cc| (*cc).to_owned()).collect::<Vec<_>>()).expect("advice")
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
    fn vllm_and_jax_have_builds_of_their_own() {
        let vllm = |driver, cc| told_of(Framework::Vllm, driver, &[cc]);
        assert!(vllm("580.65.06", "9.0").starts_with("`pip install vllm==0.33.0` (CUDA 13.0)"));
        assert!(vllm("550.54.14", "9.0").contains("vllm==0.19.1"), "CUDA 12 for a driver of CUDA 12");
        assert!(vllm("580.65.06", "7.0").contains("vllm==0.14.1"), "Volta");
        assert!(vllm("580.65.06", "10.3").contains("vllm==0.33.0"));
        assert!(vllm("575.51.03", "10.3").ends_with("driver 580.65.06 or newer is needed"), "12.8 does not know 10.3");
        assert!(vllm("580.65.06", "6.0").starts_with("no build of vLLM has code for compute capability 6.0"));
        let jax = |driver, cc| told_of(Framework::Jax, driver, &[cc]);
        assert!(jax("580.65.06", "9.0").contains("pip install 'jax[cuda13]==0.10.2'"));
        assert!(jax("535.104.05", "9.0").contains("pip install 'jax[cuda12]==0.10.2'"));
        assert!(jax("580.65.06", "7.0").contains("jax[cuda12]"), "CUDA 13 has nothing for Volta");
        assert_eq!(
            jax("470.42.01", "8.0"),
            "no build of JAX runs here; for compute capability 8.0 driver 525.60.13 or newer is needed"
        );
    }

    #[test]
    fn vllm_decides_before_the_pytorch_that_it_asks_for() {
        let package = |name: &str| Package { name: name.to_owned(), ..Package::default() };
        let mut facts = Facts::default();
        facts.framework.torch_version = Fact::Known("2.8.0".to_owned());
        facts.framework.packages = Fact::Known(vec![package("jax"), package("triton")]);
        assert_eq!(framework(&facts), Fact::Known(Framework::Torch));
        facts.framework.packages = Fact::Known(vec![package("jax"), package("vllm")]);
        assert_eq!(framework(&facts), Fact::Known(Framework::Vllm));
        facts.framework.torch_version = Fact::Absent;
        facts.framework.packages = Fact::Known(vec![package("jaxlib")]);
        assert_eq!(framework(&facts), Fact::Known(Framework::Jax));
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
