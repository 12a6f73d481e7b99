//! What is supervisord's own: the file on its command line, its variables, its words for no.

use crate::world::World;

/// The file that supervisord is given with `-c`; it reads no other then.
pub fn given_file(world: &World, command: Option<&[String]>) -> Option<String> {
    let words: Vec<String> = if let Some(words) = command {
        words.to_vec()
    } else {
        let line = world.read_bytes("/proc/1/cmdline", 64 << 10);
        line.known()?.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    };
    // It may stand behind an init or an interpreter.
    let at = words.iter().position(|word| word.rsplit('/').next() == Some("supervisord"))?;
    let mut args = words.iter().skip(at + 1);
    while let Some(arg) = args.next() {
        let value = match arg.strip_prefix("--configuration=").or_else(|| arg.strip_prefix("-c")) {
            Some("") => args.next()?,
            Some(value) => value,
            None if arg == "--configuration" => args.next()?,
            None => continue,
        };
        if value.starts_with('/') {
            return Some(value.to_owned());
        }
        let folder = world.link(if command.is_some() { "/proc/self/cwd" } else { "/proc/1/cwd" });
        return folder.known().map(|folder| folder.join(value).to_string_lossy().into_owned());
    }
    None
}

/// supervisord's own variables, `%(ENV_TOKEN)s`, as the shell would write them.
pub fn without_expressions(command: &str) -> String {
    let mut parts = command.split("%(");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(")s") {
            Some((name, rest)) => text.extend(["${", name, "}", rest]),
            None => text.extend(["%(", part]),
        }
    }
    text
}

/// Whether supervisord takes a value for no.
pub fn is_off(value: &str) -> bool {
    ["false", "no", "off", "0"].iter().any(|off| value.eq_ignore_ascii_case(off))
}
