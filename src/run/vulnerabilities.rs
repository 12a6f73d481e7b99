//! What known vulnerabilities are told by: the files that the command line names.

use std::path::Path;

use super::files::{there, wrong};
use super::{Failure, errand};
use crate::cli::VulnerabilitiesArgs;
use crate::exit;
use crate::probe::packages::Sought;
use crate::probe::vex::{self, Mistake, Statement};
use crate::text::{plain, plain_long};
use crate::world::World;

/// What is asked for; none where nobody is to look. A file that makes no sense is refused.
pub fn sought(world: &World, arguments: &VulnerabilitiesArgs) -> Result<Option<Sought>, Failure> {
    let Some(path) = arguments.osv.as_ref().or(arguments.vulnerabilities.as_ref()) else { return Ok(None) };
    let is_report = arguments.osv.is_none();
    errand::advisories(world, path, is_report)?;
    let mut statements = Vec::new();
    for path in &arguments.vex {
        statements.extend(document(world, path)?);
        if statements.len() > vex::STATEMENTS_MAX {
            return Err(wrong(
                path,
                format!("with it there are more than the {} statements that are read", vex::STATEMENTS_MAX),
            ));
        }
    }
    Ok(Some(Sought::of(path, is_report, (!arguments.vex.is_empty()).then_some(statements))))
}

/// The statements of one document.
fn document(world: &World, path: &Path) -> Result<Vec<Statement>, Failure> {
    let text = there(path, errand::read(world, path, vex::LIMIT)?)?;
    let name = path.to_string_lossy();
    vex::read(&name, &text).map_err(|Mistake { place, message }| {
        let place = place.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
        Failure::new(exit::CONFIG, format!("{}{place}: {}", plain(&name), plain_long(&message)))
    })
}
