//! The NVIDIA driver as files show it: device nodes, `/proc/driver/nvidia`, mounts.
//!
//! No library is loaded here, so it is quick and cannot hang in one. A node
//! that is there but cannot be opened tells by its errno who refused: `EPERM`
//! is the device cgroup, `EACCES` the permission bits, `ENXIO` and `ENODEV` a
//! number that no driver answers to. [`kernel`] reads which GPUs the kernel driver lists.

mod kernel;

use rustix::fs::FileType;

use super::paths::{base_name, below};
use super::procfs::mounts::Mounts;
use crate::facts::{DeviceNode, Driver, Fact, GapKind, cut};
use crate::world::World;

/// Nodes of the driver that are looked at, so that an odd folder cannot take long; more of them are a gap.
const NODE_LIMIT: usize = 1024;

/// Reads the driver's files.
pub fn collect(world: &World) -> Driver {
    let control = Node::look(world, "/dev/nvidiactl");
    let uvm = Node::look(world, "/dev/nvidia-uvm");
    let nodes = nodes(world);
    let gpus = nodes.as_ref().map(|nodes| nodes.iter().filter(|node| is_gpu(&node.path)).cloned().collect::<Vec<_>>());
    let version = world.read("/proc/driver/nvidia/version");
    let mps_folder = mps_folder(world);
    let majors = world.read("/proc/devices");
    let uvm_major = major_of(&majors, &["nvidia-uvm"]);
    let gpu_major = major_of(&majors, &["nvidia", "nvidia-frontend", "nvidiactl"]);
    Driver {
        mps_control_present: mps_folder.as_ref().and_then(|folder| world.exists(format!("{folder}/control"))),
        mps_folder: mps_folder.map(|folder| cut(&folder)),
        control_node_present: control.present,
        control_node_openable: control.openable,
        control_node_errno: control.errno,
        uvm_major_current: major_current(&uvm.major, &uvm_major),
        uvm_major,
        gpu_major,
        uvm_node_present: uvm.present,
        uvm_node_openable: uvm.openable,
        uvm_node_errno: uvm.errno,
        gpu_node_count: gpus.as_ref().map(|gpus| count(gpus.len())),
        gpu_node_openable_count: gpus.map(|gpus| count(gpus.iter().filter(|node| node.errno.is_absent()).count())),
        nodes,
        kernel_version: version.clone().and_then(|text| kernel_version(&text)),
        kernel_open: version.map(|text| text.contains("Open Kernel Module")),
        kernel_gpu_count: world.list(kernel::FOLDER).map(|names| count(names.len())),
        kernel_gpus: kernel::gpus(world),
        injected: Mounts::read(world).map(|mounts| mounts.iter().any(|mount| is_drivers(&mount.point))),
        // Derived from these.
        uvm_node_major: Fact::default(),
        control_node_dead: Fact::default(),
        gpu_node_refused_count: Fact::default(),
        gpu_node_dead_count: Fact::default(),
        dead_nodes: Fact::default(),
        other_platform_node: Fact::default(),
        open_module_needed: Fact::default(),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// One node that the driver cannot do without.
struct Node {
    present: Fact<bool>,
    openable: Fact<bool>,
    errno: Fact<String>,
    major: Fact<u32>,
}

impl Node {
    fn look(world: &World, path: &str) -> Self {
        let present = world.exists(path);
        if present != Fact::Known(true) {
            let nothing = present.clone().and_then(|_| Fact::Absent);
            return Self { present, openable: nothing, errno: Fact::Absent, major: Fact::Absent };
        }
        let node = device_node(world, path);
        let openable = match &node.errno {
            Fact::Absent => Fact::Known(true),
            Fact::Known(_) => Fact::Known(false),
            Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        };
        Self { present, openable, errno: node.errno, major: node.major }
    }
}

fn nodes(world: &World) -> Fact<Vec<DeviceNode>> {
    world.list("/dev").and_then(|names| {
        let mut paths: Vec<String> = Vec::new();
        for name in names.iter().filter(|name| is_grant(name)) {
            let path = format!("/dev/{name}");
            match world.stat(&path).known().map(|stat| stat.kind) {
                Some(FileType::Directory) => {
                    let inner = world.list(&path).known().cloned().unwrap_or_default();
                    paths.extend(inner.iter().map(|name| format!("{path}/{name}")));
                }
                _ => paths.push(path),
            }
        }
        if paths.len() > NODE_LIMIT {
            let detail = format!("{} nodes of the driver under /dev, more than are looked at", paths.len());
            return Fact::unknown(GapKind::NotSupported, detail);
        }
        Fact::Known(paths.iter().map(|path| device_node(world, path)).collect())
    })
}

fn device_node(world: &World, path: &str) -> DeviceNode {
    let stat = world.stat(path);
    let device = stat.and_then(|stat| match stat.kind {
        FileType::CharacterDevice => Fact::Known(stat.device_number),
        _ => Fact::unknown(GapKind::Malformed, format!("{path} is no character device")),
    });
    let errno = match &device {
        // Opening whatever else bears the name would say nothing about a driver, and a FIFO might wait.
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        Fact::Known(_) => world.open_device_errno(path),
        Fact::Absent => Fact::Known("ENOENT".to_owned()),
    };
    DeviceNode {
        path: cut(path),
        major: device.clone().map(|(major, _)| major),
        minor: device.map(|(_, minor)| minor),
        errno,
    }
}

/// Names under `/dev` by which a GPU is given: NVIDIA's, WSL's, and those of Tegra.
fn is_grant(name: &str) -> bool {
    name.starts_with("nvidia") || matches!(name, "dxg" | "nvmap" | "nvgpu" | "nvhost-gpu" | "nvhost-ctrl-gpu")
}

/// `/dev/nvidia0`, not `/dev/nvidiactl`.
fn is_gpu(path: &str) -> bool {
    let number = path.strip_prefix("/dev/nvidia").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that the kernel lists for a driver of character devices, by the first of its names that is there.
fn major_of(devices: &Fact<String>, names: &[&str]) -> Fact<u32> {
    devices.as_ref().and_then(|text| {
        let listed = text.lines().filter_map(|line| line.trim().split_once(' '));
        let found = names.iter().find_map(|name| listed.clone().find(|(_, listed)| listed.trim() == *name));
        Fact::present(found.and_then(|(number, _)| number.parse().ok()))
    })
}

/// After a reboot the module may get another major; a node made before is stale then.
fn major_current(node: &Fact<u32>, listed: &Fact<u32>) -> Fact<bool> {
    node.as_ref().and_then(|node| listed.as_ref().map(|listed| node == listed))
}

/// Where a client of MPS looks for its daemon. CUDA looks there whether or not the variable is set.
fn mps_folder(world: &World) -> Fact<String> {
    const USUAL: &str = "/tmp/nvidia-mps";
    match world.env("CUDA_MPS_PIPE_DIRECTORY").filter(|folder| !folder.is_empty()) {
        Some(folder) => Fact::Known(folder),
        None => world.exists(USUAL).and_then(|there| Fact::present(there.then(|| USUAL.to_owned()))),
    }
}

/// The first dotted number of the line that names the module.
fn kernel_version(text: &str) -> Fact<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version:")).unwrap_or_default();
    let dotted = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        (2..=4).contains(&parts.len())
            && parts.iter().all(|part| !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit()))
    };
    match line.split_whitespace().find(dotted) {
        Some(version) => Fact::Known(version.to_owned()),
        None => Fact::unknown(GapKind::Malformed, "/proc/driver/nvidia/version: no version in it"),
    }
}

/// Whether what is mounted there is a driver library, program or node.
fn is_drivers(place: &str) -> bool {
    let name = base_name(place);
    let is_folder = below(place, "/usr/local/nvidia").is_some();
    is_folder || name.starts_with("libcuda.so") || name.starts_with("libnvidia-") || name.starts_with("nvidia")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    #[test]
    fn a_machine_with_a_driver_is_read_whole() {
        let root = FakeRoot::new();
        // /dev/null is a character device that opens everywhere, major 1.
        for name in ["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia-caps/nvidia-cap1"] {
            root.link(&format!("dev/{name}"), "/dev/null");
        }
        root.file(
            "proc/devices",
            "Character devices:\n  1 mem\n  1 nvidia-uvm\n195 nvidia-frontend\n\nBlock devices:\n  8 sd\n",
        );
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (root)\n";
        root.file("proc/driver/nvidia/version", version);
        root.file("proc/driver/nvidia/gpus/0000:01:00.0/information", "");
        let mount = "36 35 98:0 /x /usr/lib/libcuda.so.580.65.06 ro - ext4 /dev/root rw\n";
        root.file("proc/self/mountinfo", mount);
        let driver = collect(&root);
        assert_eq!(driver.control_node_openable, Fact::Known(true));
        assert_eq!(driver.control_node_errno, Fact::Absent);
        assert_eq!(driver.uvm_major_current, Fact::Known(true));
        assert_eq!((driver.gpu_node_count, driver.gpu_node_openable_count), (Fact::Known(2), Fact::Known(2)));
        assert_eq!(driver.kernel_version, Fact::Known("580.65.06".to_owned()));
        assert_eq!(driver.kernel_open, Fact::Known(true));
        assert_eq!(driver.kernel_gpu_count, Fact::Known(1));
        assert_eq!((driver.uvm_major, driver.gpu_major), (Fact::Known(1), Fact::Known(195)));
        assert_eq!(driver.injected, Fact::Known(true));
        assert_eq!(driver.nodes.known().map(Vec::len), Some(5));
    }

    #[test]
    fn a_machine_without_one_has_absences_and_no_gaps() {
        let root = FakeRoot::new();
        root.file("dev/null", "");
        root.file("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
        let driver = collect(&root);
        assert_eq!(driver.control_node_present, Fact::Known(false));
        assert_eq!(driver.control_node_openable, Fact::Absent);
        assert_eq!(driver.uvm_major_current, Fact::Absent);
        assert_eq!(driver.gpu_node_count, Fact::Known(0));
        assert_eq!(driver.kernel_version, Fact::Absent);
        assert_eq!(driver.injected, Fact::Known(false));
    }

    #[test]
    fn a_stale_major_number_is_seen() {
        let root = FakeRoot::new();
        root.link("dev/nvidia-uvm", "/dev/null");
        root.file("proc/devices", "Character devices:\n510 nvidia-uvm\n");
        assert_eq!(collect(&root).uvm_major_current, Fact::Known(false));
    }

    #[test]
    fn nodes_of_other_platforms_are_listed() {
        let root = FakeRoot::new();
        for name in ["dxg", "nvmap", "nvgpu/igpu0/ctrl", "null"] {
            root.link(&format!("dev/{name}"), "/dev/null");
        }
        let nodes = collect(&root).nodes;
        let paths: Vec<_> = nodes.known().expect("nodes").iter().map(|node| node.path.as_str()).collect();
        assert_eq!(paths, ["/dev/dxg", "/dev/nvgpu/igpu0", "/dev/nvmap"]);
    }

    #[test]
    fn garbage_is_a_gap() {
        let root = FakeRoot::new();
        root.file("dev/nvidiactl", "a plain file");
        root.folder("dev/nvidia0");
        root.file("proc/driver/nvidia/version", "no such thing 1.x.3\n");
        root.folder("proc/devices");
        root.link("dev/nvidia-uvm", "/dev/null");
        let driver = collect(&root);
        assert_eq!(driver.control_node_present, Fact::Known(true));
        assert!(driver.control_node_openable.is_unknown());
        assert!(driver.kernel_version.is_unknown());
        assert!(driver.uvm_major_current.is_unknown(), "a folder is no list of devices");
    }

    #[test]
    fn both_kinds_of_module_name_their_version() {
        let closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023";
        assert_eq!(kernel_version(closed), Fact::Known("535.104.05".to_owned()));
        assert!(kernel_version("").is_unknown());
    }
}
