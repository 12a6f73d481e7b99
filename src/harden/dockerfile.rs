//! What the image is to be changed by: the lines of a Dockerfile that answer findings.
//!
//! Names of files come from the image, which may be hostile, so [`word`] lets pass only what means nothing to a shell.

use super::Options;
use crate::facts::{DeclaredBy, DeclaredKind, Fact, Facts, ToolKind};
use crate::text::Shown;
use crate::weigh::Finding;

/// The name of the user that is made, and his home.
const USER: &str = "app";
const HOME: &str = "/home/app";

/// Lines that belong together, with the checks that they answer; in the order of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    place: Place,
    text: String,
    answers: Vec<String>,
}

/// Where in a Dockerfile a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Services,
    Programs,
    Files,
    /// After everything that may bring programs with it.
    Permissions,
    User,
}

/// The changes of an image.
#[derive(Debug, Default)]
pub struct Changes(Vec<Step>);

impl Changes {
    /// What the failures ask for.
    pub fn of<'a>(failures: impl Iterator<Item = &'a Finding>, facts: &Facts, options: &Options) -> Self {
        let mut changes = Self::default();
        for finding in failures {
            for (place, text) in steps(&finding.check, facts, options.uid).into_iter().flatten() {
                changes.add(place, text, &finding.check);
            }
        }
        changes.0.sort();
        changes
    }

    fn add(&mut self, place: Place, text: String, check: &str) {
        match self.0.iter_mut().find(|step| step.text == text) {
            Some(step) if step.answers.iter().any(|answered| answered == check) => {}
            Some(step) => step.answers.push(check.to_owned()),
            None => self.0.push(Step { place, text, answers: vec![check.to_owned()] }),
        }
    }

    /// Whether one of them answers this check.
    pub fn answer(&self, check: &str) -> bool {
        self.0.iter().any(|step| step.answers.iter().any(|answered| answered == check))
    }

    /// The Dockerfile.
    pub fn render(&self, facts: &Facts, options: &Options) -> Shown {
        let mut lines: Vec<String> = vec![
            "# What gpu-preflight's findings ask of the image; each step says which. It needs a shell in the image."
                .to_owned(),
            "#   docker build --tag hardened --build-arg IMAGE=NAME:TAG --file Dockerfile.hardened .".to_owned(),
            "ARG IMAGE".to_owned(),
            "FROM ${IMAGE}".to_owned(),
            "USER root".to_owned(),
        ];
        for step in &self.0 {
            lines.extend([String::new(), format!("# {}", step.answers.join(", "))]);
            lines.extend(step.text.lines().map(str::to_owned));
        }
        let has_user = self.0.iter().any(|step| step.place == Place::User);
        if let (false, Fact::Known(uid), gid) = (has_user, &facts.identity.uid, &facts.identity.gid) {
            let group = gid.known().map_or(String::new(), |gid| format!(":{gid}"));
            lines.extend([String::new(), "# the user that it had".to_owned(), format!("USER {uid}{group}")]);
        }
        lines.extend(entrypoint(&options.command));
        lines.iter().map(|line| Shown::line(line)).collect()
    }
}

/// How the workload is started through a preflight.
fn entrypoint(command: &[String]) -> Vec<String> {
    let entrypoint = r#"ENTRYPOINT ["gpu-preflight", "exec", "--"]"#.to_owned();
    if command.is_empty() {
        return vec![
            String::new(),
            "# To look before every start, copy gpu-preflight into the image, and give the command of the workload:"
                .to_owned(),
            "#   COPY gpu-preflight /usr/local/bin/".to_owned(),
            format!("#   {entrypoint}"),
        ];
    }
    vec![
        String::new(),
        "# a look before every start; put the binary beside this file".to_owned(),
        "COPY gpu-preflight /usr/local/bin/".to_owned(),
        entrypoint,
        format!("CMD {}", serde_json::json!(command)),
    ]
}

/// How a finding is answered in the image.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// What starts services of a kind is taken away.
    NoService(DeclaredKind),
    /// The same, with the server's packages.
    NoServer(DeclaredKind, &'static str),
    /// Programs of a kind are taken away.
    Without(ToolKind),
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
    ("service.ssh-host-keys-unique", Answer::Run(Place::Files, "rm -f /etc/ssh/ssh_host_*_key*")),
    ("service.ssh-root-protected", Answer::Run(Place::Files, "passwd -l root")),
    ("image.debuggers-absent", Answer::Without(ToolKind::Debugger)),
    ("image.network-tools-absent", Answer::Without(ToolKind::Network)),
    ("image.orchestration-clients-absent", Answer::Without(ToolKind::Orchestration)),
    ("image.privilege-tools-absent", Answer::Without(ToolKind::Privilege)),
    (
        "image.caches-cleared",
        Answer::Run(
            Place::Files,
            "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/dnf /var/cache/apk/* /root/.cache/pip",
        ),
    ),
    (
        "identity.passwd-protected",
        Answer::Run(
            Place::Permissions,
            "chown root:root /etc/passwd && chmod 644 /etc/passwd && chown root /etc/shadow && chmod 640 /etc/shadow",
        ),
    ),
    (
        "isolation.setuid-disarmed",
        Answer::Run(Place::Permissions, "find / -xdev -perm /6000 -type f -exec chmod a-s {} +"),
    ),
    ("identity.not-root", Answer::User),
];

/// What answers a check in the image; none where it cannot be told, or would not be safe.
fn steps(check: &str, facts: &Facts, uid: u32) -> Option<Vec<(Place, String)>> {
    let (_, answer) = ANSWERS.iter().find(|(answered, _)| *answered == check)?;
    match *answer {
        Answer::NoService(kind) => no_service(facts, kind),
        Answer::NoServer(kind, packages) => {
            let mut steps = no_service(facts, kind)?;
            steps.push((Place::Programs, purged(packages)));
            Some(steps)
        }
        Answer::Without(kind) => without(facts, kind),
        Answer::User => Some(user(facts, uid)),
        Answer::Run(place, command) => Some(vec![(place, format!("RUN {command}"))]),
    }
}

/// Takes away what starts a service, where a folder or a link of its own does.
fn no_service(facts: &Facts, kind: DeclaredKind) -> Option<Vec<(Place, String)>> {
    let declared = facts.services.declared.known()?;
    let of_kind = declared.iter().filter(|service| service.kind == kind);
    let starts = of_kind.map(|service| {
        let path = word(&service.path)?;
        match service.by {
            DeclaredBy::Runit | DeclaredBy::S6 if !path.contains("s6-rc") => path.strip_suffix("/run"),
            DeclaredBy::Systemd if path.contains(".wants/") => Some(path),
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
fn without(facts: &Facts, kind: ToolKind) -> Option<Vec<(Place, String)>> {
    let tools = facts.image.tools.known()?.iter().filter(|tool| tool.kind == kind);
    let paths: Vec<&str> = tools.map(|tool| word(&tool.path)).collect::<Option<_>>()?;
    let text = format!(
        "RUN for program in {}; do \\\n      \
         owner=$(dpkg-query --search \"$program\" \"$(readlink -f \"$program\")\" 2>/dev/null | head -n 1 | cut -d: -f1); \\\n      \
         [ -z \"$owner\" ] || dpkg --purge \"$owner\" || echo \"$owner stays\"; \\\n      rm -f \"$program\"; \\\n    done",
        paths.join(" ")
    );
    (!paths.is_empty()).then(|| vec![(Place::Programs, text)])
}

/// A user for the workload, who may read what root's own folder holds of Python.
fn user(facts: &Facts, uid: u32) -> Vec<(Place, String)> {
    let mut steps = Vec::new();
    let packages = facts.framework.site_packages.known().into_iter().flatten();
    let own: Vec<&str> = packages.filter_map(|folder| word(folder)).filter(|path| path.starts_with("/root/")).collect();
    if !own.is_empty() {
        steps.push((Place::Permissions, format!("RUN chmod a+rX /root && chmod -R a+rX {}", own.join(" "))));
    }
    let text = format!(
        "RUN echo '{USER}:x:{uid}:{uid}::{HOME}:/sbin/nologin' >>/etc/passwd && echo '{USER}:x:{uid}:' >>/etc/group \\\n \
         && mkdir -p {HOME} && chown {uid}:{uid} {HOME}\nENV HOME={HOME} USER={USER}\nUSER {uid}:{uid}"
    );
    steps.push((Place::User, text));
    steps
}

/// A path, if no character in it means anything to a shell or to Docker.
fn word(path: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    (path.starts_with('/') && path.chars().all(is_plain)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Catalogue;
    use crate::facts::{Bind, DeclaredService};

    fn declared(by: DeclaredBy, path: &str) -> Facts {
        let service = DeclaredService {
            kind: DeclaredKind::Jupyter,
            by,
            path: path.to_owned(),
            port: 8888,
            bind: Fact::Known(Bind::Any),
            auth: Fact::Absent,
            allow_root: Fact::Absent,
            running: Fact::Absent,
        };
        let mut facts = Facts::default();
        facts.services.declared = Fact::Known(vec![service]);
        facts
    }

    fn answer(facts: &Facts) -> Option<String> {
        let steps = steps("service.jupyter-not-declared", facts, 10001)?;
        steps.into_iter().map(|(_, text)| text).next()
    }

    #[test]
    fn every_check_that_is_answered_exists() {
        let catalogue = Catalogue::load(&[]).expect("a catalogue");
        for (check, _) in ANSWERS {
            assert!(catalogue.get(check).is_some(), "{check}");
        }
    }

    #[test]
    fn a_service_is_removed_with_its_own_folder_and_no_other() {
        let removed = |by, path| answer(&declared(by, path));
        assert_eq!(removed(DeclaredBy::Runit, "/etc/service/j/run").as_deref(), Some("RUN rm -rf /etc/service/j"));
        assert_eq!(removed(DeclaredBy::Supervisord, "/etc/supervisord.conf"), None, "others are in that file");
        assert_eq!(removed(DeclaredBy::Command, "/start.sh"), None);
        assert_eq!(removed(DeclaredBy::S6, "/etc/s6-overlay/s6-rc.d/j/run"), None, "a bundle names it");
    }

    #[test]
    fn no_name_of_a_file_reaches_a_shell() {
        for path in ["/etc/service/$(reboot)/run", "/etc/service/a b/run", "/etc/service/a\nUSER root/run", "x/run"] {
            assert_eq!(answer(&declared(DeclaredBy::Runit, path)), None, "{path}");
        }
    }
}
