//! The services that will be started: Jupyter and SSH servers that do not run yet.
//!
//! At an entrypoint no service listens so far, so the ports alone would look clean. What will be started is read from the
//! command that is handed over to ([`command`], through the programs in [`wrappers`] and the text that [`shell`] takes
//! apart), from the files of process supervisors ([`supervisors`]), and from the scripts that both run ([`declared`]).
//! What such a server will do is settled by its arguments and its configuration ([`jupyter`], [`ssh`]). Nothing is run.
//!
//! **What is understood.**
//! - Commands: simple commands between newlines and `;`, `&`, `|`, `&&`, `||`, `(`, `)`; quotes, backslashes, comments,
//!   continued lines, redirections; what stands inside `$(…)` and backquotes; `sh -c`, `eval`, `su -c`, `.` and `source`;
//!   `tmux` and `screen` that start something; the programs listed in [`wrappers`]; the start of an init script.
//! - The arguments of a script as whole words: `$0`, `$1`, `${2}`, `$@`, `$*`. An entrypoint ends in `exec "$@"`.
//! - Scripts that a shell is told to read, or whose first line names one: three deep, 64 of them, 64 KiB of each.
//! - runit, s6 and s6-overlay, supervisord with its includes, and units that a systemd target wants.
//!
//! **What is not understood, and is not meant to be.** This is no shell, and it does not become one:
//! - *Conditions and loops.* Nothing is evaluated. Every branch of `if` and `case` counts, the body of a loop counts once,
//!   and what follows `exit` or `exec` counts as well.
//! - *Functions and aliases.* The body of a function is read where it stands, as if it were called there with the
//!   arguments of the script; a call of it means nothing. Of the form `function f { … }` the first command is not seen
//!   where it stands on the same line.
//! - *Variables.* No assignment is remembered and none of the environment is filled in. `$SERVER --port=1` starts nothing;
//!   an address or a token that comes from a variable is unknown. So it is with `${A:-b}`, arrays and `$'…'`.
//! - *Arithmetic, globs, braces.* `$((1 + 2))` is taken for a substitution, `*` and `{a,b}` for themselves.
//! - *Here-documents and pipes.* The text of a here-document is skipped, also where a shell reads it; what is piped into a
//!   shell, and the commands of `xargs`, `find -exec` and `parallel`, are not commands here.
//! - *Folders.* `cd` is not followed: a relative path begins at the working folder of this process.
//! - *Other languages.* Programs and scripts in Python, Perl, JavaScript and so on are not looked into, and execline is
//!   read as if it were shell.
//! - *Other ways to start.* the runlevels of `openrc`, cron, `rc.local`, profiles of login shells, timers, drop-in files and user
//!   units of systemd, and other supervisors (circus, pm2, honcho, monit) are not read.
//! - *Other services* than Jupyter and SSH.
//!
//! What is not understood starts nothing here, so a service may be missed; once it runs, its port shows it. A file that
//! could not be read, on the other hand, is told: the list is then unknown unless it holds something.

mod command;
mod declared;
mod ini;
mod jupyter;
mod jupyter_config;
mod shell;
mod ssh;
mod supervised;
mod supervisord;
mod supervisors;
mod wrappers;

pub use shell::{FileText, commands as shell_commands, writes as shell_writes};

use super::services::ssh_args::SshArgs;
use crate::facts::{DeclaredService, Fact, Listener};
use crate::world::World;

/// What will be started.
#[derive(Debug)]
pub struct Startup {
    /// The services; unknown where nothing was found and something could not be read.
    pub declared: Fact<Vec<DeclaredService>>,
    /// The arguments of the SSH servers among them.
    pub ssh_args: Vec<SshArgs>,
}

/// Reads what `command` will start, or else what process 1 supervises, and what the supervisors of this image will.
/// `listeners` tell which of that runs already.
pub fn collect(world: &World, listeners: &Fact<Vec<Listener>>, command: Option<&[String]>) -> Startup {
    let (declared, ssh_args) = declared::find(world, command, listeners);
    Startup { declared, ssh_args }
}
