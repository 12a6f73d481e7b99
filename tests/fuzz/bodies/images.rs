//! Images that do not run: a layer of one, and its configuration.

use std::time::Duration;

use gpu_preflight::facts::Fact;
use gpu_preflight::probe::image_config::{self, Given};
use gpu_preflight::world::{World, archive};

use super::root::Root;

/// Folders of the image that are gone into.
const FOLDERS: usize = 200;

/// A layer, compressed or not. A byte before it says whether the sums of its headers are put right, which a change would
/// break.
pub fn layer(bytes: &[u8], root: &Root) {
    let Some((whole, rest)) = bytes.split_first() else { return };
    let mut layer = rest.to_vec();
    if whole % 4 != 0 {
        layer.chunks_exact_mut(512).filter(|block| block[257..].starts_with(b"ustar")).for_each(put_right);
    }
    root.write("/manifest.json", br#"[{"Config": "config.json", "Layers": ["layer", "layer"]}]"#);
    root.write("/config.json", b"{}");
    root.write("/layer", &layer);
    let Ok(tree) = archive::find(root.path()).and_then(|found| found.tree()) else { return };
    let world = World::archived(tree, Duration::from_secs(10));
    let mut waiting = vec!["/".to_owned()];
    for _ in 0..FOLDERS {
        let Some(folder) = waiting.pop() else { break };
        let Fact::Known(names) = world.list(&folder) else { continue };
        for name in names.iter().take(FOLDERS) {
            let path = format!("{folder}/{name}");
            let _ = (world.read(&path), world.real_path(&path), world.link(&path), world.stat(&path));
            waiting.push(path);
        }
    }
    let _ = world.left_out_entries();
}

fn put_right(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// The configuration of an image.
pub fn configuration(bytes: &[u8], root: &Root) {
    let Ok(given) = Given::read(&String::from_utf8_lossy(bytes)) else { return };
    root.write("/etc/passwd", b"root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
    let world = given.applied(root.world(&[]));
    let _ = (image_config::collect(&world, Some(&given)), given.foreign_machine());
}
