//! Whether the frameworks beside PyTorch can use the GPUs that are here, and what to install where they cannot.

use super::stack::driver_cuda;
use super::{both, builds};
use crate::facts::reference::builds::Framework;
use crate::facts::reference::drivers;
use crate::facts::version::Version;
use crate::facts::{Fact, Facts, LibraryId, Package};

/// Packages that ask the loader for the CUDA libraries and bring none.
const NEED_LIBRARIES: [&str; 3] = ["onnxruntime-gpu", "ctranslate2", "cupy"];

/// Fills the derived fields of every package.
pub fn derive(facts: &mut Facts) {
    let Fact::Known(packages) = &facts.framework.packages else { return };
    let driver = driver_cuda(facts).and_then(|cuda| Fact::present(Version::parse(&cuda).map(|cuda| cuda.major())));
    let jax = builds::fitting(Framework::Jax, facts)
        .and_then(|build| Fact::present(Version::parse(&build.cuda).map(|cuda| cuda.major())));
    let derived: Vec<_> = packages
        .iter()
        .map(|package| {
            let sufficient = both(package.cuda_major.clone(), driver.clone(), |needed, driver| needed <= driver);
            let install = install(package, driver.known(), jax.known().copied());
            (is_alone(facts, package), sufficient, libraries_found(facts, package), install)
        })
        .collect();
    let Fact::Known(packages) = &mut facts.framework.packages else { return };
    for (package, (alone, sufficient, libraries, install)) in packages.iter_mut().zip(derived) {
        package.is_alone = alone;
        package.driver_sufficient = sufficient;
        package.libraries_found = libraries;
        package.install = Fact::present(install);
        let floor = package.cuda_major.clone().map(|major| u32::try_from(major).ok().and_then(drivers::floor));
        package.minimum_driver = floor.and_then(|floor| Fact::present(floor.map(|floor| floor.driver.clone())));
    }
}

/// Two names of one package, as `onnxruntime` and `onnxruntime-gpu`, are no way to the GPU for each other.
fn family(name: &str) -> &str {
    let name = name.strip_suffix("-gpu").or_else(|| name.strip_suffix("-cpu")).unwrap_or(name);
    if name.starts_with("jax") {
        "jax"
    } else if name.starts_with("cupy") {
        "cupy"
    } else {
        name
    }
}

fn is_alone(facts: &Facts, package: &Package) -> Fact<bool> {
    let others = facts.framework.packages.known().map_or(&[][..], Vec::as_slice);
    let is_other = |other: &&Package| family(&other.name) != family(&package.name);
    if others.iter().filter(is_other).any(|other| other.cuda_build == Fact::Known(true)) {
        return Fact::Known(false);
    }
    match (&facts.framework.torch_version, &facts.framework.torch_cuda) {
        (Fact::Absent, _) => Fact::Known(true),
        (_, cuda) => match cuda {
            Fact::Known(_) => Fact::Known(false),
            // A PyTorch for the CPU has a finding of its own.
            Fact::Absent => Fact::Known(true),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        },
    }
}

fn libraries_found(facts: &Facts, package: &Package) -> Fact<bool> {
    if !NEED_LIBRARIES.contains(&package.name.as_str()) && !package.name.starts_with("cupy-cuda") {
        return Fact::Absent;
    }
    both(package.cuda_major.clone(), facts.libraries.as_ref(), |major, libraries| {
        let cublas = libraries.iter().filter(|library| library.id == LibraryId::Cublas);
        cublas.into_iter().any(|library| library.major.known().copied().map(u64::from) == Some(major))
    })
}

/// The command for this package; majors that exist as packages are 12 and 13. `jax` is the major of the JAX that fits driver
/// and GPUs, where both are known.
fn install(package: &Package, driver: Option<&u64>, jax: Option<u64>) -> Option<String> {
    let major = driver.map_or(12, |driver| (*driver).clamp(11, 13));
    let fits = package.cuda_major.known().is_none_or(|needed| driver.is_none_or(|driver| needed <= driver));
    Some(match family(&package.name) {
        "onnxruntime" if fits => {
            "pip uninstall --yes onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu".to_owned()
        }
        "jax" if major >= 12 => {
            let major = jax.unwrap_or(major);
            format!(
                "pip uninstall --yes jax-cuda12-plugin jax-cuda13-plugin && pip install --upgrade 'jax[cuda{major}]'"
            )
        }
        "tensorflow" if fits => "pip uninstall --yes tensorflow-cpu && pip install 'tensorflow[and-cuda]'".to_owned(),
        "cupy" => format!("pip uninstall --yes {} && pip install cupy-cuda{major}x", package.name),
        "llama-cpp-python" => {
            "CMAKE_ARGS=-DGGML_CUDA=on pip install --force-reinstall --no-cache-dir llama-cpp-python".to_owned()
        }
        "ctranslate2" if !fits => "pip install 'ctranslate2<4'".to_owned(),
        "faiss" => "conda install --channel pytorch --channel nvidia faiss-gpu".to_owned(),
        "paddlepaddle" if fits => "pip uninstall --yes paddlepaddle && pip install paddlepaddle-gpu".to_owned(),
        _ if fits => format!("pip install --force-reinstall {}", package.name),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Library;

    fn package(name: &str, cuda: Option<u64>) -> Package {
        Package {
            name: name.to_owned(),
            cuda_build: Fact::Known(cuda.is_some()),
            cuda_major: Fact::present(cuda),
            ..Package::default()
        }
    }

    fn derived(packages: &[Package], change: impl FnOnce(&mut Facts)) -> Vec<Package> {
        let mut facts = Facts::default();
        facts.framework.packages = Fact::Known(packages.to_vec());
        facts.framework.torch_version = Fact::Absent;
        facts.framework.torch_cuda = Fact::Absent;
        facts.cuda.version = Fact::Known("12.4".to_owned());
        change(&mut facts);
        derive(&mut facts);
        facts.framework.packages.known().cloned().expect("packages")
    }

    #[test]
    fn a_package_is_alone_where_nothing_else_is_a_cuda_build() {
        let alone = |packages: &[Package], torch: Fact<String>| {
            derived(packages, |facts| {
                facts.framework.torch_version = Fact::Known("2.8.0".to_owned());
                facts.framework.torch_cuda = torch;
            })[0]
                .is_alone
                .clone()
        };
        let cpu = package("onnxruntime", None);
        assert_eq!(alone(std::slice::from_ref(&cpu), Fact::Absent), Fact::Known(true));
        assert_eq!(alone(std::slice::from_ref(&cpu), Fact::Known("12.8".to_owned())), Fact::Known(false));
        assert_eq!(alone(&[cpu.clone(), package("onnxruntime-gpu", Some(12))], Fact::Absent), Fact::Known(true));
        assert_eq!(alone(&[cpu, package("cupy-cuda12x", Some(12))], Fact::Absent), Fact::Known(false));
    }

    #[test]
    fn a_driver_runs_its_own_major_and_older_ones() {
        let found = derived(&[package("cupy-cuda11x", Some(11)), package("cupy-cuda13x", Some(13))], |_| {});
        assert_eq!(found[0].driver_sufficient, Fact::Known(true));
        assert_eq!(found[1].driver_sufficient, Fact::Known(false));
        assert_eq!(
            found[1].install.known().map(String::as_str),
            Some("pip uninstall --yes cupy-cuda13x && pip install cupy-cuda12x")
        );
        let without = derived(&[package("cupy-cuda13x", Some(13))], |facts| {
            facts.cuda.version = Fact::Absent;
            facts.nvml.cuda_version = Fact::Absent;
        });
        assert_eq!(without[0].driver_sufficient, Fact::Absent);
    }

    #[test]
    fn libraries_of_its_major_are_here_or_not() {
        let cublas = Library { id: LibraryId::Cublas, major: Fact::Known(12), ..Library::default() };
        let found = |package: Package| {
            let libraries = Fact::Known(vec![cublas.clone()]);
            derived(&[package], |facts| facts.libraries = libraries)[0].libraries_found.clone()
        };
        assert_eq!(found(package("cupy-cuda12x", Some(12))), Fact::Known(true));
        assert_eq!(found(package("cupy-cuda11x", Some(11))), Fact::Known(false));
        assert_eq!(found(package("tensorflow", Some(11))), Fact::Absent, "it brings its own");
    }
}
