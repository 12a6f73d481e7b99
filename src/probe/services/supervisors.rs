//! The command lines that process supervisors of this image will run: runit, s6, supervisord, systemd.
//!
//! Which service a command line starts is [`super::command`]'s business.

use std::collections::HashSet;

use super::glob;
use super::ini::sections;
use crate::facts::{DeclaredBy, Fact, Gap};
use crate::world::World;

/// Shell text that a supervisor will run.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// The supervisor.
    pub by: DeclaredBy,
    /// The file that says so.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Everything declared, and the first reason why something may be missing.
#[derive(Debug, Default)]
pub struct Declarations {
    /// What was found.
    pub found: Vec<Declaration>,
    /// Why the list may be incomplete.
    pub gap: Option<Gap>,
}

/// Reads the files of every supervisor that can run here.
///
/// Packages bring definitions for supervisors that an image does not have: Debian's `openssh-server` has one for runit
/// and one for systemd. What nobody will ever read starts nothing.
pub fn read(world: &World, command: Option<&[String]>) -> Declarations {
    let mut reader = Reader { world, out: Declarations::default(), seen: HashSet::new() };
    if has_program(world, &["runsvdir", "runit"]) {
        reader.runit();
    }
    if has_program(world, &["s6-svscan", "s6-rc"]) {
        reader.scripts("/etc/services.d/*/run", DeclaredBy::S6);
        // s6-overlay runs these before its services.
        reader.scripts("/etc/cont-init.d/*", DeclaredBy::S6);
        reader.s6_rc();
    }
    if has_program(world, &["supervisord"]) {
        match supervisord_file(world, command) {
            Some(file) => reader.supervisord(&file, 0),
            None => reader.supervisord_files(),
        }
    }
    if systemd_is_first(world, command) {
        reader.systemd();
    }
    reader.out
}

/// Where supervisors are installed besides `$PATH`; s6-overlay has a folder of its own.
const PROGRAM_FOLDERS: [&str; 7] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/command"];

fn has_program(world: &World, names: &[&str]) -> bool {
    let path = world.env("PATH").unwrap_or_default();
    let folders = path.split(':').filter(|folder| folder.starts_with('/')).chain(PROGRAM_FOLDERS);
    folders.flat_map(|folder| names.iter().map(move |name| format!("{folder}/{name}"))).any(|program| {
        // A link into a folder that is closed to us is there all the same.
        !world.stat_link(program).is_absent()
    })
}

/// The file that supervisord is given with `-c`; it reads no other then.
fn supervisord_file(world: &World, command: Option<&[String]>) -> Option<String> {
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
fn without_expressions(command: &str) -> String {
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
fn is_off(value: &str) -> bool {
    ["false", "no", "off", "0"].iter().any(|off| value.eq_ignore_ascii_case(off))
}

/// systemd starts units only as process 1, or as the command that is about to become it.
fn systemd_is_first(world: &World, command: Option<&[String]>) -> bool {
    let is_systemd = |name: &str| matches!(name, "systemd" | "init");
    let will_be = command
        .and_then(<[String]>::first)
        .is_some_and(|program| is_systemd(program.rsplit('/').next().unwrap_or(program)));
    let has_systemd =
        || ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].iter().any(|path| !world.stat_link(path).is_absent());
    let first = world.read_line("/proc/1/comm");
    first.known().is_some_and(|name| name == "systemd") || (will_be && has_systemd())
}

struct Reader<'a> {
    world: &'a World,
    out: Declarations,
    /// Files that were read, by their real path: folders are often links to each other.
    seen: HashSet<std::path::PathBuf>,
}

impl Reader<'_> {
    fn runit(&mut self) {
        // `/etc/sv` only counts where it is linked from one of these.
        for pattern in
            ["/etc/service/*/run", "/service/*/run", "/var/service/*/run", "/etc/runit/runsvdir/default/*/run"]
        {
            self.scripts(pattern, DeclaredBy::Runit);
        }
    }

    fn supervisord_files(&mut self) {
        for pattern in [
            "/etc/supervisord.conf",
            "/etc/supervisor/supervisord.conf",
            "/etc/supervisor/conf.d/*.conf",
            "/etc/supervisord.d/*.ini",
            "/etc/supervisord.d/*.conf",
            "/etc/supervisor.d/*.ini",
        ] {
            self.supervisord(pattern, 0);
        }
    }

    fn expand(&mut self, pattern: &str) -> Vec<String> {
        glob::expand(self.world, pattern).unwrap_or_else(|gap| {
            self.out.gap.get_or_insert(gap);
            Vec::new()
        })
    }

    fn text(&mut self, path: &str) -> Option<String> {
        if let Fact::Known(real) = self.world.real_path(path)
            && !self.seen.insert(real)
        {
            return None;
        }
        match self.world.read(path) {
            Fact::Known(text) => Some(text),
            Fact::Absent => None,
            Fact::Unknown(gap) => {
                self.out.gap.get_or_insert(gap);
                None
            }
        }
    }

    fn declare(&mut self, by: DeclaredBy, path: &str, text: String) {
        self.out.found.push(Declaration { by, path: path.to_owned(), text });
    }

    fn scripts(&mut self, pattern: &str, by: DeclaredBy) {
        for path in self.expand(pattern) {
            // A file `down` beside the script keeps the supervisor from starting it.
            let down = path.strip_suffix("run").map(|folder| self.world.exists(format!("{folder}down")));
            if down == Some(Fact::Known(true)) {
                continue;
            }
            if let Some(text) = self.text(&path) {
                self.declare(by, &path, text);
            }
        }
    }

    /// A definition of s6-rc is started when some bundle or other definition names it.
    fn s6_rc(&mut self) {
        let root = "/etc/s6-overlay/s6-rc.d";
        let mut named: HashSet<String> = HashSet::new();
        for kind in ["contents.d", "dependencies.d"] {
            for path in self.expand(&format!("{root}/*/{kind}/*")) {
                named.extend(path.rsplit('/').next().map(str::to_owned));
            }
        }
        for file in ["run", "up"] {
            for path in self.expand(&format!("{root}/*/{file}")) {
                let name = path.rsplit('/').nth(1).unwrap_or_default();
                if !named.contains(name) {
                    continue;
                }
                if let Some(text) = self.text(&path) {
                    self.declare(DeclaredBy::S6, &path, text);
                }
            }
        }
    }

    fn supervisord(&mut self, pattern: &str, depth: u32) {
        for path in self.expand(pattern) {
            let Some(text) = self.text(&path) else { continue };
            for section in sections(&text) {
                if section.name.starts_with("program:") && !section.get("autostart").is_some_and(is_off) {
                    if let Some(command) = section.get("command") {
                        self.declare(DeclaredBy::Supervisord, &path, without_expressions(command));
                    }
                } else if section.name == "include" && depth == 0 {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    for file in section.get("files").unwrap_or_default().split_ascii_whitespace() {
                        let absolute = if file.starts_with('/') { file.to_owned() } else { format!("{folder}/{file}") };
                        self.supervisord(&absolute, depth + 1);
                    }
                }
            }
        }
    }

    /// Units that some target wants, at `/etc/systemd/system/<target>.wants/<unit>`.
    fn systemd(&mut self) {
        for path in self.expand("/etc/systemd/system/*.wants/*") {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let is_socket = matches!(name.as_str(), "ssh.socket" | "sshd.socket" | "dropbear.socket");
            if !is_socket && std::path::Path::new(&name).extension().is_none_or(|end| end != "service") {
                continue;
            }
            // The entry is a link to the unit; where that leads nowhere the unit's own folders are asked.
            let template = name.split_once('@').map(|(stem, _)| format!("{stem}@.service"));
            let unit = template.as_deref().unwrap_or(&name);
            let folders = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
            // A unit that is masked is not started, whoever wants it.
            let mask = self.world.link(format!("/etc/systemd/system/{unit}"));
            if mask.known().is_some_and(|target| target.as_os_str() == "/dev/null") {
                continue;
            }
            let mut places = vec![path.clone()];
            places.extend(folders.iter().map(|folder| format!("{folder}/{unit}")));
            let Some(text) = places.iter().find_map(|place| self.text(place)) else { continue };
            if is_socket {
                self.declare(
                    DeclaredBy::Systemd,
                    &path,
                    if name.starts_with("drop") { "dropbear" } else { "sshd" }.to_owned(),
                );
            }
            for section in sections(&text).into_iter().filter(|section| section.name == "Service") {
                for (_, command) in section.entries.iter().filter(|(key, _)| key == "ExecStart") {
                    let command = command.trim_start_matches(['-', '@', ':', '+', '!', '|']);
                    self.declare(DeclaredBy::Systemd, &path, command.to_owned());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
