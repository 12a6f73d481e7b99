//! Packages as `pip` and `conda` leave them.

use super::*;
use crate::world::FakeRoot;

const SITE: &str = "/opt/venv/lib/python3.12/site-packages";

/// Name, whether it is a CUDA build, and the major.
fn told(files: &[(&str, &str)]) -> Vec<(String, Fact<bool>, Fact<u64>)> {
    let world = FakeRoot::new();
    for (path, text) in files {
        world.file(&format!("{SITE}/{path}"), text);
    }
    let found = find(&world, &[SITE.to_owned()]).known().cloned().expect("a list");
    found.into_iter().map(|package| (package.name, package.cuda_build, package.cuda_major)).collect()
}

#[test]
fn of_more_libraries_than_are_looked_into_none_is_said_to_have_gpu_code() {
    let of = |count: usize| {
        let mut files = vec![("llama_cpp_python-0.3.0.dist-info/METADATA".to_owned(), String::new())];
        files.extend((0..count).map(|number| (format!("llama_cpp/lib/libggml-{number}.so"), "no library".to_owned())));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        told(&files).remove(0).1
    };
    assert_eq!(of(FILES_MAX), Fact::Known(false));
    assert!(of(FILES_MAX + 1).is_unknown());
}

fn info(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| (format!("{name}.dist-info/METADATA"), String::new())).collect()
}

fn of(names: &[&str], files: &[(&str, &str)]) -> (Fact<bool>, Fact<u64>) {
    let infos = info(names);
    let mut all: Vec<(&str, &str)> = infos.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    all.extend(files);
    let told = told(&all);
    let wanted = names[0].rsplit_once('-').expect("a version").0.replace('_', "-");
    let found = told.into_iter().find(|(name, ..)| *name == wanted).unwrap_or_else(|| panic!("{wanted}"));
    (found.1, found.2)
}

fn cuda(major: u64) -> (Fact<bool>, Fact<u64>) {
    (Fact::Known(true), Fact::Known(major))
}

const CPU: (Fact<bool>, Fact<u64>) = (Fact::Known(false), Fact::Absent);
const NOTHING: (Fact<bool>, Fact<u64>) = (Fact::Absent, Fact::Absent);

#[test]
fn names_and_versions_tell() {
    assert_eq!(of(&["cupy_cuda12x-13.6.0"], &[]), cuda(12));
    assert_eq!(of(&["cupy_cuda113-10.0.0"], &[]), cuda(11));
    assert_eq!(of(&["jaxlib-0.4.30+cuda12.cudnn89"], &[]), cuda(12));
    assert_eq!(of(&["jaxlib-0.7.0"], &[]), CPU);
    assert_eq!(of(&["jaxlib-0.7.0", "jax_cuda13_plugin-0.7.0"], &[]), cuda(13));
    assert_eq!(of(&["vllm-0.9.1+cu126"], &[]), cuda(12));
    assert_eq!(of(&["vllm-0.9.1+cpu"], &[]), CPU);
    assert_eq!(of(&["vllm-0.9.1"], &[]), NOTHING);
    assert_eq!(told(&[("numpy-1.0.dist-info/METADATA", "")]), []);
}

#[test]
fn of_two_onnxruntimes_the_one_whose_files_are_here_counts() {
    let both = ["onnxruntime_gpu-1.20.0", "onnxruntime-1.20.0"];
    let provider = ("onnxruntime/capi/libonnxruntime_providers_cuda.so", "");
    let cpu = ("onnxruntime/capi/build_and_package_info.py", "package_name = 'onnxruntime'\n");
    let gpu =
        ("onnxruntime/capi/build_and_package_info.py", "package_name = 'onnxruntime-gpu'\ncuda_version = '12.4'\n");
    assert_eq!(of(&both, &[provider, cpu]), CPU);
    assert_eq!(of(&both, &[provider, gpu]), cuda(12));
    assert_eq!(of(&both[1..], &[cpu]), CPU);
}

#[test]
fn tensorflow_says_it_in_a_file_of_its_build() {
    let path = "tensorflow/python/platform/build_info.py";
    let new = "build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('is_cuda_build', True)])";
    let old = "build_info = {\"cuda_version\": \"11.2\", \"is_cuda_build\": False}";
    assert_eq!(of(&["tensorflow-2.19.0"], &[(path, new)]), cuda(12));
    assert_eq!(of(&["tensorflow_cpu-2.19.0"], &[(path, old)]).0, Fact::Known(false));
    assert!(of(&["tensorflow-2.19.0"], &[(path, "garbage")]).0.is_unknown());
    assert_eq!(of(&["tensorflow-2.19.0"], &[]), NOTHING);
}

#[test]
fn libraries_tell_where_nothing_else_does() {
    let cuda_part = [("llama_cpp/lib/libllama.so", ""), ("llama_cpp/lib/libggml-cuda.so", "")];
    assert_eq!(of(&["llama_cpp_python-0.3.9"], &cuda_part), (Fact::Known(true), Fact::Absent));
    assert_eq!(of(&["llama_cpp_python-0.3.9"], &cuda_part[..1]), CPU);
    assert_eq!(of(&["llama_cpp_python-0.3.9"], &[]), NOTHING);
    assert_eq!(of(&["ctranslate2-4.6.0"], &[("ctranslate2.libs/libctranslate2-d3638643.so.4.6.0", "")]), CPU);
}
