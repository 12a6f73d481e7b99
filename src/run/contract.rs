//! The contract of the workload: the file that the command line names, else the one of the working folder.

use std::path::{Path, PathBuf};

use super::files::{there, utf8, wrong};
use super::{Failure, errand};
use crate::check::Catalogue;
use crate::facts::Fact;
use crate::probe::storage::foreign;
use crate::weigh::contract::{ContractFile, FILE};
use crate::world::{READ_LIMIT, World};

/// A contract that was read.
pub struct Read {
    /// The name of its file.
    pub name: String,
    /// What stands there.
    pub text: String,
    /// What that means.
    pub file: ContractFile,
}

/// The contract; none where there is none.
pub fn read(world: &World, asked: Option<&Path>, catalogue: &Catalogue) -> Result<Option<Read>, Failure> {
    let found = match asked {
        Some(path) => Some((path.to_owned(), there(path, errand::read(world, path, READ_LIMIT)?)?)),
        None => beside(world)?,
    };
    let Some((path, text)) = found else { return Ok(None) };
    let name = path.to_string_lossy().into_owned();
    let file = ContractFile::read(&name, &text, catalogue)?;
    Ok(Some(Read { name, text, file }))
}

/// The file of the working folder. Every run asks for it, so it is read directly where the folder surely answers. Where the
/// folder does not, or may not be looked into, nobody has named a contract.
fn beside(world: &World) -> Result<Option<(PathBuf, String)>, Failure> {
    let Fact::Known(folder) = world.working_folder() else { return Ok(None) };
    let path = folder.join(FILE);
    let near = world.clone().leaving_out(foreign(world), "may never answer");
    let text = match near.read_bytes(&path, READ_LIMIT + 1) {
        Fact::Known(bytes) => Some(utf8(&path, bytes, READ_LIMIT)?),
        Fact::Unknown(gap) if near.exists(&path) == Fact::Known(true) => return Err(wrong(&path, gap.to_string())),
        Fact::Unknown(_) if near.missed().is_some() => errand::contract(world, &path, READ_LIMIT)?,
        Fact::Absent | Fact::Unknown(_) => None,
    };
    Ok(text.map(|text| (path, text)))
}
