//! A Dockerfile: what the image of its last stage would be.
//!
//! The stages are followed in their order, each with what it inherits from an image, from an earlier stage or through `COPY
//! --from`; the last one counts. Nothing is built and nothing fetched: of a base image its name alone is read
//! ([`super::reference`]). `ONBUILD` says what other images do, and is left out.

mod instructions;
mod parts;
mod run;
mod stage;
mod words;

use std::rc::Rc;

pub use instructions::Wrong;
use instructions::{Instruction, Instructions, raw_words};
pub use parts::{At, Command, Run, is_of_text};
use parts::{Variable, flag, without_flags};
pub use stage::Stage;
pub use words::filled_in;
use words::{Told, expanded};

/// Stages, instructions, and words of one that sets variables: builders know no bound, and people write a dozen, hundreds and
/// a few. What a stage inherits is kept for each.
const STAGES: usize = 100;
const INSTRUCTIONS: usize = 5000;
const VARIABLES: usize = 1000;

/// What a Dockerfile leaves.
#[derive(Debug)]
pub struct Built {
    /// Its last stage.
    pub last: Stage,
    /// The line of the first `ONBUILD`.
    pub onbuild: Option<usize>,
}

/// Reads a Dockerfile; where it is none, the place and the reason.
pub fn read(text: &str) -> Result<Built, Wrong> {
    let Instructions { all, escape } = instructions::read(text)?;
    let onbuild = all.iter().find(|one| one.keyword == "ONBUILD").map(|one| one.line);
    if let Some(beyond) = all.get(INSTRUCTIONS) {
        return Err((beyond.line, 1, format!("more than {INSTRUCTIONS} instructions")));
    }
    let mut builder = Builder { escape, global: Vec::new(), stages: Vec::new() };
    for instruction in all {
        builder.follow(&Rc::new(instruction))?;
    }
    // A text without a FROM was refused before.
    let Some(last) = builder.stages.pop() else { return Err((1, 1, "ends without a FROM".to_owned())) };
    Ok(Built { last, onbuild })
}

struct Builder {
    escape: char,
    global: Vec<Variable>,
    stages: Vec<Stage>,
}

impl Builder {
    fn follow(&mut self, instruction: &Rc<Instruction>) -> Result<(), Wrong> {
        if instruction.keyword == "FROM" {
            return self.begin(instruction);
        }
        let sets = matches!(instruction.keyword.as_str(), "ENV" | "ARG" | "LABEL");
        if sets && raw_words(&instruction.text).len() > VARIABLES {
            return Err((instruction.line, 1, format!("more than {VARIABLES} words in one {}", instruction.keyword)));
        }
        if self.stages.is_empty() {
            self.global_arguments(instruction);
            return Ok(());
        }
        let copied = flag(&instruction.text, "from").filter(|_| instruction.keyword == "COPY");
        let copied = copied.and_then(|name| self.stage(&name));
        let copied = copied.map(|stage| copied_from(stage, &instruction.text));
        if let Some(stage) = self.stages.last_mut() {
            let (runs, may_hold) = copied.unwrap_or_default();
            stage.copy_runs(runs);
            stage.may_hold_copied |= may_hold;
            stage.follow(instruction, self.escape, &self.global);
            if instruction.keyword == "RUN" {
                run::run(stage, instruction);
            }
            if stage.variables.len() > VARIABLES {
                return Err((instruction.line, 1, format!("more than {VARIABLES} variables")));
            }
        }
        Ok(())
    }

    fn begin(&mut self, instruction: &Instruction) -> Result<(), Wrong> {
        let line = instruction.line;
        if instruction.text.contains("{{") {
            return Err((
                line,
                1,
                "`{{` stands in the name of an image; a template has to be rendered first".to_owned(),
            ));
        }
        let words = raw_words(without_flags(&instruction.text));
        let (raw, name) = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [raw] => ((*raw).to_owned(), None),
            [raw, as_, name] if as_.eq_ignore_ascii_case("as") => ((*raw).to_owned(), Some(name.to_ascii_lowercase())),
            _ => return Err((line, 1, "FROM names an image, or an image AS a stage".to_owned())),
        };
        if self.stages.len() >= STAGES {
            return Err((line, 1, format!("more than {STAGES} stages")));
        }
        let reference = self.global(&raw);
        let below = reference.as_ref().ok().and_then(|reference| self.named(reference));
        let stage = Stage::from(At { value: reference, line }, below, name);
        self.stages.push(stage);
        Ok(())
    }

    fn named(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().rev().find(|stage| stage.name.as_deref() == Some(&name.to_ascii_lowercase()))
    }

    /// An earlier stage by its name or number, as `COPY` names it.
    fn stage(&self, name: &str) -> Option<&Stage> {
        self.named(name).or_else(|| self.stages.get(name.parse::<usize>().ok()?))
    }

    fn global(&self, raw: &str) -> Told {
        let lookup = |name: &str| self.global.iter().find(|known| known.name == name).map(|known| known.value.clone());
        expanded(raw, self.escape, &lookup)
    }

    fn global_arguments(&mut self, instruction: &Instruction) {
        let words = raw_words(&instruction.text);
        let lines = instruction.lines_of(words.iter().cloned());
        for (word, line) in words.into_iter().zip(lines) {
            let (name, value) = match word.split_once('=') {
                Some((name, raw)) => (name.to_owned(), self.global(raw)),
                None => (word.clone(), Err(format!("the build argument {word} has no default"))),
            };
            self.global.push(Variable { name, value, line, stays: false });
        }
    }
}

/// What was run for packages that a `COPY --from` takes along, and whether it may take some along that cannot be told.
fn copied_from(stage: &Stage, text: &str) -> (Vec<Run>, bool) {
    let mut words = raw_words(without_flags(text));
    words.pop();
    let runs = || stage.runs.iter().chain(&stage.copied_runs);
    if words.iter().any(|source| holds_packages(source, stage)) {
        return (runs().cloned().collect(), false);
    }
    let is_folder = |source: &String| !source.rsplit('/').next().unwrap_or_default().contains('.');
    let installs = |run: &Run| ["pip", "uv ", "poetry", "conda", "mamba"].iter().any(|name| run.text.contains(name));
    (Vec::new(), words.iter().any(is_folder) && runs().any(installs))
}

/// Whether a folder of a stage is one in which packages are: those of Python and of distributions, and what a command named.
fn holds_packages(source: &str, stage: &Stage) -> bool {
    let path = source.trim_matches(['"', '\'']).trim_end_matches(['/', '*']).trim_end_matches('/');
    let is_named =
        ["site-packages", "dist-packages", "venv", "conda", "virtualenv"].iter().any(|part| path.contains(part));
    let is_system = matches!(
        path,
        "" | "." | "/usr" | "/usr/local" | "/usr/local/lib" | "/usr/lib" | "/opt" | "/root/.local" | "/root"
    );
    let is_python = path.rsplit('/').next().is_some_and(|name| name.starts_with("python"))
        && (path.starts_with("/usr/lib") || path.starts_with("/usr/local/lib"));
    let names = |run: &Run| {
        let takes = ["--prefix", "--target", "--root", "venv", " -t ", "PYTHONUSERBASE"];
        path.len() > 1 && run.text.contains(path) && takes.iter().any(|option| run.text.contains(option))
    };
    is_named || is_system || is_python || path.ends_with("/.local") || stage.runs.iter().any(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str) -> Stage {
        read(text).unwrap_or_else(|wrong| panic!("{wrong:?}")).last
    }

    fn user(text: &str) -> Option<(Told, usize)> {
        last(text).user.map(|user| (user.value, user.line))
    }

    #[test]
    fn the_last_stage_counts_with_what_it_inherits() {
        let text = "FROM a:1 AS base\nUSER app\nENV A=1\nFROM b:2\nUSER root\nFROM base\nRUN x\n";
        let stage = last(text);
        assert_eq!((stage.base.value, stage.base.line), (Ok("a:1".to_owned()), 1));
        assert_eq!(stage.user.map(|user| user.line), Some(2));
        assert_eq!((stage.variables.len(), stage.runs.len(), stage.line), (1, 1, 6));
        assert_eq!(user("FROM a AS x\nUSER app\nFROM 0\n"), None, "a number names a stage for COPY alone");
    }

    #[test]
    fn what_was_run_for_copied_files_was_run_for_the_image() {
        let text = "FROM a AS build\nRUN one\nFROM b AS other\nRUN two\nFROM c\nCOPY --from=build /opt/venv /x\nCOPY --from=other /m.bin /\nRUN three\n";
        let stage = last(text);
        let told = |runs: &[Run]| runs.iter().map(|run| run.text.to_string()).collect::<Vec<_>>();
        assert_eq!((told(&stage.runs), told(&stage.copied_runs)), (vec!["three".to_owned()], vec!["one".to_owned()]));
    }

    #[test]
    fn arguments_have_their_defaults_and_unset_ones_are_told() {
        let text = "ARG TAG=1\nFROM a:${TAG}\nARG TAG\nARG WHO=app\nENV N=$WHO\nUSER ${WHO}-$TAG\n";
        assert_eq!(last(text).base.value, Ok("a:1".to_owned()));
        assert_eq!(user(text), Some((Ok("app-1".to_owned()), 6)));
        let unset = user("FROM a\nARG WHO\nUSER $WHO\n").expect("a user").0;
        assert!(unset.expect_err("unset").contains("the build argument WHO has no default"));
        assert!(user("FROM a\nUSER $WHO\n").expect("a user").0.expect_err("unset").contains("no value in the text"));
        assert_eq!(user("FROM a\nENV WHO=app\nARG WHO=root\nUSER $WHO\n"), Some((Ok("app".to_owned()), 4)));
        let below = "FROM a AS b\nARG WHO=app\nFROM b\nUSER ${WHO:-x}\n";
        assert_eq!(user(below), Some((Ok("x".to_owned()), 4)), "an argument ends with its stage");
    }

    #[test]
    fn commands_are_lists_or_text_for_the_shell() {
        let command = |text: &str| {
            let stage = last(text);
            (stage.entrypoint.map(|one| one.value.words), stage.cmd.map(|one| one.value.words))
        };
        let words = |text: &str| Some(text.split('|').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(command("FROM a\nCMD [\"x\", \"y z\"]\n"), (None, words("x|y z")));
        assert_eq!(command("FROM a\nENV P=1\nCMD x $P\n"), (None, words("/bin/sh|-c|x $P")));
        assert_eq!(command("FROM a\nSHELL [\"bash\", \"-c\"]\nCMD [x]\n"), (None, words("bash|-c|[x]")));
        assert_eq!(command("FROM a AS b\nCMD x\nFROM b\nENTRYPOINT [\"y\"]\n"), (words("y"), None));
        assert_eq!(command("FROM a\nCMD [\"x\"]\nENTRYPOINT [\"y\"]\n"), (words("y"), words("x")));
    }

    #[test]
    fn texts_that_a_dockerfile_writes_are_files() {
        let text = "FROM a\nENV P=1\nCOPY <<EOF /s.sh\nx $P\nEOF\nRUN cat <<'E' > /t.conf\n$P\nE\nRUN <<E\napt x\nE\n";
        let stage = last(text);
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        assert_eq!(stage.files, [file("/s.sh", "x 1\n"), file("/t.conf", "$P\n")]);
        assert!(stage.runs[1].text.contains("apt x"));
    }

    #[test]
    fn nothing_that_is_inherited_grows_without_end() {
        let mut text = "FROM a AS s0\nRUN x\nENV A=xx\n".to_owned();
        for stage in 1..STAGES {
            let copy = format!("COPY --from=s{} /usr /b\n", stage - 1);
            text = format!("{text}FROM s{} AS s{stage}\nENV A=$A$A\n{copy}{copy}", stage - 1);
        }
        let stage = last(&text);
        assert_eq!((stage.runs.len(), stage.copied_runs.len()), (1, 1));
        assert!(stage.variables[0].value.is_err());
        assert!(read(&"FROM a\n".repeat(STAGES + 1)).expect_err("stages").2.contains("stages"));
        assert!(
            read(&format!("FROM a\n{}", "RUN x\n".repeat(INSTRUCTIONS))).expect_err("many").2.contains("instructions")
        );
        assert!(
            read(&format!("FROM a\nENV {}\n", "A=1 ".repeat(VARIABLES + 1))).expect_err("many").2.contains("words")
        );
    }

    #[test]
    fn what_other_images_do_is_left_out_and_told() {
        let built = read("FROM a\nONBUILD USER root\n").expect("a Dockerfile");
        assert!(built.onbuild == Some(2) && built.last.user.is_none());
        assert!(read("FROM {{ base }}\n").expect_err("a template").2.contains("rendered first"));
        assert!(read("FROM a b\n").is_err());
    }
}
