//! Who, of what is installed, needs shared memory or locked memory, so that too little of it is fatal there and harmless
//! elsewhere.

use super::compile::first_of;
use super::gpu_count;
use crate::facts::{Fact, Facts};

/// Packages that spread one model over GPUs, and talk through NCCL between them.
const BY_NCCL: [&str; 3] = ["vllm", "sglang", "deepspeed"];

/// Fills the derived fields.
pub fn derive(facts: &mut Facts) {
    let user = nccl_user(facts);
    facts.limits.nccl_across = user.as_ref().and_then(|user| {
        gpu_count(facts).and_then(|count| Fact::present((count > 1).then(|| format!("{user} across {count} GPUs"))))
    });
    facts.limits.shm_user = match &user {
        Fact::Known(_) => user.clone(),
        _ => pytorch(facts),
    };
    facts.limits.nccl_user = user;
    facts.limits.shm_use = match (&facts.limits.nccl_across, &facts.limits.shm_user) {
        (Fact::Known(across), _) => Fact::Known(format!("NCCL passes data through it for {across}")),
        (_, Fact::Known(user)) => Fact::Known(format!("data loaders of {user} pass data through it")),
        (_, other) => other.clone(),
    };
}

/// A server or trainer, else a PyTorch that was built for CUDA.
fn nccl_user(facts: &Facts) -> Fact<String> {
    match first_of(&facts.framework, &BY_NCCL) {
        Fact::Known(package) => Fact::Known(package),
        _ if facts.framework.torch_cuda.known().is_some() => pytorch(facts),
        Fact::Absent if facts.framework.torch_cuda.is_unknown() => facts.framework.torch_cuda.clone(),
        other => other,
    }
}

fn pytorch(facts: &Facts) -> Fact<String> {
    facts.framework.torch_version.as_ref().map(|version| format!("PyTorch {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GapKind, Limits, Package};

    fn told(text: &str) -> Fact<String> {
        Fact::Known(text.to_owned())
    }

    fn on(gpus: u64, torch: Option<(&str, Option<&str>)>, packages: &[&str]) -> Limits {
        let mut facts = Facts::default();
        facts.cuda.device_count = Fact::Known(gpus);
        facts.framework.torch_version = Fact::present(torch.map(|(version, _)| version.to_owned()));
        facts.framework.torch_cuda = Fact::present(torch.and_then(|(_, cuda)| cuda).map(str::to_owned));
        let package =
            |name: &&str| Package { name: (*name).to_owned(), version: "1.0".to_owned(), ..Package::default() };
        facts.framework.packages = Fact::Known(packages.iter().map(package).collect());
        derive(&mut facts);
        facts.limits
    }

    #[test]
    fn nccl_is_between_gpus() {
        let cuda = Some(("2.8.0", Some("12.9")));
        assert_eq!(on(8, cuda, &[]).nccl_across, told("PyTorch 2.8.0 across 8 GPUs"));
        assert_eq!(on(2, cuda, &["triton", "vllm"]).nccl_across, told("vllm 1.0 across 2 GPUs"));
        assert_eq!(on(1, cuda, &["vllm"]).nccl_across, Fact::Absent);
        assert_eq!(on(1, cuda, &["vllm"]).nccl_user, told("vllm 1.0"));
        assert_eq!(on(8, Some(("2.8.0", None)), &[]).nccl_across, Fact::Absent, "a CPU build has no NCCL");
        assert_eq!(on(8, None, &["onnxruntime-gpu"]).nccl_across, Fact::Absent);
    }

    #[test]
    fn data_loaders_are_pytorchs_whatever_it_was_built_for() {
        assert_eq!(on(1, Some(("2.8.0", None)), &[]).shm_user, told("PyTorch 2.8.0"));
        assert_eq!(on(8, None, &["onnxruntime-gpu"]).shm_user, Fact::Absent);
        assert_eq!(on(8, None, &[]).shm_use, Fact::Absent);
        let two = on(2, Some(("2.8.0", Some("12.9"))), &[]).shm_use;
        assert!(two.known().is_some_and(|words| words.starts_with("NCCL passes")), "{two:?}");
    }

    #[test]
    fn what_is_not_known_of_packages_is_not_made_up() {
        let mut facts = Facts::default();
        facts.framework.packages = Fact::unknown(GapKind::NotPermitted, "EACCES");
        facts.framework.torch_version = Fact::Absent;
        facts.framework.torch_cuda = Fact::Absent;
        derive(&mut facts);
        assert!(facts.limits.nccl_user.is_unknown() && facts.limits.nccl_across.is_unknown());
        assert_eq!(facts.limits.shm_user, Fact::Absent);
    }
}
