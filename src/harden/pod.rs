//! The settings as a patch of a pod's template.

use serde_json::Value;

use super::settings::{Asked, Setting};
use super::yaml::Node;
use crate::text::Shown;
use crate::weigh::Finding;

/// What of a pod's specification a remedy may set, and what lies in the container's own part.
const OF_THE_POD: [&str; 3] = ["automountServiceAccountToken", "enableServiceLinks", "shareProcessNamespace"];
const OF_THE_CONTAINER: [&str; 3] = [
    "securityContext.allowPrivilegeEscalation",
    "securityContext.readOnlyRootFilesystem",
    "securityContext.seccompProfile.type",
];

/// What is taken back, of the pod and of the container.
const TAKEN_BACK: [(&str, &str); 3] = [
    ("isolation.ipc-namespace-own", "hostIPC"),
    ("isolation.network-namespace-own", "hostNetwork"),
    ("isolation.pid-namespace-own", "hostPID"),
];
const PRIVILEGED: &str = "isolation.not-privileged";

/// A patch for `kubectl patch deployment`.
pub fn patch<'a>(asked: &[Asked], failures: impl Iterator<Item = &'a Finding>) -> Shown {
    let (mut pod, mut container) = (Node::empty(), Node::map([("name", Node::plain("app"))]));
    for asked in asked {
        add(&mut pod, &mut container, asked);
    }
    for finding in failures {
        let answers = [finding.check.clone()];
        for (path, value) in finding.remedy.get("kubernetes").into_iter().flat_map(|remedy| fields(remedy)) {
            let names: Vec<&str> = path.split('.').collect();
            let place = if OF_THE_POD.contains(&path) { &mut pod } else { &mut container };
            place.set(&names, Node::leaf(value, &answers));
        }
        for (_, field) in TAKEN_BACK.iter().filter(|(check, _)| *check == finding.check) {
            pod.set(&[*field], Node::leaf(false, &answers));
        }
        if finding.check == PRIVILEGED {
            container.set(&["securityContext", "privileged"], Node::leaf(false, &answers));
        }
    }
    let head = [
        "# What gpu-preflight's findings ask of the container `app`; call it as your manifest does:",
        "#   kubectl patch deployment NAME --patch-file pod-patch.yaml",
        "# Where it requests more memory or CPU than the limits here, raise the limits.",
    ];
    let mut lines: Vec<Shown> = head.iter().map(|line| Shown::line(line)).collect();
    for asked in asked {
        lines
            .extend(not_here(&asked.setting).map(|why| Shown::line(&format!("# {why}: {}", asked.answers.join(", ")))));
    }
    pod.push("containers", container);
    let spec = Node::map([("spec", Node::map([("template", Node::map([("spec", pod)]))]))]);
    lines.into_iter().collect::<Shown>() + &spec.render()
}

/// Whether a pod can say it.
pub fn says(setting: &Setting) -> bool {
    not_here(setting).is_none()
}

/// Whether the patch says all that a finding asks for in a cluster, beside the settings.
pub fn is_answered_by_fields(finding: &Finding) -> bool {
    finding.remedy.get("kubernetes").is_some_and(|remedy| fields(remedy).next().is_some())
        || TAKEN_BACK.iter().any(|(check, _)| *check == finding.check)
        || finding.check == PRIVILEGED
}

/// The fields that the text of a remedy sets: `` `path: value` `` in backticks.
fn fields(remedy: &str) -> impl Iterator<Item = (&str, Value)> {
    remedy.split('`').skip(1).step_by(2).filter_map(|code| {
        let (path, value) = code.split_once(": ")?;
        let value = value.parse::<bool>().map_or_else(|_| Value::from(value), Value::from);
        (OF_THE_POD.contains(&path) || OF_THE_CONTAINER.contains(&path)).then_some((path, value))
    })
}

/// What no pod can say, and who says it.
fn not_here(setting: &Setting) -> Option<&'static str> {
    match setting {
        Setting::Pids(_) => Some("processes are bounded by podPidsLimit in the kubelet's configuration"),
        Setting::ProcessLimit { .. } => Some("limits of processes are those of the node's container runtime"),
        _ => None,
    }
}

fn add(pod: &mut Node, container: &mut Node, Asked { setting, answers }: &Asked) {
    let leaf = |value: Value| Node::leaf(value, answers);
    let mut secure = |path: &[&str], value: Value| {
        container.set(&[&["securityContext"], path].concat(), leaf(value));
    };
    match setting {
        Setting::User(uid) => {
            secure(&["runAsNonRoot"], true.into());
            secure(&["runAsUser"], (*uid).into());
            secure(&["runAsGroup"], (*uid).into());
        }
        Setting::ReadOnly => secure(&["readOnlyRootFilesystem"], true.into()),
        Setting::NoNewPrivileges => secure(&["allowPrivilegeEscalation"], false.into()),
        Setting::NoCapabilities => {
            let all = Node::List(vec![leaf("ALL".into())]);
            container.set(&["securityContext", "capabilities", "drop"], all);
        }
        Setting::Memory(bytes) => container.set(&["resources", "limits", "memory"], leaf(size(*bytes).into())),
        Setting::Cores(cores) => container.set(&["resources", "limits", "cpu"], leaf((*cores).into())),
        Setting::SharedMemory(bytes) => {
            let kind = Node::map([("medium", Node::plain("Memory")), ("sizeLimit", leaf(size(*bytes).into()))]);
            mount(pod, container, "/dev/shm", kind);
        }
        Setting::Temporary { path, .. } => {
            mount(pod, container, path, Node::Leaf(serde_json::json!({}), answers.clone()));
        }
        Setting::Variable { name, value } => {
            container.push("env", Node::map([("name", Node::plain(&**name)), ("value", leaf(value.clone().into()))]));
        }
        Setting::Init => pod.set(&["shareProcessNamespace"], leaf(true.into())),
        Setting::Pids(_) | Setting::ProcessLimit { .. } => {}
    }
}

/// A folder of the pod's own at a path.
fn mount(pod: &mut Node, container: &mut Node, path: &str, kind: Node) {
    // No name that the manifest may have for another volume.
    let name = format!("preflight{}", path.trim_end_matches('/').replace('/', "-"));
    pod.push("volumes", Node::map([("name", Node::plain(&*name)), ("emptyDir", kind)]));
    container.push("volumeMounts", Node::map([("name", Node::plain(name)), ("mountPath", Node::plain(path))]));
}

/// Bytes by Kubernetes' words.
fn size(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 30) { format!("{}Gi", bytes >> 30) } else { format!("{}Mi", bytes >> 20) }
}
