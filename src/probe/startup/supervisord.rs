//! What is supervisord's own: the file on its command line, its variables, its words for no.

use crate::probe::paths::base_name;
use crate::probe::procfs::{command_line, seen_from};
use crate::world::World;

/// The file that supervisord is given with `-c`; it reads no other then.
pub fn given_file(world: &World, command: Option<&[String]>) -> Option<String> {
    let words = match command {
        Some(words) => words.to_vec(),
        None => command_line(world, 1).known()?.clone(),
    };
    // It may stand behind an init or an interpreter.
    let at = words.iter().position(|word| base_name(word) == "supervisord")?;
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
        return seen_from(world, if command.is_some() { "self" } else { "1" }, value).known().cloned();
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
