//! `bundle`: one file to attach to a ticket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::output::is_stdout;
use super::plan::{Plan, Written};
use super::{Failure, errand, image, looked, message, recorded};
use crate::bundle::{self, Part, Quotes};
use crate::cli::BundleArgs;
use crate::exit::{self, Exit};
use crate::facts::Fact;
use crate::probe::environment::redacted;
use crate::report::Report;
use crate::text::{Shown, bytes, plain};
use crate::world::World;
use crate::world::packed::{self, File};
use crate::world::terminal::{self, Stream};

/// The file where none is named, and the folder in which everything lies that is in it.
const NAME: &str = "gpu-preflight-bundle";
const END: &str = ".tar.gz";

/// Looks, and writes it.
pub fn run(arguments: &BundleArgs) -> Result<Exit, Failure> {
    let world = World::here(Duration::from_mins(1));
    let (path, is_new) = match &arguments.output {
        Some(path) => (path.clone(), false),
        None => (PathBuf::from(format!("{NAME}{END}")), true),
    };
    refuse(&world, &path, is_new)?;
    let (plan, mut report) = if let Some(recording) = &arguments.from {
        let (plan, mut report, notes) = recorded(&world, &arguments.look, recording)?;
        report.notes.splice(..0, notes);
        (plan, report)
    } else {
        let (_, plan, report) = looked(&arguments.look, None)?;
        (plan, report)
    };
    silence(&mut report, &plan);
    // A look may have taken all the time that it had.
    let world = World::here(Duration::from_mins(1));
    let parts = bundle::parts(&report, quotes(&world, arguments, &plan));
    let parts = parts.map_err(|error| Failure::new(exit::BUG, error))?;
    let names: Vec<&str> = parts.iter().map(|part| part.file).collect();
    let names = names.join(", ");
    let size = write(&world, &path, is_new, parts, report.facts.run.taken_at_seconds)?;
    message::say(&said(&path, size, &report, &names));
    Ok(exit::READY)
}

/// Refuses a place that the bundle may not go to, before anybody looks: a terminal shows no archive, and what nobody
/// named is not replaced.
fn refuse(world: &World, path: &Path, is_new: bool) -> Result<(), Failure> {
    let name = || plain(&path.to_string_lossy());
    if is_stdout(path) && terminal::is_terminal(Stream::Stdout) {
        return Err(Failure::new(
            exit::USAGE,
            "an archive is nothing for a terminal: name a file, or pipe it into one",
        ));
    }
    if is_new && errand::is_there(world, path) {
        let message = format!("{} is there already: --output names another file, or this one to replace it", name());
        return Err(Failure::new(exit::OUTPUT, message));
    }
    Ok(())
}

/// Takes secrets out of what the report tells of the contract and the profile, and of documents of VEX: reasons and owners
/// of waivers, notes that name what a waiver is for, what the contract lists, and why a vulnerability is excused. Without
/// that they would stand there while the files beside it are clean.
fn silence(report: &mut Report, plan: &Plan) {
    let clean = |text: &mut String| redacted(text).text.trim_end().clone_into(text);
    let now = report.facts.run.taken_at_seconds;
    for finding in &mut report.findings {
        if finding.check.starts_with("contract.") {
            clean(&mut finding.message);
            for item in &mut finding.evidence {
                clean_json(&mut item.value);
            }
        }
        let waiver = finding.waived.as_ref().and(plan.profile.waiver(&finding.check, finding.subject.as_deref(), now));
        finding.waived = waiver.map(|waiver| {
            let mut waiver = waiver.clone();
            clean(&mut waiver.reason);
            clean(&mut waiver.owner);
            waiver.told()
        });
    }
    report.notes.iter_mut().for_each(clean);
    if let Fact::Known(vex) = &mut report.facts.packages.vex {
        vex.excused.iter_mut().for_each(|one| clean(&mut one.reason));
    }
    let contract = &mut report.facts.contract;
    let missing = [&mut contract.missing_folders, &mut contract.missing_variables];
    let missing = missing.into_iter().filter_map(|list| if let Fact::Known(list) = list { Some(list) } else { None });
    for list in [&mut contract.folders, &mut contract.variables].into_iter().chain(missing) {
        list.iter_mut().for_each(clean);
    }
}

/// The same in a value of the facts.
fn clean_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => redacted(text).text.trim_end().clone_into(text),
        serde_json::Value::Array(list) => list.iter_mut().for_each(clean_json),
        _ => {}
    }
}

/// What is quoted beside the look.
fn quotes(world: &World, arguments: &BundleArgs, plan: &Plan) -> Quotes {
    let mut quotes = Quotes::default();
    let left_out = match log(world, arguments) {
        Ok(part) => {
            quotes.parts.push(part);
            None
        }
        Err(why) => Some((bundle::LOG, why)),
    };
    quotes.left_out.extend(left_out);
    for (is_contract, file, what, none) in [
        (true, bundle::CONTRACT, "the contract", "there is no contract".to_owned()),
        (false, bundle::PROFILE, "the profile", format!("the profile {} is part of gpu-preflight", plan.profile.name)),
    ] {
        match plan.written.iter().find(|written| written.is_contract == is_contract) {
            Some(Written { name, text, .. }) => {
                let left = redacted(text);
                let (what, text) = (format!("{what} {name}"), Shown::lines(&left.text));
                quotes.parts.push(Part { file, what, text, redacted_count: left.count });
            }
            None => quotes.left_out.push((file, none)),
        }
    }
    let folders = &arguments.look.judging.checks;
    quotes.left_out.extend(folders.iter().map(|folder| ("checks", format!("the checks of {}", folder.display()))));
    quotes
}

/// The end of the log; why it is not there.
fn log(world: &World, arguments: &BundleArgs) -> Result<Part, String> {
    let named = arguments.look.collecting.log.as_deref();
    if image::is_still(&arguments.look.image) {
        return Err("an image that does not run has no log".to_owned());
    }
    if named.is_none() && arguments.from.is_some() {
        return Err("a recording has no log; --log FILE names one".to_owned());
    }
    match errand::log(world, named) {
        Ok(Some(log)) => Ok(Part {
            file: bundle::LOG,
            what: format!("the last lines of {}", log.path),
            text: Shown::lines(&log.text),
            redacted_count: log.redacted_count,
        }),
        Ok(None) => Err(match named {
            Some(path) => format!("{} is not there", path.display()),
            None => "process 1 prints to no file; --log FILE names a log".to_owned(),
        }),
        Err(failure) => Err(failure.message),
    }
}

/// Writes the archive; its bytes. Names in it are ours, so it unpacks nowhere but into one folder.
fn write(world: &World, path: &Path, is_new: bool, parts: Vec<Part>, seconds: u64) -> Result<u64, Failure> {
    let files = parts.into_iter().map(|part| File { path: format!("{NAME}/{}", part.file), text: part.text }).collect();
    if !is_stdout(path) {
        return errand::pack(world, path, files, seconds, is_new);
    }
    let failed = |error: std::io::Error| Failure::new(exit::OUTPUT, format!("standard output: {error}"));
    let archive = packed::pack(files, seconds).map_err(failed)?;
    // Half an archive is none, so here a reader that went away is a failure.
    terminal::write_packed(&archive).map_err(failed)?;
    Ok(archive.size())
}

/// What is said of it.
fn said(path: &Path, size: u64, report: &Report, names: &str) -> String {
    let place = if is_stdout(path) { "standard output".to_owned() } else { plain(&path.to_string_lossy()) };
    let verdict = report.verdict_words();
    format!("{verdict}; wrote {place}, {}: {names}; read it before you send it", bytes(size as f64))
}
