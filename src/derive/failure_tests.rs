//! Each explanation for what is known, absent and unknown.

use super::*;
use crate::facts::{FailureOwner, Gap, GapKind, GpuProcess, MemoryCopy, MemoryPatterns, Pair};

fn lost(call: &str, how: FailedHow) -> Multiply {
    Multiply { failure: Fact::Known(Failure::new(call, how)), memory_short: Fact::Known(false), ..Multiply::default() }
}

fn failed(call: &str, code: i64) -> Multiply {
    let failure = Failure { code: Fact::Known(code), ..Failure::new(call, FailedHow::Returned) };
    Multiply { failure: Fact::Known(failure), ..lost(call, FailedHow::Returned) }
}

fn in_mode(mode: ComputeMode) -> Gpu {
    Gpu { compute_mode: Fact::Known(mode), ..Gpu::default() }
}

fn explained(multiply: Multiply, gpus: Vec<Gpu>) -> Multiply {
    let mut facts = Facts { gpus: Fact::Known(gpus), ..Facts::default() };
    facts.environment.cuda_visible_count = Fact::Absent;
    facts.compute.multiplies = Fact::Known(vec![multiply]);
    derive(&mut facts);
    facts.compute.multiplies.known().expect("a multiply")[0].clone()
}

fn words(multiply: &Multiply) -> String {
    let failure = multiply.failure.known().unwrap_or_else(|| panic!("{multiply:?}"));
    failure.meaning.known().expect("a meaning").clone()
}

fn kind_of(multiply: &Multiply) -> FailureKind {
    *multiply.failure.known().and_then(|failure| failure.kind.known()).unwrap_or_else(|| panic!("{multiply:?}"))
}

#[test]
fn a_number_means_one_thing_to_cuda_and_another_to_cublas() {
    let cuda = explained(failed("cudaMemcpy", 8), Vec::new());
    assert_eq!((words(&cuda).as_str(), kind_of(&cuda)), ("no table knows this code", FailureKind::Other));
    let cublas = explained(failed("cublasGemmEx", 8), Vec::new());
    assert!(words(&cublas).starts_with("cuBLAS has no code for this GPU; most often: "), "{}", words(&cublas));
    assert_eq!(kind_of(&cublas), FailureKind::NoKernel);
    let cuda = explained(failed("cudaDeviceSynchronize", 209), Vec::new());
    assert_eq!(kind_of(&cuda), FailureKind::NoKernel);
}

#[test]
fn a_hang_and_a_crash_are_told_apart_and_a_success_has_no_meaning() {
    for (how, meaning) in [
        (FailedHow::Crashed, "the process ended in this call"),
        (FailedHow::Exited, "the process ended in this call"),
        (FailedHow::TimedOut, "the call did not return in time"),
        (FailedHow::NotCalled, "the call could not be made"),
        (FailedHow::NotStarted, "no process could be started to make it"),
    ] {
        let lost = explained(lost("cublasCreate_v2", how), Vec::new());
        assert_eq!((words(&lost).as_str(), kind_of(&lost)), (meaning, FailureKind::Other));
    }
    let refused = explained(lost("dlopen libcublas", FailedHow::NotCalled), Vec::new());
    assert_eq!(words(&refused), "the loader refuses the library");
    let killed = explained(lost("cudaMemcpy", FailedHow::Killed), Vec::new());
    assert_eq!(kind_of(&killed), FailureKind::Killed);
    let well = explained(Multiply { failure: Fact::Absent, ..Multiply::default() }, Vec::new());
    assert_eq!(well.failure, Fact::Absent);
    let gap = Gap::new(GapKind::TimedOut, "cuInit");
    let unknown = Multiply { failure: Fact::Unknown(gap.clone()), ..Multiply::default() };
    assert_eq!(explained(unknown, Vec::new()).failure, Fact::Unknown(gap));
}

#[test]
fn every_failure_is_explained_whatever_it_was_of() {
    let failure = || {
        let failure = Failure::new("cudaMemcpy", FailedHow::Returned);
        Fact::Known(Failure {
            code: Fact::Known(214),
            name: Fact::Known("cudaErrorECCUncorrectable".to_owned()),
            ..failure
        })
    };
    let mut facts = Facts::default();
    facts.compute.copies = Fact::Known(vec![MemoryCopy { failure: failure(), ..MemoryCopy::default() }]);
    facts.memory.patterns = Fact::Known(vec![MemoryPatterns { failure: failure(), ..MemoryPatterns::default() }]);
    facts.links.pairs = Fact::Known(vec![Pair { failure: failure(), ..Pair::default() }]);
    let of_nccl = Failure { code: Fact::Known(1), ..Failure::new("ncclAllReduce", FailedHow::Returned) };
    facts.links.nccl.failure = Fact::Known(of_nccl);
    derive(&mut facts);
    let copy = &facts.compute.copies.known().expect("copies")[0].failure;
    let pattern = &facts.memory.patterns.known().expect("patterns")[0].failure;
    let pair = &facts.links.pairs.known().expect("pairs")[0].failure;
    for failure in [copy, pattern, pair].map(|failure| failure.known().expect("a failure")) {
        assert_eq!(failure.result, Fact::Known("214 cudaErrorECCUncorrectable".to_owned()));
        assert_eq!(failure.kind, Fact::Known(FailureKind::Hardware));
        assert!(failure.meaning.known().is_some_and(|words| words.contains("; most often: ")), "{failure:?}");
    }
    let nccl = facts.links.nccl.failure.known().expect("a failure");
    assert_eq!(nccl.meaning, Fact::Known("no table knows this code".to_owned()), "1 of NCCL is not 1 of CUDA");
}

#[test]
fn memory_is_the_kind_only_where_little_was_free() {
    let mut multiply = failed("cublasCreate_v2", 1);
    multiply.memory_free_bytes = Fact::Known(3 << 30);
    let other = explained(multiply.clone(), Vec::new());
    assert_eq!(kind_of(&other), FailureKind::Other);
    assert!(words(&other).ends_with("; 3.0 GiB were free"), "{}", words(&other));
    multiply.memory_short = Fact::Known(true);
    assert_eq!(kind_of(&explained(multiply, Vec::new())), FailureKind::Memory);
}

#[test]
fn the_compute_mode_speaks_for_or_against_a_holder() {
    let busy = || failed("cudaSetDevice", 46);
    let held = explained(busy(), vec![in_mode(ComputeMode::ExclusiveProcess)]);
    assert!(words(&held).contains("the compute mode is exclusive"), "{}", words(&held));
    let open = explained(busy(), vec![in_mode(ComputeMode::Default)]);
    assert!(words(&open).contains("no GPU is in an exclusive mode"), "{}", words(&open));
    assert!(words(&explained(busy(), Vec::new())).contains("most often"));
}

#[test]
fn holders_are_named_where_it_is_clear_which_gpu_it_is() {
    let gpu = |index, name: &str| Gpu {
        index,
        name: Fact::Known(name.to_owned()),
        processes: Fact::Known(vec![
            GpuProcess { pid: 40 + index, memory_bytes: Fact::Known(3 << 29) },
            GpuProcess { pid: 7, memory_bytes: Fact::Absent },
        ]),
        ..Gpu::default()
    };
    let on_second = Multiply { gpu: 1, ..failed("cudaMalloc", 2) };
    let same = explained(on_second.clone(), vec![gpu(0, "A"), gpu(1, "A")]);
    assert_eq!(same.memory_holders, Fact::Known("process 41 with 1.5 GiB, process 7".to_owned()));
    let mixed = explained(on_second, vec![gpu(0, "A"), gpu(1, "B")]);
    assert_eq!(mixed.memory_holders, Fact::Absent, "CUDA numbers different models by their speed");
}

#[test]
fn a_missing_dependency_is_named_and_the_library_itself_is_none() {
    let of = |words: &str| {
        missing_dependency(&Library {
            soname: "libcublas.so.12".to_owned(),
            winner: Fact::Known("/opt/libcublas.so.12".to_owned()),
            load_error: Fact::Known(words.to_owned()),
            ..Library::default()
        })
    };
    let missing = "cannot open shared object file: No such file or directory";
    assert_eq!(of(&format!("libcublasLt.so.12: {missing}")), Fact::Known("libcublasLt.so.12".to_owned()));
    assert_eq!(of(&format!("/opt/libcublas.so.12: {missing}")), Fact::Absent);
    assert_eq!(of("/opt/libcublas.so.12: file too short"), Fact::Absent);
    assert_eq!(missing_dependency(&Library { load_error: Fact::Absent, ..Library::default() }), Fact::Absent);
}

#[test]
fn what_was_seen_to_work_is_no_cause() {
    let meaning = |code, uvm: Fact<bool>| {
        let mut facts = Facts::default();
        facts.cuda.init_code = Fact::Known(code);
        facts.driver.uvm_node_openable = uvm;
        facts.driver.control_node_openable = Fact::Known(true);
        init_meaning(&facts).known().expect("a meaning").clone()
    };
    assert!(meaning(999, Fact::Known(true)).contains("a fault of the GPU or its driver"));
    assert!(meaning(999, Fact::Absent).contains("nvidia-uvm missing or broken"));
    assert!(meaning(304, Fact::Absent).contains("the nodes themselves open"));
    assert!(meaning(3, Fact::Absent).contains("MIG"), "nobody forked before us");
}

#[test]
fn a_code_that_is_not_the_nodes_names_its_owner_and_what_to_do() {
    let derived = |call: &str, code: i64| {
        let failure = Failure { code: Fact::Known(code), ..Failure::new(call, FailedHow::Returned) };
        let multiply = Multiply { failure: Fact::Known(failure), ..Multiply::default() };
        let mut facts = Facts::default();
        facts.compute.multiplies = Fact::Known(vec![multiply]);
        derive(&mut facts);
        let failure = facts.compute.multiplies.known().expect("a list")[0].failure.known().expect("a failure").clone();
        (failure.owner, failure.remedy)
    };
    assert_eq!(derived("cudaFree", 221).0, Fact::Known(FailureOwner::Pod));
    let (owner, remedy) = derived("cudaFree", 223);
    assert_eq!(owner, Fact::Known(FailureOwner::Workload));
    assert!(remedy.known().is_some_and(|remedy| remedy.contains("CUDA_DISABLE_PTX_JIT")));
    assert_eq!(derived("cudaFree", 209).0, Fact::Absent, "a finding of its own");
    assert_eq!(derived("cublasCreate_v2", 1), (Fact::Absent, Fact::Absent));
}

#[test]
fn without_a_fabric_a_card_that_is_not_ready_is_in_confidential_mode() {
    let mut facts = Facts::default();
    facts.cuda.init_code = Fact::Known(802);
    let told = |facts: &Facts| init_remedy(facts).known().cloned().expect("a remedy");
    assert!(told(&facts).starts_with("start nvidia-fabricmanager"));
    facts.nvml.fabric_state = Fact::Absent;
    assert!(told(&facts).contains("confidential mode"));
    facts.cuda.init_code = Fact::Known(0);
    assert_eq!(init_remedy(&facts), Fact::Absent);
}
