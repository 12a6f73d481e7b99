//! A container that a compose file or a manifest tells of.

use super::dockerfile::Built;
use super::places::Places;
use crate::facts::{
    ContainerKind, Fact, Facts, Gap, GapKind, Gaps, Identity, Isolation, LIST_LIMIT, Limits, PublishedPort,
    RuntimeSocket, Seccomp, Written, cut,
};
use crate::probe::identity::caps::is_beyond_baseline;
use crate::probe::isolation::{host_folder_of, is_runtime_socket};

/// What engines give `/dev/shm` where nobody says more.
const SHM_BYTES: u64 = 64 << 20;

/// Bytes of files that a container is given at most.
const FILES: usize = 256 << 10;

/// A variable of a container.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; none where that is elsewhere, in a secret or in a variable of whoever starts it.
    pub value: Option<String>,
    /// Where it stands.
    pub line: usize,
}

/// What is told of a container.
#[derive(Debug)]
pub struct Container {
    /// How it is called.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// The line where it begins.
    pub line: usize,
    /// Whether it asks for a GPU.
    pub asks_gpu: bool,
    /// Where it names NVIDIA's runtime, which gives what a variable names.
    pub runtime: Option<usize>,
    /// Whether a file or an object that is not in the text may set more variables.
    pub has_more_variables: bool,
    /// What its image is built from, where that stands in the same file.
    pub built: Option<Built>,
    /// The image that it runs, with its line.
    pub image: Option<(String, usize)>,
    /// Its variables.
    pub environment: Vec<Variable>,
    /// What stands in the place of the image's entrypoint, and whether the image's `CMD` goes with it.
    pub entrypoint: Option<(Vec<String>, usize)>,
    /// What stands in the place of the image's `CMD`.
    pub cmd: Option<(Vec<String>, usize)>,
    /// Files that it is given, whose text stands in the same file.
    pub files: Vec<(String, String)>,
    /// What is known of it.
    pub facts: Facts,
    /// Where that stands.
    pub places: Places,
}

impl Container {
    /// One of which nothing is known but what holds where nothing else is said.
    pub fn new(name: &str, kind: ContainerKind, file: &str, line: usize) -> Self {
        let mut facts = Facts::default();
        facts.container.kind = Fact::Known(kind);
        facts.container.micro_vm = Fact::Known(false);
        facts.written.container = Fact::Known(cut(name));
        facts.limits.shm_bytes = Fact::Known(SHM_BYTES);
        facts.written.user_set = Fact::Absent;
        facts.written.gpu_requested = Fact::Known(false);
        facts.written.gpus_requested = Fact::Known(0);
        facts.written.gpu_lack = Fact::Absent;
        facts.written.refusals = Fact::Known(Vec::new());
        facts.written.published_ports = Fact::Known(Vec::new());
        let isolation = &mut facts.isolation;
        (isolation.host_pid, isolation.host_network, isolation.host_ipc) = (false.into(), false.into(), false.into());
        isolation.privileged = Fact::Known(false);
        isolation.privileged_signs = Fact::Known(Vec::new());
        isolation.root_read_only = Fact::Known(false);
        isolation.no_new_privileges = Fact::Known(false);
        isolation.runtime_sockets = Fact::Known(Vec::new());
        isolation.sensitive_mounts = Fact::Known(Vec::new());
        facts.identity.user_namespaced = Fact::Known(false);
        facts.identity.all_capabilities = Fact::Known(false);
        facts.identity.capabilities_beyond_baseline = Fact::Known(Vec::new());
        let mut places = Places::of(file);
        // What nothing is said of would stand with the container.
        for path in ["limits", "written", "isolation", "identity", "environment", "services"] {
            places.put(path, line);
        }
        Self {
            name: name.to_owned(),
            file: file.to_owned(),
            line,
            asks_gpu: false,
            runtime: None,
            has_more_variables: false,
            built: None,
            image: None,
            environment: Vec::new(),
            entrypoint: None,
            cmd: None,
            files: Vec::new(),
            facts,
            places,
        }
    }

    /// More is said of it elsewhere: what the text does not say itself stays open, for this reason.
    pub fn leave_open(&mut self, why: &str) {
        let gap = Gap::new(GapKind::NotSupported, cut(why));
        let facts = &mut self.facts;
        facts.isolation = Isolation::all_unknown(&gap);
        facts.identity = Identity::all_unknown(&gap);
        facts.limits = Limits::all_unknown(&gap);
        let Written { container, images, refusals, .. } = std::mem::take(&mut facts.written);
        facts.written = Written { container, images, refusals, ..Written::all_unknown(&gap) };
        self.has_more_variables = true;
    }

    /// Privileged mode: everything is allowed, whatever else is said.
    pub fn privileged(&mut self, words: &str, line: usize) {
        let isolation = &mut self.facts.isolation;
        isolation.privileged = Fact::Known(true);
        isolation.privileged_signs = Fact::Known(vec![words.to_owned()]);
        isolation.seccomp = Fact::Known(Seccomp::Disabled);
        self.facts.identity.all_capabilities = Fact::Known(true);
        self.places.set("isolation.privileged", line);
    }

    /// Whether it is privileged is not known.
    pub fn privileged_unsaid(&mut self, gap: Gap, line: usize) {
        let isolation = &mut self.facts.isolation;
        (isolation.privileged, isolation.privileged_signs) = (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()));
        self.facts.identity.all_capabilities = Fact::Unknown(gap);
        self.places.set("isolation.privileged", line);
    }

    /// The engine or the API server takes no text that says this, so nothing of it starts.
    pub fn refuse(&mut self, why: &str, line: usize) {
        if let Fact::Known(refusals) = &mut self.facts.written.refusals
            && refusals.len() < LIST_LIMIT
        {
            refusals.push(cut(why));
            self.places.put("written.refusals", line);
        }
    }

    /// Capabilities that are added, by their names.
    pub fn add_capabilities(&mut self, names: &[String], line: usize) {
        let names: Vec<String> =
            names.iter().map(|name| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned()).collect();
        if names.iter().any(|name| name == "ALL") {
            self.facts.identity.all_capabilities = Fact::Known(true);
            self.places.set("identity.all_capabilities", line);
        }
        let beyond =
            names.iter().filter(|name| *name != "ALL" && is_beyond_baseline(name)).map(|name| cut(name)).collect();
        self.facts.identity.capabilities_beyond_baseline = Fact::Known(beyond);
        self.places.set("identity.capabilities_beyond_baseline", line);
    }

    /// A path of the node is mounted.
    pub fn host_path(&mut self, host: &str, inside: &str, line: usize) {
        let isolation = &mut self.facts.isolation;
        if is_runtime_socket(host) {
            if let Fact::Known(sockets) = &mut isolation.runtime_sockets
                && sockets.len() < LIST_LIMIT
            {
                sockets.push(RuntimeSocket { path: cut(host), writable: Fact::default() });
            }
            self.places.put("isolation.runtime_sockets", line);
        } else if let Fact::Known(mounts) = &mut isolation.sensitive_mounts
            && mounts.len() < LIST_LIMIT
            && let Some(folder) = host_folder_of(host)
        {
            mounts.push(cut(&format!("{inside} ({folder} of the host)")));
            self.places.put("isolation.sensitive_mounts", line);
        }
        if inside.trim_end_matches('/') == "/dev/shm" {
            self.facts.limits.shm_bytes = Fact::default();
        }
    }

    /// A file is put into it, as long as all of them are not too large.
    pub fn give_file(&mut self, path: &str, text: &str) {
        let bytes: usize = self.files.iter().map(|(_, text)| text.len()).sum();
        if bytes + text.len() <= FILES && self.files.len() < LIST_LIMIT {
            self.files.push((path.to_owned(), text.to_owned()));
        }
    }

    /// It asks for GPUs; how many where that is said.
    pub fn gpus(&mut self, count: Option<u64>, line: usize) {
        self.asks_gpu = true;
        self.facts.written.gpu_requested = Fact::Known(true);
        self.facts.written.gpus_requested = count.map_or_else(Fact::default, Fact::Known);
        self.places.set("written.gpu_requested", line);
        self.places.set("written.gpus_requested", line);
    }

    /// It gets no GPU, though something is said that is meant to bring one.
    pub fn gives_none(&mut self, why: &str, line: usize) {
        self.facts.written.gpu_requested = Fact::Known(false);
        self.facts.written.gpus_requested = Fact::Known(0);
        self.facts.written.gpu_lack = Fact::Known(cut(why));
        self.places.set("written.gpu_requested", line);
    }

    /// It may ask for a GPU: that is not in the text.
    pub fn gpus_unsaid(&mut self, why: &str, line: usize) {
        if !self.asks_gpu {
            self.facts.written.gpu_requested = Self::unsaid(why);
            self.facts.written.gpus_requested = Self::unsaid(why);
            self.places.set("written.gpu_requested", line);
            self.places.set("written.gpus_requested", line);
        }
    }

    /// The node opens a port for it.
    pub fn publish(&mut self, port: u16, published: &str, line: usize) {
        if let Fact::Known(ports) = &mut self.facts.written.published_ports {
            self.places.put(&format!("written.published_ports[{}]", ports.len()), line);
            ports.push(PublishedPort { port, published: cut(published) });
        }
    }

    /// Who it runs as, by number or name.
    pub fn user(&mut self, text: &str, line: usize) {
        self.facts.written.user_set = Fact::Known(cut(text));
        let identity = &mut self.facts.identity;
        let name = text.split(':').next().unwrap_or_default();
        match name.parse() {
            Ok(uid) => identity.uid = Fact::Known(uid),
            Err(_) if name == "root" => identity.uid = Fact::Known(0),
            Err(_) => {
                identity.uid = Fact::Unknown(Gap::not_written());
                identity.user_name = Fact::Known(cut(name));
            }
        }
        self.places.set("identity.uid", line);
        self.places.set("identity.user_name", line);
    }

    /// Something is said that this text does not tell.
    pub fn unsaid<T>(why: &str) -> Fact<T> {
        Fact::unknown(GapKind::NotSupported, cut(why))
    }
}
