//! The settings as flags of `docker run`.

use super::settings::{Asked, Given, Setting};
use crate::text::Shown;

/// A script that starts the image with them: what else Docker is to be told, the image and the command follow as its
/// arguments.
pub fn script(asked: &[Asked]) -> Shown {
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        "# Starts a container as gpu-preflight's findings ask, of the image that Dockerfile.hardened makes. Volumes, ports,"
            .to_owned(),
        "# the image and its command follow as arguments:".to_owned(),
        "#   sh docker-run.sh --publish 8000:8000 IMAGE COMMAND".to_owned(),
    ];
    let given = asked.iter().filter_map(|asked| match asked.setting {
        Setting::Without(given) => Some((given, &asked.answers)),
        _ => None,
    });
    lines.extend(given.map(|(given, answers)| format!("# without {}: {}", name(given), answers.join(", "))));
    let flags: Vec<(String, &Vec<String>)> =
        asked.iter().filter_map(|asked| Some((flag(&asked.setting)?, &asked.answers))).collect();
    let width = flags.iter().map(|(flag, _)| flag.len()).max().unwrap_or_default();
    lines.extend(flags.iter().map(|(flag, answers)| format!("# {flag:width$}  {}", answers.join(", "))));
    lines.push("exec docker run \\".to_owned());
    lines.extend(flags.iter().map(|(flag, _)| format!("    {flag} \\")));
    lines.push("    \"$@\"".to_owned());
    lines.iter().map(|line| Shown::line(line)).collect()
}

fn flag(setting: &Setting) -> Option<String> {
    Some(match setting {
        Setting::User(uid) => format!("--user={uid}:{uid}"),
        Setting::ReadOnly => "--read-only".to_owned(),
        Setting::NoNewPrivileges => "--security-opt=no-new-privileges".to_owned(),
        Setting::NoCapabilities => "--cap-drop=ALL".to_owned(),
        Setting::Memory(bytes) => format!("--memory={}", size(*bytes)),
        Setting::Cores(cores) => format!("--cpus={cores}"),
        Setting::Pids(pids) => format!("--pids-limit={pids}"),
        Setting::SharedMemory(bytes) => format!("--shm-size={}", size(*bytes)),
        Setting::Temporary { path, options } if options.is_empty() => format!("--tmpfs={path}"),
        Setting::Temporary { path, options } => format!("--tmpfs={path}:{}", options.join(",")),
        Setting::Variable { name, value } => format!("--env={name}={value}"),
        Setting::ProcessLimit { name, soft, hard } => format!("--ulimit={name}={soft}:{hard}"),
        Setting::Init => "--init".to_owned(),
        Setting::Gpus => "--gpus=all".to_owned(),
        Setting::Without(_) => return None,
    })
}

/// Bytes by Docker's words.
pub fn size(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 30) { format!("{}g", bytes >> 30) } else { format!("{}m", bytes >> 20) }
}

fn name(given: Given) -> &'static str {
    match given {
        Given::Privileged => "--privileged",
        Given::HostPid => "--pid=host",
        Given::HostIpc => "--ipc=host",
        Given::HostNetwork => "--network=host",
        Given::AddedCapabilities => "--cap-add",
        Given::NoSeccomp => "--security-opt seccomp=unconfined",
    }
}
