//! What the workload needs, in a line.

use crate::facts::{Contract, Fact};
use crate::text::{bytes, count, number, plain};

/// What the contract asks for, in the order of its fields, and which file it is; nothing where there is none.
pub fn needs(contract: &Contract) -> String {
    let Fact::Known(file) = &contract.file else { return String::new() };
    let size = |fact: &Fact<u64>| fact.known().map(|size| bytes(*size as f64));
    let list = |words: Vec<String>| Some(words).filter(|words| !words.is_empty()).map(|words| words.join(", "));
    let ports = contract.ports.iter().map(u16::to_string).collect();
    let packages = contract.packages.iter().map(|one| format!("{} {}", plain(&one.name), plain(&one.version)));
    let rates = contract.rates.iter().map(|one| format!("{} {} TFLOP/s", one.precision, number(one.tflops)));
    let all = [
        contract.gpu_count.known().map(|gpus| count(usize::try_from(*gpus).unwrap_or(usize::MAX), "GPU")),
        size(&contract.gpu_memory_bytes).map(|size| format!("GPU memory {size}")),
        contract.gpu_capability.known().map(|version| format!("capability {}", plain(version))),
        contract.cuda.known().map(|version| format!("CUDA {}", plain(version))),
        size(&contract.memory_bytes).map(|size| format!("memory {size}")),
        size(&contract.shm_bytes).map(|size| format!("shm {size}")),
        contract.cpu_cores.known().map(|cores| format!("cpu {}", number(*cores))),
        contract.pids.known().map(|count| format!("pids {count}")),
        contract.open_files.known().map(|count| format!("open files {count}")),
        list(ports).map(|ports| format!("port {ports}")),
        list(contract.folders.iter().map(|folder| plain(folder)).collect()),
        list(contract.variables.iter().map(|name| plain(name)).collect()),
        list(packages.collect()),
        list(rates.collect()),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    let needs = if all.is_empty() { "asks for nothing".to_owned() } else { format!("needs {}", all.join(" · ")) };
    format!("{needs} ({})", plain(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Precision, WantedPackage, WantedRate};

    #[test]
    fn only_what_is_asked_for_is_told() {
        assert_eq!(needs(&Contract::default()), "", "there is none");
        let none = Contract { file: Fact::Known("c.toml".to_owned()), ..Contract::default() };
        assert_eq!(needs(&none), "asks for nothing (c.toml)");
        let package = WantedPackage { name: "torch".to_owned(), version: "2.5".to_owned(), ..WantedPackage::default() };
        let rate = WantedRate { precision: Precision::Bfloat16, tflops: 600.0, ..WantedRate::default() };
        let some = Contract {
            gpu_count: Fact::Known(1),
            shm_bytes: Fact::Known(8 << 30),
            ports: vec![8000, 9000],
            packages: vec![package],
            rates: vec![rate],
            ..none
        };
        assert_eq!(
            needs(&some),
            "needs 1 GPU · shm 8 GiB · port 8000, 9000 · torch 2.5 · bfloat16 600 TFLOP/s (c.toml)"
        );
    }
}
