//! What the device nodes of a container are worth: refused, dead, or with a GPU behind them.
//!
//! A node that is refused (EPERM, EACCES) opens for somebody else. A dead one opens for nobody, or is the node of another
//! device: no driver has its number, or no GPU of the driver does. One that gives EIO is neither: its GPU is there and the
//! kernel driver could not start it.

use crate::facts::reference::gpus;
use crate::facts::version::Version;
use crate::facts::{DeviceNode, Driver, Fact, KernelGpu};

/// The first PCI device id of a Blackwell GPU. NVIDIA gives ids in the order of generations: in the table "Compatible GPUs" of
/// the open kernel modules' README (595.45.04) the last of Ada is 0x28f8, and all from 0x2901 (B200) to 0x31c2 (GB300) are
/// Blackwell.
const BLACKWELL_ID: u32 = 0x2901;
/// Those of Grace Hopper (GH200) in the same table. NVIDIA asks for the open module on these two families ("NVIDIA Transitions
/// Fully Towards Open-Source GPU Kernel Modules", July 2024), and leaves the choice on all others since Turing.
const GRACE_HOPPER_IDS: [u32; 2] = [0x2342, 0x2348];

/// Fills what follows from the nodes, the numbers of the drivers, and the kernel driver's own list.
pub fn derive(driver: &mut Driver) {
    let nodes = driver.nodes.as_ref();
    let count = |wanted: &dyn Fn(&DeviceNode) -> bool| {
        nodes.clone().map(|nodes| nodes.iter().filter(|node| wanted(node)).count() as u64)
    };
    let at = |path: &str| nodes.clone().and_then(|all| Fact::present(all.iter().find(|node| node.path == path)));
    let refused = count(&is_refused);
    let dead = count(&|node| is_gpu(node) && death(node, driver).is_some());
    let no_input = |node: &DeviceNode| node.errno.known().is_some_and(|errno| errno == "EIO");
    let control_dead = at("/dev/nvidiactl").map(|node| no_input(node) || death(node, driver).is_some());
    let words = nodes.clone().map(|all| all.iter().filter_map(|node| death(node, driver)).collect());
    let uvm_node_major = at("/dev/nvidia-uvm").and_then(|node| node.major.clone());
    let is_other = |node: &&DeviceNode| !node.path.starts_with("/dev/nvidia");
    let other = nodes.clone().and_then(|all| Fact::present(all.iter().find(is_other).map(|node| node.path.clone())));
    let open_module_needed = driver.kernel_gpus.as_ref().map(|gpus| gpus.iter().any(needs_open_module));
    driver.open_module_needed = open_module_needed;
    driver.control_node_dead = control_dead;
    driver.gpu_node_refused_count = refused;
    driver.gpu_node_dead_count = dead;
    driver.dead_nodes = words;
    driver.uvm_node_major = uvm_node_major;
    driver.other_platform_node = other;
}

/// `/dev/nvidia0`, not `/dev/nvidiactl`.
fn is_gpu(node: &DeviceNode) -> bool {
    node.path
        .strip_prefix("/dev/nvidia")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn is_refused(node: &DeviceNode) -> bool {
    is_gpu(node) && node.errno.known().is_some_and(|errno| matches!(errno.as_str(), "EPERM" | "EACCES"))
}

/// How it shows that nothing stands behind the node of a GPU or of the driver; `None` where something may.
fn death(node: &DeviceNode, driver: &Driver) -> Option<String> {
    if !is_gpu(node) && node.path != "/dev/nvidiactl" {
        return None;
    }
    let (major, minor) = (*node.major.known()?, *node.minor.known()?);
    let listed = driver.gpu_major.known().filter(|listed| **listed != major);
    let errno = node.errno.known().filter(|errno| matches!(errno.as_str(), "ENXIO" | "ENODEV"));
    let minors = || {
        let minors = driver.kernel_gpus.known()?.iter().map(|gpu| gpu.minor.known().copied());
        let minors: Vec<u32> = minors.collect::<Option<_>>()?;
        (is_gpu(node) && !minors.contains(&minor)).then_some(minors)
    };
    let why = match (listed, errno) {
        (Some(listed), _) => format!("the driver has major {listed}"),
        (None, None) => return None,
        (None, Some(errno)) => match minors() {
            Some(minors) => {
                let minors: Vec<String> = minors.iter().map(u32::to_string).collect();
                format!("{errno}, and the driver's GPUs have minor {}", minors.join(", "))
            }
            None => errno.clone(),
        },
    };
    Some(format!("{} is {major},{minor} ({why})", node.path))
}

/// By its PCI device id, else by its model's compute capability.
fn needs_open_module(gpu: &KernelGpu) -> bool {
    let id = gpu.pci_device.known().and_then(|id| u32::from_str_radix(id.strip_prefix("0x")?, 16).ok());
    let capability = || {
        let model = gpus::gpu(gpu.model.known()?)?;
        Version::parse(&model.cc).map(|version| version.major())
    };
    id.map_or_else(
        || capability().is_some_and(|major| major >= 10),
        |id| id >= BLACKWELL_ID || GRACE_HOPPER_IDS.contains(&id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(path: &str, numbers: (u32, u32), errno: &str) -> DeviceNode {
        DeviceNode {
            path: path.to_owned(),
            major: Fact::Known(numbers.0),
            minor: Fact::Known(numbers.1),
            errno: Fact::present((!errno.is_empty()).then(|| errno.to_owned())),
        }
    }

    fn derived(nodes: Vec<DeviceNode>, change: impl FnOnce(&mut Driver)) -> Driver {
        let mut driver = Driver { nodes: Fact::Known(nodes), gpu_major: Fact::Known(195), ..Driver::default() };
        change(&mut driver);
        derive(&mut driver);
        driver
    }

    #[test]
    fn what_is_refused_is_not_dead_and_what_is_dead_is_not_refused() {
        let nodes = vec![
            node("/dev/nvidia0", (195, 0), "EPERM"),
            node("/dev/nvidia1", (195, 1), "EACCES"),
            node("/dev/nvidia2", (195, 2), "ENODEV"),
            node("/dev/nvidia3", (195, 3), "ENXIO"),
            node("/dev/nvidia4", (195, 4), "EIO"),
            node("/dev/nvidia5", (195, 5), ""),
            node("/dev/nvidia6", (1, 3), ""),
            node("/dev/nvidia-caps/nvidia-cap1", (241, 1), "ENODEV"),
            node("/dev/nvidiactl", (195, 255), ""),
        ];
        let driver = derived(nodes, |_| {});
        assert_eq!((driver.gpu_node_refused_count, driver.gpu_node_dead_count), (Fact::Known(2), Fact::Known(3)));
        assert_eq!(driver.control_node_dead, Fact::Known(false));
        let words = driver.dead_nodes.known().expect("known").join("; ");
        assert_eq!(
            words,
            "/dev/nvidia2 is 195,2 (ENODEV); /dev/nvidia3 is 195,3 (ENXIO); /dev/nvidia6 is 1,3 (the driver has major 195)"
        );
    }

    #[test]
    fn the_drivers_own_minors_are_told() {
        let gpu = |minor| KernelGpu { minor, ..KernelGpu::default() };
        let dead = |gpus: Vec<KernelGpu>| {
            let nodes = vec![node("/dev/nvidia0", (195, 7), "ENODEV")];
            derived(nodes, |driver| driver.kernel_gpus = Fact::Known(gpus))
                .dead_nodes
                .known()
                .expect("known")
                .join("; ")
        };
        let told = "/dev/nvidia0 is 195,7 (ENODEV, and the driver's GPUs have minor 0, 1)";
        assert_eq!(dead(vec![gpu(Fact::Known(0)), gpu(Fact::Known(1))]), told);
        assert_eq!(dead(vec![gpu(Fact::Known(7))]), "/dev/nvidia0 is 195,7 (ENODEV)", "a GPU that was lost");
        assert_eq!(dead(vec![gpu(Fact::Known(0)), gpu(Fact::Absent)]), "/dev/nvidia0 is 195,7 (ENODEV)");
    }

    #[test]
    fn a_control_node_is_dead_by_number_and_by_errno() {
        let dead = |numbers, errno: &str, listed: Fact<u32>| {
            let nodes = vec![node("/dev/nvidiactl", numbers, errno)];
            derived(nodes, |driver| driver.gpu_major = listed).control_node_dead
        };
        assert_eq!(dead((195, 255), "", Fact::Known(195)), Fact::Known(false));
        assert_eq!(dead((195, 255), "EACCES", Fact::Known(195)), Fact::Known(false));
        for errno in ["ENXIO", "ENODEV", "EIO"] {
            assert_eq!(dead((195, 255), errno, Fact::Absent), Fact::Known(true));
        }
        assert_eq!(dead((1, 3), "", Fact::Known(195)), Fact::Known(true));
        assert_eq!(dead((1, 3), "", Fact::Absent), Fact::Known(false), "nothing is listed to compare with");
        assert_eq!(derived(Vec::new(), |_| {}).control_node_dead, Fact::Absent);
        assert!(derived(Vec::new(), |driver| driver.nodes = Fact::default()).control_node_dead.is_unknown());
    }

    #[test]
    fn nodes_of_wsl_and_tegra_are_told_apart() {
        let nodes = vec![node("/dev/nvidiactl", (195, 255), ""), node("/dev/nvmap", (10, 60), "")];
        assert_eq!(derived(nodes, |_| {}).other_platform_node, Fact::Known("/dev/nvmap".to_owned()));
        let uvm = derived(vec![node("/dev/nvidia-uvm", (238, 0), "")], |_| {});
        assert_eq!((uvm.other_platform_node, uvm.uvm_node_major), (Fact::Absent, Fact::Known(238)));
    }

    #[test]
    fn blackwell_needs_the_open_module() {
        let needed = |id: Option<&str>, model: Option<&str>| {
            needs_open_module(&KernelGpu {
                pci_device: Fact::present(id.map(str::to_owned)),
                model: Fact::present(model.map(str::to_owned)),
                ..KernelGpu::default()
            })
        };
        assert!(needed(Some("0x2901"), None) && needed(Some("0x2b85"), None) && needed(None, Some("NVIDIA B200")));
        assert!(needed(Some("0x31c2"), None), "GB300, the last of the table");
        assert!(needed(Some("0x2342"), None) && needed(Some("0x2348"), None), "Grace Hopper");
        assert!(!needed(Some("0x28f8"), None), "the last of Ada");
        assert!(!needed(Some("0x2330"), None) && !needed(Some("0x2335"), None), "H100 and H200 run with either");
        assert!(!needed(Some("0x2335"), None) && !needed(Some("0x26b9"), Some("NVIDIA L40S")));
        assert!(!needed(None, Some("NVIDIA H200")) && !needed(None, None) && !needed(Some("odd"), None));
    }
}
