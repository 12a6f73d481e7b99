//! What is wrong with the libraries that frameworks load, in words, and whether it matters to the workload.

use super::was_asked;
use crate::facts::{Fact, Facts, LinkFault, LinkProblem, cut};

/// Wheels of NVIDIA's libraries for CUDA 12, by the beginning of the library's name.
const WHEELS: [(&str, &str); 13] = [
    ("libcudnn", "nvidia-cudnn-cu12"),
    ("libcufft", "nvidia-cufft-cu12"),
    ("libcufile", "nvidia-cufile-cu12"),
    ("libcupti", "nvidia-cuda-cupti-cu12"),
    ("libcurand", "nvidia-curand-cu12"),
    ("libcusolver", "nvidia-cusolver-cu12"),
    ("libcusparseLt", "nvidia-cusparselt-cu12"),
    ("libcusparse", "nvidia-cusparse-cu12"),
    ("libnccl", "nvidia-nccl-cu12"),
    ("libnvJitLink", "nvidia-nvjitlink-cu12"),
    ("libnvToolsExt", "nvidia-nvtx-cu12"),
    ("libnvrtc", "nvidia-cuda-nvrtc-cu12"),
    ("libnvshmem", "nvidia-nvshmem-cu12"),
];

/// Fills the derived fields of every fault, and says whether a recording holds the room.
pub fn derive(facts: &mut Facts) {
    facts.linking.was_asked = Fact::Known(was_asked(&facts.linking.faults));
    let has_torch = matches!(facts.framework.torch_cuda, Fact::Known(_));
    let main = |framework: &str| {
        let packages = facts.framework.packages.known().into_iter().flatten();
        let others = packages.filter(|package| package.cuda_build == Fact::Known(true));
        let is_only = others.into_iter().all(|package| same_framework(framework, &package.name));
        framework.starts_with("PyTorch") || !has_torch && is_only
    };
    let told: Vec<_> = facts.linking.faults.known().into_iter().flatten().map(|fault| main(&fault.framework)).collect();
    let Fact::Known(faults) = &mut facts.linking.faults else { return };
    for (fault, is_main) in faults.iter_mut().zip(told) {
        fault.is_main = Fact::Known(is_main);
        fault.effect = Fact::Known(effect(&fault.framework).to_owned());
        fault.words = Fact::Known(cut(&words(fault)));
        fault.mend = Fact::Known(cut(&mend(fault)));
    }
}

/// `jax-cuda12-plugin 0.6.2` and `jaxlib` are one.
fn same_framework(framework: &str, package: &str) -> bool {
    let name = framework.split(' ').next().unwrap_or_default();
    name == package || name.starts_with("jax") && package.starts_with("jax")
}

/// What comes of it: PyTorch and `CTranslate2` are built against what they need and fail at their import; the others open what
/// is for the GPU by themselves, and go on without.
fn effect(framework: &str) -> &'static str {
    let fails = ["PyTorch", "ctranslate2"].iter().any(|name| framework.starts_with(name));
    if fails { "does not load" } else { "cannot use a GPU" }
}

fn words(fault: &LinkFault) -> String {
    let text = |fact: &Fact<String>| fact.known().cloned().unwrap_or_default();
    let (wanted, found, why) = (text(&fault.wanted), text(&fault.found), text(&fault.found_by));
    match fault.problem {
        LinkProblem::Missing => match fault.other_major.known() {
            Some(other) => format!("and the loader finds none, but {other}"),
            None => "and the loader finds none".to_owned(),
        },
        LinkProblem::Damaged => format!("and {found} is damaged; {why}"),
        LinkProblem::NoVersion | LinkProblem::NoSymbol => format!("with {wanted}, which {found} does not have; {why}"),
        LinkProblem::OtherRelease => format!("of its own release {wanted}, and gets {found}; {why}"),
    }
}

/// What mends it: the wheel that is missing, else the folder that comes in between.
fn mend(fault: &LinkFault) -> String {
    let wheel = || {
        let known = WHEELS.iter().find(|(stem, _)| fault.library.starts_with(stem));
        known.map(|(_, wheel)| (*wheel).to_owned())
    };
    let folder = fault.found.known().and_then(|path| Some(path.rsplit_once('/')?.0));
    let by_path = fault.found_by.known().is_some_and(|why| why.starts_with("LD_LIBRARY_PATH"));
    match (fault.problem, folder, wheel()) {
        (LinkProblem::Missing, _, Some(_)) if fault.framework.starts_with("PyTorch") => {
            "run `pip install --force-reinstall torch`, which brings its dependencies".to_owned()
        }
        (LinkProblem::Missing, _, Some(wheel)) => format!("run `pip install {wheel}`"),
        (LinkProblem::Missing, _, None) => format!("install the package that has {}", fault.library),
        (_, Some(folder), _) if by_path => format!("take {folder} out of `LD_LIBRARY_PATH`"),
        (LinkProblem::Damaged, ..) => "install the package of that file again".to_owned(),
        (_, _, Some(wheel)) => format!("run `pip install --upgrade {wheel}`"),
        _ => format!("install a newer release of {}", fault.library),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Package;

    fn fault(framework: &str, problem: LinkProblem) -> LinkFault {
        LinkFault {
            framework: framework.to_owned(),
            library: "libnvJitLink.so.12".to_owned(),
            needed_by: "/sp/libcusparse.so.12".to_owned(),
            problem,
            wanted: Fact::Known("__nvJitLinkComplete_12_4".to_owned()),
            found: Fact::Known("/old/libnvJitLink.so.12".to_owned()),
            found_by: Fact::Known("LD_LIBRARY_PATH names its folder".to_owned()),
            other_major: Fact::Absent,
            ..LinkFault::default()
        }
    }

    fn derived(fault: LinkFault, torch: Fact<String>, packages: &[&str]) -> LinkFault {
        let mut facts = Facts::default();
        facts.framework.torch_cuda = torch;
        let package =
            |name: &&str| Package { name: (*name).to_owned(), cuda_build: Fact::Known(true), ..Package::default() };
        facts.framework.packages = Fact::Known(packages.iter().map(package).collect());
        facts.linking.faults = Fact::Known(vec![fault]);
        derive(&mut facts);
        facts.linking.faults.known().expect("faults")[0].clone()
    }

    #[test]
    fn a_fault_is_told_in_words_and_with_what_mends_it() {
        let told = derived(fault("PyTorch 2.5.1", LinkProblem::NoSymbol), Fact::Known("12.4".to_owned()), &[]);
        assert_eq!(
            told.words.known().map(String::as_str),
            Some(
                "with __nvJitLinkComplete_12_4, which /old/libnvJitLink.so.12 does not have; LD_LIBRARY_PATH names its \
                 folder"
            )
        );
        assert_eq!(told.mend.known().map(String::as_str), Some("take /old out of `LD_LIBRARY_PATH`"));
        let missing = LinkFault { found: Fact::Absent, found_by: Fact::Absent, ..fault("x 1", LinkProblem::Missing) };
        let told = derived(missing, Fact::Absent, &["x"]);
        assert_eq!(told.words.known().map(String::as_str), Some("and the loader finds none"));
        assert_eq!(told.effect.known().map(String::as_str), Some("cannot use a GPU"));
        assert!(told.mend.known().is_some_and(|mend| mend.contains("nvidia-nvjitlink-cu12")), "{told:?}");
    }

    #[test]
    fn beside_pytorch_or_another_framework_it_is_not_the_main_one() {
        let is_main = |framework: &str, torch: Option<&str>, packages: &[&str]| {
            let torch = Fact::present(torch.map(str::to_owned));
            derived(fault(framework, LinkProblem::NoSymbol), torch, packages).is_main
        };
        assert_eq!(is_main("PyTorch 2.5.1", Some("12.4"), &["onnxruntime-gpu"]), Fact::Known(true));
        assert_eq!(is_main("onnxruntime-gpu 1.22.0", Some("12.4"), &["onnxruntime-gpu"]), Fact::Known(false));
        assert_eq!(is_main("onnxruntime-gpu 1.22.0", None, &["onnxruntime-gpu"]), Fact::Known(true));
        assert_eq!(is_main("onnxruntime-gpu 1.22.0", None, &["onnxruntime-gpu", "tensorflow"]), Fact::Known(false));
        assert_eq!(is_main("jax-cuda12-plugin 0.6.2", None, &["jaxlib", "jax-cuda12-plugin"]), Fact::Known(true));
    }
}
