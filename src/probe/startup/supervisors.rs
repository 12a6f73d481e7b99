//! The command lines that process supervisors of this image will run: runit, s6, supervisord, systemd.
//!
//! Which service a command line starts is [`super::command`]'s business.

use std::collections::HashSet;

use super::ini::sections;
use super::supervisord;
use crate::facts::{DeclaredBy, Fact, Gap};
use crate::probe::glob;
use crate::probe::paths::{PROGRAM_FOLDERS, base_name, search_path};
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
        match supervisord::given_file(world, command) {
            Some(file) => reader.supervisord(&file, 0),
            None => reader.supervisord_files(),
        }
    }
    if systemd_is_first(world, command) {
        reader.systemd();
    }
    reader.out
}

/// Reads what a supervisor is told to read on its command line: a file for supervisord, a folder for the others.
pub fn read_at(world: &World, by: DeclaredBy, place: &str) -> Declarations {
    let mut reader = Reader { world, out: Declarations::default(), seen: HashSet::new() };
    if by == DeclaredBy::Supervisord {
        reader.supervisord(place, 0);
    } else {
        reader.scripts(&format!("{place}/*/run"), by);
    }
    reader.out
}

/// Where s6-overlay installs its programs, outside of `$PATH`.
const S6_FOLDER: &str = "/command";

fn has_program(world: &World, names: &[&str]) -> bool {
    let own = search_path(world);
    let mut folders = own.iter().map(String::as_str).chain(PROGRAM_FOLDERS).chain([S6_FOLDER]);
    folders.any(|folder| {
        names.iter().any(|name| {
            // A link into a folder that is closed to us is there all the same.
            !world.stat_link(format!("{folder}/{name}")).is_absent()
        })
    })
}

/// systemd starts units only as process 1, or as the command that is about to become it.
fn systemd_is_first(world: &World, command: Option<&[String]>) -> bool {
    let is_systemd = |name: &str| matches!(name, "systemd" | "init");
    let will_be = command.and_then(<[String]>::first).is_some_and(|program| is_systemd(base_name(program)));
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
                named.insert(base_name(&path).to_owned());
            }
        }
        // The older form of both: a file with the names.
        for kind in ["contents", "dependencies"] {
            for path in self.expand(&format!("{root}/*/{kind}")) {
                let text = self.text(&path).unwrap_or_default();
                named.extend(text.split_ascii_whitespace().map(str::to_owned));
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
                if section.name.starts_with("program:") && !section.get("autostart").is_some_and(supervisord::is_off) {
                    if let Some(command) = section.get("command") {
                        self.declare(DeclaredBy::Supervisord, &path, supervisord::without_expressions(command));
                    }
                } else if section.name == "include" && depth == 0 {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    let files = section.get("files").unwrap_or_default().replace("%(here)s", folder);
                    for file in files.split_ascii_whitespace() {
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
            let name = base_name(&path).to_owned();
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
