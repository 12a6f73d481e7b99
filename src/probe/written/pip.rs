//! What `pip install` and `conda install` bring, as far as their command lines say.

use crate::facts::reference::bases::wheel_cuda;
use crate::facts::version::Version;
use crate::probe::paths::base_name;

/// One package on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Its name in the normal form of PEP 503.
    pub name: String,
    /// The version, where exactly one is asked for, without its local part.
    pub version: Option<String>,
    /// What it is built for.
    pub build: BuiltFor,
    /// The word, to find its line.
    pub word: String,
}

/// What a package is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuiltFor {
    /// A CUDA release.
    Cuda(String),
    /// The CPU alone.
    Cpu,
    /// The command line does not say.
    Unsaid,
}

/// Everything that the command lines of a script install, and whether one of them reads a list that is not in the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installs {
    /// The packages.
    pub all: Vec<Install>,
    /// Whether packages are named elsewhere: a file of requirements, a project.
    pub elsewhere: bool,
    /// Whether something is compiled: by a compiler, or from a source.
    pub compiles: bool,
}

/// Programs that compile.
const COMPILERS: [&str; 10] = ["nvcc", "gcc", "g++", "cc", "make", "cmake", "ninja", "meson", "cargo", "bazel"];
/// Packages that compile when they are installed or when they run.
const COMPILING: [&str; 20] = [
    "vllm",
    "sglang",
    "triton",
    "flash-attn",
    "flashinfer-python",
    "deepspeed",
    "apex",
    "xformers",
    "torch-scatter",
    "torch-sparse",
    "pycuda",
    "cupy",
    "numba",
    "jax",
    "llama-cpp-python",
    "transformer-engine",
    "causal-conv1d",
    "mamba-ssm",
    "tensorrt-llm",
    "nvidia-cutlass",
];
/// Options of pip that take the next word.
const WITH_VALUE: [&str; 14] = [
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--prefix",
    "--target",
    "-t",
    "--root",
    "--index",
];

impl Installs {
    /// Reads one simple command.
    pub fn read(&mut self, words: &[String]) {
        let Some((program, rest)) = words.split_first() else { return };
        let name = base_name(program);
        if COMPILERS.contains(&name) {
            self.compiles = true;
        }
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let is_python = name.starts_with("python");
        match (name, rest.as_slice()) {
            ("uv", ["pip", "install", rest @ ..]) => self.pip(rest),
            ("uv", ["sync", ..])
            | ("poetry" | "pipenv" | "pdm", [..])
            | ("conda" | "mamba" | "micromamba", ["env", ..]) => {
                self.elsewhere = true;
            }
            ("conda" | "mamba" | "micromamba", ["install" | "create", rest @ ..]) => self.conda(rest),
            (_, ["-m", "pip", "install", rest @ ..]) if is_python => self.pip(rest),
            (_, ["setup.py", ..]) if is_python => self.compiles = true,
            (_, ["install", rest @ ..]) if name.starts_with("pip") => self.pip(rest),
            _ => {}
        }
    }

    fn pip(&mut self, words: &[&str]) {
        let index = Index::of(words);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let option = word.split('=').next().unwrap_or_default();
            if word.starts_with('-') {
                self.elsewhere |=
                    matches!(option, "-r" | "--requirement" | "-e" | "--editable") || word.starts_with("-r");
                self.compiles |= matches!(option, "-e" | "--editable" | "--no-binary");
                at += usize::from(WITH_VALUE.contains(word));
            } else if word.starts_with('.') || word.starts_with('/') || word.contains("://") || word.starts_with("git+")
            {
                let is_wheel = word.contains(".whl");
                self.compiles |= !is_wheel;
                self.elsewhere |= !is_wheel;
            } else if let Some(install) = package(word, index.as_ref()) {
                self.compiles |= COMPILING.contains(&install.name.as_str());
                self.all.push(install);
            }
        }
    }

    /// `conda install pytorch=2.5 pytorch-cuda=12.4`.
    fn conda(&mut self, words: &[&str]) {
        let parts = |word: &str| word.split('=').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let named =
            |name: &str| words.iter().map(|word| parts(word)).find(|parts| parts.first().is_some_and(|n| n == name));
        self.elsewhere |= words.iter().any(|word| matches!(*word, "-f" | "--file"));
        let Some(torch) = named("pytorch") else { return };
        let cuda = named("pytorch-cuda").and_then(|parts| parts.get(1).cloned());
        let is_cpu = words.contains(&"cpuonly");
        let build = cuda.map_or(if is_cpu { BuiltFor::Cpu } else { BuiltFor::Unsaid }, BuiltFor::Cuda);
        let version = torch.get(1).filter(|version| version.matches('.').count() == 2).cloned();
        self.all.push(Install { name: "torch".to_owned(), version, build, word: "pytorch".to_owned() });
    }
}

/// An index of PyTorch's: `https://download.pytorch.org/whl/cu124`.
struct Index {
    build: BuiltFor,
    /// Whether others are asked too, so that it decides nothing where a newer release is elsewhere.
    is_extra: bool,
}

impl Index {
    fn of(words: &[&str]) -> Option<Self> {
        words.iter().enumerate().filter(|(_, word)| word.contains("download.pytorch.org")).find_map(|(at, word)| {
            let build = word.trim_end_matches('/').split('/').find_map(of_suffix)?;
            let before = at.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
            let is_extra = [*word, before].iter().any(|option| {
                option.starts_with("--extra") || option.starts_with("-f") || option.starts_with("--find")
            });
            Some(Self { build, is_extra })
        })
    }
}

/// `cu124` or `cpu`.
fn of_suffix(word: &str) -> Option<BuiltFor> {
    if word == "cpu" {
        return Some(BuiltFor::Cpu);
    }
    let digits =
        word.strip_prefix("cu").filter(|digits| digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (major, minor) = digits.split_at(digits.len() - 1);
    Some(BuiltFor::Cuda(format!("{major}.{minor}")))
}

fn package(word: &str, index: Option<&Index>) -> Option<Install> {
    let bare = word.split([';', '@']).next().unwrap_or_default().trim();
    let end =
        bare.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter))).unwrap_or(bare.len());
    let (name, rest) = bare.split_at(end);
    if name.is_empty() || name.contains('$') {
        return None;
    }
    let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((extras, rest)) => (extras, rest),
        None => ("", rest),
    };
    let exact = rest.strip_prefix("===").or_else(|| rest.strip_prefix("=="));
    let exact = exact.map(str::trim).filter(|version| !version.contains([',', '*', '$']));
    let (version, local) = match exact.map(|version| version.split_once('+').unwrap_or((version, ""))) {
        Some((version, local)) => (Some(version).filter(|version| Version::parse(version).is_some()), local),
        None => (None, ""),
    };
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let is_pytorchs = matches!(name.as_str(), "torch" | "torchvision" | "torchaudio");
    let from_index = || {
        let index = index.filter(|index| is_pytorchs && (version.is_some() || !index.is_extra));
        index.map(|index| index.build.clone())
    };
    let of_extras = || match (name.as_str(), extras) {
        ("jax", extras) if extras.contains("cuda13") => Some(BuiltFor::Cuda("13.0".to_owned())),
        ("jax", extras) if extras.contains("cuda12") => Some(BuiltFor::Cuda("12.9".to_owned())),
        _ => None,
    };
    let of_table = || {
        let cuda = version.filter(|_| name == "torch").and_then(wheel_cuda);
        cuda.map(|cuda| BuiltFor::Cuda(cuda.to_owned()))
    };
    let build = of_suffix(local).or_else(from_index).or_else(of_extras).or_else(of_table).unwrap_or(BuiltFor::Unsaid);
    Some(Install { version: version.map(str::to_owned), build, word: word.to_owned(), name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Installs {
        let mut installs = Installs::default();
        installs.read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        installs
    }

    fn torch(line: &str) -> (Option<String>, BuiltFor) {
        let found = read(line).all.into_iter().find(|install| install.name == "torch").expect(line);
        (found.version, found.build)
    }

    #[test]
    fn a_build_is_told_by_its_suffix_its_index_or_its_version() {
        let cuda = |text: &str| BuiltFor::Cuda(text.to_owned());
        let index = "https://download.pytorch.org/whl";
        for (line, version, build) in [
            ("pip install torch==2.5.1+cu121".to_owned(), Some("2.5.1"), cuda("12.1")),
            (format!("pip3 install torch==2.5.1 torchvision --index-url {index}/cu124"), Some("2.5.1"), cuda("12.4")),
            (format!("python3 -m pip install --extra-index-url={index}/cu118 torch"), None, BuiltFor::Unsaid),
            (format!("pip install --extra-index-url {index}/cu118 torch==2.7.1"), Some("2.7.1"), cuda("11.8")),
            (format!("uv pip install torch --index-url {index}/nightly/cu130"), None, cuda("13.0")),
            (format!("pip install torch --index-url {index}/cpu"), None, BuiltFor::Cpu),
            ("pip install torch==2.7.0".to_owned(), Some("2.7.0"), cuda("12.6")),
            ("pip install torch".to_owned(), None, BuiltFor::Unsaid),
            ("pip install torch>=2.4,<3".to_owned(), None, BuiltFor::Unsaid),
            ("pip install torch==9.9.9".to_owned(), Some("9.9.9"), BuiltFor::Unsaid),
            ("conda install -y pytorch==2.5.1 pytorch-cuda=12.4".to_owned(), Some("2.5.1"), cuda("12.4")),
        ] {
            assert_eq!(torch(&line), (version.map(str::to_owned), build), "{line}");
        }
    }

    #[test]
    fn what_is_named_elsewhere_is_not_here() {
        assert!(read("pip install -r requirements.txt").elsewhere && read("pip install .").elsewhere);
        assert!(read("poetry install").elsewhere && read("uv sync --frozen").elsewhere);
        let plain = read("pip install --no-cache-dir -c c.txt numpy fastapi[all]==1.0");
        assert_eq!((plain.elsewhere, plain.compiles, plain.all.len()), (false, false, 2));
        assert_eq!(read("pip uninstall torch"), Installs::default());
    }

    #[test]
    fn what_compiles_is_seen() {
        for line in
            ["make -j", "nvcc a.cu", "pip install flash-attn", "pip install git+https://x/y", "python setup.py install"]
        {
            assert!(read(line).compiles, "{line}");
        }
        assert!(!read("pip install https://x/y.whl").compiles && !read("pip install onnxruntime-gpu").compiles);
    }
}
