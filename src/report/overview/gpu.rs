//! What is said in the overview of driver, libraries and GPUs.

use super::{Report, say};
use crate::check::Outcome;
use crate::facts::{Fact, Facts, GapKind, Gpu, MemoryCopy, Multiply, Phase, Precision, Proof};
use crate::text::{plain, short_rate};

/// How the line of work begins that nobody did.
pub const NOT_RUN: &str = "not run";
/// What is said of the GPU where none is wanted.
pub const NOT_EXPECTED: &str = "not expected here (--no-gpu)";
/// What is said of what an image cannot show.
pub const NOT_BUILT: &str = "not looked at while building";

/// What is said where no CUDA runtime was found.
pub const NO_RUNTIME: &str = "no runtime";

/// The check that says whether there is a driver at all.
pub const KERNEL_LOADED: &str = "driver.kernel-loaded";

/// The check that says whether this container was given a GPU.
const GRANTED: &str = "gpu.granted";

/// Why the GPU is not spoken of at all.
pub fn no_gpu_asked(facts: &Facts) -> Option<String> {
    let words = (!facts.run.gpu_expected).then_some(NOT_EXPECTED);
    let building = facts.run.phase == Phase::Build && facts.cuda.init_code.is_unknown();
    words.or(building.then_some(NOT_BUILT)).map(str::to_owned)
}

pub fn driver(report: &Report) -> String {
    let facts = &report.facts;
    if let Some(words) = no_gpu_asked(facts) {
        return words;
    }
    // Where `/proc/driver` is hidden NVML still knows.
    let version = facts.compatibility.driver_version.known().map(|version| plain(version));
    let fails = |id: &str| report.findings.iter().any(|f| f.check == id && f.outcome == Outcome::Fails);
    if version.is_none() && fails(GRANTED) {
        return "no GPU was given to this container".to_owned();
    }
    // No file and no library names it; that alone does not mean that it is not there.
    let nothing = if fails(KERNEL_LOADED) { "not loaded" } else { "version not known" };
    let version = version.unwrap_or_else(|| say(&facts.driver.kernel_version, |version| plain(version), nothing));
    let gpus = match &facts.gpus {
        Fact::Known(gpus) => format!(", {}", gpu_words(gpus.len(), gpus.first().and_then(|gpu| gpu.name.known()))),
        Fact::Absent => ", no GPU".to_owned(),
        Fact::Unknown(_) => ", GPUs could not be listed".to_owned(),
    };
    let init = match facts.cuda.init_code.known() {
        Some(0) | None => String::new(),
        Some(code) => format!(", cuInit {code}"),
    };
    format!("{version}{gpus}{init}")
}

/// `1 × NVIDIA H200`, `no GPU`.
pub fn gpu_words(count: usize, name: Option<&String>) -> String {
    match (count, name) {
        (0, _) => "no GPU".to_owned(),
        (count, Some(name)) => format!("{count} × {}", plain(name)),
        (count, None) => crate::text::count(count, "GPU"),
    }
}

pub fn cuda(facts: &Facts) -> String {
    if !facts.run.gpu_expected {
        return NOT_EXPECTED.to_owned();
    }
    let driver = say(&facts.cuda.version, |version| format!("driver supports {}", plain(version)), "no driver library");
    let driver = if facts.cuda.library.is_absent() { "no driver library".to_owned() } else { driver };
    let runtime =
        say(&facts.compatibility.runtime_version, |version| format!("runtime {}", plain(version)), NO_RUNTIME);
    let torch = facts.framework.torch_version.known().map_or(String::new(), |v| format!(" · PyTorch {}", plain(v)));
    if no_gpu_asked(facts).is_some() { format!("{runtime}{torch}") } else { format!("{driver} · {runtime}{torch}") }
}

pub fn libraries(facts: &Facts) -> String {
    let Fact::Known(all) = &facts.libraries else { return say(&facts.libraries, |_| String::new(), "none found") };
    let chosen = all.iter().filter(|library| library.chosen && library.winner.known().is_some());
    let words: Vec<String> = chosen
        .map(|library| {
            let version = library.version.known().map_or(String::new(), |version| format!(" {}", plain(version)));
            format!("{}{version}", library.id.as_str().trim_start_matches("lib"))
        })
        .collect();
    if words.is_empty() { "none found".to_owned() } else { words.join(", ") }
}

pub fn multiply(facts: &Facts) -> String {
    if let Some(words) = no_gpu_asked(facts) {
        return words;
    }
    let all = match &facts.compute.multiplies {
        Fact::Known(all) => all,
        Fact::Unknown(gap) if gap.kind == GapKind::NotAsked && !gap.detail.is_empty() => {
            return format!("{NOT_RUN}: {}", plain(&gap.detail));
        }
        other => return say(other, |_| String::new(), "not run: no GPU"),
    };
    let wrong = all.iter().find(|multiply| multiply.proof.known() == Some(&Proof::Wrong));
    if let Some(multiply) = wrong {
        return format!("wrong product on GPU {}, {}", multiply.gpu, multiply.precision);
    }
    let slowest = |precision: Precision| {
        let own = all.iter().filter(move |multiply| multiply.precision == precision);
        own.filter(|multiply| multiply.tflops.known().is_some())
            .min_by(|a, b| a.tflops.known().partial_cmp(&b.tflops.known()).unwrap_or(std::cmp::Ordering::Equal))
    };
    // What most models are trained and served in, where the GPU has it.
    let usual = [Precision::Bfloat16, Precision::Float16, Precision::Tf32, Precision::Float32];
    let shown = usual.into_iter().find_map(slowest);
    let Some(first) = shown else { return NOT_RUN.to_owned() };
    let gain = match (slowest(Precision::Tf32).map(tflops), slowest(Precision::Float32).map(tflops)) {
        (Some(tf32), Some(float32)) if float32 > 0.0 => format!(" · TF32 {:.1} × float32", tf32 / float32),
        _ => String::new(),
    };
    format!("{}{gain}", multiply_words(first))
}

fn tflops(multiply: &Multiply) -> f64 {
    rate(&multiply.tflops)
}

fn rate(rate: &Fact<f64>) -> f64 {
    rate.known().copied().unwrap_or_default()
}

fn multiply_words(multiply: &Multiply) -> String {
    let share = multiply.share_of_expected.known();
    let share = share.map_or(String::new(), |share| format!(", {:.0} % of expected", share * 100.0));
    let proof = match &multiply.proof {
        Fact::Known(Proof::Exact) => ", exact",
        _ => ", not proven",
    };
    format!("{} {} TFLOP/s{share}{proof}", multiply.precision, short_rate(tflops(multiply)))
}

/// The slowest copies of all GPUs.
pub fn memory(facts: &Facts) -> String {
    let copies = facts.compute.copies.known().map_or(&[][..], Vec::as_slice);
    if let Some(copy) = copies.iter().find(|copy| copy.proof.known() == Some(&Proof::Wrong)) {
        return format!("wrong bytes on GPU {}", copy.gpu);
    }
    let by_rate =
        |a: &&MemoryCopy, b: &&MemoryCopy| rate(&a.device_gb_per_second).total_cmp(&rate(&b.device_gb_per_second));
    let told = copies.iter().filter(|copy| copy.device_gb_per_second.known().is_some());
    let Some(copy) = told.min_by(by_rate) else { return String::new() };
    let share =
        copy.share_of_expected.known().map_or(String::new(), |share| format!(", {:.0} % of expected", share * 100.0));
    let host = |to: &Fact<f64>, from: &Fact<f64>| match (to.known(), from.known()) {
        (Some(to), Some(from)) => format!(" · from host {} GB/s, to host {}", short_rate(*to), short_rate(*from)),
        _ => String::new(),
    };
    let host = host(&copy.host_to_device_pinned_gb_per_second, &copy.device_to_host_pinned_gb_per_second);
    let rate = short_rate(rate(&copy.device_gb_per_second));
    let proof = if copy.proof.known() == Some(&Proof::Exact) { ", exact" } else { "" };
    format!("{rate} GB/s{share}{proof}{host}")
}

/// NVLinks, the PCIe link under load, and what the deep tiers found between the GPUs.
pub fn links(facts: &Facts) -> String {
    let gpus = facts.gpus.known().map_or(&[][..], Vec::as_slice);
    let fewest = |of: fn(&Gpu) -> Option<u64>| gpus.iter().filter_map(of).min();
    let nvlinks = fewest(|gpu| gpu.nvlink_active_count.known().copied()).filter(|count| *count > 0);
    let width = fewest(|gpu| gpu.load.known()?.pcie_width.known().copied().map(u64::from));
    let generation = fewest(|gpu| gpu.load.known()?.pcie_generation.known().copied().map(u64::from));
    let pairs = facts.links.pairs.known().map_or(&[][..], Vec::as_slice);
    let rates = pairs.iter().filter_map(|pair| pair.gb_per_second.known().copied());
    let parts = [
        nvlinks
            .map(|count| format!("{} up", crate::text::count(usize::try_from(count).unwrap_or(usize::MAX), "NVLink"))),
        width.zip(generation).map(|(width, generation)| format!("PCIe {generation}.0 × {width}")),
        rates.reduce(f64::min).map(|rate| format!("GPU to GPU {} GB/s", short_rate(rate))),
        facts.links.nccl.bus_gb_per_second.known().map(|rate| format!("all-reduce {} GB/s", short_rate(*rate))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
