//! The NVIDIA driver: as files show it, as NVML answers, as libcuda answers.

use super::shape::record;
use super::{FabricState, Fact};

record! {
    /// The NVIDIA kernel driver as files show it.
    pub struct Driver {
        /// Device nodes under `/dev` whose name starts with `nvidia`, those in `/dev/nvidia-caps`, and by which other
        /// platforms give a GPU: `/dev/dxg` (WSL), `/dev/nvmap` and those of `nvgpu` (Tegra).
        pub nodes: Fact<Vec<DeviceNode>>,
        /// Whether `/dev/nvidiactl` is there.
        pub control_node_present: Fact<bool>,
        /// Whether opening `/dev/nvidiactl` for reading and writing works; absent when it is not there.
        pub control_node_openable: Fact<bool>,
        /// The errno of that opening (`EPERM`, `EACCES` …); absent when it worked.
        pub control_node_errno: Fact<String>,
        /// Whether `/dev/nvidia-uvm` is there.
        pub uvm_node_present: Fact<bool>,
        /// Whether opening `/dev/nvidia-uvm` works; absent when it is not there.
        pub uvm_node_openable: Fact<bool>,
        /// The errno of that opening; absent when it worked.
        pub uvm_node_errno: Fact<String>,
        /// Whether the major number of `/dev/nvidia-uvm` is the one that `/proc/devices` lists now;
        /// absent when there is no node, or no such driver is listed.
        pub uvm_major_current: Fact<bool>,
        /// Major number of `/dev/nvidia-uvm`; absent when it is not there. Derived.
        pub uvm_node_major: Fact<u32>,
        /// Major number that `/proc/devices` lists for `nvidia-uvm`; absent when it lists none.
        pub uvm_major: Fact<u32>,
        /// Major number that `/proc/devices` lists for GPUs and the control node (`nvidia`, formerly `nvidia-frontend`);
        /// absent when it lists none.
        pub gpu_major: Fact<u32>,
        /// Whether no driver stands behind `/dev/nvidiactl`: opening it gives ENXIO, ENODEV or EIO, or its major number is not
        /// the one that `/proc/devices` lists; absent when it is not there. Derived.
        pub control_node_dead: Fact<bool>,
        /// Number of `/dev/nvidiaN` nodes.
        pub gpu_node_count: Fact<u64>,
        /// Number of `/dev/nvidiaN` nodes that could be opened.
        pub gpu_node_openable_count: Fact<u64>,
        /// Number of `/dev/nvidiaN` nodes that this container or user may not open (EPERM, EACCES). Derived.
        pub gpu_node_refused_count: Fact<u64>,
        /// Number of `/dev/nvidiaN` nodes with no GPU behind them: opening gives ENXIO or ENODEV, or the major number is not
        /// the one that `/proc/devices` lists. Derived.
        pub gpu_node_dead_count: Fact<u64>,
        /// The nodes among `/dev/nvidiactl` and `/dev/nvidiaN` with nothing behind them, each with its numbers and how that
        /// shows. Derived.
        pub dead_nodes: Fact<Vec<String>>,
        /// The first node by which WSL or Tegra gives a GPU without those of the usual driver; absent when there is none.
        /// Derived.
        pub other_platform_node: Fact<String>,
        /// Version of the kernel driver, from `/proc/driver/nvidia/version`; absent when it is not loaded.
        pub kernel_version: Fact<String>,
        /// Whether it is the open kernel module.
        pub kernel_open: Fact<bool>,
        /// GPUs that the kernel driver lists under `/proc/driver/nvidia/gpus`.
        pub kernel_gpu_count: Fact<u64>,
        /// Those GPUs.
        pub kernel_gpus: Fact<Vec<KernelGpu>>,
        /// Whether one of them runs with the open kernel module only: Grace Hopper, Blackwell and later, by its PCI device id,
        /// else by the capability of its model.
        /// Derived.
        pub open_module_needed: Fact<bool>,
        /// Folder in which clients and daemon of MPS meet: `CUDA_MPS_PIPE_DIRECTORY`, else `/tmp/nvidia-mps` where that
        /// is there; absent when neither is.
        pub mps_folder: Fact<String>,
        /// Whether the daemon's pipe `control` is in that folder; absent without a folder.
        pub mps_control_present: Fact<bool>,
        /// Whether any driver library or node is mounted into this container, from `/proc/self/mountinfo`.
        pub injected: Fact<bool>,
    }

    /// A device node of the driver.
    pub struct DeviceNode {
        /// Where it is.
        pub path: String,
        /// Major number.
        pub major: Fact<u32>,
        /// Minor number.
        pub minor: Fact<u32>,
        /// The errno of opening it for reading and writing; absent when that worked.
        pub errno: Fact<String>,
    }

    /// A GPU as the kernel driver lists it.
    pub struct KernelGpu {
        /// PCI address, the name of its folder under `/proc/driver/nvidia/gpus`.
        pub pci_address: String,
        /// Minor number of its node, `Device Minor` of `information` in that folder.
        pub minor: Fact<u32>,
        /// Its name, `Model` there.
        pub model: Fact<String>,
        /// PCI device id as `0x2335`, from `/sys/bus/pci/devices/<address>/device`.
        pub pci_device: Fact<String>,
    }

    /// The management library, asked in a child.
    pub struct Nvml {
        /// File that was loaded; absent when there is no libnvidia-ml.
        pub library: Fact<String>,
        /// Why it could not be loaded, in the loader's words; absent when it was, and when there is none.
        pub load_error: Fact<String>,
        /// Whether the copy that wins is a link-time stub. Derived.
        pub is_stub: Fact<bool>,
        /// The driver's own copy, where another wins that is part of the image or a stub; absent where the driver's own wins,
        /// and where there is none. Derived.
        pub hidden_copy: Fact<String>,
        /// Return code of `nvmlInit_v2`: 0 success, 9 driver not loaded, 18 library and driver differ.
        pub init_code: Fact<i64>,
        /// Name of that code, for example `NVML_ERROR_DRIVER_NOT_LOADED`.
        pub init_name: Fact<String>,
        /// Driver version, `nvmlSystemGetDriverVersion`.
        pub driver_version: Fact<String>,
        /// Newest CUDA release of the driver, `nvmlSystemGetCudaDriverVersion_v2`.
        pub cuda_version: Fact<String>,
        /// Number of GPUs, `nvmlDeviceGetCount_v2`.
        pub gpu_count: Fact<u64>,
        /// GPUs whose handle NVML refused, by index with the code's name.
        pub lost_gpus: Fact<Vec<String>>,
        /// The least advanced fabric state of all GPUs; absent where none has an NVLink fabric. Derived.
        pub fabric_state: Fact<FabricState>,
        /// Whether the GPUs are in confidential mode, `nvmlSystemGetConfComputeState`; false where GPU or library know of no
        /// such mode.
        pub confidential: Fact<bool>,
        /// Whether they accept work in it, which they do once somebody has attested them and set them ready,
        /// `nvmlSystemGetConfComputeGpusReadyState`; absent outside confidential mode.
        pub confidential_ready: Fact<bool>,
        /// Whether all of this and of the GPUs was read before any of them multiplied for us, so that what it shows is not
        /// ourselves; absent where none multiplied.
        pub asked_before_work: Fact<bool>,
        /// Whether somebody's workload runs beside this look, so that a low rate says nothing: in phase live more than 5 % of
        /// some GPU's memory is in use. False in the other phases. Derived.
        pub workload_running: Fact<bool>,
        /// Whether NVML still did not answer when its time was up.
        pub hung: Fact<bool>,
        /// Whether NVML crashed, or ended the process, before it answered.
        pub crashed: Fact<bool>,
        /// Whether NVML answered as long as the GPUs multiplied; absent when none did.
        pub load_watched: Fact<bool>,
    }

    /// The CUDA driver library, asked in a child.
    pub struct Cuda {
        /// File that was loaded; absent when there is no libcuda.
        pub library: Fact<String>,
        /// Why it could not be loaded, in the loader's words; absent when it was.
        pub load_error: Fact<String>,
        /// Newest CUDA release of this libcuda, `cuDriverGetVersion`, as `12.8`.
        pub version: Fact<String>,
        /// Return code of `cuInit(0)`: 0 success, 100 no device, 803 versions do not match, and more.
        pub init_code: Fact<i64>,
        /// Whether `cuInit` is known to have succeeded, which settles what files could not tell; false also where nobody knows.
        /// Derived.
        pub known_to_start: Fact<bool>,
        /// Name of that code, for example `CUDA_ERROR_NO_DEVICE`.
        pub init_name: Fact<String>,
        /// What that code means in a container, from the reference table; absent for success and for codes that are not
        /// in it. Derived.
        pub init_meaning: Fact<String>,
        /// What to do about that code, from the same table; absent where the code alone does not tell. Derived.
        pub init_remedy: Fact<String>,
        /// Whether that code is success or names a reason of its own (0, 3, 34, 100, 802 to 810), so that no device node
        /// need be to blame. Derived.
        pub init_explained: Fact<bool>,
        /// Number of GPUs, `cuDeviceGetCount`.
        pub device_count: Fact<u64>,
        /// Whether a call still had not returned when its time was up.
        pub hung: Fact<bool>,
        /// Whether it was in state `D` then: waiting in the kernel, where no signal reaches it.
        pub hung_in_kernel: Fact<bool>,
        /// Whether libcuda crashed, or ended the process, before it answered.
        pub crashed: Fact<bool>,
        /// The call it hung or crashed in; absent when it did neither.
        pub lost_call: Fact<String>,
        /// Copy of libcuda that could be loaded, where the loader looks in no folder that has one; absent where it finds
        /// one, and where there is none. Derived.
        pub unsearched_copy: Fact<String>,
        /// Copy of libcuda that is mounted into this container and that the loader does not find: it has no link
        /// `libcuda.so.1`, or its folder is neither searched nor in the loader's cache. Absent for what device plugins mount into
        /// `/usr/local/nvidia`, which `LD_LIBRARY_PATH` names. Derived.
        pub unlinked_copy: Fact<String>,
        /// Whether the loaded file is a link-time stub.
        pub is_stub: Fact<bool>,
        /// Whether the loaded file is a forward-compatibility copy.
        pub is_compat: Fact<bool>,
        /// Driver version in the name of the loaded file, for example `580.65.06`; absent when the name has none.
        pub file_version: Fact<String>,
    }
}
