//! What a line of `pip install` brings, and from where.

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
        ("UV_TORCH_BACKEND=cu126 uv pip install torch==2.7.0".to_owned(), Some("2.7.0"), cuda("12.6")),
        (
            format!("sudo -H env A=1 python3 -u -m pip --no-cache-dir install torch --index-url {index}/cpu"),
            None,
            BuiltFor::Cpu,
        ),
        ("uv pip install --torch-backend=cpu torch==2.7.0".to_owned(), Some("2.7.0"), BuiltFor::Cpu),
        ("uv pip install --torch-backend auto torch==2.7.0".to_owned(), Some("2.7.0"), BuiltFor::Unsaid),
        ("pip install -i https://mirror/simple torch==2.7.0".to_owned(), Some("2.7.0"), BuiltFor::Unsaid),
        ("pip install --index-url $INDEX torch==2.7.0".to_owned(), Some("2.7.0"), BuiltFor::Elsewhere),
        (format!("PIP_INDEX_URL={index}/cu121 pip install torch"), None, cuda("12.1")),
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
    assert_eq!(read("pip uninstall -y torch").all.iter().map(|one| one.over).collect::<Vec<_>>(), [Over::Removes]);
}

#[test]
fn what_compiles_is_seen() {
    for line in
        ["make -j", "nvcc a.cu", "pip install flash-attn", "pip install git+https://x/y", "python setup.py install"]
    {
        assert!(read(line).compiles, "{line}");
    }
    for line in ["./x.sh", "bash x.sh", "sh", "python3 x.py", "pip wheel .", "python -m build", "go build", "rustc x"] {
        assert!(read(line).is_opaque, "{line}");
    }
    assert!(!read("pip install x").is_opaque && !read("apt-get update").is_opaque);
    assert!(!read("pip install https://x/y.whl").compiles && !read("pip install onnxruntime-gpu").compiles);
}
