//! `gpus`: on which GPUs this image can run, from its files alone.

use std::time::Duration;

use super::output::{self, Target};
use super::{Failure, image, message, plan};
use crate::cli::{GpusArgs, TableFormat};
use crate::collect;
use crate::derive::{self, target};
use crate::exit::{self, Exit};
use crate::facts::recording::Recording;
use crate::facts::reference::gpus::{self, GpuModel};
use crate::facts::{Fact, GapKind};
use crate::report::gpus as report;
use crate::text::plain_long;
use crate::world::{World, interrupt};

/// Reading headers takes milliseconds; a disk that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints the table.
pub fn run(arguments: &GpusArgs) -> Result<Exit, Failure> {
    let (world, environment_of) =
        plan::surrounded(World::here(image::deadline(&arguments.image, None, PATIENCE)), &arguments.surroundings)?;
    let models = arguments.gpus.iter().map(|words| gpus::find(words));
    let mut models: Vec<&GpuModel> = models.collect::<Result<_, _>>().map_err(|why| Failure::new(exit::USAGE, why))?;
    if models.is_empty() {
        models = gpus::gpus().iter().collect();
    }
    let mut facts = if let Some(path) = &arguments.from {
        let Recording { facts, notes } = plan::recording(&world, path)?;
        // The table has no place for them.
        for note in notes {
            message::say(&plain_long(&note));
        }
        facts
    } else {
        let _watch = interrupt::Watch::begin();
        let (image, config) = image::of(&world, &arguments.image)?;
        let mut facts = collect::image(&world, &collect::Input { image, config, ..collect::Input::default() });
        facts.run.environment_of = Fact::present(environment_of);
        facts
    };
    if let Fact::Unknown(gap) = &facts.native.libraries
        && gap.kind == GapKind::NotAsked
    {
        return Err(Failure::new(
            exit::CONFIG,
            "the recording says nothing of GPU code; `gpu-preflight facts` looks for it",
        ));
    }
    derive::derive(&mut facts);
    let targets = models.into_iter().map(|model| target::on_model(&facts, model)).collect();
    let table = report::table(&facts, target::release(&facts), targets);
    let text = match arguments.format {
        TableFormat::Text => report::text(&table, output::layout(Target::Stdout, false)),
        TableFormat::Json => output::as_json(&table)?,
    };
    output::deliver(&world, &text, None, Target::Stdout)?;
    // A table without an answer is none.
    let is_told = table.gpus.iter().any(|gpu| gpu.code.known().is_some());
    Ok(if is_told { exit::READY } else { exit::INCOMPLETE })
}
