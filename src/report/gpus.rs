//! The table of GPUs on which an image can run.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::table;
use super::text::Layout;
use crate::facts::shape::record;
use crate::facts::{CodeFit, Fact, Facts, LibraryRole, NativeLibrary, Target};
use crate::text::{Shown, count, plain};

/// The `schema` of a table that this version writes.
pub const SCHEMA: &str = "gpu-preflight/gpus/1";

record! {
    /// On which GPUs an image can run.
    pub struct GpuTable {
        /// Always `gpu-preflight/gpus/1`.
        pub schema: String,
        /// The process with whose environment was looked, where it is not our own.
        pub environment_of: Fact<String>,
        /// Version of PyTorch, where there is one.
        pub torch_version: Fact<String>,
        /// CUDA release of the image.
        pub cuda: Fact<String>,
        /// The libraries with GPU code that were found, those that decide first.
        pub libraries: Fact<Vec<NativeLibrary>>,
        /// The image on each GPU.
        pub gpus: Vec<Target>,
    }
}

/// The table of these GPUs. `cuda` is the CUDA release of the image.
pub fn table(facts: &Facts, cuda: Fact<String>, gpus: Vec<Target>) -> GpuTable {
    GpuTable {
        schema: SCHEMA.to_owned(),
        environment_of: facts.run.environment_of.clone(),
        torch_version: facts.framework.torch_version.clone(),
        cuda,
        libraries: facts.native.libraries.clone(),
        gpus,
    }
}

/// The table as text.
pub fn text(table: &GpuTable, layout: Layout) -> Shown {
    let whose = table.environment_of.known().map(|process| Shown::line(&super::text::whose_environment(process)));
    whose.into_iter().chain(answers(table, layout)).collect()
}

fn answers(table: &GpuTable, layout: Layout) -> Vec<Shown> {
    let libraries = match &table.libraries {
        Fact::Known(libraries) if !libraries.is_empty() => libraries,
        Fact::Unknown(gap) => return vec![Shown::line(&format!("could not tell: {}", plain(&gap.to_string())))],
        _ => return vec![Shown::line("no library with GPU code was found in this image")],
    };
    let mut page = vec![Shown::line(&head(table, libraries)), Shown::default()];
    page.extend(rows(table, layout));
    page.push(Shown::default());
    for library in libraries.iter().filter(|library| library.role == LibraryRole::Core) {
        let carries = match (&library.architectures, &library.object_count) {
            (Fact::Known(codes), Fact::Known(objects)) => {
                format!("{} ({})", codes.join(" "), count(usize::try_from(*objects).unwrap_or(usize::MAX), "object"))
            }
            (Fact::Unknown(gap), _) => format!("could not tell: {}", plain(&gap.to_string())),
            _ => "nothing".to_owned(),
        };
        page.extend([Shown::line(&plain(&library.path)), Shown::line(&format!("  {carries}"))]);
    }
    page
}

fn head(table: &GpuTable, libraries: &[NativeLibrary]) -> String {
    let torch = table.torch_version.known().map_or(String::new(), |version| format!("PyTorch {}, ", plain(version)));
    let cuda = table.cuda.known().map_or("CUDA release unknown".to_owned(), |cuda| format!("CUDA {}", plain(cuda)));
    let core = libraries.iter().filter(|library| library.role == LibraryRole::Core).count();
    let decide = if core == 1 { "decides" } else { "decide" };
    format!("{torch}{cuda}: {} with GPU code, {core} of which {decide}", count_libraries(libraries.len()))
}

fn count_libraries(number: usize) -> String {
    crate::text::count_noun(number, "library", "libraries")
}

/// One row for all GPUs of which the same is to be said.
fn rows(table: &GpuTable, layout: Layout) -> Vec<Shown> {
    let mut groups: Vec<(&Target, Vec<&str>)> = Vec::new();
    for target in &table.gpus {
        let same = |(first, _): &&mut (&Target, Vec<&str>)| {
            let said = |target: &Target| Target { gpu: String::new(), ..target.clone() };
            said(first) == said(target)
        };
        let name = target.gpu.strip_prefix("NVIDIA ").unwrap_or(&target.gpu);
        match groups.iter_mut().find(same) {
            Some((_, names)) => names.push(name),
            None => groups.push((target, vec![name])),
        }
    }
    groups.sort_by_key(|(target, _)| std::cmp::Reverse(capability(target)));
    let mut shown = Table::new();
    shown.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(layout.width);
    shown.add_row(["", "", "GPU", "why, and which driver"]);
    for (target, names) in groups {
        let capability = target.compute_capability.known().cloned().unwrap_or_default();
        let cells = [answer(target), &capability, &names.join(", "), &reason(target)];
        shown.add_row(cells.map(Shown::line));
    }
    for (index, width) in [(0, 15), (1, 6)] {
        if let Some(column) = shown.column_mut(index) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
    table::shown(&shown)
}

fn capability(target: &Target) -> (u32, u32) {
    let text = target.compute_capability.known().map_or("", String::as_str);
    let (major, minor) = text.split_once('.').unwrap_or_default();
    (major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

fn answer(target: &Target) -> &'static str {
    match &target.code {
        Fact::Known(CodeFit::Native) => "✓ runs",
        Fact::Known(CodeFit::Compiled) => "✓ runs by JIT",
        Fact::Known(CodeFit::Missing) => "✗ cannot run",
        Fact::Absent | Fact::Unknown(_) => "? cannot tell",
    }
}

/// Which library decides, and which driver it takes.
fn reason(target: &Target) -> String {
    let library = target.deciding_library.known().map_or("a library", |path| path.rsplit('/').next().unwrap_or(path));
    let library = plain(library);
    match &target.code {
        Fact::Known(CodeFit::Missing) => format!("{library} has no code for it"),
        Fact::Unknown(gap) => plain(&gap.detail),
        Fact::Absent => "no library that decides".to_owned(),
        Fact::Known(CodeFit::Native) => driver(target),
        Fact::Known(CodeFit::Compiled) => format!("{library} has PTX for it alone; {}", driver(target)),
    }
}

fn driver(target: &Target) -> String {
    let minimum = match &target.minimum_driver {
        Fact::Known(driver) => format!("driver {} or newer", plain(driver)),
        Fact::Absent => "the image names no CUDA release, so no driver".to_owned(),
        Fact::Unknown(gap) => format!("driver unknown ({})", plain(&gap.detail)),
    };
    let last = target.last_driver_branch.known().map_or(String::new(), |last| format!(", R{last} at most"));
    let compat = target
        .forward_compatible_branch
        .known()
        .map_or(String::new(), |base| format!("; cuda-compat helps from R{base}"));
    let optional =
        target.missing_optional.known().filter(|missing| !missing.is_empty()).map_or(String::new(), |missing| {
            let names: Vec<&str> = missing.iter().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
            format!("; without {}", plain(&names.join(", ")))
        });
    format!("{minimum}{last}{compat}{optional}")
}
