//! What is known of an image and the container that runs it, together.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;

use super::container::Container;
use super::dockerfile::{filled_in, is_of_text};
use super::given;
use super::image::{Image, Words};
use super::places::Places;
use super::reference::Reference;
use crate::facts::{DeclaredService, Fact, Facts, Framework, Gap, GapKind, Gaps, Services};
use crate::probe::environment::{self, is_secret};
use crate::probe::paths::base_name;
use crate::probe::{services, startup};
use crate::world::World;

/// A variable: its name, its value where that is in the text, its line and whether the container sets it.
struct Set {
    name: String,
    value: Option<String>,
    line: usize,
    by_container: bool,
}

/// The facts of an image, of a container, or of both; and the places in the Dockerfile's file, whose name is given.
pub fn facts(image: Option<&Image<'_>>, dockerfile: &str, container: Option<Container>) -> Facts {
    let mut own = Places::of(dockerfile);
    let mut files = image.map_or_else(Vec::new, |image| image.files.clone());
    if let Some(one) = &container {
        files.retain(|(path, _)| !one.files.iter().any(|(given, _)| given == path));
        files.extend(one.files.iter().cloned());
    }
    let (mut facts, mut places, environment, entrypoint, cmd, image_name) = match container {
        Some(one) => (one.facts, Some(one.places), one.environment, one.entrypoint, one.cmd, one.image),
        None => (Facts::default(), None, Vec::new(), None, None, None),
    };
    let is_alone = places.is_none();
    if is_alone {
        facts.written.container = Fact::Absent;
    }
    let set = variables(image, environment);
    let known = set.iter().filter_map(|one| Some((OsString::from(&one.name), OsString::from(one.value.as_ref()?))));
    let may_hold_more = image.is_none_or(Image::may_hold_jupyter_files);
    let world = World::written(&files, known.collect(), may_hold_more);
    match (image, &image_name) {
        (Some(image), _) => image.tell(&world, &mut facts, &mut own),
        (None, Some((name, line))) => {
            facts.written.images = vec![Reference::of(name).told(name, Fact::Unknown(Gap::not_written()))];
            if let Some(places) = &mut places {
                places.put("written.images", *line);
            }
        }
        (None, None) => {}
    }
    if is_alone {
        let config = facts.image.config.known();
        facts.written.user_named = config.map_or_else(Fact::default, |config| named(&config.uid, &config.user));
    } else {
        user(&mut facts, image, &mut own);
    }
    if let Some(image) = image {
        image.tell_command(entrypoint.is_none(), entrypoint.is_none() && cmd.is_none(), &mut facts, &mut own);
    }
    let mut at = |by_container: bool, path: &str, line: usize| match places.as_mut().filter(|_| by_container) {
        Some(places) => places.put(path, line),
        None => own.put(path, line),
    };
    tell_environment(&world, &set, &mut facts, &mut at);
    let (command, line, by_container) = command(image, entrypoint, cmd);
    let command = command.map(|words| with_variables(words, &set, image));
    tell_services(&world, command.as_deref(), &mut facts);
    if let Some(line) = line {
        at(by_container, "services.declared", line);
    }
    if let Fact::Known(config) = &mut facts.image.config
        && facts.written.health_declared == Fact::Known(true)
        && !is_alone
    {
        config.health_declared = Fact::Known(true);
    }
    facts.written.places = [own.into_found(), places.map_or_else(Vec::new, Places::into_found)].concat();
    facts.fill_gaps(&Gap::not_written());
    facts
}

/// All variables, those of the container in the place of the image's.
fn variables(image: Option<&Image<'_>>, container: Vec<super::container::Variable>) -> Vec<Set> {
    let of_image = image.into_iter().flat_map(Image::environment).map(|(name, value, line)| Set {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        line,
        by_container: false,
    });
    let names: HashSet<&str> = container.iter().map(|variable| variable.name.as_str()).collect();
    let mut all: Vec<Set> = of_image.filter(|known| !names.contains(known.name.as_str())).collect();
    let mut last: HashMap<String, usize> = HashMap::new();
    for variable in container {
        // Of one that is set twice the last holds.
        if let Some(known) = last.get(&variable.name).and_then(|at| all.get_mut(*at)) {
            (known.value, known.line) = (variable.value, variable.line);
            continue;
        }
        last.insert(variable.name.clone(), all.len());
        let (name, value, line) = (variable.name, variable.value, variable.line);
        all.push(Set { name, value, line, by_container: true });
    }
    all
}

/// Who the container runs as, where it leaves that to the image.
fn user(facts: &mut Facts, image: Option<&Image<'_>>, places: &mut Places) {
    let identity = &mut facts.identity;
    if let (true, true, Some(image)) = (identity.uid.is_not_asked(), identity.user_name.is_not_asked(), image) {
        let (user, line) = image.user();
        let uid = facts.image.config.known().map_or_else(Fact::default, |config| config.uid.clone());
        identity.uid = uid;
        if let Fact::Known(name) = user {
            identity.user_name = Fact::present(name.split(':').next().map(str::to_owned));
        }
        places.put("identity.uid", line);
        places.put("identity.user_name", line);
    }
    facts.written.user_named = named(&identity.uid, &identity.user_name);
    if identity.uid == Fact::Known(0) {
        // It does not start at all, which is no way to be an ordinary user.
        facts.written.root_refused = Fact::Known(false);
    }
    if identity.user_namespaced == Fact::Known(false) {
        identity.uid_on_host = identity.uid.clone();
    }
    if let Fact::Known(sockets) = &mut facts.isolation.runtime_sockets {
        for socket in sockets {
            socket.writable = match identity.uid {
                Fact::Known(0) => Fact::Known(true),
                _ => Fact::unknown(GapKind::NotSupported, "who owns it on the node is not in the text"),
            };
        }
    }
}

/// Whether a user is named and is not root.
fn named(uid: &Fact<u32>, name: &Fact<String>) -> Fact<bool> {
    match (uid, name) {
        (Fact::Known(_), _) => Fact::Known(false),
        (_, Fact::Known(name)) => Fact::Known(name.parse::<u32>().is_err() && name != "root"),
        _ => Fact::default(),
    }
}

fn tell_environment(world: &World, set: &[Set], facts: &mut Facts, at: &mut dyn FnMut(bool, &str, usize)) {
    let mut told = environment::collect(world, &Framework::default());
    // What the base image sets is not in the text, and neither is what the loader reads.
    if told.preloaded.known().is_some_and(Vec::is_empty) {
        told.preloaded = Fact::default();
    }
    if told.nvidia_driver_capabilities.is_absent() {
        told.nvidia_driver_capabilities = Fact::default();
    }
    if told.cuda_visible_count.is_absent() {
        told.cuda_visible_count = Fact::default();
    }
    for (index, setting) in told.settings.known().into_iter().flatten().enumerate() {
        if let Some(one) = set.iter().find(|one| one.name == setting.name) {
            at(one.by_container, &format!("environment.settings[{index}]"), one.line);
        }
    }
    for one in set {
        if one.value.as_ref().is_some_and(|value| is_secret(&one.name, value)) {
            at(one.by_container, "environment.secret_names", one.line);
        }
        let path = match one.name.as_str() {
            "NVIDIA_DRIVER_CAPABILITIES" => "environment.nvidia_driver_capabilities",
            "NVIDIA_VISIBLE_DEVICES" => "environment.nvidia_visible_devices",
            "CUDA_VISIBLE_DEVICES" => "environment.cuda_visible_count",
            "LD_PRELOAD" => "environment.preloaded",
            "OMP_NUM_THREADS" => "environment.omp_threads",
            name if name.starts_with("NVIDIA_REQUIRE_") => "environment.requirements",
            _ => continue,
        };
        at(one.by_container, path, one.line);
    }
    facts.environment = told;
    let cuda_visible = set.iter().find(|one| one.name == "CUDA_VISIBLE_DEVICES").and_then(|one| one.value.as_deref());
    if let Some(value) = cuda_visible {
        given::bound(facts, value);
    }
}

/// What is started: `ENTRYPOINT` and `CMD`, or what the container puts in their place; its line, and whether the container
/// says it.
fn command(image: Option<&Image<'_>>, entrypoint: Words, cmd: Words) -> (Option<Vec<String>>, Option<usize>, bool) {
    let (of_image, cmd_of_image) = image.map_or((None, None), Image::command);
    let by_container = entrypoint.is_some() || cmd.is_some();
    let (first, second) = match (entrypoint, cmd) {
        (Some(entrypoint), cmd) => (Some(entrypoint), cmd),
        (None, Some(cmd)) => (of_image, Some(cmd)),
        (None, None) => (of_image, cmd_of_image),
    };
    let line = second.as_ref().or(first.as_ref()).map(|(_, line)| *line);
    let words: Vec<String> = [first, second].into_iter().flatten().flat_map(|(words, _)| words).collect();
    (Some(words).filter(|words| !words.is_empty()), line, by_container)
}

/// The command with the variables filled in that a shell will read in it: those of the container, and none that only the
/// build had.
fn with_variables(mut words: Vec<String>, set: &[Set], image: Option<&Image<'_>>) -> Vec<String> {
    let value = |name: &str| match set.iter().find(|one| one.name == name) {
        Some(one) => Some(one.value.clone().ok_or_else(|| "it is not in the text".to_owned())),
        None => image.is_some_and(|image| image.takes_argument(name)).then(|| Ok(String::new())),
    };
    if let [.., option, text] = &mut words[..]
        && is_of_text(option)
    {
        *text = filled_in(text, &value);
    }
    words
}

fn tell_services(world: &World, command: Option<&[String]>, facts: &mut Facts) {
    let Some(command) = command else { return };
    let startup = startup::collect(world, &Fact::Known(Vec::new()), Some(command));
    let declared: Fact<Vec<DeclaredService>> = match startup.declared {
        // A script of the image may start anything, and is not in the text.
        Fact::Known(found) if found.is_empty() && !is_plain(command) => Fact::default(),
        // What a variable decides, or a text that cannot be followed, leaves it open.
        told => told,
    };
    let written = world.read("/etc/ssh/sshd_config").known().is_some();
    let sshd_config = if written { services::ssh_configuration(world, &startup.ssh_args) } else { Fact::default() };
    facts.services = Services { sshd_config, declared, ..Services::default() };
}

/// Whether a command is a program that is known to start no service but itself.
fn is_plain(command: &[String]) -> bool {
    const PLAIN: [&str; 12] = [
        "vllm",
        "uvicorn",
        "gunicorn",
        "torchrun",
        "accelerate",
        "deepspeed",
        "tritonserver",
        "trtllm-serve",
        "ray",
        "node",
        "java",
        "hypercorn",
    ];
    let name = command.first().map_or("", |program| base_name(program));
    name.starts_with("python") || PLAIN.contains(&name)
}
