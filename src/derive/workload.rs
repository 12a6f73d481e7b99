//! What bounds the GPU memory of the workload, and what TF32 would bring it.

use super::rounded;
use crate::facts::{Fact, Facts, Multiply, Precision};

/// Fills what is derived of both.
pub fn derive(facts: &mut Facts) {
    facts.workload.gpu_memory_bounded_by = bounded_by(facts);
    let gain = gain(&facts.compute.multiplies);
    facts.compute.tf32_factor = gain.as_ref().map(|gain| rounded(gain.tf32 / gain.strict));
    facts.compute.strict_tflops = gain.as_ref().map(|gain| gain.strict);
    facts.compute.tf32_tflops = gain.map(|gain| gain.tf32);
}

/// An instance of MIG has memory of its own, whatever the workload asks for.
fn bounded_by(facts: &Facts) -> Fact<String> {
    if facts.workload.gpu_memory_option.known().is_some() {
        return facts.workload.gpu_memory_option.clone();
    }
    let by_mig = facts.gpus.as_ref().and_then(|gpus| {
        let unknown = gpus.iter().find_map(|gpu| match &gpu.mig_enabled {
            Fact::Unknown(gap) => Some(gap.clone()),
            Fact::Known(_) | Fact::Absent => None,
        });
        let is_mig = !gpus.is_empty() && gpus.iter().all(|gpu| gpu.mig_enabled == Fact::Known(true));
        unknown.map_or_else(|| Fact::present(is_mig.then(|| "MIG".to_owned())), Fact::Unknown)
    });
    match (by_mig, &facts.workload.gpu_memory_option) {
        (Fact::Known(mig), _) => Fact::Known(mig),
        (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (by_mig, _) => by_mig,
    }
}

struct Gain {
    strict: f64,
    tf32: f64,
}

/// The pair of rates of the GPU where TF32 brings least.
fn gain(multiplies: &Fact<Vec<Multiply>>) -> Fact<Gain> {
    multiplies.as_ref().and_then(|all| {
        let rate = |gpu: u32, precision: Precision| {
            let own = all.iter().find(|multiply| multiply.gpu == gpu && multiply.precision == precision);
            own.and_then(|multiply| multiply.tflops.known().copied()).filter(|rate| *rate > 0.0)
        };
        let strict = all.iter().filter(|multiply| multiply.precision == Precision::Float32);
        let pairs = strict.filter_map(|multiply| {
            let strict = rate(multiply.gpu, Precision::Float32)?;
            Some(Gain { strict, tf32: rate(multiply.gpu, Precision::Tf32)? })
        });
        Fact::present(pairs.min_by(|one, other| (one.tf32 / one.strict).total_cmp(&(other.tf32 / other.strict))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GapKind, Gpu};

    #[test]
    fn memory_is_bounded_by_an_option_or_by_mig_and_where_neither_is_known_nobody_is_accused() {
        let bounded = |option: Fact<String>, gpus: Fact<Vec<Fact<bool>>>| {
            let mut facts = Facts::default();
            facts.workload.gpu_memory_option = option;
            let gpu = |mig_enabled| Gpu { mig_enabled, ..Gpu::default() };
            facts.gpus = gpus.map(|all| all.into_iter().map(gpu).collect());
            derive(&mut facts);
            facts.workload.gpu_memory_bounded_by
        };
        let option = || Fact::Known("--gpu-memory-utilization".to_owned());
        let unknown = || Fact::unknown(GapKind::NotPermitted, "no");
        assert_eq!(bounded(option(), Fact::unknown(GapKind::NotPermitted, "no")), option());
        assert_eq!(bounded(Fact::Absent, Fact::Known(vec![Fact::Known(true)])), Fact::Known("MIG".to_owned()));
        assert_eq!(bounded(Fact::Absent, Fact::Known(vec![Fact::Known(true), Fact::Absent])), Fact::Absent);
        assert_eq!(bounded(Fact::Absent, Fact::Known(vec![Fact::Absent])), Fact::Absent);
        assert!(bounded(Fact::Absent, Fact::Known(vec![unknown()])).is_unknown());
        assert!(bounded(Fact::unknown(GapKind::NotPermitted, "no"), Fact::Known(vec![Fact::Absent])).is_unknown());
    }

    #[test]
    fn what_tf32_brings_is_that_of_the_gpu_where_it_brings_least() {
        let multiply = |gpu, precision, tflops| Multiply { gpu, precision, tflops, ..Multiply::default() };
        let mut facts = Facts::default();
        facts.compute.multiplies = Fact::Known(vec![
            multiply(0, Precision::Float32, Fact::Known(50.0)),
            multiply(0, Precision::Tf32, Fact::Known(400.0)),
            multiply(1, Precision::Float32, Fact::Known(50.0)),
            multiply(1, Precision::Tf32, Fact::Known(300.0)),
            multiply(2, Precision::Tf32, Fact::Known(1.0)),
        ]);
        derive(&mut facts);
        let compute = &facts.compute;
        assert_eq!((&compute.tf32_factor, &compute.tf32_tflops), (&Fact::Known(6.0), &Fact::Known(300.0)));
        facts.compute.multiplies = Fact::Known(Vec::new());
        derive(&mut facts);
        assert!(facts.compute.tf32_factor.is_absent());
    }
}
