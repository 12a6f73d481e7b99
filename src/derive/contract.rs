//! What is here of what the workload says that it needs.

use std::collections::BTreeSet;

use super::both;
use crate::facts::version::Version;
use crate::facts::{Bind, Contract, Fact, Facts, GapKind, Gpu, Listener, Multiply, WantedPackage, WantedRate};

/// Fills the fields marked "Derived".
pub fn derive(facts: &mut Facts) {
    let mut contract = std::mem::take(&mut facts.contract);
    contract.memory_here_bytes = match &facts.limits.memory_bytes {
        Fact::Absent => facts.host.memory_bytes.clone(),
        limit => limit.clone(),
    };
    contract.gpus_here = gpus_here(facts);
    contract.smallest_gpu_bytes = facts.gpus.as_ref().and_then(|gpus| smallest(gpus));
    contract.lowest_capability = facts.gpus.as_ref().and_then(|gpus| {
        least(gpus.iter().map(|gpu| gpu.compute_capability.clone()), |capability| Version::parse(capability))
    });
    ports(&mut contract, facts.network.listeners.as_ref().map(Vec::as_slice));
    contract.missing_folders = all(contract.folders.iter().map(|folder| missing_folder(facts, folder)));
    contract.missing_variables = all(contract.variables.iter().map(|name| missing_variable(facts, name)));
    for package in &mut contract.packages {
        package.installed = installed(facts, package);
    }
    for rate in &mut contract.rates {
        slowest(facts.compute.multiplies.as_ref().map(Vec::as_slice), rate);
    }
    facts.contract = contract;
}

/// Those of them that are missing, each by what is said of it; unknown where one is.
fn all(missing: impl Iterator<Item = Fact<Option<String>>>) -> Fact<Vec<String>> {
    missing.fold(Fact::Known(Vec::new()), |known, next| {
        both(known, next, |mut known: Vec<String>, next| {
            known.extend(next);
            known
        })
    })
}

fn missing_folder(facts: &Facts, wanted: &str) -> Fact<Option<String>> {
    let (path, is_written) = wanted.strip_suffix(":rw").map_or((wanted, false), |path| (path, true));
    facts.workload.folders.as_ref().and_then(|folders| {
        let Some(folder) = folders.iter().find(|folder| folder.path == path) else { return unasked() };
        match (&folder.present, &folder.writable) {
            (Fact::Unknown(gap), _) => Fact::Unknown(gap.clone()),
            (Fact::Known(true), Fact::Unknown(gap)) if is_written => Fact::Unknown(gap.clone()),
            (Fact::Known(true), Fact::Known(true)) => Fact::Known(None),
            (Fact::Known(true), _) if is_written => Fact::Known(Some(format!("{path} (not writable)"))),
            (Fact::Known(true), _) => Fact::Known(None),
            _ => Fact::Known(Some(path.to_owned())),
        }
    })
}

fn missing_variable(facts: &Facts, name: &str) -> Fact<Option<String>> {
    facts.workload.variables.as_ref().and_then(|variables| {
        let Some(variable) = variables.iter().find(|variable| variable.name == name) else { return unasked() };
        Fact::Known((!variable.filled).then(|| name.to_owned()))
    })
}

/// A recording knows what the contract asked for when it was made.
fn unasked<T>() -> Fact<T> {
    Fact::unknown(GapKind::NotAsked, "the contract did not ask for it when this was recorded")
}

/// CUDA is what the workload asks. Without an answer of it NVML's list stands.
fn gpus_here(facts: &Facts) -> Fact<u64> {
    match (&facts.cuda.device_count, &facts.gpus) {
        (Fact::Known(count), _) => Fact::Known(*count),
        (_, Fact::Known(gpus)) => Fact::Known(gpus.len() as u64),
        (Fact::Absent, Fact::Absent) => Fact::Known(0),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
    }
}

fn smallest(gpus: &[Gpu]) -> Fact<u64> {
    if gpus.iter().any(|gpu| gpu.mig_enabled == Fact::Known(true)) {
        return Fact::unknown(GapKind::NotSupported, "a slice of MIG has less memory than its GPU, and is not asked");
    }
    least(gpus.iter().map(|gpu| gpu.memory_bytes.clone()), |bytes| *bytes)
}

/// The least of these by its key: unknown where one is, and absent where none is there.
fn least<T, K: PartialOrd>(all: impl IntoIterator<Item = Fact<T>>, key: impl Fn(&T) -> K) -> Fact<T> {
    let mut found = Fact::Absent;
    for one in all {
        match (&found, one) {
            (_, Fact::Unknown(gap)) => return Fact::Unknown(gap),
            (Fact::Known(known), Fact::Known(one)) if key(known) <= key(&one) => {}
            (_, Fact::Known(one)) => found = Fact::Known(one),
            (_, Fact::Absent) => {}
        }
    }
    found
}

fn ports(contract: &mut Contract, listeners: Fact<&[Listener]>) {
    let wanted: BTreeSet<u16> = contract.ports.iter().copied().collect();
    let listening = |listeners: &[Listener]| listeners.iter().map(|one| one.port).collect::<BTreeSet<u16>>();
    contract.silent_ports =
        listeners.as_ref().map(|listeners| wanted.difference(&listening(listeners)).copied().collect());
    contract.taken_ports = listeners.as_ref().map(|listeners| {
        let taken = listeners.iter().filter(|one| wanted.contains(&one.port)).map(|one| match &one.process {
            Fact::Known(process) => format!("{} ({process})", one.port),
            _ => one.port.to_string(),
        });
        taken.collect::<BTreeSet<String>>().into_iter().collect()
    });
    contract.other_ports = if wanted.is_empty() {
        Fact::Absent
    } else {
        listeners.map(|listeners| {
            let reachable = listeners.iter().filter(|one| one.bind != Bind::Loopback).map(|one| one.port);
            reachable.collect::<BTreeSet<u16>>().difference(&wanted).copied().collect()
        })
    };
}

fn installed(facts: &Facts, wanted: &WantedPackage) -> Fact<String> {
    let found = if wanted.name == "torch" {
        facts.framework.torch_version.clone()
    } else {
        let own = |packages: &Vec<crate::facts::Package>| {
            packages.iter().find(|package| package.name == wanted.name).map(|package| package.version.clone())
        };
        facts.framework.packages.as_ref().and_then(|packages| Fact::present(own(packages)))
    };
    match (found, &facts.framework.hiding_folder) {
        (Fact::Absent, Fact::Known(folder)) => {
            Fact::unknown(GapKind::NotPermitted, format!("{folder} may not be looked into"))
        }
        (found, _) => found,
    }
}

/// The GPU that multiplied slowest in this precision.
fn slowest(multiplies: Fact<&[Multiply]>, wanted: &mut WantedRate) {
    let own = |all: &[Multiply]| {
        let own = all.iter().filter(|one| one.precision == wanted.precision);
        match least(own.map(|one| one.tflops.as_ref().map(|rate| (*rate, one.gpu))), |(rate, _)| *rate) {
            Fact::Absent => {
                Fact::unknown(GapKind::NotSupported, format!("no multiply in {} was timed here", wanted.precision))
            }
            found => found,
        }
    };
    let found = multiplies.and_then(own);
    wanted.reached_tflops = found.as_ref().map(|(rate, _)| *rate);
    wanted.slowest_gpu = found.map(|(_, gpu)| gpu);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{NamedFolder, NamedVariable, Package, Precision};

    fn derived(facts: Facts) -> Contract {
        let mut facts = facts;
        derive(&mut facts);
        facts.contract
    }

    fn listener(port: u16, bind: Bind) -> Listener {
        Listener { port, bind, process: Fact::Known("python3".to_owned()), ..Listener::default() }
    }

    #[test]
    fn cuda_counts_the_gpus_and_nvml_where_it_was_not_asked() {
        let mut facts = Facts { gpus: Fact::Known(vec![Gpu::default(); 2]), ..Facts::default() };
        assert_eq!(derived(facts.clone()).gpus_here, Fact::Known(2));
        facts.cuda.device_count = Fact::Known(1);
        assert_eq!(derived(facts.clone()).gpus_here, Fact::Known(1));
        (facts.cuda.device_count, facts.gpus) = (Fact::Absent, Fact::Absent);
        assert_eq!(derived(facts).gpus_here, Fact::Known(0));
        assert!(derived(Facts::default()).gpus_here.is_unknown());
    }

    #[test]
    fn the_least_gpu_counts_and_one_that_says_nothing_leaves_it_open() {
        let gpu = |bytes: u64, capability: &str| Gpu {
            memory_bytes: Fact::Known(bytes),
            compute_capability: Fact::Known(capability.to_owned()),
            mig_enabled: Fact::Known(false),
            ..Gpu::default()
        };
        let mut gpus = vec![gpu(80, "10.0"), gpu(40, "9.0"), gpu(48, "8.9")];
        let of = |gpus: &[Gpu]| derived(Facts { gpus: Fact::Known(gpus.to_vec()), ..Facts::default() });
        assert_eq!(of(&gpus).smallest_gpu_bytes, Fact::Known(40));
        assert_eq!(of(&gpus).lowest_capability, Fact::Known("8.9".to_owned()), "10.0 is not less than 9.0");
        gpus[0].mig_enabled = Fact::Known(true);
        assert!(of(&gpus).smallest_gpu_bytes.is_unknown(), "a slice has less");
        gpus[1].compute_capability = Fact::default();
        assert!(of(&gpus).lowest_capability.is_unknown());
    }

    #[test]
    fn ports_are_silent_taken_or_others() {
        let mut facts = Facts::default();
        facts.contract.ports = vec![8000, 9000];
        let all = vec![listener(8000, Bind::Any), listener(22, Bind::Any), listener(6000, Bind::Loopback)];
        facts.network.listeners = Fact::Known(all);
        let contract = derived(facts.clone());
        assert_eq!(contract.silent_ports, Fact::Known(vec![9000]));
        assert_eq!(contract.taken_ports, Fact::Known(vec!["8000 (python3)".to_owned()]));
        assert_eq!(contract.other_ports, Fact::Known(vec![22]), "loopback is nobody else's");
        facts.contract.ports.clear();
        assert!(derived(facts).other_ports.is_absent(), "who names no port says nothing of others");
    }

    #[test]
    fn a_package_is_absent_only_where_all_could_be_looked_into() {
        let mut facts = Facts::default();
        let wanted = |name: &str| WantedPackage { name: name.to_owned(), ..WantedPackage::default() };
        facts.contract.packages = vec![wanted("torch"), wanted("vllm"), wanted("jax")];
        facts.framework.torch_version = Fact::Known("2.7.0".to_owned());
        let vllm = Package { name: "vllm".to_owned(), version: "0.10.1".to_owned(), ..Package::default() };
        facts.framework.packages = Fact::Known(vec![vllm]);
        facts.framework.hiding_folder = Fact::Absent;
        let versions = |facts: &Facts| derived(facts.clone()).packages.into_iter().map(|one| one.installed).collect();
        let found: Vec<Fact<String>> = versions(&facts);
        assert_eq!(found, [Fact::Known("2.7.0".to_owned()), Fact::Known("0.10.1".to_owned()), Fact::Absent]);
        facts.framework.hiding_folder = Fact::Known("/root/venv".to_owned());
        let found: Vec<Fact<String>> = versions(&facts);
        assert!(found[2].is_unknown());
    }

    #[test]
    fn folders_and_variables_are_missing_only_where_they_were_looked_for() {
        let mut facts = Facts::default();
        let folder = |path: &str, present, writable| NamedFolder {
            path: path.to_owned(),
            present: Fact::Known(present),
            writable: Fact::Known(writable),
        };
        facts.workload.folders = Fact::Known(vec![folder("/a", true, false), folder("/b", false, false)]);
        let variable = |name: &str, filled| NamedVariable { name: name.to_owned(), filled };
        facts.workload.variables = Fact::Known(vec![variable("A", true), variable("B", false)]);
        let missing = |folders: &[&str], variables: &[&str]| {
            let mut facts = facts.clone();
            let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
            (facts.contract.folders, facts.contract.variables) = (owned(folders), owned(variables));
            let contract = derived(facts);
            (contract.missing_folders, contract.missing_variables)
        };
        let known = |all: &[&str]| Fact::Known(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(missing(&["/a", "/b"], &["A", "B"]), (known(&["/b"]), known(&["B"])));
        assert_eq!(missing(&["/a:rw"], &[]), (known(&["/a (not writable)"]), known(&[])));
        let (folders, variables) = missing(&["/a", "/c"], &["C"]);
        assert!(folders.is_unknown() && variables.is_unknown(), "nobody looked");
    }

    #[test]
    fn the_slowest_gpu_of_a_precision_counts() {
        let one = |gpu: u32, precision: Precision, rate: f64| Multiply {
            gpu,
            precision,
            tflops: Fact::Known(rate),
            ..Multiply::default()
        };
        let mut facts = Facts::default();
        let wanted = |precision| WantedRate { precision, ..WantedRate::default() };
        facts.contract.rates = vec![wanted(Precision::Bfloat16), wanted(Precision::Float8)];
        facts.compute.multiplies = Fact::Known(vec![
            one(0, Precision::Bfloat16, 700.0),
            one(1, Precision::Bfloat16, 650.0),
            one(0, Precision::Float64, 60.0),
        ]);
        let rates = derived(facts).rates;
        assert_eq!((&rates[0].reached_tflops, &rates[0].slowest_gpu), (&Fact::Known(650.0), &Fact::Known(1)));
        assert!(rates[1].reached_tflops.is_unknown(), "what was not timed accuses nobody");
    }
}
