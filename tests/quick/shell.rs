//! Completions of shells and manual pages: made from the command line's own words, committed, installed by the packages.

use std::path::Path;

use clap_complete::{Shell, generate};
use gpu_preflight::cli;

use crate::support::bless;

const SHARE: &str = "packaging/share";

#[test]
fn completions_are_current() {
    for (shell, file) in [
        (Shell::Bash, "bash-completion/completions/gpu-preflight"),
        (Shell::Zsh, "zsh/site-functions/_gpu-preflight"),
        (Shell::Fish, "fish/vendor_completions.d/gpu-preflight.fish"),
    ] {
        let mut script = Vec::new();
        generate(shell, &mut cli::command(), "gpu-preflight", &mut script);
        bless::compare(Path::new(SHARE).join(file), &String::from_utf8(script).expect("UTF-8"));
    }
}

#[test]
fn manual_pages_are_current() {
    let mut command = cli::command().bin_name("gpu-preflight").disable_help_subcommand(true);
    command.build();
    let page = |command: &clap::Command, name: &str| {
        let mut text = Vec::new();
        let man = clap_mangen::Man::new(command.clone()).title(name).date("");
        man.render(&mut text).expect("memory");
        bless::compare(Path::new(SHARE).join(format!("man/man1/{name}.1")), &String::from_utf8(text).expect("UTF-8"));
    };
    page(&command, "gpu-preflight");
    for sub in command.get_subcommands() {
        let name = format!("gpu-preflight-{}", sub.get_name());
        page(&sub.clone().display_name(&name), &name);
    }
}
