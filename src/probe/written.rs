//! An image or a container that is not there yet: what a Dockerfile, a compose file or a manifest says of it.
//!
//! Text is turned into the same facts that the other probes fill, and most of them are asked for it: of variables, of the
//! configuration of an image, of what a command starts. They read through a [`World`](crate::world::World) that holds nothing
//! but the few files whose text stands in the Dockerfile, in a `ConfigMap` or in a `config`. What no text says is the gap `not-written`, and is judged by nobody;
//! what a text leaves to somebody else, to a build argument or to another file, is a gap of its own, which leaves a question
//! open. [`Places`](places::Places) keeps the lines.
//!
//! [`dockerfile`] follows the stages, [`image`] says what the last one leaves, with [`reference`] for the names of images and
//! [`pip`] for what is installed and [`traces`] for what commands leave in files; [`compose`] and [`manifest`], which knows the [`pod`]s, read [`yaml`] and tell of a [`container`]; [`given`] says which GPUs
//! that one gets, and [`joined`] puts both together.

mod compose;
mod container;
mod dockerfile;
mod given;
mod image;
mod joined;
mod manifest;
mod pip;
mod places;
mod pod;
mod reference;
mod traces;
mod yaml;

use container::Container;
use dockerfile::Wrong;
use image::Image;

use crate::facts::{Fact, Facts};

/// Bytes of a file that are read at most.
pub const LIMIT: u64 = 1 << 20;
/// Containers that are judged at most; a release of a large application has some dozens.
const CONTAINERS: usize = 64;

/// A file that the command line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name there.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// What runs the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runner {
    /// A compose file.
    Compose(File),
    /// A manifest of Kubernetes.
    Manifest(File),
}

/// A mistake that only who wrote the file can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// What the files tell.
#[derive(Debug)]
pub struct Told {
    /// An image, or each container that is judged.
    pub all: Vec<Facts>,
    /// What was read and is not judged.
    pub notes: Vec<String>,
}

/// Reads the files: a Dockerfile, what runs its image, or both.
pub fn read(dockerfile: Option<&File>, runner: Option<&Runner>) -> Result<Told, Mistake> {
    let mut notes = Vec::new();
    let built =
        dockerfile.map(|file| dockerfile::read(&file.text).map_err(|wrong| mistake(file, wrong))).transpose()?;
    let image = built.as_ref().map(Image::of);
    if let Some((line, file)) = built.as_ref().and_then(|built| built.onbuild).zip(dockerfile) {
        notes.push(format!("ONBUILD ({}:{line}) says what other images do, and is not judged", file.name));
    }
    let containers = match runner {
        Some(runner) => containers(runner, image.as_ref(), &mut notes)?,
        None => Vec::new(),
    };
    let name = dockerfile.map_or("", |file| file.name.as_str());
    let files = dockerfile.into_iter().chain(runner.map(|runner| match runner {
        Runner::Compose(file) | Runner::Manifest(file) => file,
    }));
    let files: Vec<String> = files.map(|file| crate::facts::cut(&file.name)).collect();
    let mut all: Vec<Facts> = if containers.is_empty() {
        vec![joined::facts(image.as_ref(), name, None)]
    } else {
        let facts = |mut container: Container| match container.built.take() {
            // Its Dockerfile stands in the file of the container.
            Some(own) => joined::facts(Some(&Image::of(&own)), &container.file.clone(), Some(container)),
            None => joined::facts(image.as_ref(), name, Some(container)),
        };
        containers.into_iter().map(facts).collect()
    };
    for facts in &mut all {
        facts.written.files.clone_from(&files);
    }
    Ok(Told { all, notes })
}

/// The containers that are judged: those that ask for a GPU, and all where none does.
fn containers(runner: &Runner, image: Option<&Image<'_>>, notes: &mut Vec<String>) -> Result<Vec<Container>, Mistake> {
    // Why somebody who is not read may be the one who asks for a GPU.
    let elsewhere;
    let mut all = match runner {
        Runner::Compose(file) => {
            let project = compose::read(&file.name, &file.text, notes).map_err(|wrong| mistake(file, wrong))?;
            elsewhere = project.includes.map(|line| format!("other files, which line {line} includes"));
            project.services
        }
        Runner::Manifest(file) => {
            let manifest = manifest::read(&file.name, &file.text).map_err(|wrong| mistake(file, wrong))?;
            elsewhere = manifest.may_ask;
            if !manifest.passed_over.is_empty() {
                notes
                    .push(format!("not judged, for their kind is not known here: {}", manifest.passed_over.join(", ")));
            }
            if !manifest.init.is_empty() {
                let init = manifest.init.join("; ");
                notes.push(crate::facts::cut(&format!("not judged, for they end before the workload begins: {init}")));
            }
            if manifest.left > 0 {
                notes.push(format!("{} more containers are not read", manifest.left));
            }
            manifest.containers
        }
    };
    for container in &mut all {
        let own = container.built.take();
        given::settle(container, own.as_ref().map(Image::of).as_ref().or(image));
        container.built = own;
    }
    if let Some(who) = elsewhere.filter(|_| !all.iter().any(|container| container.asks_gpu)) {
        for container in all.iter_mut().filter(|one| one.facts.written.gpu_requested == Fact::Known(false)) {
            let line = container.line;
            container
                .gpus_unsaid(&format!("it asks for no GPU, which may be for {who} to do, and that is not read"), line);
        }
    }
    // One that may ask for a GPU is judged as well, and one that was meant to get some.
    let may_ask = |one: &Container| {
        one.facts.written.gpu_requested != Fact::Known(false) || one.facts.written.gpu_lack.known().is_some()
    };
    if all.iter().any(|container| container.asks_gpu) {
        let others: Vec<&str> = all.iter().filter(|one| !may_ask(one)).map(|one| one.name.as_str()).collect();
        if !others.is_empty() {
            notes.push(format!("not judged, for they ask for no GPU: {}", others.join("; ")));
        }
        all.retain(may_ask);
    }
    if all.len() > CONTAINERS {
        notes.push(format!("of {} containers the first {CONTAINERS} are judged", all.len()));
        all.truncate(CONTAINERS);
    }
    Ok(all)
}

fn mistake(file: &File, (line, column, message): Wrong) -> Mistake {
    Mistake { file: file.name.clone(), line, column, message }
}
