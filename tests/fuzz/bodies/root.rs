//! A folder that plays the root, in memory where there is such a file system.

use std::path::Path;
use std::time::Duration;

use gpu_preflight::world::World;
use tempfile::TempDir;

pub struct Root(TempDir);

impl Root {
    pub fn new() -> Self {
        let folder = if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() };
        Self(folder.expect("a folder"))
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn has(&self, path: &str) -> bool {
        self.0.path().join(path.trim_start_matches('/')).exists()
    }

    pub fn world(&self, environment: &[(&str, &str)]) -> World {
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        World::at(self.0.path(), environment, Duration::from_secs(10))
    }
}
