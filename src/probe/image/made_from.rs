//! What the image is made from: its Python, and a release of NVIDIA's catalogue.

use crate::facts::{Fact, GapKind, cut, cut_word};
use crate::probe::paths::{base_name, find_program};
use crate::world::World;

/// Variables with the release of an image of NVIDIA's catalogue.
const RELEASES: [&str; 5] = [
    "NVIDIA_PYTORCH_VERSION",
    "NVIDIA_TENSORFLOW_VERSION",
    "NVIDIA_TRITON_SERVER_VERSION",
    "NVIDIA_JAX_VERSION",
    "NVIDIA_TENSORRT_VERSION",
];

/// The file that `python3` on `$PATH` is a link to.
pub fn python(world: &World) -> Fact<String> {
    let Some(place) = ["python3", "python"].iter().find_map(|name| find_program(world, name)) else {
        return Fact::Absent;
    };
    world.real_path(&place).map(|path| path.to_string_lossy().into_owned())
}

/// `3.10` of `/opt/conda/bin/python3.10`.
pub fn python_version(file: &str) -> Fact<String> {
    let version = base_name(file).strip_prefix("python").filter(|rest| {
        let numbers: Vec<&str> = rest.split('.').collect();
        matches!(numbers.as_slice(), [major, minor] if [major, minor].iter().all(|part| part.parse::<u16>().is_ok()))
    });
    Fact::present(version.map(str::to_owned))
}

/// The product, by its own name.
pub fn ngc_product(world: &World) -> Fact<String> {
    let name = world.env("NVIDIA_PRODUCT_NAME").filter(|name| !name.is_empty());
    Fact::present(name.map(|name| cut_word(&name)))
}

/// Year and month of its release, as `25.04` of `25.04-tf2`.
pub fn ngc_release(world: &World) -> Fact<String> {
    let Some(value) = RELEASES.iter().find_map(|name| world.env(name)).filter(|value| !value.is_empty()) else {
        return Fact::Absent;
    };
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let release = value.get(..5).filter(|text| text.split_once('.').is_some_and(|(a, b)| digits(a) && digits(b)));
    match release {
        Some(release) => Fact::Known(release.to_owned()),
        None => Fact::unknown(GapKind::Malformed, cut(&format!("no release such as 25.04: {value}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn the_python_is_the_file_behind_the_links() {
        let root = FakeRoot::of(&[], &[("PATH", "/opt/venv/bin:/usr/bin")]);
        root.program("usr/local/bin/python3.10").folder("opt/venv/bin");
        assert_eq!(python(&root), Fact::Absent);
        root.link("opt/venv/bin/python3", "../../../usr/local/bin/python3.10");
        assert_eq!(python(&root), Fact::Known("/usr/local/bin/python3.10".to_owned()));
        for (file, version) in
            [("/a/python3.10", Some("3.10")), ("/a/python3", None), ("/a/python3.10t", None), ("/a/pypy3.9", None)]
        {
            assert_eq!(python_version(file), Fact::present(version.map(str::to_owned)), "{file}");
        }
    }

    #[test]
    fn a_release_of_the_catalogue_is_a_year_and_a_month() {
        let release = |value: &str| ngc_release(&FakeRoot::of(&[], &[("NVIDIA_TENSORFLOW_VERSION", value)]));
        assert_eq!(release("25.02-tf2"), Fact::Known("25.02".to_owned()));
        assert!(
            release("latest").is_unknown() && release("2.1").is_unknown() && release("\u{e9}\u{e9}\u{e9}").is_unknown()
        );
        assert_eq!(release(""), Fact::Absent);
        let root = FakeRoot::of(&[], &[("NVIDIA_PRODUCT_NAME", "PyTorch")]);
        assert_eq!((ngc_product(&root), ngc_release(&root)), (Fact::Known("PyTorch".to_owned()), Fact::Absent));
    }
}
