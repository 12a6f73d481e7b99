//! The settings as flags of `docker run`.

use super::settings::{Asked, Setting};
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
    let flags: Vec<(String, &Vec<String>)> = asked.iter().map(|asked| (flag(&asked.setting), &asked.answers)).collect();
    let width = flags.iter().map(|(flag, _)| flag.len()).max().unwrap_or_default();
    lines.extend(flags.iter().map(|(flag, answers)| format!("# {flag:width$}  {}", answers.join(", "))));
    lines.push("exec docker run \\".to_owned());
    lines.extend(flags.iter().map(|(flag, _)| format!("    {flag} \\")));
    lines.push("    \"$@\"".to_owned());
    lines.iter().map(|line| Shown::line(line)).collect()
}

/// None of the values has a character in it that means anything to a shell.
fn flag(setting: &Setting) -> String {
    match setting {
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
    }
}

/// Bytes by Docker's words.
pub fn size(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 30) { format!("{}g", bytes >> 30) } else { format!("{}m", bytes >> 20) }
}
