//! The settings as a service of a compose file.

use super::run_line::size;
use super::settings::{Asked, Setting};
use super::yaml::Node;
use crate::text::Shown;

/// A file to be merged into the project's own: `docker compose --file compose.yaml --file hardened.yaml up`.
pub fn fragment(asked: &[Asked]) -> Shown {
    let mut service = Node::empty();
    for asked in asked {
        add(&mut service, asked);
    }
    let head = [
        "# What gpu-preflight's findings ask of the service `app`; call it as your own file does, and give both:",
        "#   docker compose --file compose.yaml --file compose.hardened.yaml up",
        "# Limits under deploy.resources exclude mem_limit, cpus and pids_limit: keep one of the two forms.",
    ];
    let head: Shown = head.iter().map(|line| Shown::line(line)).collect();
    head + &Node::map([("services", Node::map([("app", service)]))]).render()
}

fn add(service: &mut Node, Asked { setting, answers }: &Asked) {
    let text = |text: &str| Node::leaf(text, answers);
    let number = |number: u64| Node::leaf(number, answers);
    let yes = || Node::leaf(true, answers);
    match setting {
        Setting::User(uid) => service.set(&["user"], text(&format!("{uid}:{uid}"))),
        Setting::ReadOnly => service.set(&["read_only"], yes()),
        Setting::NoNewPrivileges => service.push("security_opt", text("no-new-privileges:true")),
        Setting::NoCapabilities => service.push("cap_drop", text("ALL")),
        Setting::Memory(bytes) => service.set(&["mem_limit"], text(&size(*bytes))),
        Setting::Cores(cores) => service.set(&["cpus"], number(*cores)),
        Setting::Pids(pids) => service.set(&["pids_limit"], number(*pids)),
        Setting::SharedMemory(bytes) => service.set(&["shm_size"], text(&size(*bytes))),
        Setting::Temporary { path, options } if options.is_empty() => service.push("tmpfs", text(path)),
        Setting::Temporary { path, options } => {
            service.push("tmpfs", text(&format!("{path}:{}", options.join(","))));
        }
        Setting::Variable { name, value } => service.set(&["environment", name], text(value)),
        Setting::ProcessLimit { name, soft, hard } => {
            service.set(&["ulimits", name, "soft"], Node::leaf(*soft, answers));
            service.set(&["ulimits", name, "hard"], Node::plain(*hard));
        }
        Setting::Init => service.set(&["init"], yes()),
    }
}
