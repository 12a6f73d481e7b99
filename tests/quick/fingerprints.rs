//! The row of `src/facts/reference/fingerprints.toml` that a recording gives.
//!
//! `just fingerprints FACTS.json` prints it, for a person to add with its source.

use std::fmt::Write as _;
use std::path::Path;

use gpu_preflight::facts::{Facts, LibraryId, recording};

/// The row as TOML; why there is none otherwise.
fn row(facts: &Facts) -> Result<String, String> {
    let of = |id: LibraryId| {
        let library = facts.libraries.known()?.iter().find(|library| library.id == id && library.chosen)?;
        let winner = library.winner.known()?;
        library.candidates.iter().find(|candidate| candidate.path == *winner)?.file_version.known().cloned()
    };
    let release = of(LibraryId::Cublas).filter(|release| Some(release) == of(LibraryId::CublasLt).as_ref());
    let release = release.ok_or("cuBLAS and cuBLASLt do not tell one release with all its numbers")?;
    let multiplies = facts.compute.multiplies.known().filter(|all| !all.is_empty()).ok_or("nothing was multiplied")?;
    let first = &multiplies[0];
    let cc = first.compute_capability.known().ok_or("no compute capability")?;
    let sms = first.sm_count.known().ok_or("no number of multiprocessors")?;
    let name = first.gpu_name.known().map_or("?", String::as_str);
    let driver = facts.nvml.driver_version.known().map_or("?", String::as_str);
    let mut text = format!(
        "[[row]]\ncc     = \"{cc}\"\nsms    = {sms}\ncublas = \"{release}\"\n\
         source = \"… runs on an {name}, driver {driver}, recorded by {}\"\n[row.bits]\n",
        facts.run.tool_version
    );
    for one in multiplies.iter().filter(|one| one.gpu == first.gpu) {
        let others = multiplies.iter().filter(|other| other.precision == one.precision);
        if others.into_iter().any(|other| other.fingerprint != one.fingerprint) {
            return Err(format!("the GPUs of this recording differ in {}", one.precision));
        }
        if let Some(digest) = one.fingerprint.known() {
            writeln!(text, "{:<8} = \"{digest}\"", one.precision.as_str()).map_err(|error| error.to_string())?;
        }
    }
    Ok(text)
}

fn read(file: &Path) -> Facts {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    recording::read(&text).unwrap_or_else(|mistake| panic!("{}: {mistake:?}", file.display())).facts
}

#[test]
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn a_recording_gives_its_row_of_the_table() {
    if let Some(file) = std::env::var_os("FACTS") {
        println!("{}", row(&read(Path::new(&file))).unwrap_or_else(|why| panic!("{why}")));
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("src/facts/reference/fingerprints.toml")).expect("the table");
    let bits = |text: &str| text.split_once("[row.bits]\n").map(|(_, bits)| bits.to_owned()).expect("bits");
    for machine in ["h100-healthy", "h200-healthy"] {
        let row = row(&read(&root.join("tests/machines").join(machine).join("facts.json"))).expect("a row");
        assert_eq!(bits(&row), bits(&table), "{machine}");
        assert!(row.contains("cc     = \"9.0\"\nsms    = 132\ncublas = \"13.1.0.3\""), "{row}");
    }
}
