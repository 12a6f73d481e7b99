//! The GPUs that the kernel driver lists, from `/proc/driver/nvidia/gpus` and from what the kernel says of each on its bus.

use crate::facts::{Fact, GPU_LIMIT, GapKind, KernelGpu, cut};
use crate::world::World;

/// Where the kernel driver has a folder for each of its GPUs.
pub const FOLDER: &str = "/proc/driver/nvidia/gpus";

/// One for each folder, named by its PCI address.
pub fn gpus(world: &World) -> Fact<Vec<KernelGpu>> {
    world.list(FOLDER).and_then(|addresses| {
        if addresses.len() > GPU_LIMIT as usize {
            let detail = format!("{} GPUs in {FOLDER}, more than are looked at", addresses.len());
            return Fact::unknown(GapKind::NotSupported, detail);
        }
        Fact::Known(addresses.iter().map(|address| gpu(world, address)).collect())
    })
}

fn gpu(world: &World, address: &str) -> KernelGpu {
    let path = format!("{FOLDER}/{address}/information");
    let text = world.read(&path);
    let line = |name: &str| {
        text.as_ref().and_then(|text| {
            let value =
                text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim()));
            Fact::present(value.filter(|value| !value.is_empty()).map(str::to_owned))
        })
    };
    let minor = line("Device Minor").and_then(|value| match value.parse() {
        Ok(minor) => Fact::Known(minor),
        Err(_) => Fact::unknown(GapKind::Malformed, format!("{path}: `{}` is no minor number", cut(&value))),
    });
    KernelGpu {
        pci_address: cut(address),
        minor,
        model: line("Model").map(|model| cut(&model)),
        pci_device: world.read_line(format!("/sys/bus/pci/devices/{address}/device")).map(|id| cut(&id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const INFORMATION: &str = "Model: \t\t NVIDIA H200\nIRQ:   \t\t 51\nGPU UUID: \t GPU-bfe7\nBus Location: \t 0000:06:00.0\nDevice Minor: \t 3\n";

    #[test]
    fn each_gpu_has_its_minor_model_and_device() {
        let files = [
            ("/proc/driver/nvidia/gpus/0000:06:00.0/information", INFORMATION),
            ("/sys/bus/pci/devices/0000:06:00.0/device", "0x2335\n"),
            ("/proc/driver/nvidia/gpus/0000:07:00.0/information", ""),
        ];
        let found = gpus(&FakeRoot::of(&files, &[])).known().expect("GPUs").clone();
        let expected = KernelGpu {
            pci_address: "0000:06:00.0".to_owned(),
            minor: Fact::Known(3),
            model: Fact::Known("NVIDIA H200".to_owned()),
            pci_device: Fact::Known("0x2335".to_owned()),
        };
        assert_eq!(found.first(), Some(&expected));
        let said_nothing = found.get(1).expect("a second");
        assert_eq!((&said_nothing.minor, &said_nothing.model), (&Fact::Absent, &Fact::Absent));
        assert_eq!(said_nothing.pci_device, Fact::Absent);
    }

    #[test]
    fn of_more_gpus_than_are_looked_at_none_is_told() {
        let paths: Vec<String> =
            (0..=GPU_LIMIT).map(|bus| format!("{FOLDER}/0000:{bus:02x}:00.0/information")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), INFORMATION)).collect();
        assert!(gpus(&FakeRoot::of(&files, &[])).is_unknown());
        assert!(gpus(&FakeRoot::of(&files[1..], &[])).known().is_some_and(|gpus| gpus.len() == 64));
    }

    #[test]
    fn without_a_driver_there_is_no_list() {
        assert_eq!(gpus(&FakeRoot::of(&[("/proc/x", "")], &[])), Fact::Absent);
    }
}
