//! Who can fix it here.

use crate::check::{Check, Owner};
use crate::facts::{ContainerKind, Facts, Phase, Place};

/// The owner that the check names, but for a pod's whose finding is somebody else's here: what an image brings is for who
/// builds it to take out, and what no field of Kubernetes can say is for who runs the node. The check has a remedy for them.
pub(super) fn owner(check: &Check, places: &[Place], facts: &Facts) -> Owner {
    let has = |place: &str| check.file.remedy.contains_key(place);
    let in_kubernetes = facts.container.kind.known() == Some(&ContainerKind::Kubernetes);
    match check.owner {
        Owner::Pod if has("image") && is_of_image(places, facts) => Owner::Image,
        Owner::Pod if has("node") && in_kubernetes && !has("kubernetes") => Owner::Node,
        owner => owner,
    }
}

/// Whether nothing but an image was looked at, or the finding stands in a Dockerfile and not in what runs its image.
fn is_of_image(places: &[Place], facts: &Facts) -> bool {
    let written = &facts.written;
    match facts.run.phase {
        Phase::Build => true,
        Phase::Written if written.container.known().is_none() => true,
        // Of two files the first is the Dockerfile.
        Phase::Written => match written.files.as_slice() {
            [dockerfile, _] => !places.is_empty() && places.iter().all(|place| place.file == *dockerfile),
            _ => false,
        },
        Phase::Start | Phase::Live => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Catalogue;
    use crate::facts::Fact;

    fn owner_of(id: &str, places: &[&str], change: impl FnOnce(&mut Facts)) -> Owner {
        let catalogue = Catalogue::load(&[]).expect("a catalogue");
        let mut facts = Facts::default();
        change(&mut facts);
        let places: Vec<Place> = places.iter().map(|file| Place { file: (*file).to_owned(), line: 1 }).collect();
        owner(catalogue.get(id).expect(id), &places, &facts)
    }

    #[test]
    fn what_a_pod_cannot_say_is_the_nodes_in_kubernetes_alone() {
        let kind = |kind| move |facts: &mut Facts| facts.container.kind = Fact::Known(kind);
        for id in ["limits.pids-limited", "limits.open-files-sufficient", "limits.locked-memory-sufficient"] {
            assert_eq!(owner_of(id, &[], kind(ContainerKind::Kubernetes)), Owner::Node, "{id}");
            assert_eq!(owner_of(id, &[], kind(ContainerKind::Docker)), Owner::Pod, "{id}");
            assert_eq!(owner_of(id, &[], |_| ()), Owner::Pod, "{id}: the kind is unknown");
        }
        let of_pod = "driver.nodes-openable";
        assert_eq!(owner_of(of_pod, &[], kind(ContainerKind::Kubernetes)), Owner::Pod, "it has words for both");
    }

    #[test]
    fn what_stands_in_an_image_is_for_who_builds_it() {
        let secrets = "environment.no-secrets";
        let phase = |phase| move |facts: &mut Facts| facts.run.phase = phase;
        let both = |facts: &mut Facts| {
            facts.run.phase = Phase::Written;
            facts.written.container = Fact::Known("service app".to_owned());
            facts.written.files = vec!["Dockerfile".to_owned(), "compose.yaml".to_owned()];
        };
        assert_eq!(owner_of(secrets, &[], phase(Phase::Build)), Owner::Image);
        assert_eq!(owner_of(secrets, &["Dockerfile"], phase(Phase::Written)), Owner::Image);
        assert_eq!(owner_of(secrets, &["Dockerfile"], both), Owner::Image);
        assert_eq!(owner_of(secrets, &["compose.yaml"], both), Owner::Pod);
        assert_eq!(
            owner_of(secrets, &["Dockerfile", "compose.yaml"], both),
            Owner::Pod,
            "one of them is in the compose file"
        );
        assert_eq!(owner_of(secrets, &[], both), Owner::Pod);
        assert_eq!(owner_of(secrets, &[], phase(Phase::Live)), Owner::Pod);
        assert_eq!(owner_of("limits.memory-limited", &[], phase(Phase::Build)), Owner::Pod, "no image can say it");
    }
}
