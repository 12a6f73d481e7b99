//! The GPUs that a container is given where variables have a say in it.
//!
//! NVIDIA's runtime gives what `NVIDIA_VISIBLE_DEVICES` names and nothing where nobody sets it, which may stand in the image: so
//! it is told when both are known. Inside, the GPUs are numbered from 0, whatever they were called outside.

use super::container::Container;
use super::image::Image;
use super::reference::Reference;
use crate::facts::{Fact, Facts};

/// The variable that names GPUs to NVIDIA's runtime.
const DEVICES: &str = "NVIDIA_VISIBLE_DEVICES";

/// What is known of that variable.
enum Visible {
    /// Its value, with its line in the file of the container.
    Named(String, Option<usize>),
    /// It is set, to what is not in the text.
    Open(Option<usize>),
    /// Whether the base image sets it, where that is known.
    Base(Option<bool>),
}

/// Says whether a container gets GPUs for what its runtime and its variables say.
pub fn settle(container: &mut Container, image: Option<&Image<'_>>) {
    if container.asks_gpu {
        return;
    }
    let visible = visible(container, image);
    let Some(line) = container.runtime else {
        // A daemon whose default runtime is NVIDIA's heeds the variable, and the text does not say which it is.
        let line = match visible {
            Visible::Named(value, line) if !is_none(&value) => line,
            Visible::Open(line) => line,
            _ => return,
        };
        let why =
            "it asks for no GPU and sets NVIDIA_VISIBLE_DEVICES, which counts where NVIDIA's runtime is the default";
        container.gpus_unsaid(why, line.unwrap_or(container.line));
        return;
    };
    match visible {
        // That none is wanted is said.
        Visible::Named(value, _) if is_none(&value) => container.places.set("written.gpu_requested", line),
        Visible::Named(value, _) => container.gpus(count(value.split(',')), line),
        Visible::Open(_) => container.gpus_unsaid(&format!("the value of {DEVICES} is not in the text"), line),
        Visible::Base(Some(true)) => container.gpus(None, line),
        Visible::Base(Some(false)) if !container.has_more_variables => {
            container
                .gives_none(&format!("the runtime `nvidia` gives what {DEVICES} names, and nothing sets it"), line);
        }
        Visible::Base(_) => {
            let why =
                format!("the runtime `nvidia` gives what {DEVICES} names, and whether it is set is not in the text");
            container.gpus_unsaid(&why, line);
        }
    }
}

fn visible(container: &Container, image: Option<&Image<'_>>) -> Visible {
    let own = container.environment.iter().rev().find(|variable| variable.name == DEVICES);
    if let Some(own) = own {
        return match &own.value {
            Some(value) => Visible::Named(value.clone(), Some(own.line)),
            None => Visible::Open(Some(own.line)),
        };
    }
    let Some(image) = image else {
        let name = container.image.as_ref().map(|(name, _)| Reference::of(name));
        return Visible::Base(name.and_then(|name| name.names_gpus()));
    };
    match image.environment().filter(|(name, ..)| *name == DEVICES).last() {
        Some((_, Some(value), _)) => Visible::Named(value.to_owned(), None),
        Some((_, None, _)) => Visible::Open(None),
        None => Visible::Base(image.base_names_gpus()),
    }
}

fn is_none(value: &str) -> bool {
    matches!(value.trim(), "" | "none" | "void")
}

/// How many GPUs a list names; none where it names all of them, or what is not in the text.
pub fn count<'a>(names: impl Iterator<Item = &'a str>) -> Option<u64> {
    let mut count = 0;
    for name in names {
        if name.trim() == "all" || name.contains("${") {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Counts what CUDA sees of the GPUs that the container gets: it stops at the first number that none of them has.
pub fn bound(facts: &mut Facts, cuda_visible: &str) {
    // With every device node of the host there may be more of them.
    let is_bound = facts.isolation.privileged == Fact::Known(false) && facts.written.gpu_requested == Fact::Known(true);
    let (Fact::Known(given), Fact::Known(seen)) =
        (&facts.written.gpus_requested, &mut facts.environment.cuda_visible_count)
    else {
        return;
    };
    let is_beyond = |name: &str| name.trim().parse::<u64>().is_ok_and(|number| number >= *given);
    if is_bound && let Some(before) = cuda_visible.split(',').position(is_beyond) {
        *seen = (*seen).min(before as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ContainerKind, Gap};
    use crate::probe::written::container::Variable;
    use crate::probe::written::dockerfile;

    fn container(runtime: bool, value: Option<&str>) -> Container {
        let mut container = Container::new("service a", ContainerKind::Docker, "c", 1);
        container.runtime = runtime.then_some(3);
        let value = value.map(|value| Some(value).filter(|value| *value != "?").map(str::to_owned));
        let variable = value.map(|value| Variable { name: DEVICES.to_owned(), value, line: 4 });
        container.environment.extend(variable);
        container
    }

    fn told(mut container: Container, dockerfile: Option<&str>) -> (Option<bool>, Option<u64>, bool) {
        let built = dockerfile.map(|text| dockerfile::read(text).unwrap_or_else(|wrong| panic!("{wrong:?}")));
        settle(&mut container, built.as_ref().map(Image::of).as_ref());
        let written = container.facts.written;
        assert_eq!(container.asks_gpu, written.gpu_requested == Fact::Known(true));
        let is_lacking = written.gpu_lack.known().is_some();
        assert!(!is_lacking || written.gpu_requested == Fact::Known(false));
        (written.gpu_requested.known().copied(), written.gpus_requested.known().copied(), is_lacking)
    }

    #[test]
    fn the_runtime_gives_what_the_variable_names() {
        for (value, base, expected) in [
            (Some("all"), None, (Some(true), None, false)),
            (Some("0,GPU-1"), None, (Some(true), Some(2), false)),
            (Some("none"), None, (Some(false), Some(0), false)),
            (Some("?"), None, (None, None, false)),
            (None, None, (None, None, false)),
            (None, Some("FROM python:3.11-slim"), (Some(false), Some(0), true)),
            (None, Some("FROM python:3.11-slim\nENV NVIDIA_VISIBLE_DEVICES=0"), (Some(true), Some(1), false)),
            (None, Some("FROM nvidia/cuda:12.9.1-base-ubuntu24.04"), (Some(true), None, false)),
            (None, Some("FROM example.com/ours:1"), (None, None, false)),
            (Some("void"), Some("FROM nvidia/cuda:12.9.1-base-ubuntu24.04"), (Some(false), Some(0), false)),
        ] {
            assert_eq!(told(container(true, value), base), expected, "{value:?} {base:?}");
        }
        let mut elsewhere = container(true, None);
        elsewhere.has_more_variables = true;
        assert_eq!(told(elsewhere, Some("FROM ubuntu:24.04")), (None, None, false), "a file of variables may set it");
    }

    #[test]
    fn the_default_runtime_is_not_in_the_text() {
        for (value, base, expected) in [
            (Some("all"), None, (None, None, false)),
            (Some("?"), None, (None, None, false)),
            (Some("none"), None, (Some(false), Some(0), false)),
            (None, Some("FROM ubuntu:24.04\nENV NVIDIA_VISIBLE_DEVICES=all"), (None, None, false)),
            // What every image of NVIDIA sets says nothing of who starts it.
            (None, Some("FROM nvidia/cuda:12.9.1-base-ubuntu24.04"), (Some(false), Some(0), false)),
            (None, None, (Some(false), Some(0), false)),
        ] {
            assert_eq!(told(container(false, value), base), expected, "{value:?} {base:?}");
        }
        let mut asked = container(false, Some("all"));
        asked.gpus(Some(2), 1);
        assert_eq!(told(asked, None), (Some(true), Some(2), false), "what is asked for counts");
    }

    #[test]
    fn numbers_inside_begin_at_nought() {
        let seen = |value: &str, given: Option<u64>, is_privileged: bool| {
            let mut facts = Facts::default();
            facts.isolation.privileged = Fact::Known(is_privileged);
            facts.written.gpu_requested = Fact::Known(true);
            facts.written.gpus_requested = given.map_or_else(|| Fact::Unknown(Gap::not_written()), Fact::Known);
            facts.environment.cuda_visible_count = Fact::Known(value.split(',').count() as u64);
            bound(&mut facts, value);
            facts.environment.cuda_visible_count.known().copied()
        };
        assert_eq!((seen("1", Some(1), false), seen("2", Some(1), false)), (Some(0), Some(0)));
        assert_eq!((seen("0", Some(1), false), seen("1, 0", Some(2), false)), (Some(1), Some(2)));
        assert_eq!(seen("0,1,2,3", Some(2), false), Some(2));
        assert_eq!(seen("2", None, false), Some(1), "of all there may be as many");
        assert_eq!(seen("2", Some(1), true), Some(1), "a privileged container has every node");
        assert_eq!(seen("GPU-1", Some(1), false), Some(1));
    }
}
