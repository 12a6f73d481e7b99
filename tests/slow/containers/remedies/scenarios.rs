//! How each finding with a Docker remedy is brought about in a container.

use crate::support::docker::{BASE, DEV};

/// How a finding is brought about in a container, and what stands in for the examples in its remedy.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// The check that fails.
    pub check: &'static str,
    /// The image.
    pub image: &'static str,
    /// Docker's flags that bring the finding about; `{fakes}` and `{files}` are folders of this machine.
    pub cause: &'static [&'static str],
    /// A part of the remedy's flags that its text calls an example, and what is right for this container.
    pub fill: &'static [(&'static str, &'static str)],
    /// Shell commands of process 1; `{check}` is the command that looks.
    pub script: &'static str,
    /// Options of `gpu-preflight check`.
    pub options: &'static str,
    /// What it has of a GPU.
    pub gpu: Gpu,
}

/// Which parts of a GPU the container has.
#[derive(Debug, Clone, Copy)]
pub enum Gpu {
    /// Nothing.
    None,
    /// The fake libraries alone.
    Libraries,
    /// Nodes and libraries.
    Whole,
}

/// A finding of the base image, without a GPU.
const fn plain(check: &'static str, cause: &'static [&'static str]) -> Scenario {
    Scenario { check, image: BASE, cause, fill: &[], script: "exec {check}", options: "--no-gpu", gpu: Gpu::None }
}

/// A finding of a container with a fake GPU, seen without a context of CUDA.
const fn on_gpu(check: &'static str, cause: &'static [&'static str]) -> Scenario {
    Scenario { options: "--tier=quick", gpu: Gpu::Whole, ..plain(check, cause) }
}

impl Scenario {
    const fn filled(self, fill: &'static [(&'static str, &'static str)]) -> Self {
        Self { fill, ..self }
    }

    const fn scripted(self, script: &'static str) -> Self {
        Self { script, ..self }
    }
}

/// A Jupyter server with the token that it makes by itself.
const JUPYTER: &str = "jupyter-server --allow-root --no-browser --ip=127.0.0.1 --port=8888 >/dev/null 2>&1 &
    until grep -qE ':22B8 [0-9A-F]+:0000 0A' /proc/net/tcp; do sleep 0.2; done; exec {check}";
/// What a PyTorch without CUDA leaves of itself in its folder.
const PYTORCH: &str = "mkdir -p /tmp/packages/torch &&
    printf '__version__ = \"2.7.1\"\\ncuda = None\\n' > /tmp/packages/torch/version.py && exec {check}";
/// A program that needs 200 MB for a moment.
const HUNGRY: &str = "head -c 200m /dev/zero | tail -c 200m >/dev/null; exec {check}";
/// A program that wants a whole core. Under [`SMALL`] quota it goes on until the kernel has counted the three hundred
/// periods that the check asks for, and has stopped it in a third of them: on a busy machine it may get less than its quota
/// for a long time. Where the quota is another it is there for a moment.
pub const BUSY: &str = "busy() { timeout 3 sh -c 'while :; do :; done'; }
    quota() { cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max; }
    count() { sed -n \"s/^$1 //p\" /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null; }
    seen() { [ $(count nr_periods) -ge 310 ] && [ $((3 * $(count nr_throttled))) -ge $(count nr_periods) ]; }
    busy; for n in $(seq 200); do [ $(quota) != 5000 ] || seen && break; busy; done; exec {check}";
/// A quota of 5 ms in each period of 100 ms.
const SMALL: &str = "--cpus 0.05";
/// An orphan that ends. `timeout`, which is process 1 then, waits for its own child alone.
const ORPHAN: &str = "(sleep 0.2 &); exec timeout 60 sh -c 'sleep 0.6; exec {check}'";
/// An image in which Triton is installed, and one in which vLLM is.
const TRITON: &str = "at=/usr/local/lib/python3.11/site-packages/triton-3.4.0.dist-info; mkdir -p $at && : >$at/METADATA; \
    exec {check}";
const VLLM: &str = "at=/usr/local/lib/python3.11/site-packages/vllm-0.10.1.dist-info; mkdir -p $at && : >$at/METADATA; \
    exec {check}";
/// A contract in the working folder that asks for this.
macro_rules! needing {
    ($need:literal) => {
        concat!("cd /tmp && printf '[needs]\\n", $need, "\\n' >gpu-preflight.toml && exec {check}")
    };
}
/// A shell stays process 1, which does not heed SIGTERM.
const SHELL: &str = "{check}; exit $?";

const SOCKET: &str = "-v /var/run/docker.sock:/var/run/docker.sock";
/// A forward-compatibility libcuda of the image comes first.
const COMPAT: &str = "-e LD_LIBRARY_PATH=/usr/local/cuda/compat:/usr/local/nvidia/lib64";
const COMPAT_FOLDER: &str = "-v {fakes}:/usr/local/cuda/compat:ro";
/// The folder with the driver's libraries.
const FOLDERS: (&str, &str) = ("<folders>", "/usr/local/nvidia/lib64");

/// One row for each way to a finding whose Docker remedy names a flag.
pub const SCENARIOS: &[Scenario] = &[
    plain("compile.cache-executable", &["--tmpfs /tmp"]).scripted(TRITON),
    plain("compile.server-cache-executable", &["--tmpfs /tmp"]).scripted(VLLM),
    Scenario { options: "", ..on_gpu("compute.host-memory-sufficient", &["--memory 40m"]) }.filled(&[("32g", "2g")]),
    plain("contract.cpu-sufficient", &["--cpus 1"]).filled(&[("8", "1.9")]).scripted(needing!("cpus = 1.5")),
    plain("contract.memory-sufficient", &["--memory 1g"])
        .filled(&[("32g", "2g")])
        .scripted(needing!("memory = \"2g\"")),
    plain("contract.open-files-sufficient", &["--ulimit nofile=1024:1024"]).scripted(needing!("open_files = 65536")),
    plain("contract.pids-sufficient", &["--pids-limit 200"]).scripted(needing!("pids = 4096")),
    plain("contract.shm-sufficient", &[]).filled(&[("8g", "1g")]).scripted(needing!("shm = \"512m\"")),
    on_gpu(
        "driver.forward-compatible",
        &[COMPAT, COMPAT_FOLDER, "-e FAKE_GPU=cu_init_while=LD_LIBRARY_PATH:compat:804"],
    )
    .filled(&[FOLDERS]),
    on_gpu(
        "driver.mps-reachable",
        &["-e CUDA_MPS_PIPE_DIRECTORY=/mps", "-e FAKE_GPU=cu_init_while=CUDA_MPS_PIPE_DIRECTORY:mps:805"],
    ),
    Scenario {
        gpu: Gpu::Libraries,
        ..on_gpu(
            "driver.nodes-openable",
            &[
                "--user app",
                "-v {files}/closed:/dev/nvidiactl",
                "-v {files}/closed:/dev/nvidia0",
                "-v {files}/closed:/dev/nvidia-uvm",
            ],
        )
    }
    .filled(&[("44", "4444")]),
    plain("environment.no-debugging", &["-e NCCL_DEBUG=TRACE"]),
    plain("environment.no-hazard", &["-e CUDA_LAUNCH_BLOCKING=1"]),
    plain("environment.nothing-injected", &["-e CUDA_INJECTION64_PATH=/opt/tool.so"]),
    on_gpu("gpu.not-hidden", &["-e CUDA_VISIBLE_DEVICES="]),
    plain("identity.bounding-baseline", &["--user app"]),
    plain("identity.capabilities-baseline", &[]),
    plain("identity.capabilities-harmless", &["--cap-add SYS_ADMIN"]),
    plain("identity.capabilities-limited", &["--cap-add ALL"]),
    plain("identity.home-known", &["--user 1000", "-v {files}/homeless:/etc/passwd:ro"]),
    plain("identity.home-writable", &["--user 1000"]),
    plain("identity.home-writable", &["--user app", "-e HOME=/srv"]).filled(&[("1000", "1001")]),
    plain("identity.home-writable", &["--user app", "--read-only"]).filled(&[("1000", "1001")]),
    plain("identity.not-root", &[]),
    plain("identity.user-named", &["--user 1000"]),
    plain("identity.user-named-for-pytorch", &["--user 1000", "-e PYTHONPATH=/tmp/packages"]).scripted(PYTORCH),
    plain("isolation.ipc-namespace-own", &["--ipc=host"]),
    plain("isolation.network-namespace-own", &["--network=host"]).filled(&[("8000:8000", "127.0.0.1::8000")]),
    plain("isolation.no-new-privileges", &[]),
    plain("isolation.not-privileged", &["--privileged"]),
    plain("isolation.pid-namespace-own", &["--pid=host"]),
    plain("isolation.root-read-only", &[]),
    plain("isolation.root-read-only", &["--user app"]),
    plain("isolation.runtime-socket-absent", &["--user app", SOCKET]),
    plain("isolation.runtime-socket-closed", &[SOCKET]),
    plain("isolation.seccomp-enabled", &["--security-opt seccomp=unconfined"]),
    plain("isolation.setuid-disarmed", &[]),
    on_gpu(
        "library.cuda-not-shadowed",
        &[COMPAT, COMPAT_FOLDER, "-e FAKE_GPU=cu_init_while=LD_LIBRARY_PATH:compat:803"],
    )
    .filled(&[FOLDERS]),
    on_gpu("library.cuda-not-stub", &["-e LD_LIBRARY_PATH=/usr/local/nvidia/lib64/stubs:/usr/local/nvidia/lib64"])
        .filled(&[FOLDERS]),
    plain("limits.cpu-limited", &[]).filled(&[("--cpus 8", "--cpus 1"), ("THREADS=8", "THREADS=1"), ("0-7", "0")]),
    plain("limits.cpu-not-throttled", &[SMALL]).filled(&[("8", "1.9")]).scripted(BUSY),
    on_gpu("limits.cpu-sufficient", &["--cpus 1"]).filled(&[("4", "1.9")]),
    Scenario { options: "", ..on_gpu("limits.cuda-fits", &["--ulimit nofile=36:36"]) },
    plain("limits.locked-memory-sufficient", &["--device /dev/null:/dev/infiniband/uverbs0"]),
    plain("limits.memory-limited", &[]).filled(&[("32g", "2g")]),
    plain("limits.open-files-bounded", &["--ulimit nofile=5000000:5000000"]),
    plain("limits.open-files-raised", &["--ulimit nofile=1024:1048576"]),
    plain("limits.open-files-sufficient", &["--ulimit nofile=1024:1024"]),
    plain("limits.pids-limited", &[]),
    on_gpu("limits.shm-mounted-for-writing", &["--tmpfs /dev/shm:ro"]),
    on_gpu("limits.shm-open-to-user", &["--user 1000", "--tmpfs /dev/shm:mode=755"]),
    on_gpu("limits.shm-present", &["--ipc=none"]),
    plain("limits.processes-sufficient", &["--pids-limit 60"]),
    on_gpu("limits.shm-sufficient", &[]),
    plain("limits.shm-within-memory", &["--memory 1g", "--shm-size 2g"]).filled(&[("8g", "512m")]),
    plain("limits.threads-bounded", &["--cpus 1"]).filled(&[("8", "1")]),
    plain("limits.threads-fit", &["-e OMP_NUM_THREADS=64", "--cpus 1"]).filled(&[("8", "1")]),
    plain("recovery.core-files-bounded", &["--ulimit core=-1"]),
    plain("recovery.no-oom-kills", &["--memory 64m"]).filled(&[("32g", "2g")]).scripted(HUNGRY),
    plain("recovery.orphans-reaped", &[]).scripted(ORPHAN),
    Scenario { image: DEV, ..plain("service.jupyter-not-root", &[]) }.scripted(JUPYTER),
    Scenario { options: "--no-gpu --phase=start", ..plain("startup.init-present", &[]) },
    plain("startup.terminates", &[]).scripted(SHELL),
    plain("storage.temporary-writable", &["--user app", "--read-only"]).filled(&[("1000", "1001")]),
    plain("storage.temporary-writable", &["--user app", "-e TMPDIR=/srv"]).filled(&[("1000", "1001")]),
];

/// Checks whose remedy asks NVIDIA's runtime for something, which only a machine with a GPU has.
pub const NEED_A_GPU_RUNTIME: &[(&str, &str)] = &[
    ("compile.driver-linkable", "the runtime links libcuda.so"),
    ("compute.driver-parts-mounted", "the runtime mounts the driver's compilers"),
    ("compute.memory-available", "another GPU is granted"),
    ("compute.rate-undisturbed", "another GPU is granted"),
    ("contract.gpu-capability-sufficient", "other GPUs are granted"),
    ("contract.gpu-memory-sufficient", "other GPUs are granted"),
    ("contract.gpus-sufficient", "GPUs are granted"),
    ("contract.rates-reached", "other GPUs are granted"),
    ("driver.control-node-present", "GPUs are granted with their control node"),
    ("driver.devices-visible", "GPUs are granted"),
    ("driver.every-node-permitted", "the runtime opens the device cgroup for each GPU"),
    ("driver.gpus-bound", "GPUs are granted anew"),
    ("driver.initialised", "GPUs are granted anew"),
    ("driver.jit-library-for-ptx", "the runtime mounts the driver's compilers"),
    ("driver.jit-library-mounted", "the runtime mounts the driver's compilers"),
    ("driver.nvvm-mounted", "the runtime mounts the driver's compilers"),
    ("driver.uvm-node-usable", "the node of the kernel module is given"),
    ("environment.driver-capabilities-known", "the runtime reads the variable"),
    ("gpu.compute-granted", "the runtime mounts libcuda"),
    ("gpu.devices-granted", "GPUs are granted"),
    ("gpu.every-granted-here", "GPUs are granted by index"),
    ("gpu.granted", "GPUs are granted"),
    ("gpu.memory-unclaimed", "another GPU is granted"),
    ("gpu.mig-instance-present", "a MIG instance is granted"),
    ("gpu.none-beyond-grant", "fewer GPUs are granted"),
    ("gpu.visible-devices-exist", "GPUs are granted by index"),
    ("library.cuda-found", "the runtime mounts libcuda"),
    ("library.cuda-loadable", "the runtime mounts libcuda"),
    ("observability.nvml-answers", "the runtime mounts libnvidia-ml"),
    ("observability.nvml-present", "the runtime mounts libnvidia-ml"),
];
