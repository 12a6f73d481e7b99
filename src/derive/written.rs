//! What follows from a text: on which GPUs the builds that it brings can run, and which driver they need.
//!
//! No file was read, so nothing but tables can be asked: which capabilities a build of PyTorch has code for, which CUDA
//! release knew a capability first, and which knows it no longer. What they do not settle stays open.

use super::both;
use crate::facts::reference::bases::{oldest_capability, wheel_code};
use crate::facts::reference::{drivers, gpus};
use crate::facts::version::Version;
use crate::facts::{CodeFit, CudaBuild, Fact, Facts, Gap, GapKind, PartKind, Phase, PlacedFact, Target, TargetOrigin};

/// How a GPU is called where a driver alone was assumed.
const ANY: &str = "any GPU";

/// Fills what other derivations take from files, where only text was read.
pub fn derive(facts: &mut Facts) {
    if facts.run.phase != Phase::Written {
        return;
    }
    let builds = facts.written.cuda_builds.clone();
    let framework = builds.iter().find(|build| build.is_framework).or(builds.first());
    facts.compatibility.runtime_version = framework.map_or_else(unsaid, |build| Fact::Known(build.cuda.clone()));
    let limits = &mut facts.limits;
    limits.cpu_limited = limits.cpu_quota_cores.as_ref().map(|_| true);
    if limits.cpu_limited.is_absent() {
        limits.cpu_limited = Fact::Known(false);
    }
    limits.cpu_cores = match &limits.cpu_quota_cores {
        // The node is not known, and has more.
        Fact::Absent => unsaid(),
        quota => quota.clone(),
    };
    facts.native.targets = targets(facts, &builds);
}

/// Says where the parts stand whose end is told: what `pip` brings stands elsewhere than the base.
pub fn place_parts(facts: &mut Facts) {
    let of_framework = |placed: &&PlacedFact| placed.path == "framework";
    let Some(place) = facts.written.places.iter().find(of_framework).cloned() else { return };
    for (index, part) in facts.lifecycle.parts.known().into_iter().flatten().enumerate() {
        let placed = PlacedFact { path: format!("lifecycle.parts[{index}]"), ..place.clone() };
        // A PyTorch that says no CUDA release has none to speak of, and that of the base stays the base's.
        let brings_cuda = facts.framework.torch_cuda.known().is_some();
        let is_its = part.kind == PartKind::Pytorch || (part.kind == PartKind::Cuda && brings_cuda);
        if is_its && !facts.written.places.contains(&placed) {
            facts.written.places.push(placed);
        }
    }
}

fn unsaid<T>() -> Fact<T> {
    Fact::Unknown(Gap::not_written())
}

fn targets(facts: &Facts, builds: &[CudaBuild]) -> Vec<Target> {
    let driver = &facts.run.assumed_driver;
    let wanted = facts.run.wanted_gpus.iter().map(|name| (name.as_str(), TargetOrigin::Wanted));
    let assumed = facts.run.assumed_gpu.known().map(|name| (name.as_str(), TargetOrigin::Assumed));
    let mut named: Vec<(&str, TargetOrigin)> = wanted.chain(assumed).collect();
    if named.is_empty() && driver.known().is_some() {
        named.push((ANY, TargetOrigin::Assumed));
    }
    named.into_iter().map(|(name, origin)| target(name, origin, builds, driver)).collect()
}

fn target(gpu: &str, origin: TargetOrigin, builds: &[CudaBuild], driver: &Fact<String>) -> Target {
    let capability = gpus::gpu(gpu).map(|model| model.cc.clone());
    let architecture = capability.as_deref().and_then(drivers::architecture);
    let (code, deciding_library) =
        capability.as_deref().map_or((Fact::Absent, Fact::Absent), |capability| code(builds, capability));
    let minimum_driver = minimum_driver(builds, architecture);
    let last_driver_branch = Fact::present(architecture.and_then(|architecture| architecture.last_branch));
    let assumed_driver_sufficient = both(driver.as_ref(), minimum_driver.as_ref(), |driver, minimum| {
        let (Some(driver), Some(minimum)) = (Version::parse(driver), Version::parse(minimum)) else { return false };
        driver >= minimum && last_driver_branch.known().is_none_or(|last| driver.major() <= *last)
    });
    Target {
        gpu: gpu.to_owned(),
        origin,
        compute_capability: Fact::present(capability),
        code,
        deciding_library,
        minimum_driver,
        last_driver_branch,
        assumed_driver: driver.clone(),
        assumed_driver_sufficient,
        ..Target::default()
    }
}

/// How the builds that decide run on a capability, and which of them does not.
fn code(builds: &[CudaBuild], capability: &str) -> (Fact<CodeFit>, Fact<String>) {
    let deciding = || builds.iter().filter(|build| build.is_framework);
    if let Some(build) = deciding().find(|build| fit(build, capability) == Some(CodeFit::Missing)) {
        return (Fact::Known(CodeFit::Missing), Fact::Known(build.name.clone()));
    }
    let open = |why: &str| (Fact::unknown(GapKind::NotSupported, why), Fact::Absent);
    match deciding().next() {
        None => open("the text does not say for which CUDA release a framework was built"),
        Some(_) if deciding().all(|build| fit(build, capability).is_some()) => {
            (Fact::Known(CodeFit::Native), Fact::Absent)
        }
        Some(build) => open(&format!("no table says whether {} has code for it", build.name)),
    }
}

/// Whether a build has code for a capability; none where the tables do not settle it.
fn fit(build: &CudaBuild, capability: &str) -> Option<CodeFit> {
    let wanted = Version::parse(capability)?;
    let cuda = Version::parse(&build.cuda)?;
    // Machine code serves every GPU of its major whose minor is not lower.
    let serves = |code: &str| {
        Version::parse(code).is_some_and(|code| code.major() == wanted.major() && code.part(1) <= wanted.part(1))
    };
    let first_known =
        (0..=wanted.part(1)).filter_map(|minor| drivers::architecture(&format!("{}.{minor}", wanted.major())));
    let could_be_known = first_known.filter_map(|row| Version::parse(&row.toolkit)).any(|toolkit| toolkit <= cuda);
    let is_dropped = oldest_capability(cuda.major()).is_some_and(|oldest| wanted < oldest);
    if !could_be_known || is_dropped {
        return Some(CodeFit::Missing);
    }
    let is_pytorch = build.name.starts_with("PyTorch") || build.name.contains("pytorch/pytorch");
    let is_served = is_pytorch && wheel_code(&build.cuda).iter().any(|code| serves(code));
    is_served.then_some(CodeFit::Native)
}

/// The newest of what the CUDA majors and the GPU need.
fn minimum_driver(builds: &[CudaBuild], architecture: Option<&drivers::Architecture>) -> Fact<String> {
    let floor = |build: &CudaBuild| {
        let major = u32::try_from(Version::parse(&build.cuda)?.major()).ok()?;
        drivers::floor(major).map(|floor| floor.driver.clone())
    };
    let floors: Vec<String> = builds.iter().filter_map(floor).collect();
    if floors.is_empty() {
        return Fact::unknown(GapKind::NotSupported, "the text names no CUDA release");
    }
    let of_gpu = architecture.and_then(|architecture| drivers::toolkit(&architecture.toolkit));
    let all = floors.into_iter().chain(of_gpu.map(|toolkit| toolkit.driver.clone()));
    Fact::present(all.max_by_key(|driver| Version::parse(driver)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(name: &str, cuda: &str, is_framework: bool) -> CudaBuild {
        CudaBuild { name: name.to_owned(), cuda: cuda.to_owned(), is_framework }
    }

    fn on(builds: &[CudaBuild], gpu: Option<&str>, driver: Option<&str>) -> Target {
        let mut facts = Facts::default();
        facts.run.phase = Phase::Written;
        facts.written.cuda_builds = builds.to_vec();
        facts.run.assumed_gpu = Fact::present(gpu.map(str::to_owned));
        facts.run.assumed_driver = Fact::present(driver.map(str::to_owned));
        derive(&mut facts);
        facts.native.targets.remove(0)
    }

    #[test]
    fn a_build_runs_on_what_its_cuda_release_knew() {
        let code = |cuda: &str, gpu: &str| on(&[build("PyTorch 2", cuda, true)], Some(gpu), None).code;
        for (cuda, gpu, fits) in [
            ("12.4", "NVIDIA H100 80GB HBM3", CodeFit::Native),
            ("11.7", "NVIDIA H100 80GB HBM3", CodeFit::Missing),
            ("12.1", "NVIDIA B200", CodeFit::Missing),
            ("12.8", "NVIDIA B200", CodeFit::Native),
            ("12.8", "NVIDIA B300 SXM6 AC", CodeFit::Native),
            ("13.0", "Tesla V100-SXM2-16GB", CodeFit::Missing),
            ("11.8", "NVIDIA L4", CodeFit::Native),
        ] {
            if gpus::gpu(gpu).is_some() {
                assert_eq!(code(cuda, gpu), Fact::Known(fits), "{cuda} on {gpu}");
            }
        }
        assert!(gpus::gpu("NVIDIA B200").is_some());
    }

    #[test]
    fn what_the_tables_do_not_settle_stays_open() {
        let other = on(&[build("JAX for CUDA 12.9", "12.9", true)], Some("NVIDIA B200"), None);
        assert!(other.code.is_unknown());
        let base = on(&[build("nvidia/cuda:12.4.1", "12.4", false)], Some("NVIDIA B200"), None);
        assert!(base.code.is_unknown(), "a base alone does not decide");
        assert!(on(&[], Some("NVIDIA B200"), Some("580.65.06")).assumed_driver_sufficient.is_unknown());
    }

    #[test]
    fn the_driver_has_to_be_new_enough_for_all_of_it() {
        let builds = [build("nvidia/cuda:13.0.0", "13.0", false), build("PyTorch 2.7", "12.6", true)];
        let target = on(&builds, None, Some("550.54.14"));
        assert_eq!((target.gpu.as_str(), target.minimum_driver.known().map(String::as_str)), (ANY, Some("580.65.06")));
        assert_eq!(target.assumed_driver_sufficient, Fact::Known(false));
        assert_eq!(on(&builds[1..], None, Some("550.54.14")).assumed_driver_sufficient, Fact::Known(true));
        let blackwell = on(&[build("PyTorch 2.7", "12.8", true)], Some("NVIDIA B200"), Some("550.54.14"));
        assert_eq!(blackwell.minimum_driver.known().map(String::as_str), Some("570.26"));
    }

    #[test]
    fn nothing_is_written_over_what_was_read_otherwise() {
        let mut facts = Facts::default();
        facts.limits.cpu_limited = Fact::Known(true);
        derive(&mut facts);
        assert_eq!(facts.limits.cpu_limited, Fact::Known(true));
    }
}
