//! Where each framework begins: its own libraries, and what they open by `dlopen`.

use crate::facts::version::Version;
use crate::facts::{Fact, Framework, Package, cut_word};
use crate::probe::paths::{base_name, find_program};
use crate::world::World;

/// Folders of packages that are looked at.
const FOLDERS_MAX: usize = 64;
/// Libraries of the wheels, and files of one framework.
const NAMES_MAX: usize = 256;

/// Libraries of NVIDIA's wheels that programs open by their paths, without what follows `.so`: those of PyTorch's own list
/// in `torch/__init__.py` (2.7.0), and what was put beside them since. Not the plugins beside them (`libcufile_rdma`, the
/// transports of nvshmem), which ask for libraries that few images have and nobody needs.
const WHEELS: [&str; 19] = [
    "libcublas",
    "libcublasLt",
    "libcudart",
    "libcudnn",
    "libcufft",
    "libcufile",
    "libcupti",
    "libcurand",
    "libcusolver",
    "libcusparse",
    "libcusparseLt",
    "libnccl",
    "libnvJitLink",
    "libnvToolsExt",
    "libnvrtc",
    "libnvshmem_host",
    "libcudss",
    "libcutensor",
    "libnvtx3interop",
];

/// A library that another one opens by itself.
pub struct Part {
    pub name: &'static str,
    /// Whether that goes on without it.
    pub is_optional: bool,
}

const fn part(name: &'static str) -> Part {
    Part { name, is_optional: false }
}

const fn optional(name: &'static str) -> Part {
    Part { name, is_optional: true }
}

/// What libraries open by themselves: cuDNN 9 has its parts' names in `libcudnn.so.9` and `libcudnn_graph.so.9` (seen in
/// 9.1 and 9.5). Its engines come in two kinds, of which an installation may have one.
pub const PARTS: [(&str, &[Part]); 2] = [
    (
        "libcudnn.so.9",
        &[part("libcudnn_graph.so.9"), part("libcudnn_ops.so.9"), part("libcudnn_cnn.so.9"), part("libcudnn_adv.so.9")],
    ),
    (
        "libcudnn_graph.so.9",
        &[
            optional("libcudnn_engines_precompiled.so.9"),
            optional("libcudnn_engines_runtime_compiled.so.9"),
            optional("libcudnn_heuristic.so.9"),
        ],
    ),
];

/// Libraries whose parts must be of their release, with the wheel that brings them.
pub const RELEASES: [(&str, &str); 1] = [("libcudnn.so.9", "nvidia-cudnn")];

/// A framework, and what one process of it opens.
pub struct Root {
    /// Its name and version.
    pub framework: String,
    /// The program that it runs in.
    pub interpreter: Option<String>,
    /// What is opened by its path, in order.
    pub files: Vec<String>,
    /// What the last of them opens by name.
    pub names: Vec<String>,
}

/// The libraries of NVIDIA's wheels.
pub struct Wheels {
    paths: Vec<String>,
}

impl Wheels {
    /// Those of all folders of packages, in their order.
    pub fn list(world: &World, framework: &Framework) -> Self {
        let mut paths = Vec::new();
        for packages in folders(framework) {
            let vendor = format!("{packages}/nvidia");
            let mut inside = world.list(&vendor).known().cloned().unwrap_or_default();
            inside.sort();
            // The wheel of cuSPARSELt 0.6 has a folder of its own.
            let libraries = inside.iter().map(|part| format!("{vendor}/{part}/lib"));
            for folder in libraries.chain([format!("{packages}/cusparselt/lib")]) {
                let names = world.list(&folder).known().cloned().unwrap_or_default();
                let is_known = |name: &&String| name.split_once(".so.").is_some_and(|(stem, _)| WHEELS.contains(&stem));
                paths.extend(names.iter().filter(is_known).map(|name| format!("{folder}/{name}")));
            }
        }
        paths.truncate(NAMES_MAX);
        Self { paths }
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The first of this name.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.paths().find(|path| base_name(path) == name)
    }

    fn beginning(&self, stem: &str) -> Option<&str> {
        self.paths().find(|path| base_name(path).split_once(".so.").is_some_and(|(found, _)| found == stem))
    }
}

fn folders(framework: &Framework) -> impl Iterator<Item = &String> {
    framework.site_packages.known().into_iter().flatten().take(FOLDERS_MAX)
}

/// Every framework of these folders that was built for CUDA.
pub fn find(world: &World, framework: &Framework, wheels: &Wheels) -> Vec<Root> {
    let mut roots: Vec<Root> = torch(world, framework, wheels).into_iter().collect();
    let packages = framework.packages.known().into_iter().flatten();
    for package in packages.filter(|package| package.cuda_build == Fact::Known(true)) {
        roots.extend(of_package(world, package));
    }
    for root in &mut roots {
        let folder = root.files.first().and_then(|file| folders(framework).find(|folder| file.starts_with(*folder)));
        root.interpreter = folder.and_then(|folder| interpreter(world, folder));
    }
    roots
}

/// PyTorch as `import torch` begins: its global dependencies; since 2.6 NVRTC and nvJitLink from the wheels, by their paths
/// (`torch/__init__.py` of 2.5.1 does not, that of 2.7.0 does); then itself, and what it opens when it is first wanted.
fn torch(world: &World, framework: &Framework, wheels: &Wheels) -> Option<Root> {
    let version = framework.torch_version.known()?;
    framework.torch_cuda.known()?;
    let is_here = |folder: &&String| world.exists(format!("{folder}/torch/version.py")) == Fact::Known(true);
    let folder = folders(framework).find(is_here)?;
    let own = |name: &str| Some(format!("{folder}/torch/lib/{name}")).filter(|path| is_file(world, path));
    let mut files: Vec<String> = own("libtorch_global_deps.so").into_iter().collect();
    if Version::parse(version).is_some_and(|version| (version.major(), version.part(1)) >= (2, 6)) {
        files.extend(["libnvrtc", "libnvJitLink"].iter().filter_map(|stem| wheels.beginning(stem)).map(str::to_owned));
    }
    let libraries = [
        "libtorch_python.so",
        "libtorch_cuda.so",
        "libtorch_cuda_linalg.so",
        "libcaffe2_nvrtc.so",
        "libtorch_nvshmem.so",
    ];
    files.extend(libraries.iter().filter_map(|name| own(name)));
    Some(Root { framework: format!("PyTorch {}", cut_word(version)), interpreter: None, files, names: Vec::new() })
}

fn of_package(world: &World, package: &Package) -> Option<Root> {
    let folder = &package.folder;
    let inside = |path: &str| Some(format!("{folder}/{path}")).filter(|path| is_file(world, path));
    let (files, names): (Vec<String>, Vec<String>) = match package.name.as_str() {
        "onnxruntime-gpu" => {
            (inside("onnxruntime/capi/libonnxruntime_providers_cuda.so").into_iter().collect(), vec![])
        }
        "tensorflow" => {
            let own = inside("tensorflow/libtensorflow_framework.so.2");
            let mut names = opened(*package.cuda_major.known()?);
            names.extend(tensorflow_cudnn(world, folder));
            (own.into_iter().collect(), names)
        }
        // By a run path of this module the libraries beside it find each other.
        "ctranslate2" => (named(world, &format!("{folder}/ctranslate2"), "_ext."), vec![]),
        name => {
            let major: u64 = name.strip_prefix("jax-cuda")?.strip_suffix("-plugin")?.parse().ok()?;
            let mut files = named(world, &format!("{folder}/jax_cuda{major}_plugin"), "");
            files.extend(inside(&format!("jax_plugins/xla_cuda{major}/xla_cuda_plugin.so")));
            let mut names = opened(major);
            // The plugin of 0.6.2 asks pip for cuDNN 9; of what older ones open nothing is said.
            let is_known =
                Version::parse(&package.version).is_some_and(|version| (version.major(), version.part(1)) >= (0, 6));
            names.extend(is_known.then(|| "libcudnn.so.9".to_owned()));
            (files, names)
        }
    };
    let framework = format!("{} {}", package.name, package.version);
    (!files.is_empty()).then_some(Root { framework, interpreter: None, files, names })
}

/// What XLA and TensorFlow open by name, and have no GPU without. The majors are those of the wheels of CUDA 12.4 and 12.6,
/// and those that the build of `cupy` 13.4 for CUDA 11 asks for; of other releases nothing is said.
fn opened(cuda: u64) -> Vec<String> {
    let names: &[&str] = match cuda {
        11 => &["libcufft.so.10", "libcusolver.so.11", "libcusparse.so.11"],
        12 => &["libcufft.so.11", "libcusolver.so.11", "libcusparse.so.12"],
        _ => &[],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The cuDNN that TensorFlow opens: `('cudnn_version', '9')` in a file that its build writes.
fn tensorflow_cudnn(world: &World, folder: &str) -> Option<String> {
    let text = world.read(format!("{folder}/tensorflow/python/platform/build_info.py"));
    let rest = text.known()?.split_once("cudnn_version")?.1;
    let digits: String = rest.chars().skip_while(|c| "'\", :".contains(*c)).take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("libcudnn.so.{digits}"))
}

/// The shared objects of a folder whose names begin like this.
fn named(world: &World, folder: &str, beginning: &str) -> Vec<String> {
    let mut names = world.list(folder).known().cloned().unwrap_or_default();
    names.retain(|name| name.starts_with(beginning) && (name.strip_suffix(".so").is_some() || name.contains(".so.")));
    names.sort();
    names.iter().take(NAMES_MAX).map(|name| format!("{folder}/{name}")).collect()
}

fn is_file(world: &World, path: &str) -> bool {
    world.exists(path) == Fact::Known(true)
}

/// The interpreter of a folder of packages, links resolved: that of its own prefix, else the first on the path. conda's has
/// a `DT_RPATH`, which counts for all that it loads.
fn interpreter(world: &World, folder: &str) -> Option<String> {
    let mut parts = folder.rsplitn(4, '/');
    let (_, python, _, prefix) = (parts.next(), parts.next(), parts.next(), parts.next());
    let own = prefix
        .into_iter()
        .flat_map(|prefix| [python.unwrap_or_default(), "python3"].map(|name| format!("{prefix}/bin/{name}")));
    let own = own.filter(|path| is_file(world, path)).find(|path| base_name(path).starts_with("python"));
    let path = own.or_else(|| ["python3", "python"].iter().find_map(|name| find_program(world, name)))?;
    world.real_path(path).known().map(|path| path.to_string_lossy().into_owned())
}
