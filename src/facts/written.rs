//! What a text says of an image or a container that is not there yet.

use super::Fact;
use super::shape::record;

record! {
    /// What a text says of an image or a container that is not there yet (`--dockerfile`, `--compose`, `--manifest`). What it
    /// says of a user, of limits, of variables and of services stands with those facts.
    pub struct Written {
        /// The files that were read, as the command line names them.
        pub files: Vec<String>,
        /// The container that is judged, as `service llm` or `Deployment llm, container server`; absent where only a
        /// Dockerfile was read.
        pub container: Fact<String>,
        /// Containers that were judged, of which these facts are the first one's; 0 where no text was.
        pub judged_count: u64,
        /// The image that the last stage is made from, or that the container runs.
        pub images: Vec<WrittenImage>,
        /// Builds for CUDA that the text brings: by `pip install`, or with the image that the last stage is made from.
        pub cuda_builds: Vec<CudaBuild>,
        /// Whether the container asks for a GPU: devices, `gpus`, the runtime `nvidia`, a resource of `nvidia.com` or a claim.
        pub gpu_requested: Fact<bool>,
        /// GPUs that it asks for; unknown where it asks for all.
        pub gpus_requested: Fact<u64>,
        /// Why it gets no GPU where something is said that is meant to bring one, as `runtime: nvidia` without
        /// `NVIDIA_VISIBLE_DEVICES`.
        pub gpu_lack: Fact<String>,
        /// Why the engine or the API server takes the text as it stands for no container, in words of its fields.
        pub refusals: Fact<Vec<String>>,
        /// `CMD` or `ENTRYPOINT` of the Dockerfile that is written like a list and is no JSON, so that a shell is given its text
        /// and finds no such program; absent where neither is.
        pub broken_list: Fact<String>,
        /// Whether the container is kept from starting as root: `runAsNonRoot`, and no user 0 beside it.
        pub root_refused: Fact<bool>,
        /// User that the container sets itself, as it is written; absent where the image decides.
        pub user_set: Fact<String>,
        /// Whether it starts as a user who is named and is not root, so that only its number is not in the text.
        pub user_named: Fact<bool>,
        /// Whether it offers ports to others, so that it has a health to ask for: it names ports and is started again.
        pub serves: Fact<bool>,
        /// Whether the engine is told how to ask for its health: `healthcheck`, `readinessProbe` or `livenessProbe`.
        pub health_declared: Fact<bool>,
        /// Whether it is started again when it ends by itself: `restart`, `restartPolicy`.
        pub restarts: Fact<bool>,
        /// Seconds between SIGTERM and SIGKILL: `stop_grace_period`, `terminationGracePeriodSeconds`.
        pub grace_seconds: Fact<f64>,
        /// Ports that the node opens for it on addresses that others reach: `ports` of a compose file, `hostPort`, and what is
        /// named under the network of the host.
        pub published_ports: Fact<Vec<PublishedPort>>,
        /// Where what is known stands in the files.
        pub places: Vec<PlacedFact>,
    }

    /// An image by its name.
    pub struct WrittenImage {
        /// The name with its tag and digest, as it is written.
        pub reference: String,
        /// Whether it names no release: no tag and no digest, or the tag `latest`.
        pub is_floating: Fact<bool>,
        /// Whether it names its digest.
        pub has_digest: Fact<bool>,
        /// Whether it is the flavour with compilers and headers of an image of NVIDIA or PyTorch (`-devel`).
        pub is_development: Fact<bool>,
        /// Whether something that is run or installed compiles, or may compile when it runs; unknown where the text does not
        /// say what is installed.
        pub something_compiles: Fact<bool>,
    }

    /// A build for CUDA.
    pub struct CudaBuild {
        /// What it is, as `PyTorch 2.5.1`.
        pub name: String,
        /// CUDA release that it was built for, as `12.4`.
        pub cuda: String,
        /// Whether its GPU code decides on which GPUs the image runs; that of a base image alone does not.
        pub is_framework: bool,
    }

    /// A port that the node opens.
    pub struct PublishedPort {
        /// Port inside the container.
        pub port: u16,
        /// Port and address of the node, as they are written.
        pub published: String,
    }

    /// Where a fact stands.
    pub struct PlacedFact {
        /// The fact, as in the evidence of a finding; all that lies below it stands there too.
        pub path: String,
        /// The file, as the command line names it.
        pub file: String,
        /// Line, from 1.
        pub line: u64,
    }

    /// A line of a file.
    pub struct Place {
        /// The file, as the command line names it.
        pub file: String,
        /// Line, from 1.
        pub line: u64,
    }
}
