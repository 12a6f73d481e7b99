//! NVIDIA GPUs: what each model is made of and what it could do at best.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::Precision;

/// One model. What has no source is not there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuModel {
    /// Name that NVML and CUDA give.
    pub name: String,
    /// Compute capability as `9.0`.
    pub cc: String,
    /// Family in `gemm.toml`.
    pub family: String,
    /// Streaming multiprocessors.
    pub sm_count: Option<u32>,
    /// Memory as sold, in GB.
    pub memory_gb: Option<u32>,
    /// Peak memory bandwidth in 10^9 bytes a second.
    pub memory_gb_per_second: Option<f64>,
    /// Vector rate of 32-bit floats, 10^12 operations a second.
    pub fp32: Option<f64>,
    /// Dense tensor rate of TF32.
    pub tf32: Option<f64>,
    /// Dense tensor rate of 16-bit floats with 32-bit accumulators.
    pub fp16: Option<f64>,
    /// Dense tensor rate of brain floats.
    pub bf16: Option<f64>,
    /// Rate of 64-bit floats: of tensor cores where there are such, else of vectors.
    pub fp64: Option<f64>,
    /// Dense tensor rate of 8-bit integers with 32-bit accumulators.
    pub int8: Option<f64>,
    /// Dense tensor rate of 8-bit floats with 32-bit accumulators.
    pub fp8: Option<f64>,
    /// Dense fp16 operations per clock and SM.
    pub flop_per_clock: Option<u32>,
    /// Clock in MHz at which the tensor rates hold, else the published boost.
    pub clock_mhz: Option<u32>,
    /// Default board limit in watts.
    pub tdp_w: Option<u32>,
    /// Who says so, by the short names at the head of the table.
    pub source: String,
}

impl GpuModel {
    /// The dense peak of a precision in 10^12 operations a second; none without hardware or source for it.
    pub fn peak(&self, precision: Precision) -> Option<f64> {
        match precision {
            Precision::Bfloat16 => self.bf16,
            Precision::Float16 if self.has_tensor_cores() => self.fp16,
            // Without tensor cores and with 32-bit accumulators it is the vector rate that counts.
            Precision::Float32 | Precision::Float16 => self.fp32,
            // TF32 goes at half the rate of 16-bit floats in every generation that has it.
            Precision::Tf32 => self.tf32.or(self.bf16.map(|rate| rate / 2.0)),
            Precision::Float64 => self.fp64,
            Precision::Int8 => self.int8,
            Precision::Float8 => self.fp8,
        }
    }

    /// Whether forward compatibility is for it: a board for data centres, not for desks.
    pub fn is_for_data_centers(&self) -> bool {
        let words: Vec<&str> = self.name.split([' ', '-']).collect();
        // DGX Spark (GB10) has a driver of its own.
        !["GeForce", "RTX", "TITAN", "GB10"].iter().any(|word| words.contains(word)) || words.contains(&"Server")
    }

    fn has_tensor_cores(&self) -> bool {
        !self.cc.starts_with("6.")
    }
}

#[derive(Deserialize)]
struct Table {
    gpu: Vec<GpuModel>,
}

static GPUS: LazyLock<Vec<GpuModel>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("gpus.toml")).map(|table| table.gpu).unwrap_or_default());

/// All models.
pub fn gpus() -> &'static [GpuModel] {
    &GPUS
}

/// The model of a name; the profile that a MIG slice has after its name does not count, nor do the brands that
/// drivers have put before it and left out again.
pub fn gpu(name: &str) -> Option<&'static GpuModel> {
    let wanted = plain(name);
    GPUS.iter().find(|gpu| plain(&gpu.name) == wanted)
}

/// The model that a person means: its name, or words of it that fit one model, or only models of one capability. Else why
/// none is meant.
pub fn find(words: &str) -> Result<&'static GpuModel, String> {
    if let Some(model) = gpu(words) {
        return Ok(model);
    }
    let parts = |name: &str| name.to_lowercase().split([' ', '-']).map(str::to_owned).collect::<Vec<_>>();
    let wanted = parts(words);
    let fits = |model: &&GpuModel| wanted.iter().all(|word| parts(&model.name).contains(word));
    let fitting: Vec<&GpuModel> = GPUS.iter().filter(fits).collect();
    match fitting.as_slice() {
        [first, rest @ ..] if rest.iter().all(|model| model.cc == first.cc) => Ok(first),
        [] => {
            let near = GPUS.iter().map(|model| plain(&model.name));
            let near = near.min_by_key(|name| strsim::damerau_levenshtein(&words.to_lowercase(), &name.to_lowercase()));
            Err(format!("no GPU is called `{words}`; the nearest name is `{}`", near.unwrap_or_default()))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|model| model.name.as_str()).collect();
            Err(format!("`{words}` may be {}", names.join(", ")))
        }
    }
}

fn plain(name: &str) -> &str {
    let name = name.split(" MIG ").next().unwrap_or(name).trim();
    let name = name.strip_prefix("NVIDIA ").unwrap_or(name);
    name.strip_prefix("Tesla ").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_there_once_with_its_source() {
        assert_eq!(gpus().len(), 63);
        for model in gpus() {
            assert!(!model.source.is_empty(), "{model:?}");
            assert_eq!(gpus().iter().filter(|other| plain(&other.name) == plain(&model.name)).count(), 1, "{model:?}");
        }
    }

    #[test]
    fn slices_and_old_names_find_their_model() {
        for (name, found) in [
            ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "NVIDIA H100 80GB HBM3"),
            ("NVIDIA Tesla T4", "Tesla T4"),
            ("A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB"),
        ] {
            assert_eq!(gpu(name).map(|model| model.name.as_str()), Some(found), "{name}");
        }
        assert!(gpu("NVIDIA X9000").is_none());
        assert!(gpu("").is_none());
    }

    #[test]
    fn a_person_may_leave_words_out() {
        for (words, found) in [
            ("H100", "NVIDIA H100"),
            ("b200", "NVIDIA B200"),
            ("RTX 5090", "NVIDIA GeForce RTX 5090"),
            ("A100", "NVIDIA A100-SXM4-80GB"),
            ("V100", "Tesla V100-SXM2-16GB"),
            ("T4", "Tesla T4"),
        ] {
            assert_eq!(find(words).map(|model| model.name.as_str()), Ok(found), "{words}");
        }
        assert!(find("X9000").is_err_and(|why| why.contains("no GPU is called `X9000`")));
        assert!(find("RTX").is_err_and(|why| why.contains("may be") && why.contains("NVIDIA TITAN RTX")));
        assert!(find("").is_err());
    }

    #[test]
    fn boards_for_desks_are_told_from_boards_for_data_centers() {
        let is = |name: &str| gpu(name).expect("a model").is_for_data_centers();
        for name in ["NVIDIA H200", "Tesla T4", "NVIDIA A10G", "NVIDIA RTX PRO 6000 Blackwell Server Edition"] {
            assert!(is(name), "{name}");
        }
        for name in ["NVIDIA GeForce RTX 5090", "NVIDIA RTX A6000", "NVIDIA TITAN RTX", "NVIDIA GB10"] {
            assert!(!is(name), "{name}");
        }
    }

    #[test]
    fn a_peak_is_what_sms_clock_and_width_give() {
        for model in gpus() {
            let (Some(peak), Some(sms), Some(width), Some(clock)) =
                (model.fp16, model.sm_count, model.flop_per_clock, model.clock_mhz)
            else {
                continue;
            };
            let derived = f64::from(sms) * f64::from(width) * f64::from(clock) / 1e6;
            assert!((0.85..1.18).contains(&(peak / derived)), "{}: {peak} against {derived}", model.name);
        }
    }

    #[test]
    fn boards_without_the_hardware_have_no_peak() {
        let model = gpu("Tesla V100-SXM2-16GB").expect("a model");
        assert_eq!((model.peak(Precision::Bfloat16), model.peak(Precision::Tf32)), (None, None));
        let model = gpu("Tesla P100-SXM2-16GB").expect("a model");
        assert_eq!(model.peak(Precision::Float16), model.peak(Precision::Float32));
    }
}
