//! `harden`: what would answer the findings, as files.

use std::time::Duration;

use super::output::{self, Target};
use super::{Failure, errand, looked, message, recorded};
use crate::cli::HardenArgs;
use crate::exit::{self, Exit};
use crate::harden::{self, Options};
use crate::report::Report;
use crate::text::{Shown, plain, plain_long};
use crate::world::World;

/// Prints them, or writes each of them.
pub fn run(arguments: &HardenArgs) -> Result<Exit, Failure> {
    let world = World::here(Duration::from_mins(1));
    let options = Options { uid: arguments.uid, command: command(arguments)? };
    let parts = harden::parts(&report(&world, arguments)?, &options);
    if let Some(folder) = &arguments.into {
        errand::make_folder(&world, folder)?;
        for part in &parts {
            output::deliver(&world, &part.text, Some(&folder.join(part.file)), Target::Stdout)?;
        }
        return Ok(exit::READY);
    }
    let wanted = parts.into_iter().filter(|part| arguments.file.as_deref().is_none_or(|file| file == part.file));
    let head = |file: &str| match &arguments.file {
        Some(_) => Shown::default(),
        None => [Shown::default(), Shown::line(&format!("### {file}"))].into_iter().collect(),
    };
    let page = wanted.fold(Shown::default(), |page, part| page + &head(part.file) + &part.text);
    output::deliver(&world, &page, None, Target::Stdout)?;
    Ok(exit::READY)
}

/// The command as a Dockerfile can hold it.
fn command(arguments: &HardenArgs) -> Result<Vec<String>, Failure> {
    let word = |word: &std::ffi::OsString| match word.to_str() {
        Some(text) if *Shown::line(text) == *text => Ok(text.to_owned()),
        _ => {
            let word = plain(&word.to_string_lossy());
            Err(Failure::new(exit::USAGE, format!("the command has a word that no Dockerfile can hold: {word}")))
        }
    };
    arguments.command.iter().map(word).collect()
}

/// The report that is answered: of a recording, or of a look.
fn report(world: &World, arguments: &HardenArgs) -> Result<Report, Failure> {
    let look = &arguments.look;
    let Some(path) = &arguments.from else { return Ok(looked(look, None)?.2) };
    let (_, report, notes) = recorded(world, look, path)?;
    for note in notes {
        message::say(&plain_long(&note));
    }
    Ok(report)
}
