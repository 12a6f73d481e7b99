//! Each explanation for what is known, absent and unknown.

use super::*;
use crate::facts::{Gap, GapKind, GpuProcess};

fn failed(call: &str, code: &str) -> Multiply {
    Multiply {
        failed_call: Fact::Known(call.to_owned()),
        failed_code: Fact::Known(code.to_owned()),
        memory_short: Fact::Known(false),
        ..Multiply::default()
    }
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
    multiply.failed_meaning.known().unwrap_or_else(|| panic!("{multiply:?}")).clone()
}

#[test]
fn a_number_means_one_thing_to_cuda_and_another_to_cublas() {
    let cuda = explained(failed("cudaMemcpy", "8 whatever"), Vec::new());
    assert_eq!(
        (words(&cuda).as_str(), &cuda.failure_kind),
        ("no table knows this code", &Fact::Known(FailureKind::Other))
    );
    let cublas = explained(failed("cublasGemmEx", "8 CUBLAS_STATUS_ARCH_MISMATCH"), Vec::new());
    assert!(words(&cublas).starts_with("cuBLAS has no code for this GPU; most often: "), "{}", words(&cublas));
    assert_eq!(cublas.failure_kind, Fact::Known(FailureKind::NoKernel));
    let cuda = explained(failed("cudaDeviceSynchronize", "209 cudaErrorNoKernelImageForDevice"), Vec::new());
    assert_eq!(cuda.failure_kind, Fact::Known(FailureKind::NoKernel));
}

#[test]
fn a_hang_and_a_crash_are_told_apart_and_a_success_has_no_meaning() {
    for (code, meaning) in [
        ("SIGSEGV", "the process ended in this call"),
        ("left with exit code 1 before it answered", "the process ended in this call"),
        ("no answer within 2.0 s", "the call did not return in time"),
    ] {
        let lost = explained(failed("cublasCreate_v2", code), Vec::new());
        assert_eq!((words(&lost).as_str(), &lost.failure_kind), (meaning, &Fact::Known(FailureKind::Other)));
    }
    let killed = explained(failed("cudaMemcpy", "SIGKILL"), Vec::new());
    assert_eq!(killed.failure_kind, Fact::Known(FailureKind::Killed));
    let well = Multiply { failed_call: Fact::Absent, failed_code: Fact::Absent, ..Multiply::default() };
    let well = explained(well, Vec::new());
    assert_eq!((well.failed_meaning, well.failure_kind), (Fact::Absent, Fact::Absent));
    let gap = Gap::new(GapKind::TimedOut, "cuInit");
    let unknown = Multiply { failed_call: Fact::Unknown(gap.clone()), ..Multiply::default() };
    assert_eq!(explained(unknown, Vec::new()).failure_kind, Fact::Unknown(gap));
}

#[test]
fn memory_is_the_kind_only_where_little_was_free() {
    let mut multiply = failed("cublasCreate_v2", "1 CUBLAS_STATUS_NOT_INITIALIZED");
    multiply.memory_free_bytes = Fact::Known(3 << 30);
    let other = explained(multiply.clone(), Vec::new());
    assert_eq!(other.failure_kind, Fact::Known(FailureKind::Other));
    assert!(words(&other).ends_with("; 3.0 GiB were free"), "{}", words(&other));
    multiply.memory_short = Fact::Known(true);
    assert_eq!(explained(multiply, Vec::new()).failure_kind, Fact::Known(FailureKind::Memory));
}

#[test]
fn the_compute_mode_speaks_for_or_against_a_holder() {
    let busy = || failed("cudaSetDevice", "46 cudaErrorDevicesUnavailable");
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
    let on_second = Multiply { gpu: 1, ..failed("cudaMalloc", "2 cudaErrorMemoryAllocation") };
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
    let derived = |call: &str, code: &str| {
        let multiply = Multiply {
            failed_call: Fact::Known(call.to_owned()),
            failed_code: Fact::Known(code.to_owned()),
            ..Multiply::default()
        };
        let mut facts = Facts::default();
        facts.compute.multiplies = Fact::Known(vec![multiply]);
        derive(&mut facts);
        let multiply = facts.compute.multiplies.known().expect("a list")[0].clone();
        (multiply.failed_owner, multiply.failed_remedy)
    };
    assert_eq!(derived("cudaFree", "221 cudaErrorJitCompilerNotFound").0, Fact::Known(FailureOwner::Pod));
    let (owner, remedy) = derived("cudaFree", "223 cudaErrorJitCompilationDisabled");
    assert_eq!(owner, Fact::Known(FailureOwner::Workload));
    assert!(remedy.known().is_some_and(|remedy| remedy.contains("CUDA_DISABLE_PTX_JIT")));
    assert_eq!(derived("cudaFree", "209 cudaErrorNoKernelImageForDevice").0, Fact::Absent, "a finding of its own");
    assert_eq!(derived("cublasCreate_v2", "1 x"), (Fact::Absent, Fact::Absent));
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
