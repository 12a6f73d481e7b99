//! Faults that only a multiply shows.

use gpu_preflight::facts::{
    Compute, Fact, GapKind, Library, LibraryId, Multiply, Precision, ProbeEnd, ProbeRun, Proof,
};
use gpu_preflight::probe::compute::{self, Budget};

use super::{FakeMachine, HUNG, PATIENCE, gap_kind, known, libraries, soon};

impl FakeMachine {
    fn compute(&self, gpus: u64) -> (Vec<Multiply>, Vec<ProbeRun>) {
        self.compute_until(gpus, PATIENCE)
    }

    fn compute_until(&self, gpus: u64, patience: f64) -> (Vec<Multiply>, Vec<ProbeRun>) {
        let (compute, runs) = self.computed_until(gpus, patience);
        let Fact::Known(multiplies) = compute.multiplies else { panic!("{:?}", compute.multiplies) };
        (multiplies, runs)
    }

    pub fn computed(&self, gpus: u64) -> (Compute, Vec<ProbeRun>) {
        self.computed_until(gpus, PATIENCE)
    }

    fn computed_until(&self, gpus: u64, patience: f64) -> (Compute, Vec<ProbeRun>) {
        let gpus = compute::ordinals(gpus);
        let (compute, _, runs) =
            compute::collect(&self.world, &libraries(), &gpus, Budget::default(), None, soon(patience));
        (compute, runs)
    }
}

#[test]
fn a_healthy_gpu_is_proven_and_timed_in_every_precision() {
    let (multiplies, runs) = FakeMachine::plays("").compute(1);
    assert_eq!(runs[0].end, ProbeEnd::Completed, "{runs:?}");
    let precisions: Vec<Precision> = multiplies.iter().map(|multiply| multiply.precision).collect();
    assert_eq!(precisions, Precision::ALL);
    for multiply in &multiplies {
        assert_eq!(known(&multiply.proof), Proof::Exact, "{multiply:?}");
        assert_eq!((&multiply.proof_detail, &multiply.failure), (&Fact::Absent, &Fact::Absent));
        let played = match multiply.precision {
            Precision::Float32 => 52.0,
            Precision::Tf32 => 410.0,
            Precision::Float16 => 740.0,
            Precision::Bfloat16 => 770.0,
            Precision::Float64 => 58.0,
            Precision::Int8 => 1250.0,
            Precision::Float8 => 1420.0,
        };
        let tflops = known(&multiply.tflops);
        assert!((tflops / played - 1.0).abs() < 0.02, "{tflops} instead of {played}");
        assert!((0.7..=3.0).contains(&known(&multiply.wall_ms)), "{multiply:?}");
        assert_eq!((known(&multiply.sm_count), known(&multiply.sm_clock_mhz)), (132, 1980));
        assert_eq!((known(&multiply.gpu_name).as_str(), known(&multiply.memory_short)), ("NVIDIA H200", false));
        assert_eq!(known(&multiply.pci_address), "0000:10:00.0");
    }
    assert_eq!(known(&multiplies[0].size), 4096);
    assert_eq!(known(&multiplies[3].size), 8192);
    assert_eq!(multiplies[0].tf32_substituted, Fact::Known(false));
}

#[test]
fn older_gpus_are_not_asked_for_what_they_do_not_have() {
    let (multiplies, _) = FakeMachine::plays("cc=7.5;sms=40;mhz=1590").compute(1);
    let precisions: Vec<Precision> = multiplies.iter().map(|multiply| multiply.precision).collect();
    assert_eq!(precisions, [Precision::Float32, Precision::Float16, Precision::Float64, Precision::Int8]);
}

#[test]
fn what_cublaslt_has_not_learnt_is_left_out_and_what_it_proved_before_stays() {
    let (multiplies, _) = FakeMachine::plays("fail=cublasLtMatmulAlgoGetHeuristic:15").compute(1);
    assert_eq!(multiplies.len(), Precision::ALL.len() - 2, "{multiplies:?}");
    let (multiplies, _) = FakeMachine::plays("fail_from=cublasLtMatmulAlgoGetHeuristic:2:15").compute(1);
    let last = multiplies.last().expect("multiplies");
    assert_eq!((multiplies.len(), last.precision), (Precision::ALL.len() - 1, Precision::Int8));
    assert_eq!((&last.proof, &last.failure), (&Fact::Known(Proof::Exact), &Fact::Absent));
    assert_eq!(last.tflops, Fact::Absent);
    let (multiplies, _) = FakeMachine::plays("wrong=0;fail_from=cublasLtMatmulAlgoGetHeuristic:2:15").compute(1);
    assert_eq!(multiplies.last().expect("multiplies").proof, Fact::Known(Proof::Wrong), "a refusal hides nothing");
}

#[test]
fn one_wrong_bit_on_gpu_3_of_8_is_found_there_and_nowhere_else() {
    let (multiplies, runs) = FakeMachine::plays("count=8;wrong=3").compute(8);
    assert_eq!(runs.len(), 8);
    for multiply in &multiplies {
        let (proof, wrong) = (known(&multiply.proof), multiply.gpu == 3);
        assert_eq!(proof, if wrong { Proof::Wrong } else { Proof::Exact }, "{multiply:?}");
        if wrong {
            assert!(known(&multiply.proof_detail).contains("(17, 3)"), "{:?}", multiply.proof_detail);
        }
    }
    assert_eq!(multiplies.len(), 8 * Precision::ALL.len());
}

#[test]
fn a_gpu_at_a_third_of_its_rate_is_measured_so() {
    let (multiplies, _) = FakeMachine::plays("count=2;slow=1:0.33").compute(2);
    let rate = |gpu| {
        let found = multiplies.iter().find(|m| m.gpu == gpu && m.precision == Precision::Bfloat16);
        known(&found.expect("a multiply").tflops)
    };
    assert!((rate(1) / rate(0) - 0.33).abs() < 0.02, "{} {}", rate(0), rate(1));
}

#[test]
fn tf32_behind_our_back_is_seen_and_is_no_fault_of_the_gpu() {
    let (multiplies, _) = FakeMachine::plays("tf32=1").compute(1);
    assert!(known(&multiplies[0].tf32_substituted));
    assert_eq!(known(&multiplies[0].proof), Proof::Exact);
    assert!(known(&multiplies[0].proof_detail).contains("TF32"));
    assert_eq!(multiplies[1].tf32_substituted, Fact::Absent);
}

#[test]
fn too_little_memory_is_a_gap_and_no_accusation() {
    let (multiplies, _) = FakeMachine::plays("free=4000000").compute(1);
    assert_eq!(multiplies.len(), 1);
    assert!(known(&multiplies[0].memory_short));
    assert!(multiplies[0].proof.is_unknown() && multiplies[0].tflops.is_unknown());

    let (multiplies, _) = FakeMachine::plays("free=60000000").compute(1);
    assert_eq!(known(&multiplies[3].size), 1024, "a small share allows a small multiply");
    assert_eq!((known(&multiplies[3].proof), known(&multiplies[3].memory_short)), (Proof::Exact, false));
}

#[test]
fn a_handle_that_cannot_be_made_is_told_with_call_and_code() {
    let (multiplies, _) = FakeMachine::plays("cublas_create=1").compute(1);
    assert_eq!(multiplies.len(), 1, "one trouble is told once");
    assert_eq!(known(&multiplies[0].failure).call, "cublasCreate_v2");
    assert_eq!(known(&multiplies[0].failure).words(), "1 CUBLAS_STATUS_NOT_INITIALIZED");
    assert!(multiplies[0].proof.is_unknown());

    let (multiplies, _) = FakeMachine::plays("cu_init=803").compute(1);
    assert_eq!(known(&multiplies[0].failure).call, "cudaSetDevice");
    assert_eq!(known(&multiplies[0].failure).words(), "803 cudaErrorSystemDriverMismatch");
}

#[test]
fn a_hang_in_cublas_costs_only_its_gpu() {
    let (multiplies, runs) = FakeMachine::plays("count=2;hang=cublasCreate_v2").compute_until(2, HUNG);
    assert_eq!((multiplies.len(), runs.len()), (2, 2));
    assert_eq!(known(&multiplies[0].failure).call, "cublasCreate_v2");
    assert_eq!(gap_kind(&multiplies[0].proof), GapKind::TimedOut);
    assert_eq!((runs[1].end, known(&runs[1].at).as_str()), (ProbeEnd::TimedOut, "cublasCreate_v2"));
}

#[test]
fn a_crash_in_a_multiply_names_the_call() {
    let (multiplies, runs) = FakeMachine::plays("crash=cublasGemmEx").compute(1);
    assert_eq!(runs[0].end, ProbeEnd::Crashed);
    assert_eq!(known(&multiplies[0].failure).call, "cublasGemmEx");
    assert_eq!(gap_kind(&multiplies[0].proof), GapKind::Crashed);
    assert!(multiplies.iter().skip(1).all(|multiply| multiply.failure.is_unknown()));
}

#[test]
fn eight_slow_contexts_are_made_at_once() {
    // None is made before all eight have been begun: one after another they would hang.
    let machine = FakeMachine::plays("count=8;together=8;crash=cublasCreate_v2");
    let (multiplies, runs) = machine.compute(8);
    assert_eq!(multiplies.len(), 8);
    assert!(runs.iter().all(|run| run.end == ProbeEnd::Crashed), "{runs:?}");
}

#[test]
fn without_time_to_measure_there_is_still_a_proof() {
    // The context takes longer than the child's share of the deadline, which is eight seconds of ten. What is left is
    // much more than a proof takes.
    let (multiplies, _) = FakeMachine::plays("context_ms=8050").compute_until(1, 10.0);
    assert_eq!(known(&multiplies[0].proof), Proof::Exact);
    assert_eq!(gap_kind(&multiplies[0].tflops), GapKind::TimedOut);
    assert_eq!(multiplies[0].failure, Fact::Absent);
}

#[test]
fn libraries_that_cannot_be_opened_are_named() {
    let library = |id, name: &str| Library {
        id,
        chosen: true,
        winner: Fact::Known(format!("/nonexistent/{name}")),
        ..Library::default()
    };
    let libraries = [library(LibraryId::Cudart, "libcudart.so.12"), library(LibraryId::Cublas, "libcublas.so.12")];
    let (Compute { multiplies, .. }, ..) =
        compute::collect(&FakeMachine::plays("").world, &libraries, &[0], Budget::default(), None, soon(PATIENCE));
    let multiply = known(&multiplies).remove(0);
    assert_eq!(known(&multiply.failure).call, "dlopen libcudart");
    assert!(known(&multiply.failure).words().contains("/nonexistent/libcudart.so.12"), "{multiply:?}");
}
