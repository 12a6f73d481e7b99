//! The configuration of the image, as `docker image inspect`, `skopeo inspect --config` or an archive gives it.

use super::Fact;
use super::shape::record;

record! {
    /// The configuration of the image. Of its command, labels and history only names are kept: values may be secrets.
    pub struct ImageConfig {
        /// `USER` as it is written; absent where none is set, which is root.
        pub user: Fact<String>,
        /// User id that a container starts as: 0 where `USER` is not set, else its number, or the one that `/etc/passwd` of
        /// the image has for its name. Unknown where the name is not there.
        pub uid: Fact<u32>,
        /// Whether `USER` is a number: Kubernetes cannot tell that a name is not root, and `runAsNonRoot` refuses it.
        pub user_numeric: Fact<bool>,
        /// First word of `ENTRYPOINT` and `CMD`; absent where neither is set.
        pub program: Fact<String>,
        /// `WORKDIR`, `/` where it is not set.
        pub working_folder: String,
        /// Ports that `EXPOSE` names, as `8080/tcp`.
        pub exposed_ports: Vec<String>,
        /// Folders that `VOLUME` names.
        pub volumes: Vec<String>,
        /// Names of the labels.
        pub label_names: Vec<String>,
        /// Whether a `HEALTHCHECK` is declared; `NONE` is none.
        pub health_declared: Fact<bool>,
        /// Bytes of all layers together; absent where the file does not say.
        pub size_bytes: Fact<u64>,
        /// When the image was made, as it is written; absent where the file does not say.
        pub created: Fact<String>,
        /// Number of layers; absent where the file does not say.
        pub layers: Fact<u64>,
        /// Machine type that it is made for, as `amd64`; absent where the file does not say.
        pub architecture: Fact<String>,
        /// Names of variables in the history (`ENV`, `ARG` and build arguments) that look like secrets and have a value;
        /// absent where the file has no history, as that of `docker image inspect`.
        pub history_secrets: Fact<Vec<String>>,
    }
}
