//! An image that a Dockerfile tells of, before anything that runs it is asked.

mod history;
mod installed;

use installed::Installed;
use serde_json::{Map, Value, json};

use super::dockerfile::{At, Built, Command, Stage};
use super::pip::{BuiltFor, Install};
use super::places::Places;
use super::reference::{Known, Reference};
use super::traces::{passwd, sshd_config, sshd_settings};
use crate::facts::{CudaBuild, Fact, Facts, Gap, GapKind, ImageConfig, LIST_LIMIT, Package, cut};
use crate::probe::image_config::{self, Given};
use crate::world::World;

/// A command with its line; none where nobody says it.
pub type Words = Option<(Vec<String>, usize)>;

/// An image that a Dockerfile tells of.
#[derive(Debug)]
pub struct Image<'a> {
    stage: &'a Stage,
    known: Known,
    /// Files whose text is in the Dockerfile, `/etc/passwd` among them.
    pub files: Vec<(String, String)>,
}

impl<'a> Image<'a> {
    /// The image of the last stage.
    pub fn of(built: &'a Built) -> Self {
        let stage = &built.last;
        let known = stage.base.value.as_ref().map(|name| Reference::of(name).known()).unwrap_or_default();
        let mut files = stage.files.clone();
        files.push(("/etc/passwd".to_owned(), passwd(stage)));
        files.extend(sshd_config(stage).map(|text| ("/etc/ssh/sshd_config".to_owned(), text)));
        Self { stage, known, files }
    }

    /// Variables that stay in the image, with their line; those that are not known have no value.
    pub fn environment(&self) -> impl Iterator<Item = (&str, Option<&str>, usize)> {
        let stay = self.stage.variables.iter().filter(|variable| variable.stays);
        stay.map(|variable| (variable.name.as_str(), variable.value.as_deref().ok(), variable.line))
    }

    /// Whether the build takes an argument of this name that does not stay: a container has no such variable.
    pub fn takes_argument(&self, name: &str) -> bool {
        self.stage.variables.iter().any(|variable| variable.name == name && !variable.stays)
    }

    /// Whether files of the image that it is made from may say how Jupyter is started: they are not in the text. Those of
    /// distributions, of CUDA and of PyTorch have none.
    pub fn may_hold_jupyter_files(&self) -> bool {
        self.known.system.is_none() || self.known.product.is_some()
    }

    /// Whether the image that it is made from names GPUs to NVIDIA's runtime; none where that is not known.
    pub fn base_names_gpus(&self) -> Option<bool> {
        Reference::of(self.stage.base.value.as_deref().ok()?).names_gpus()
    }

    /// `ENTRYPOINT` and `CMD`, with their lines.
    pub fn command(&self) -> (Words, Words) {
        let words = |command: Option<&At<Command>>| command.map(|command| (command.value.words.clone(), command.line));
        // A shell that reads the entrypoint is told of no CMD.
        let is_shell = self.stage.entrypoint.as_ref().is_some_and(|entrypoint| entrypoint.value.is_shell);
        (words(self.stage.entrypoint.as_ref()), words(self.stage.cmd.as_ref().filter(|_| !is_shell)))
    }

    /// Who a container starts as: the name with its line, absent for root where nothing is said, unknown where that depends
    /// on what is not in the text.
    pub fn user(&self) -> (Fact<String>, usize) {
        match (&self.stage.user, &self.known.user) {
            (Some(user), _) => {
                let told =
                    user.value.clone().map_err(|why| Gap::new(GapKind::NotSupported, cut(&format!("USER: {why}"))));
                (told.map_or_else(Fact::Unknown, Fact::Known), user.line)
            }
            (None, Some(user)) if user == "root" => (Fact::Absent, self.stage.base.line),
            (None, Some(user)) => (Fact::Known(user.clone()), self.stage.base.line),
            (None, None) => {
                let base = self.stage.base.value.as_deref().unwrap_or("the image that it is made from");
                let why = format!("no USER is set, and that of {base} is not in the text");
                (Fact::unknown(GapKind::NotSupported, cut(&why)), self.stage.base.line)
            }
        }
    }

    /// Fills what the image is, and where that stands.
    pub fn tell(&self, world: &World, facts: &mut Facts, places: &mut Places) {
        let installs = Installed::of(self.stage);
        for line in sshd_settings(self.stage) {
            places.put("services.sshd_config", line);
        }
        facts.image.configured = true;
        facts.image.config = Fact::Known(self.config(world, places));
        self.base(&installs, facts, places);
        self.framework(&installs, facts, places);
    }

    /// Fills the command that its writer took for a list: quotes that JSON does not know, a comma too many. A container may
    /// put another in the place of either.
    pub fn tell_command(&self, keeps_entrypoint: bool, keeps_cmd: bool, facts: &mut Facts, places: &mut Places) {
        let entrypoint = self.stage.entrypoint.as_ref().filter(|_| keeps_entrypoint);
        let shells = [entrypoint, self.stage.cmd.as_ref().filter(|_| keeps_cmd)].into_iter().flatten();
        let mut texts =
            shells.filter(|one| one.value.is_shell).filter_map(|one| Some((one.value.words.last()?.trim(), one.line)));
        let broken = texts.find(|(text, _)| {
            let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            inner.is_some_and(|inner| inner.starts_with(['"', '\'']) || inner.contains(','))
        });
        if let Some((_, line)) = broken {
            places.put("written.broken_list", line);
        }
        facts.written.broken_list = Fact::present(broken.map(|(text, _)| cut(text)));
    }

    fn config(&self, world: &World, places: &mut Places) -> ImageConfig {
        let (user, line) = self.user();
        let stage = self.stage;
        let keys = |names: Vec<&str>| names.into_iter().map(|name| (name.to_owned(), json!({}))).collect::<Map<_, _>>();
        let (entrypoint, cmd) = self.command();
        let words = |command: &Words| command.as_ref().map(|(words, _)| words.clone());
        let is_healthy = stage.health.as_ref().is_some_and(|health| health.value);
        let config = json!({ "config": {
            "User": user.known(),
            "Entrypoint": words(&entrypoint),
            "Cmd": words(&cmd),
            "ExposedPorts": keys(stage.exposed.iter().map(|port| port.value.as_str()).collect()),
            "Labels": keys(stage.labels.iter().map(String::as_str).collect()),
            "WorkingDir": stage.folder,
            "Healthcheck": if is_healthy { json!({ "Test": ["CMD"] }) } else { Value::Null },
        }});
        let given = Given::read(&config.to_string()).unwrap_or_default();
        let Fact::Known(mut config) = image_config::collect(world, Some(&given)) else { return ImageConfig::default() };
        places.put("image.config.user", line);
        places.put("image.config.uid", line);
        places.put("image.config.health_declared", stage.health.as_ref().map_or(stage.line, |health| health.line));
        match user {
            Fact::Unknown(gap) => {
                config.user = Fact::Unknown(gap.clone());
                (config.uid, config.user_numeric) = (Fact::Unknown(gap.clone()), Fact::Unknown(gap));
            }
            // The files of the base are not here: whoever is named may have any number.
            Fact::Known(_) if config.uid.is_unknown() => config.uid = Fact::Unknown(Gap::not_written()),
            _ => {}
        }
        config.history_secrets = Fact::Known(self.secrets(places));
        config
    }

    /// Names of what looks like a secret, of what the history of the image will show.
    fn secrets(&self, places: &mut Places) -> Vec<String> {
        let found = history::secrets(self.stage);
        for (_, line) in &found {
            places.put("image.config.history_secrets", *line);
        }
        let mut names: Vec<String> = found.into_iter().map(|(name, _)| cut(&name)).collect();
        names.sort();
        names.dedup();
        names.truncate(LIST_LIMIT);
        names
    }

    fn base(&self, installs: &Installed, facts: &mut Facts, places: &mut Places) {
        let base = &self.stage.base;
        places.put("written.images", base.line);
        places.put("image.os", base.line);
        places.put("image.ngc_release", base.line);
        places.put("lifecycle.parts", base.line);
        if let Ok(name) = &base.value {
            let compiles = match (installs.compiles, installs.is_unsure) {
                (true, _) => Fact::Known(true),
                (false, true) => Fact::Unknown(Gap::not_written()),
                (false, false) => Fact::Known(false),
            };
            facts.written.images = vec![Reference::of(name).told(name, compiles)];
        }
        let known = |value: &Option<String>| value.clone().map_or_else(Fact::default, Fact::Known);
        facts.image.os = known(&self.known.system);
        facts.image.python_version = known(&self.known.python);
        facts.image.python_of_distribution = Fact::Known(false);
        if self.known.release.is_some() {
            facts.image.ngc_product = known(&self.known.product);
            facts.image.ngc_release = known(&self.known.release);
        }
        if let (Some(cuda), Ok(name)) = (&self.known.cuda, &base.value) {
            let build = CudaBuild { name: cut(name), cuda: cuda.clone(), is_framework: self.known.torch.is_some() };
            facts.written.cuda_builds.push(build);
        }
    }

    fn framework(&self, installs: &Installed, facts: &mut Facts, places: &mut Places) {
        let named = |name: &str| installs.found.iter().find(|(install, _)| install.name == name);
        let framework = &mut facts.framework;
        // That of the base stays where it satisfies what is asked for.
        let known = self.known.torch.as_ref().filter(|_| !installs.has_places);
        let is_there = |install: &Install| known.is_some() && install.is_satisfied_by(known);
        let torch = named("torch").filter(|(install, _)| !is_there(install));
        let build = match (torch, &self.known.torch, &self.known.cuda) {
            (Some((install, line)), ..) => {
                places.put("framework", *line);
                places.put("native.targets", *line);
                framework.torch_version = install.version.clone().map_or_else(Fact::default, Fact::Known);
                install.build.clone()
            }
            (None, Some(version), Some(cuda)) => {
                framework.torch_version = Fact::Known(version.clone());
                BuiltFor::Cuda(cuda.clone())
            }
            _ => BuiltFor::Unsaid,
        };
        places.put("native.targets", self.stage.base.line);
        framework.torch_cuda = match &build {
            BuiltFor::Cuda(cuda) => Fact::Known(cuda.clone()),
            BuiltFor::Cpu => Fact::Absent,
            BuiltFor::Unsaid => Fact::default(),
            BuiltFor::Elsewhere => {
                let why = "which build of torch is installed is decided by a variable or a condition of the build";
                Fact::unknown(GapKind::NotSupported, why)
            }
        };
        // That of the base is there already, and another that is installed over it takes its place.
        if torch.is_some() {
            facts.written.cuda_builds.retain(|build| !build.is_framework || self.known.torch.is_none());
        }
        if let (Some((install, _)), BuiltFor::Cuda(cuda)) = (torch, &build) {
            let version = install.version.as_ref().map_or(String::new(), |version| format!(" {version}"));
            let name = format!("PyTorch{version} for CUDA {cuda}");
            facts.written.cuda_builds.push(CudaBuild { name, cuda: cuda.clone(), is_framework: true });
        }
        if let Some((Install { build: BuiltFor::Cuda(cuda), .. }, line)) = named("jax") {
            places.put("native.targets", *line);
            let name = format!("JAX for CUDA {cuda}");
            facts.written.cuda_builds.push(CudaBuild { name, cuda: cuda.clone(), is_framework: true });
        }
        let servers = ["vllm", "sglang", "deepspeed"].into_iter().filter_map(named);
        let servers = servers.filter_map(|(install, _)| Some((&install.name, install.version.as_ref()?)));
        let package = |(name, version): (&String, &String)| Package {
            name: name.clone(),
            version: version.clone(),
            ..Package::default()
        };
        let servers: Vec<Package> = servers.map(package).collect();
        if !servers.is_empty() {
            facts.framework.packages = Fact::Known(servers);
        }
    }
}
