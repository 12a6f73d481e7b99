//! What is in force, and who says it.

use comfy_table::{ContentArrangement, Table, presets};

use super::table;
use super::text::Layout;
use crate::facts::shape::{record, words};
use crate::text::{Shown, count, plain, plain_long};

/// The `schema` of what this version writes.
pub const SCHEMA: &str = "gpu-preflight/config/1";

words! {
    /// Who says what an option is.
    pub enum Source {
        /// The command line.
        CommandLine = "command-line",
        /// A variable.
        Variable = "variable",
        /// The contract.
        Contract = "contract",
        /// The profile.
        Profile = "profile",
        /// Nobody: it is what it is without being said.
        Default = "default",
    }
}

record! {
    /// What is in force for a command.
    pub struct Config {
        /// Always `gpu-preflight/config/1`.
        pub schema: String,
        /// Every option.
        pub options: Vec<Setting>,
        /// The file of the profile; not there where the profile is part of the program.
        pub profile_file: Option<String>,
        /// The file of the contract; not there where there is none.
        pub contract_file: Option<String>,
        /// Checks that the profile judges.
        pub profile_check_count: usize,
        /// Those of them that `--only` and `--skip` leave.
        pub check_count: usize,
        /// Waivers of profile and contract.
        pub waivers: Vec<WaiverSaid>,
        /// Variables of options that other commands have.
        pub other_variables: Vec<OtherVariable>,
        /// Variables that begin like ours and mean nothing.
        pub unknown_variables: Vec<UnknownVariable>,
    }

    /// An option.
    pub struct Setting {
        /// Its long name.
        pub option: String,
        /// What it is; not there where nobody says it and it has no default.
        pub value: Option<String>,
        /// Who says so.
        pub source: Source,
        /// Which variable, contract or profile that is.
        pub source_name: Option<String>,
    }

    /// A waiver.
    pub struct WaiverSaid {
        /// The check.
        pub check: String,
        /// The subject; all subjects when not given.
        pub subject: Option<String>,
        /// Who answers for it.
        pub owner: String,
        /// Last day on which it holds, `YYYY-MM-DD`, UTC.
        pub expires: String,
        /// Whether that day is over.
        pub expired: bool,
    }

    /// A variable that this command does not heed.
    pub struct OtherVariable {
        /// Its name.
        pub name: String,
        /// The commands that do.
        pub commands: Vec<String>,
    }

    /// A variable that means nothing.
    pub struct UnknownVariable {
        /// Its name.
        pub name: String,
        /// The name that was meant, where one is near.
        pub near: Option<String>,
    }
}

/// The same for people.
pub fn text(config: &Config, layout: Layout) -> Shown {
    let mut page = options(config, layout);
    page.push(Shown::default());
    page.extend(sentences(config).iter().flat_map(|sentence| table::wrap(sentence, layout.width.into())));
    page.into_iter().collect()
}

fn options(config: &Config, layout: Layout) -> Vec<Shown> {
    let mut shown = Table::new();
    shown.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(layout.width);
    shown.add_row(["option", "value", "from"]);
    for setting in &config.options {
        let name = setting.source_name.as_ref().map_or(String::new(), |name| format!(" {}", plain(name)));
        let value = setting.value.as_ref().map_or("–".to_owned(), |value| plain_long(value));
        let source = setting.source.as_str().replace('-', " ");
        shown.add_row([format!("--{}", setting.option), value, source + &name].map(|cell| Shown::line(&cell)));
    }
    table::shown(&shown)
}

fn sentences(config: &Config) -> Vec<String> {
    let profile = config.profile_file.as_ref().map_or("part of the program".to_owned(), |file| plain(file));
    let none = "none; gpu-preflight.toml in the working folder would be one".to_owned();
    let contract = config.contract_file.as_ref().map_or(none, |file| plain(file));
    let (left, all) = (config.check_count, config.profile_check_count);
    let checks = if left == all { count(all, "check") } else { format!("{left} of {}", count(all, "check")) };
    let mut said =
        vec![format!("file of the profile: {profile}"), format!("contract: {contract}"), format!("judged: {checks}")];
    if config.waivers.is_empty() {
        said.push("waivers: none".to_owned());
    }
    said.extend(config.waivers.iter().map(|waiver| {
        let subject = waiver.subject.as_ref().map_or(String::new(), |subject| format!(" for `{}`", plain(subject)));
        let until = if waiver.expired { "expired on" } else { "until" };
        format!("waiver: {}{subject}, {until} {}, {}", waiver.check, waiver.expires, plain(&waiver.owner))
    }));
    said.extend(config.other_variables.iter().map(|variable| {
        format!("variable {}: not of this command, of {}", variable.name, variable.commands.join(", "))
    }));
    said.extend(config.unknown_variables.iter().map(|variable| {
        let near = variable.near.as_ref().map_or(String::new(), |near| format!("; did you mean {near}?"));
        format!("variable {}: means nothing{near}", plain(&variable.name))
    }));
    said
}
