//! The files of an image, as its layers leave them: what each name is, and where its content lies.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::blob::Blob;
use crate::world::answers::Stat;
use crate::world::within::{Last, Miss, Ways};

/// Entries of one image, all layers together, whose memory is some 200 bytes each.
const ENTRIES_MAX: usize = 1_500_000;
/// Entries that were left out and are told one by one.
const TOLD_MAX: usize = 16;

/// Where the content of a file lies.
#[derive(Debug, Clone)]
pub enum Content {
    /// There is none: a folder, a device, an empty file.
    Nothing,
    /// In a file of ours or in the archive.
    Lies(Blob),
    /// Here: a text wrote it down.
    Written(Arc<str>),
    /// It cannot be had, for this reason.
    Unkept(&'static str),
}

/// A file, folder or link.
#[derive(Debug, Clone)]
pub struct Node {
    /// What stat says; the number is that of the node.
    pub stat: Stat,
    /// Where a link leads.
    pub target: Option<PathBuf>,
    /// What it holds.
    pub content: Content,
    children: BTreeMap<OsString, Child>,
}

/// A name in a folder.
#[derive(Debug, Clone, Copy)]
struct Child {
    node: usize,
    /// The layer that named it last.
    layer: usize,
}

/// All files.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    layer: usize,
    left_out: Vec<String>,
    left_out_count: usize,
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree = Self { nodes: Vec::new(), layer: 0, left_out: Vec::new(), left_out_count: 0 };
        tree.nodes.push(folder());
        tree
    }
}

/// A folder as engines make it where no entry says how it is.
fn folder() -> Node {
    let stat = Stat {
        kind: FileType::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size_bytes: 4096,
        allocated_bytes: 4096,
        device: 1,
        inode: 1,
        device_number: (0, 0),
        modified_seconds: 0,
    };
    Node::new(stat, None, Content::Nothing)
}

impl Node {
    /// One without names below it.
    pub fn new(stat: Stat, target: Option<PathBuf>, content: Content) -> Self {
        Self { stat, target, content, children: BTreeMap::new() }
    }

    fn is_folder(&self) -> bool {
        self.stat.kind == FileType::Directory
    }
}

impl Tree {
    /// Files of which nothing is there but their texts.
    pub fn of_texts(texts: &[(String, String)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in texts {
            let path = Path::new(path);
            let stat = Stat { kind: FileType::RegularFile, size_bytes: text.len() as u64, ..folder().stat };
            let node = Node::new(stat, None, Content::Written(Arc::from(text.as_str())));
            let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { continue };
            // What has no place among the others is not there.
            let _ = tree.folder(above).and_then(|above| tree.put(above, name, node));
        }
        tree
    }

    /// A node by its path inside, no link followed; the errno where there is none.
    pub fn find(&self, path: &Path) -> Result<usize, Errno> {
        let mut at = 0;
        for name in path.components() {
            if let Component::Normal(name) = name {
                at = self.below(at, name)?;
            }
        }
        Ok(at)
    }

    fn below(&self, at: usize, name: &OsStr) -> Result<usize, Errno> {
        let node = self.nodes.get(at).ok_or(Errno::NOENT)?;
        if !node.is_folder() {
            return Err(Errno::NOTDIR);
        }
        node.children.get(name).map(|child| child.node).ok_or(Errno::NOENT)
    }

    /// One by its number.
    pub fn node(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    /// The names in a folder, sorted.
    pub fn names(&self, number: usize) -> Result<Vec<String>, Errno> {
        let node = self.nodes.get(number).ok_or(Errno::NOENT)?;
        if !node.is_folder() {
            return Err(Errno::NOTDIR);
        }
        Ok(node.children.keys().map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Entries of the layers that were left out, with the reason; the last of many says how many more there are.
    pub fn left_out(&self) -> Vec<String> {
        let mut told = self.left_out.clone();
        if self.left_out_count > told.len() {
            told.push(format!("and {} more", self.left_out_count - told.len()));
        }
        told
    }

    /// Notes an entry that is left out.
    pub fn leave_out(&mut self, path: &Path, why: &str) {
        self.left_out_count += 1;
        if self.left_out.len() < TOLD_MAX {
            self.left_out.push(format!("{}: {why}", path.display()));
        }
    }

    /// The next layer begins.
    pub fn begin_layer(&mut self) {
        self.layer += 1;
    }

    /// The folder of an entry, made where nothing made it, links in lower layers followed inside; none where that cannot be.
    pub fn folder(&mut self, path: &Path) -> Result<usize, Errno> {
        let real = match self.real(path) {
            Ok(real) => real,
            Err(Miss::Errno(Errno::NOENT)) => path.to_owned(),
            Err(_) => return Err(Errno::LOOP),
        };
        let mut at = 0;
        for name in real.components() {
            let Component::Normal(name) = name else { continue };
            at = match self.below(at, name) {
                Ok(next) if self.nodes.get(next).is_some_and(Node::is_folder) => next,
                _ => self.put(at, name, folder())?,
            };
        }
        Ok(at)
    }

    fn real(&self, path: &Path) -> Result<PathBuf, Miss> {
        let mut step = |inner: &Path| self.step(inner);
        Ways::default().to(&Path::new("/").join(path), Last::Followed, &mut step)
    }

    /// What a step of a way is.
    pub fn step(&self, inner: &Path) -> Result<Option<PathBuf>, Miss> {
        let number = self.find(inner).map_err(Miss::Errno)?;
        Ok(self.nodes.get(number).and_then(|node| node.target.clone()))
    }

    /// Puts a node under a name, in the place of what is there: of a folder that stays one the names below it stay.
    pub fn put(&mut self, folder: usize, name: &OsStr, mut node: Node) -> Result<usize, Errno> {
        let before = self.below(folder, name).ok();
        let number = self.nodes.len();
        if number >= ENTRIES_MAX {
            return Err(Errno::NOSPC);
        }
        if node.is_folder()
            && let Some(before) =
                before.and_then(|before| self.nodes.get_mut(before)).filter(|before| before.is_folder())
        {
            node.children = std::mem::take(&mut before.children);
        }
        node.stat.inode = number as u64 + 1;
        self.nodes.push(node);
        self.name(folder, name, number);
        Ok(number)
    }

    /// Gives a node that is there another name.
    pub fn name(&mut self, folder: usize, name: &OsStr, node: usize) {
        let child = Child { node, layer: self.layer };
        if let Some(folder) = self.nodes.get_mut(folder) {
            folder.children.insert(name.to_owned(), child);
        }
    }

    /// Takes away what lower layers have under a name; what this layer put there stays.
    pub fn remove(&mut self, folder: usize, name: &OsStr) {
        let layer = self.layer;
        let Some(child) = self.nodes.get(folder).and_then(|node| node.children.get(name)).copied() else { return };
        if child.layer < layer {
            if let Some(folder) = self.nodes.get_mut(folder) {
                folder.children.remove(name);
            }
        } else {
            self.remove_below(child.node);
        }
    }

    /// Takes away everything that lower layers have below a folder.
    pub fn remove_below(&mut self, folder: usize) {
        let layer = self.layer;
        let mut waiting = vec![folder];
        while let Some(folder) = waiting.pop() {
            if let Some(node) = self.nodes.get_mut(folder).filter(|node| node.is_folder()) {
                node.children.retain(|_, child| child.layer >= layer);
                waiting.extend(node.children.values().map(|child| child.node));
            }
        }
    }
}
