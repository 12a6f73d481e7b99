//! `init`: a contract to begin with.

use super::output::{self, Target};
use super::{Failure, collected, look};
use crate::cli::{ImageArgs, InitArgs};
use crate::collect::Input;
use crate::derive::derive;
use crate::exit::{self, Exit};
use crate::report::contract;
use crate::world::child::Descendants;
use crate::world::interrupt;

/// Looks, and writes what the workload could ask for.
pub fn run(arguments: &InitArgs) -> Result<Exit, Failure> {
    let watch = interrupt::Watch::begin();
    let _descendants = Descendants::watch();
    let (world, asked) = look(&arguments.collecting, &ImageArgs::default())?;
    let phase = arguments.collecting.phase.unwrap_or_default();
    let mut facts = collected(&world, &Input { phase, ..asked });
    drop(watch);
    derive(&mut facts);
    output::deliver(&world, &contract::sketch(&facts), arguments.output.as_deref(), Target::Stdout)?;
    Ok(exit::READY)
}
