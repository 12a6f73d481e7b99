//! How findings are answered in the image, as far as that needs nothing that only the workload's owner knows.
//!
//! Names of files come from the image, which may be hostile, so [`word`] lets pass only what leads nowhere else and means
//! nothing to a shell.

use std::path::Path;

use super::Options;
use crate::facts::{DeclaredBy, DeclaredKind, DeclaredService, Fact, Facts, Image, Tool};

/// The name of the user that is made, and his home.
const USER: &str = "app";
const HOME: &str = "/home/app";

/// Where in a Dockerfile a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Services,
    Programs,
    Files,
    /// After everything that may bring programs with it.
    Permissions,
    User,
}

/// How a finding is answered in the image.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// What starts services of a kind is taken away.
    NoService(DeclaredKind),
    /// The same, with the server's packages.
    NoServer(DeclaredKind, &'static str),
    /// Programs with these names are taken away.
    Without(fn(&Image) -> &Fact<Vec<String>>),
    /// The keys of an SSH server that is not started any more.
    NoHostKeys,
    /// Accounts are locked.
    NoPasswords,
    /// The workload gets a user of its own.
    User,
    /// A command is run.
    Run(Place, &'static str),
}

/// The checks that an image can be changed for without knowing more of the workload.
const ANSWERS: &[(&str, Answer)] = &[
    ("service.jupyter-absent", Answer::NoService(DeclaredKind::Jupyter)),
    ("service.jupyter-authenticated", Answer::NoService(DeclaredKind::Jupyter)),
    ("service.jupyter-declared-authenticated", Answer::NoService(DeclaredKind::Jupyter)),
    ("service.jupyter-loopback-authenticated", Answer::NoService(DeclaredKind::Jupyter)),
    ("service.jupyter-not-declared", Answer::NoService(DeclaredKind::Jupyter)),
    ("service.jupyter-not-root", Answer::NoService(DeclaredKind::Jupyter)),
    ("service.ssh-absent", Answer::NoServer(DeclaredKind::Ssh, "openssh-server dropbear")),
    ("service.ssh-not-declared", Answer::NoServer(DeclaredKind::Ssh, "openssh-server dropbear")),
    ("service.ssh-host-keys-unique", Answer::NoHostKeys),
    ("service.ssh-root-protected", Answer::Run(Place::Files, "usermod --lock root || passwd -l root")),
    ("image.debuggers-absent", Answer::Without(|image| &image.debuggers)),
    ("image.network-tools-absent", Answer::Without(|image| &image.network_tools)),
    ("image.orchestration-clients-absent", Answer::Without(|image| &image.orchestration_clients)),
    ("image.privilege-tools-absent", Answer::Without(|image| &image.privilege_tools)),
    (
        "image.caches-cleared",
        Answer::Run(
            Place::Files,
            "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/dnf /var/cache/yum /var/cache/apk/* \\\n      \
             /opt/conda/pkgs /root/.cache/pip",
        ),
    ),
    (
        "identity.passwd-protected",
        Answer::Run(
            Place::Permissions,
            "chown root /etc/passwd && chmod 644 /etc/passwd \\\n \
             && { [ ! -e /etc/shadow ] || { chown root /etc/shadow && chmod 640 /etc/shadow; }; }",
        ),
    ),
    (
        "isolation.setuid-disarmed",
        Answer::Run(Place::Permissions, "find / -xdev -perm /6000 -type f -exec chmod a-s {} +"),
    ),
    ("identity.not-root", Answer::User),
    ("identity.passwords-absent", Answer::NoPasswords),
];

/// What answers a check in the image; none where it cannot be told, or would not be safe.
pub fn steps(check: &str, facts: &Facts, options: &Options) -> Option<Vec<(Place, String)>> {
    let (_, answer) = ANSWERS.iter().find(|(answered, _)| *answered == check)?;
    match *answer {
        Answer::NoService(kind) => no_service(facts, options, kind),
        Answer::NoServer(kind, packages) => {
            let mut steps = no_service(facts, options, kind)?;
            steps.push((Place::Programs, purged(packages)));
            Some(steps)
        }
        Answer::NoHostKeys => {
            let runs = facts.services.ssh.known().is_none_or(|servers| !servers.is_empty());
            let starts = |service: &DeclaredService| service.kind == DeclaredKind::Ssh;
            let is_declared = facts.services.declared.known().is_none_or(|all| all.iter().any(starts));
            let is_needed = (runs || is_declared) && no_service(facts, options, DeclaredKind::Ssh).is_none();
            (!is_needed).then(|| vec![(Place::Files, "RUN rm -f /etc/ssh/ssh_host_*_key*".to_owned())])
        }
        Answer::NoPasswords => {
            let accounts = facts.services.password_accounts.known()?;
            let is_plain =
                |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let locked = |name: &String| format!("usermod --lock {name}");
            let all: Vec<String> = accounts.iter().filter(|name| is_plain(name)).map(locked).collect();
            (all.len() == accounts.len() && !all.is_empty())
                .then(|| vec![(Place::Files, format!("RUN {}", all.join(" && ")))])
        }
        Answer::Without(names) => without(&facts.image, names(&facts.image).known()?),
        Answer::User => user(facts, options),
        Answer::Run(place, command) => Some(vec![(place, format!("RUN {command}"))]),
    }
}

/// Folders in which each folder, or each link, starts one service.
const SERVICES: [&str; 6] = [
    "/etc/service/",
    "/service/",
    "/var/service/",
    "/etc/runit/runsvdir/default/",
    "/etc/services.d/",
    "/etc/systemd/system/",
];

/// Takes away what starts a service, where a folder or a link of its own does. An image whose command is the workload
/// alone starts nothing else.
fn no_service(facts: &Facts, options: &Options, kind: DeclaredKind) -> Option<Vec<(Place, String)>> {
    if is_alone(&options.command) {
        let nothing = "# Nothing starts it any more: the image starts the command below and no supervisor.";
        return Some(vec![(Place::Services, nothing.to_owned())]);
    }
    let declared = facts.services.declared.known()?;
    let of_kind = declared.iter().filter(|service| service.kind == kind);
    let starts = of_kind.map(|service| {
        let path = word(&service.path)?;
        let rest = SERVICES.iter().find_map(|folder| path.strip_prefix(folder))?;
        match service.by {
            DeclaredBy::Runit | DeclaredBy::S6 if rest.strip_suffix("/run").is_some_and(|name| !name.contains('/')) => {
                path.strip_suffix("/run")
            }
            DeclaredBy::Systemd if rest.contains(".wants/") => Some(path),
            _ => None,
        }
    });
    let starts: Vec<&str> = starts.collect::<Option<_>>()?;
    (!starts.is_empty()).then(|| vec![(Place::Services, format!("RUN rm -rf {}", starts.join(" ")))])
}

/// Takes packages away that nothing else needs.
fn purged(packages: &str) -> String {
    format!(
        "RUN for package in {packages}; do \\\n      if command -v dpkg >/dev/null; then dpkg --purge \"$package\"; \
         elif command -v apk >/dev/null; then apk del \"$package\"; \
         else rpm --erase \"$package\"; fi || echo \"$package stays\"; \\\n    done"
    )
}

/// Takes programs away, with the packages that brought them. Of a package that others need the program alone goes.
fn without(image: &Image, names: &[String]) -> Option<Vec<(Place, String)>> {
    let tools = image.tools.known()?.iter().filter(|tool| names.contains(&tool.name));
    let program =
        |tool: &Tool| word(&tool.path).filter(|path| path.rsplit('/').next() == Some(&tool.name)).map(str::to_owned);
    let paths: Vec<String> = tools.map(program).collect::<Option<_>>()?;
    let text = format!(
        "RUN for program in {}; do \\\n      \
         owner=$(dpkg-query --search \"$program\" \"$(readlink -f \"$program\")\" 2>/dev/null | head -n 1 | cut -d: -f1); \\\n      \
         [ -z \"$owner\" ] || dpkg --purge \"$owner\" || echo \"$owner stays\"; \\\n      rm -f \"$program\"; \\\n    done",
        paths.join(" ")
    );
    (!paths.is_empty()).then(|| vec![(Place::Programs, text)])
}

/// A user for the workload, who may read what root's own folder holds of Python. None where a supervisor stays process 1:
/// as another user it starts its services again and again.
fn user(facts: &Facts, options: &Options) -> Option<Vec<(Place, String)>> {
    let first = facts.process.first_name.known().map_or("", String::as_str);
    if SUPERVISORS.contains(&first) && !is_alone(&options.command) {
        return None;
    }
    let mut steps = Vec::new();
    let packages = facts.framework.site_packages.known().into_iter().flatten();
    let own: Vec<&str> = packages.filter_map(|folder| word(folder)).filter(|path| path.starts_with("/root/")).collect();
    if !own.is_empty() {
        steps.push((Place::Permissions, format!("RUN chmod a+rX /root && chmod -R a+rX {}", own.join(" "))));
    }
    let base =
        if own.iter().any(|path| path.starts_with("/root/.local/")) { " PYTHONUSERBASE=/root/.local" } else { "" };
    let uid = options.uid;
    let text = format!(
        "RUN grep -q '^[^:]*:[^:]*:{uid}:' /etc/passwd || echo '{USER}:x:{uid}:{uid}::{HOME}:/sbin/nologin' >>/etc/passwd \\\n \
         && {{ grep -q '^[^:]*:[^:]*:{uid}:' /etc/group || echo '{USER}:x:{uid}:' >>/etc/group; }} \\\n \
         && mkdir -p {HOME} && chown {uid}:{uid} {HOME}\n\
         # What only root may read of the workload is to be opened here: RUN chmod -R a+rX FOLDER\n\
         ENV HOME={HOME} USER={USER}{base}\nUSER {uid}:{uid}"
    );
    steps.push((Place::User, text));
    Some(steps)
}

/// Whether a command starts the workload and nothing beside it: no script of a shell, which may start anything, no
/// supervisor, and none of the services themselves.
fn is_alone(command: &[String]) -> bool {
    let may_start_more = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or_default();
        SHELLS.contains(&name)
            || SUPERVISORS.contains(&name)
            || Path::new(name).extension().is_some_and(|end| end == "sh")
            || SERVERS.iter().any(|server| name.contains(server))
    };
    !command.is_empty() && !command.iter().any(may_start_more)
}

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
const SERVERS: [&str; 4] = ["jupyter", "notebook", "sshd", "dropbear"];
/// Programs that start services and need root for it.
const SUPERVISORS: [&str; 8] =
    ["runsvdir", "runit", "s6-svscan", "s6-overlay-suex", "supervisord", "systemd", "init", "my_init"];

/// A path, if it leads nowhere else and no character in it means anything to a shell or to Docker.
fn word(path: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+@".contains(c);
    let names = path.strip_prefix('/')?;
    let is_name = |name: &str| !name.is_empty() && name != "." && name != ".." && name.chars().all(is_plain);
    names.split('/').all(is_name).then_some(path)
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
