//! The written pages: that every command in them is one, every link leads somewhere, and the book has every page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use gpu_preflight::cli::Cli;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join(folder)).expect(folder).flatten();
    let mut pages: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    pages
}

/// The lines of fenced blocks of this kind.
fn fenced(text: &str, kind: &str) -> Vec<String> {
    let mut inside = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("```"), &inside) {
            (Some(_), Some(_)) => inside = None,
            (Some(words), None) => inside = Some(words.to_owned()),
            (None, Some(words)) if words == kind => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

/// What a shell would make of a line of these pages: words, and no comment.
fn words(line: &str) -> Vec<&str> {
    line.split_ascii_whitespace().take_while(|word| !word.starts_with('#') && !["|", ">", "…"].contains(word)).collect()
}

#[test]
fn every_command_of_the_pages_is_one() {
    let mut count = 0;
    for page in pages_in("docs/guides").into_iter().chain([repository().join("README.md")]) {
        let text = fs::read_to_string(&page).expect("a page");
        for line in fenced(&text, "sh").iter().filter(|line| line.starts_with("gpu-preflight")) {
            if let Err(error) = Cli::try_parse_from(words(line)) {
                panic!("{}: {line}\n{error}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 30, "only {count} commands were found");
}

/// The targets of links to files of this repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.contains("://") && !target.starts_with('#') && !target.contains(' ')).collect()
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    let mut pages = pages_in("docs");
    pages.extend(pages_in("docs/guides"));
    pages.push(repository().join("README.md"));
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or(link);
            let target = page.parent().expect("a folder").join(file);
            assert!(target.exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn the_book_has_every_page_and_no_other() {
    let docs = repository().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("a summary");
    let listed: BTreeSet<PathBuf> = links(&summary).into_iter().map(|link| docs.join(link)).collect();
    let there: BTreeSet<PathBuf> = pages_in("docs")
        .into_iter()
        .chain(pages_in("docs/guides"))
        .filter(|path| !path.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn the_check_of_the_guide_is_one() {
    let page = fs::read_to_string(repository().join("docs/guides/site-checks.md")).expect("a page");
    let folder = tempfile::tempdir().expect("a folder");
    let room = folder.path().join("checks/ours");
    fs::create_dir_all(&room).expect("a folder");
    fs::write(room.join("log-in-records.toml"), fenced(&page, "toml").join("\n")).expect("written");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gpu-preflight"));
    command.args(["explain", "--checks", "checks", "ours.log-in-records"]).current_dir(folder.path());
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
