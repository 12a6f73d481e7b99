//! An image in an archive: the layers of an OCI layout or of `docker save`, read in their order and unpacked nowhere.
//!
//! [`headers`] reads the headers of an archive one after the other, [`layer`] applies what they say to the [`tree`] of the
//! image, whiteouts included, and notes where the content of each file lies. In a layer that is not compressed it lies where
//! the archive has it, and is read from there. A compressed one gives no place to read from, so what a probe may ask for is
//! kept in a file without a name ([`spool`]): every file of at most [`layer::KEPT_MAX`] bytes, and programs and libraries of
//! any size; of the others name, size and owner are known, and their content is a gap. Nothing of an archive is written
//! under a name, followed out of it or run. Every bound that is reached ends the reading and is the reason of the gap.

mod blob;
mod headers;
mod layer;
mod spool;
mod tree;

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

pub use blob::Blob;
use headers::walk;
pub use tree::{Content, Tree};

/// Files of an archive that are listed at most: an image has a few hundred.
const BLOBS_MAX: usize = 100_000;
/// Bytes of an index, a manifest or a configuration.
const TEXT_MAX: u64 = 2 << 20;
/// Layers at most; docker makes 127.
const LAYERS_MAX: usize = 1024;
/// Indexes that point to indexes.
const DEPTH_MAX: usize = 4;

/// An image that was found in an archive, of which no layer was read yet.
#[derive(Debug)]
pub struct Found {
    /// Its configuration, as JSON.
    pub config: String,
    layers: Vec<Blob>,
}

impl Found {
    /// Reads the layers.
    pub fn tree(&self) -> Result<Tree, String> {
        let mut tree = Tree::default();
        for (number, blob) in self.layers.iter().enumerate() {
            layer::apply(&mut tree, blob).map_err(|why| format!("layer {}: {why}", number + 1))?;
        }
        Ok(tree)
    }
}

/// Finds the image in a layout folder, or in an archive of one or of `docker save`.
pub fn find(path: &Path) -> Result<Found, String> {
    let files = if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
        Files::Folder(path.to_owned())
    } else {
        let archive = Blob::open(path).map_err(|error| error.to_string())?;
        let mut first = [0; 4];
        if archive.read_exact_at(&mut first, 0).is_ok() && layer::is_compressed(first) {
            return Err("is compressed as a whole, so no place in it can be gone to; uncompress it first".to_owned());
        }
        Files::Archive(listed(&archive)?)
    };
    match files.get("manifest.json") {
        Some(manifest) => docker(&files, &json(&manifest)?),
        None => match files.get("index.json") {
            Some(index) => layout(&files, json(&index)?),
            None => {
                Err("is neither an OCI layout nor made by `docker save`: it has no index.json and no manifest.json"
                    .to_owned())
            }
        },
    }
}

/// The files of an archive or of a layout folder.
enum Files {
    Folder(PathBuf),
    Archive(HashMap<PathBuf, Listed>),
}

enum Listed {
    File(Blob),
    /// `docker save` once wrote a layer that two images share as a link.
    Link(PathBuf),
}

impl Files {
    /// A file by its path in the archive; none where the path leads out of it.
    fn get(&self, path: &str) -> Option<Blob> {
        let path = inner(Path::new(path))?;
        match self {
            Self::Folder(folder) => Blob::open_below(folder, &path),
            Self::Archive(files) => match files.get(&path)? {
                Listed::File(blob) => Some(blob.clone()),
                Listed::Link(target) => match files.get(target)? {
                    Listed::File(blob) => Some(blob.clone()),
                    Listed::Link(_) => None,
                },
            },
        }
    }

    fn blob(&self, descriptor: &Value) -> Result<Blob, String> {
        let digest = descriptor.get("digest").and_then(Value::as_str).unwrap_or_default();
        let is_plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "+_-".contains(c));
        match digest.split_once(':') {
            Some((algorithm, hash)) if is_plain(algorithm) && is_plain(hash) => {
                self.get(&format!("blobs/{algorithm}/{hash}")).ok_or_else(|| format!("{digest} is not in it"))
            }
            _ => Err("a digest is none".to_owned()),
        }
    }
}

/// A path inside without `.` and `..`; none where it leads out.
fn inner(path: &Path) -> Option<PathBuf> {
    let mut done = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => done.push(name),
            Component::ParentDir => {
                if !done.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Some(done)
}

fn listed(archive: &Blob) -> Result<HashMap<PathBuf, Listed>, String> {
    let mut files = HashMap::new();
    walk(&mut archive.reader(), &mut |entry, at, _| {
        if files.len() >= BLOBS_MAX {
            return Err(format!("has more than {BLOBS_MAX} files"));
        }
        let Some(path) = inner(&entry.path) else { return Ok(0) };
        if entry.kind.is_file() && !entry.is_sparse {
            let blob = archive.part(at, entry.size).ok_or("ends in the middle of a file")?;
            files.insert(path, Listed::File(blob));
        } else if entry.kind.is_symlink() {
            let folder = path.parent().unwrap_or(Path::new(""));
            if let Some(target) = inner(&folder.join(&entry.link)) {
                files.insert(path, Listed::Link(target));
            }
        }
        Ok(0)
    })?;
    Ok(files)
}

fn json(blob: &Blob) -> Result<Value, String> {
    serde_json::from_str(&blob.text(TEXT_MAX)?).map_err(|error| format!("no JSON: {error}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What `docker save` writes: a list of images, each with the paths of its configuration and layers.
fn docker(files: &Files, manifest: &Value) -> Result<Found, String> {
    let image = match manifest.as_array().map(Vec::as_slice) {
        Some([image]) => image,
        Some(images) => return Err(format!("holds {} images; save the one that is judged", images.len())),
        None => return Err("manifest.json is no list".to_owned()),
    };
    let file = |value: &Value| {
        let path = value.as_str().unwrap_or_default();
        files.get(path).ok_or_else(|| format!("{path:?} is not in it"))
    };
    let config = file(image.get("Config").unwrap_or(&Value::Null))?.text(TEXT_MAX)?;
    let layers = list(image, "Layers");
    if layers.len() > LAYERS_MAX {
        return Err(format!("has {} layers", layers.len()));
    }
    Ok(Found { config, layers: layers.iter().map(file).collect::<Result<_, _>>()? })
}

/// An OCI layout: an index of manifests, or of indexes with one manifest for each machine type.
fn layout(files: &Files, mut value: Value) -> Result<Found, String> {
    for _ in 0..DEPTH_MAX {
        if value.get("layers").is_some() {
            let config = files.blob(value.get("config").unwrap_or(&Value::Null))?.text(TEXT_MAX)?;
            let layers = list(&value, "layers");
            if layers.len() > LAYERS_MAX {
                return Err(format!("has {} layers", layers.len()));
            }
            return Ok(Found { config, layers: layers.iter().map(|one| files.blob(one)).collect::<Result<_, _>>()? });
        }
        let manifests = list(&value, "manifests");
        let own: Vec<&Value> = manifests.iter().filter(|one| is_ours(one)).collect();
        value = match (manifests, own.as_slice()) {
            (_, [one]) => json(&files.blob(one)?)?,
            ([], _) => return Err("names no image".to_owned()),
            (_, []) => return Err("has no image for this machine type".to_owned()),
            (_, several) => return Err(format!("holds {} images; copy the one that is judged", several.len())),
        };
    }
    Err("has indexes in indexes, more than are followed".to_owned())
}

/// Whether an image is for a machine like ours; one that does not say is, and an attestation is no image.
fn is_ours(manifest: &Value) -> bool {
    let machine = manifest.get("platform").and_then(|platform| platform.get("architecture")).and_then(Value::as_str);
    let own = if std::env::consts::ARCH == "x86_64" { "amd64" } else { "arm64" };
    machine.is_none_or(|machine| machine == own)
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
