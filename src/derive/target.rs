//! Whether the image's GPU code can run on a GPU, and which driver that takes.

mod code;

use std::collections::BTreeSet;

use super::both;
use crate::facts::reference::drivers::{self, compat_bases};
use crate::facts::reference::gpus::{self, GpuModel};
use crate::facts::reference::native::rank;
use crate::facts::version::Version;
use crate::facts::{
    CodeFit, Fact, Facts, Gap, GapKind, LibraryId, LibraryRole, NativeLibrary, Proof, Target, TargetOrigin,
};
use code::fit;

/// Why nobody can say whether an image runs on a GPU that it is meant for.
const NOTHING_DECIDES: &str = "the image has no framework and no cuBLAS with GPU code, as far as was looked";

/// Fills what is derived in [`crate::facts::Native`].
pub fn derive(facts: &mut Facts) {
    facts.native.present = present(facts);
    facts.native.targets = targets(facts);
}

/// One target for each model that is here, as NVML lists them; where it could not be asked, as CUDA named them.
fn present(facts: &Facts) -> Fact<Vec<Target>> {
    let by_cuda: Vec<_> = facts
        .compute
        .multiplies
        .known()
        .into_iter()
        .flatten()
        .filter_map(|multiply| Some((multiply.gpu_name.known()?, &multiply.compute_capability)))
        .collect();
    let mut named = match &facts.gpus {
        Fact::Known(gpus) => gpus.iter().filter_map(|gpu| Some((gpu.name.known()?, &gpu.compute_capability))).collect(),
        Fact::Absent => return Fact::Absent,
        Fact::Unknown(gap) if by_cuda.is_empty() => return Fact::Unknown(gap.clone()),
        Fact::Unknown(_) => by_cuda.clone(),
    };
    let mut seen = BTreeSet::new();
    named.retain(|(name, _)| seen.insert(*name));
    let target = |(name, capability): (&String, &Fact<String>)| {
        // An NVML before CUDA 11 does not say the capability.
        let told = |(other, capability): &(&String, &Fact<String>)| {
            (*other == name && capability.known().is_some()).then(|| (*capability).clone())
        };
        let capability = match capability {
            Fact::Known(_) => capability.clone(),
            _ => by_cuda.iter().find_map(told).unwrap_or_else(|| capability_of(name)),
        };
        target(facts, name, capability, TargetOrigin::Present, &Fact::Absent)
    };
    Fact::Known(named.into_iter().map(target).collect())
}

fn targets(facts: &Facts) -> Vec<Target> {
    let driver = &facts.run.assumed_driver;
    // Who asks about a GPU wants an answer: an image in which nothing decides is not one that runs.
    let named = |name: &String, origin| {
        let target = target(facts, name, capability_of(name), origin, driver);
        let code =
            if target.code.is_absent() { Fact::unknown(GapKind::NotSupported, NOTHING_DECIDES) } else { target.code };
        Target { code, ..target }
    };
    let mut targets: Vec<Target> = facts.run.wanted_gpus.iter().map(|name| named(name, TargetOrigin::Wanted)).collect();
    targets.extend(facts.run.assumed_gpu.known().map(|name| named(name, TargetOrigin::Assumed)));
    if targets.is_empty() && driver.known().is_some() {
        // Another driver under the GPUs that are here.
        let here = facts.native.present.known().into_iter().flatten();
        targets.extend(
            here.map(|here| target(facts, &here.gpu, here.compute_capability.clone(), TargetOrigin::Present, driver)),
        );
    }
    targets
}

fn capability_of(name: &str) -> Fact<String> {
    gpus::gpu(name).map_or_else(
        || Fact::unknown(GapKind::NotSupported, format!("no table knows the GPU {name}")),
        |model| Fact::Known(model.cc.clone()),
    )
}

/// The image on one model of the reference table.
pub fn on_model(facts: &Facts, model: &GpuModel) -> Target {
    let capability = Fact::Known(model.cc.clone());
    target(facts, &model.name, capability, TargetOrigin::Assumed, &facts.run.assumed_driver)
}

fn target(facts: &Facts, gpu: &str, capability: Fact<String>, origin: TargetOrigin, driver: &Fact<String>) -> Target {
    let fits = fits(facts, gpu, &capability, origin);
    let (code, deciding_library) = decide(&fits);
    let missing_optional = facts.native.libraries.as_ref().and_then(|libraries| {
        capability.as_ref().map(|capability| {
            let optional = libraries.iter().filter(|library| library.role == LibraryRole::Optional);
            let missing = optional.filter(|library| fit(library, capability) == Fact::Known(CodeFit::Missing));
            missing.map(|library| library.path.clone()).collect()
        })
    });
    let architecture = capability.known().and_then(|capability| drivers::architecture(capability));
    let minimum_driver = minimum_driver(facts, architecture, &code);
    let last_driver_branch = Fact::present(architecture.and_then(|architecture| architecture.last_branch));
    let assumed_driver_sufficient = both(driver.as_ref(), minimum_driver.as_ref(), |driver, minimum| {
        let (Some(driver), Some(minimum)) = (Version::parse(driver), Version::parse(minimum)) else { return false };
        driver >= minimum && last_driver_branch.known().is_none_or(|last| driver.major() <= *last)
    });
    Target {
        forward_compatible_branch: forward_compatible_branch(facts, gpu, architecture, &minimum_driver),
        gpu: gpu.to_owned(),
        origin,
        compute_capability: capability,
        code,
        deciding_library,
        missing_optional,
        minimum_driver,
        last_driver_branch,
        assumed_driver: driver.clone(),
        assumed_driver_sufficient,
    }
}

/// How each core library runs on a GPU, frameworks first.
fn fits<'a>(
    facts: &'a Facts,
    gpu: &str,
    capability: &Fact<String>,
    origin: TargetOrigin,
) -> Fact<Vec<(&'a NativeLibrary, Fact<CodeFit>)>> {
    // A multiply that was proven on this very GPU says more about cuBLAS than its headers can.
    let is_proven = origin == TargetOrigin::Present
        && facts.compute.multiplies.known().into_iter().flatten().any(|multiply| {
            multiply.gpu_name.known().is_some_and(|name| name == gpu) && multiply.proof == Fact::Known(Proof::Exact)
        });
    facts.native.libraries.as_ref().and_then(|libraries| {
        capability.as_ref().map(|capability| {
            let core = libraries.iter().filter(|library| library.role == LibraryRole::Core);
            let mut core: Vec<_> = core.filter(|library| !(is_proven && is_cublas(library))).collect();
            core.sort_by_key(|library| rank(&library.path));
            core.into_iter().map(|library| (library, fit(library, capability))).collect()
        })
    })
}

fn is_cublas(library: &NativeLibrary) -> bool {
    library.path.rsplit('/').next().is_some_and(|name| name.starts_with("libcublas"))
}

/// The image runs as its worst core library does.
fn decide(fits: &Fact<Vec<(&NativeLibrary, Fact<CodeFit>)>>) -> (Fact<CodeFit>, Fact<String>) {
    let fits = match fits {
        Fact::Known(fits) => fits,
        Fact::Absent => return (Fact::Absent, Fact::Absent),
        Fact::Unknown(gap) => return (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone())),
    };
    let first = |wanted: &CodeFit| fits.iter().find(|(_, fit)| fit.known() == Some(wanted));
    if let Some((library, _)) = first(&CodeFit::Missing) {
        return (Fact::Known(CodeFit::Missing), Fact::Known(library.path.clone()));
    }
    let unread = fits.iter().find_map(|(library, fit)| match fit {
        Fact::Unknown(gap) => Some((library, gap)),
        _ => None,
    });
    if let Some((library, gap)) = unread {
        let name = library.path.rsplit('/').next().unwrap_or_default();
        let gap = Gap::new(gap.kind, format!("{name}: {}", gap.detail));
        return (Fact::Unknown(gap), Fact::Known(library.path.clone()));
    }
    if let Some((library, _)) = first(&CodeFit::Compiled) {
        return (Fact::Known(CodeFit::Compiled), Fact::Known(library.path.clone()));
    }
    (if fits.is_empty() { Fact::Absent } else { Fact::Known(CodeFit::Native) }, Fact::Absent)
}

/// The CUDA release of the image: of its runtime, else the one PyTorch was built for, else the major of its cuBLAS.
pub fn release(facts: &Facts) -> Fact<String> {
    let runtime = &facts.compatibility.runtime_version;
    let named = runtime.known().or(facts.framework.torch_cuda.known()).cloned();
    let of_cublas = || {
        let mut all = facts.libraries.known().into_iter().flatten();
        let cublas = all.find(|library| library.chosen && library.id == LibraryId::Cublas)?;
        cublas.major.known().map(ToString::to_string)
    };
    named.or_else(of_cublas).map_or_else(|| runtime.clone(), Fact::Known)
}

fn minimum_driver(facts: &Facts, architecture: Option<&drivers::Architecture>, code: &Fact<CodeFit>) -> Fact<String> {
    release(facts).and_then(|release| {
        let major = Version::parse(&release).and_then(|version| u32::try_from(version.major()).ok());
        let Some(floor) = major.and_then(drivers::floor) else {
            return Fact::unknown(GapKind::NotSupported, format!("no table says which driver CUDA {release} needs"));
        };
        let of_gpu = architecture.and_then(|architecture| drivers::toolkit(&architecture.toolkit));
        let of_compiler = || match drivers::toolkit(&release) {
            Some(toolkit) => Ok(Some(toolkit)),
            None => Err(format!("no table says which driver compiles the PTX of CUDA {release}")),
        };
        let of_compiler = if code.known() == Some(&CodeFit::Compiled) { of_compiler() } else { Ok(None) };
        let of_compiler = match of_compiler {
            Ok(toolkit) => toolkit,
            Err(why) => return Fact::unknown(GapKind::NotSupported, why),
        };
        let drivers = [of_gpu, of_compiler].into_iter().flatten().map(|toolkit| &toolkit.driver);
        let newest = drivers.chain([&floor.driver]).max_by_key(|driver| Version::parse(driver));
        Fact::present(newest.cloned())
    })
}

/// The oldest branch on which the image's `cuda-compat` package would do: one that may carry it, that drives the GPU, and
/// that is older than what the image needs by itself.
fn forward_compatible_branch(
    facts: &Facts,
    gpu: &str,
    architecture: Option<&drivers::Architecture>,
    minimum_driver: &Fact<String>,
) -> Fact<u64> {
    if !gpus::gpu(gpu).is_some_and(GpuModel::is_for_data_centers) {
        return Fact::Absent;
    }
    both(release(facts), minimum_driver.as_ref(), |release, minimum| (release, minimum)).and_then(
        |(release, minimum)| {
            let branch = |driver: &String| Version::parse(driver).map(|version| version.major());
            let own = drivers::toolkit(&release).and_then(|toolkit| branch(&toolkit.driver));
            let drives = architecture.and_then(|architecture| drivers::toolkit(&architecture.toolkit));
            let drives = drives.and_then(|toolkit| branch(&toolkit.driver)).unwrap_or(0);
            let would_do = |base: &&u64| {
                **base >= drives
                    && own.is_some_and(|own| **base < own)
                    && branch(minimum).is_some_and(|own| **base < own)
            };
            Fact::present(compat_bases().iter().find(would_do).copied())
        },
    )
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
