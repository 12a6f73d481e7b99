//! The contract: what a workload needs, in a file beside it. Checks hold the machine against it as against anything else;
//! here it is only read.

use std::collections::BTreeMap;

use super::profile::{Profile, Waiver};
use crate::check::error::{at_key, parse_toml};
use crate::check::{Catalogue, ConfigError};
use crate::facts::shape::record;
use crate::facts::version::Version;
use crate::facts::{Contract, Fact, GPU_PACKAGES, LIST_LIMIT, Precision, WantedPackage, WantedRate, quantity};
use crate::lang::suggestion;

/// The name of the file that is read where it lies in the working folder.
pub const FILE: &str = "gpu-preflight.toml";

record! {
    /// A contract.
    pub struct ContractFile {
        /// The profile, where the command line names none.
        pub profile: Option<String>,
        /// What the workload needs, all of it at least.
        pub needs: Needs,
        /// Failures that are known and excused for a while, as in a profile. Whether critical ones may be is the profile's to say.
        pub waive: Vec<Waiver>,
    }

    /// What a workload needs. What is left out is not asked for.
    pub struct Needs {
        /// GPUs.
        pub gpus: Option<u64>,
        /// Memory of each GPU, as `40GiB` or `80GB`.
        pub gpu_memory: Option<String>,
        /// Compute capability of each GPU, as `8.0`.
        pub capability: Option<String>,
        /// CUDA release that the driver has to take, as `12.4`.
        pub cuda: Option<String>,
        /// Memory of the container, as `32GiB`.
        pub memory: Option<String>,
        /// Size of `/dev/shm`, as `8GiB`.
        pub shm: Option<String>,
        /// CPU cores.
        pub cpus: Option<f64>,
        /// Processes and threads.
        pub pids: Option<u64>,
        /// Open files.
        pub open_files: Option<u64>,
        /// TCP ports that it opens, and no others that are reached from outside.
        pub ports: Vec<u16>,
        /// Folders that are there; one that is to be written ends in `:rw`, as `/data:rw`.
        pub folders: Vec<String>,
        /// Variables that are set to something.
        pub variables: Vec<String>,
        /// Python packages with their version, as `torch = "2.5"`.
        pub packages: BTreeMap<String, String>,
        /// Rates of the multiply on each GPU in TFLOP/s (TOP/s for int8), as `bfloat16 = 600`.
        pub tflops: BTreeMap<String, f64>,
    }
}

impl ContractFile {
    /// Reads a contract and checks it against the catalogue.
    pub fn read(file: &str, text: &str, catalogue: &Catalogue) -> Result<Self, ConfigError> {
        let parsed: Self = parse_toml(file, text)?;
        let name = parsed.profile.as_deref().filter(|name| !name.contains(['/', '.']));
        let profile = name.and_then(|name| Profile::embedded(name).err().map(|message| ("profile", name, message)));
        let waivers = parsed.waive.iter().filter_map(|waiver| {
            waiver.agree(catalogue).err().map(|message| ("check", waiver.check.as_str(), message))
        });
        let needs = parsed.needs.mistakes();
        let all = profile.into_iter().chain(needs).chain(waivers);
        ConfigError::all(all.map(|(key, value, message)| {
            match at_key(file, text, key, value, 0, message) {
                // A table of its own has a line for each name.
                ConfigError { line: 0, message, .. } => at_key(file, text, value, value, 0, message),
                found => found,
            }
        }))?;
        Ok(parsed)
    }

    /// What it asks for, as facts that checks can read.
    pub fn facts(&self, file: &str) -> Contract {
        let needs = &self.needs;
        let size = |text: &Option<String>| Fact::present(text.as_deref().and_then(bytes));
        let package = |(name, version): (&String, &String)| WantedPackage {
            name: name.clone(),
            version: version.clone(),
            ..WantedPackage::default()
        };
        let rate = |(name, tflops): (&String, &f64)| {
            let precision = name.parse().ok()?;
            Some(WantedRate { precision, tflops: *tflops, ..WantedRate::default() })
        };
        Contract {
            file: Fact::Known(file.to_owned()),
            gpu_count: Fact::present(needs.gpus),
            gpu_memory_bytes: size(&needs.gpu_memory),
            gpu_capability: Fact::present(needs.capability.clone()),
            cuda: Fact::present(needs.cuda.clone()),
            memory_bytes: size(&needs.memory),
            shm_bytes: size(&needs.shm),
            cpu_cores: Fact::present(needs.cpus),
            pids: Fact::present(needs.pids),
            open_files: Fact::present(needs.open_files),
            ports: needs.ports.clone(),
            folders: needs.folders.clone(),
            variables: needs.variables.clone(),
            packages: needs.packages.iter().map(package).collect(),
            rates: needs.tflops.iter().filter_map(rate).collect(),
            ..Contract::default()
        }
    }
}

/// What is asked for where there is no contract: nothing.
pub fn nothing() -> Contract {
    Contract { file: Fact::Absent, ..ContractFile::default().facts("") }
}

impl Needs {
    /// Values that say nothing: the key, the value as it stands there, and what is wrong with it.
    fn mistakes(&self) -> Vec<(&str, &str, String)> {
        let sizes = [("gpu_memory", &self.gpu_memory), ("memory", &self.memory), ("shm", &self.shm)];
        let sizes = sizes.into_iter().filter_map(|(key, value)| {
            let value = value.as_deref().filter(|value| bytes(value).is_none())?;
            Some((key, value, format!("`{value}` is no size: write `40GiB`, `80GB` or a number of bytes in quotes")))
        });
        let versions = [("capability", &self.capability), ("cuda", &self.cuda)];
        let versions = versions.into_iter().filter_map(|(key, value)| {
            let value = value.as_deref().filter(|value| !is_version(value))?;
            Some((key, value, no_version(value)))
        });
        let packages = self.packages.iter().filter_map(|(name, version)| {
            let strange = || (!is_version(version)).then(|| no_version(version));
            Some(("packages", name.as_str(), unread(name).or_else(strange)?))
        });
        let rates = self.tflops.iter().filter_map(|(name, rate)| {
            let unknown = name.parse::<Precision>().err().map(|wrong| format!("no precision is called that: {wrong}"));
            Some(("tflops", name.as_str(), unknown.or_else(|| no_amount(*rate))?))
        });
        let relative = self.folders.iter().filter(|folder| !folder.starts_with('/'));
        let relative = relative.map(|folder| ("folders", folder.as_str(), format!("`{folder}` does not begin with /")));
        let lengths =
            [("ports", self.ports.len()), ("folders", self.folders.len()), ("variables", self.variables.len())];
        let long = lengths.into_iter().filter(|(_, length)| *length > LIST_LIMIT);
        let long =
            long.map(|(key, length)| (key, key, format!("{length} are more than the {LIST_LIMIT} that are asked")));
        let cpus = self.cpus.and_then(no_amount).map(|message| ("cpus", "cpus", message));
        sizes.chain(versions).chain(packages).chain(rates).chain(relative).chain(long).chain(cpus).collect()
    }
}

/// What is wrong with a package that is not read.
fn unread(name: &str) -> Option<String> {
    let all = || ["torch"].into_iter().chain(GPU_PACKAGES);
    if all().any(|known| known == name) {
        return None;
    }
    let near = suggestion(name, all());
    let list = if near.is_empty() { format!(": {}", all().collect::<Vec<_>>().join(", ")) } else { near };
    Some(format!("`{name}` is none of the packages that are read{list}"))
}

fn no_amount(amount: f64) -> Option<String> {
    let is_amount = amount.is_finite() && amount > 0.0;
    (!is_amount).then(|| format!("{amount} is no amount: write a number above 0"))
}

/// Bytes as people write them: a capital letter means what it means to Kubernetes and in data sheets (`80GB`, `40Gi`), a
/// small one what it means to Docker (`32g`).
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let bare = text.strip_suffix('B').unwrap_or(text);
    if bare.ends_with(|last: char| last.is_ascii_lowercase() && last != 'i') {
        return quantity::compose_bytes(text);
    }
    quantity::kubernetes(bare).and_then(quantity::bytes)
}

/// Dotted numbers; what people write before them in other files is told.
fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && Version::parse(text).is_some()
}

fn no_version(text: &str) -> String {
    let bare = text.trim_start_matches(['=', '>', '~', '^', ' ', 'v']);
    let near = if is_version(bare) && bare != text {
        format!("; all that is asked for is asked for at least: write `{bare}`")
    } else {
        ": write it as `2.5`".to_owned()
    };
    format!("`{text}` is no version{near}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn catalogue() -> Catalogue {
        Catalogue::load(&[]).expect("the catalogue")
    }

    #[test]
    fn sizes_mean_what_their_writers_mean() {
        for (text, wanted) in [
            ("40GiB", Some(40 * GIB)),
            ("40Gi", Some(40 * GIB)),
            ("80GB", Some(80_000_000_000)),
            ("80G", Some(80_000_000_000)),
            ("32g", Some(32 * GIB)),
            ("512m", Some(512 << 20)),
            ("512mb", Some(512 << 20)),
            ("1.5GiB", Some(3 * GIB / 2)),
            ("1073741824", Some(GIB)),
            ("lots", None),
            ("-1GiB", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_contract_becomes_facts_and_what_it_leaves_out_is_absent() {
        let text = "profile = 'training'\n[needs]\ngpus = 2\ngpu_memory = '40GiB'\nports = [8000]\n\
                    packages = { torch = '2.5' }\ntflops = { bfloat16 = 600 }\ncpus = 4\n";
        let read = ContractFile::read("c.toml", text, &catalogue()).expect("a contract");
        let facts = read.facts("c.toml");
        assert_eq!((read.profile.as_deref(), &facts.gpu_count), (Some("training"), &Fact::Known(2)));
        assert_eq!((&facts.gpu_memory_bytes, &facts.cpu_cores), (&Fact::Known(40 * GIB), &Fact::Known(4.0)));
        assert_eq!((facts.ports.as_slice(), facts.packages.len(), facts.rates.len()), (&[8000][..], 1, 1));
        assert!(facts.shm_bytes.is_absent() && facts.cuda.is_absent());
        assert!(nothing().file.is_absent() && nothing().gpu_count.is_absent());
    }

    #[test]
    fn every_mistake_is_told_at_its_place_with_what_was_meant() {
        let text = "profile = 'produktion'\n[needs]\nmemory = 'lots'\ncuda = '>=12.4'\ncpus = 0\n\
                    packages = { vlm = '0.10' }\ntflops = { bf16 = 600 }\n[[waive]]\ncheck = 'limits.memory-limited'\n";
        let error = ContractFile::read("c.toml", text, &catalogue()).expect_err("mistakes").to_string();
        for line in [
            "c.toml:1:12: no profile is called `produktion`",
            "c.toml:3:11: `lots` is no size: write `40GiB`",
            "c.toml:4:9: `>=12.4` is no version; all that is asked for is asked for at least: write `12.4`",
            "`vlm` is none of the packages that are read; did you mean `vllm`",
            "no precision is called that: `bf16` is none of float32, tf32",
            "0 is no amount",
            "c.toml:9:10: the waiver of limits.memory-limited needs a reason and an owner",
        ] {
            assert!(error.contains(line), "{line}\nis not in\n{error}");
        }
        let many = format!("[needs]\nports = {:?}\n", (1..=65).collect::<Vec<u16>>());
        let error = ContractFile::read("c.toml", &many, &catalogue()).expect_err("too many").to_string();
        assert!(error.contains("65 are more than the 64 that are asked"), "{error}");
        let error =
            ContractFile::read("c.toml", "[needs]\ngpu = 2\n", &catalogue()).expect_err("a mistake").to_string();
        assert!(error.contains("c.toml:2:1: unknown field `gpu`") && error.contains("`gpus`"), "{error}");
    }
}
