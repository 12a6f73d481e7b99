//! What the image is to be changed by: the lines of a Dockerfile that answer findings.

use super::Options;
use super::answers::{Place, steps};
use crate::facts::Facts;
use crate::text::Shown;
use crate::weigh::Finding;

/// Lines that belong together, with the checks that they answer; in the order of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    place: Place,
    text: String,
    answers: Vec<String>,
}

/// The changes of an image.
#[derive(Debug, Default)]
pub struct Changes(Vec<Step>);

impl Changes {
    /// What the failures ask for.
    pub fn of<'a>(failures: impl Iterator<Item = &'a Finding>, facts: &Facts, options: &Options) -> Self {
        let mut changes = Self::default();
        for finding in failures {
            for (place, text) in steps(&finding.check, facts, options).into_iter().flatten() {
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
            "# What gpu-preflight's findings ask of the image; each step says which. Steps need a shell in the image. What".to_owned(),
            "# they take away stays in the layers below, so build from a smaller base where bytes matter.".to_owned(),
            "#   docker build --tag hardened --build-arg IMAGE=NAME:TAG --file Dockerfile.hardened .".to_owned(),
            "ARG IMAGE".to_owned(),
            "FROM ${IMAGE}".to_owned(),
        ];
        if !self.0.is_empty() {
            lines.push("USER root".to_owned());
        }
        for step in &self.0 {
            lines.extend([String::new(), format!("# {}", step.answers.join(", "))]);
            lines.extend(step.text.lines().map(str::to_owned));
        }
        if !self.0.is_empty() && self.0.iter().all(|step| step.place != Place::User) {
            lines.push(String::new());
            lines.push(match facts.identity.uid.known() {
                Some(uid) => format!("# the user that it ran as\nUSER {uid}"),
                None => "# put the USER of the image here: it could not be told".to_owned(),
            });
        }
        lines.extend(entrypoint(&options.command));
        lines.iter().flat_map(|line| line.split('\n')).map(Shown::line).collect()
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
        "# a look before every start; put the binary beside this file. While something is left that decides the verdict, the".to_owned(),
        "# command is not started, unless GPU_PREFLIGHT_MODE=report; the image's own ENTRYPOINT is replaced".to_owned(),
        "COPY gpu-preflight /usr/local/bin/".to_owned(),
        entrypoint,
        format!("CMD {}", serde_json::json!(command)),
    ]
}
