//! The name of an image, and what it tells of what is in it.

use crate::facts::reference::bases::{self, Base, TagForm};
use crate::facts::version::Version;
use crate::facts::{Fact, WrittenImage, cut};

/// The parts of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// What the name of a base image tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The distribution, as `PRETTY_NAME` begins.
    pub system: Option<String>,
    /// Minor release of Python.
    pub python: Option<String>,
    /// CUDA release.
    pub cuda: Option<String>,
    /// Release of PyTorch.
    pub torch: Option<String>,
    /// Product of NVIDIA's catalogue.
    pub product: Option<String>,
    /// Its release.
    pub release: Option<String>,
    /// Who a container starts as.
    pub user: Option<String>,
}

impl Reference {
    /// Takes a name apart.
    pub fn of(text: &str) -> Self {
        let (rest, digest) =
            text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest.to_owned())));
        let last = rest.rfind('/').map_or(0, |at| at + 1);
        // A colon before the last slash belongs to the port of a registry.
        let colon = rest.get(last..).and_then(|name| name.find(':')).map(|at| last + at);
        let (name, tag) = match colon {
            Some(at) => (rest.get(..at).unwrap_or(rest), rest.get(at + 1..)),
            None => (rest, None),
        };
        Self { name: name.to_owned(), tag: tag.filter(|tag| !tag.is_empty()).map(str::to_owned), digest }
    }

    /// What a report tells of it.
    pub fn told(&self, written: &str, something_compiles: Fact<bool>) -> WrittenImage {
        let floats = self.digest.is_none() && self.tag.as_deref().is_none_or(|tag| tag == "latest");
        WrittenImage {
            reference: cut(written),
            // `scratch` is no image, and nothing of it can change.
            is_floating: Fact::Known(floats && self.name != "scratch"),
            has_digest: Fact::Known(self.digest.is_some() || self.name == "scratch"),
            is_development: match self.row().map(|row| row.tag) {
                Some(TagForm::Cuda | TagForm::Pytorch) => Fact::Known(self.words().any(|word| word == "devel")),
                _ => Fact::Absent,
            },
            something_compiles,
        }
    }

    fn row(&self) -> Option<&'static Base> {
        bases::base(&self.name)
    }

    /// Whether the image names GPUs to NVIDIA's runtime by its variables; none where no table says it.
    pub fn names_gpus(&self) -> Option<bool> {
        match self.row().map(|row| row.tag) {
            Some(TagForm::Cuda | TagForm::Pytorch | TagForm::Ngc) => Some(true),
            Some(TagForm::Python | TagForm::System) => Some(false),
            None => (self.name == "scratch").then_some(false),
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.tag.as_deref().unwrap_or_default().split('-')
    }

    /// What it tells; nothing of an image that is in no row.
    pub fn known(&self) -> Known {
        if self.words().any(|word| word == "nonroot") {
            return Known { user: Some("nonroot".to_owned()), ..Known::default() };
        }
        if self.name == "scratch" {
            // Nothing is in it that could name anybody else.
            return Known { user: Some("root".to_owned()), ..Known::default() };
        }
        let Some(row) = self.row() else { return Known::default() };
        let first = self.words().next().unwrap_or_default();
        let system = self.words().find_map(bases::system);
        let minor = |text: &str| Version::parse(text).map(|version| format!("{}.{}", version.major(), version.part(1)));
        let known = match row.tag {
            TagForm::Cuda => Known { cuda: minor(first), system, ..Known::default() },
            TagForm::Pytorch => Known {
                torch: Version::parse(first).map(|_| first.to_owned()),
                cuda: self.words().find_map(|word| word.strip_prefix("cuda")).and_then(minor),
                ..Known::default()
            },
            TagForm::Python => {
                Known { python: minor(first).filter(|_| first.contains('.')), system, ..Known::default() }
            }
            TagForm::System => {
                let named = row.system.as_ref().filter(|_| Version::parse(first).is_some());
                Known { system: system.or_else(|| named.map(|name| format!("{name} {first}"))), ..Known::default() }
            }
            TagForm::Ngc => {
                let is_release = Version::parse(first).is_some() && first.contains('.');
                let release = Some(first.to_owned()).filter(|_| is_release);
                let row_of_release = bases::ngc(first);
                Known {
                    product: row.product.clone().filter(|_| is_release),
                    release,
                    cuda: row_of_release.map(|row| row.cuda.clone()),
                    system: row_of_release.and_then(|row| row.system.clone()),
                    ..Known::default()
                }
            }
        };
        Known { user: Some(row.user.clone()), ..known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_tag_behind_its_last_slash() {
        let parts = |text: &str| {
            let told = Reference::of(text).told(text, Fact::Absent);
            (told.is_floating == Fact::Known(true), told.has_digest == Fact::Known(true))
        };
        assert_eq!(parts("localhost:5000/a"), (true, false));
        assert_eq!(parts("localhost:5000/a:1"), (false, false));
        assert_eq!(
            (parts("a:latest"), parts("a@sha256:0"), parts("scratch")),
            ((true, false), (false, true), (false, true))
        );
    }

    #[test]
    fn tags_of_nvidia_and_pytorch_tell_releases() {
        let known = |text: &str| Reference::of(text).known();
        let some = |text: &str| Some(text.to_owned());
        let cuda = known("nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04");
        assert_eq!((cuda.cuda, cuda.system, cuda.user), (some("12.4"), some("Ubuntu 22.04"), some("root")));
        let torch = known("pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime");
        assert_eq!((torch.torch, torch.cuda), (some("2.5.1"), some("12.4")));
        let ngc = known("nvcr.io/nvidia/pytorch:24.05-py3");
        assert_eq!((ngc.product, ngc.release, ngc.cuda), (some("PyTorch"), some("24.05"), some("12.4")));
        let python = known("python:3.9-slim-bullseye");
        assert_eq!((python.python, python.system), (some("3.9"), some("Debian GNU/Linux 11")));
        let names = |text: &str| Reference::of(text).names_gpus();
        assert_eq!(
            (names("nvidia/cuda:12.4.1-base-ubuntu22.04"), names("python:3.12-slim")),
            (Some(true), Some(false))
        );
        assert_eq!((names("scratch"), names("example.com/python:3.12")), (Some(false), None));
        assert_eq!(known("ubuntu:20.04").system, some("Ubuntu 20.04"));
        assert_eq!(known("debian:bookworm-slim").system, some("Debian GNU/Linux 12"));
    }

    #[test]
    fn what_a_tag_does_not_tell_is_not_made_up() {
        let known = |text: &str| Reference::of(text).known();
        for text in ["example.com/ours:12.4", "a:1", "", "@", ":", "nvidia", "$X"] {
            assert_eq!(known(text), Known::default(), "{text}");
        }
        for text in ["nvidia/cuda", "nvidia/cuda:latest", "python:slim", "python:3", "nvcr.io/nvidia/pytorch:nightly"] {
            let bare = Known { user: Some("root".to_owned()), ..Known::default() };
            assert_eq!(known(text), bare, "{text}");
        }
        let user = known("gcr.io/distroless/python3-debian12:nonroot").user;
        assert_eq!(user.as_deref(), Some("nonroot"));
    }
}
