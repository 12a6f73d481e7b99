//! Faults that only a copy shows.

use gpu_preflight::facts::{Fact, FailedHow, GapKind, MemoryCopy, ProbeEnd, ProbeRun, Proof};

use super::{FakeMachine, gap_kind, known};

impl FakeMachine {
    fn copies(&self, gpus: u64) -> (Vec<MemoryCopy>, Vec<ProbeRun>) {
        let (compute, runs) = self.computed(gpus);
        (known(&compute.copies), runs)
    }
}

/// Whether a rate is the one that the fake plays.
fn is_near(rate: &Fact<f64>, played: f64) -> bool {
    (known(rate) / played - 1.0).abs() < 0.05
}

#[test]
fn a_healthy_gpu_copies_exactly_and_at_the_rates_that_it_plays() {
    let (copies, runs) = FakeMachine::plays("").copies(1);
    assert_eq!((runs[0].end, copies.len()), (ProbeEnd::Completed, 1), "{runs:?}");
    let copy = &copies[0];
    assert_eq!((known(&copy.proof), &copy.proof_detail, &copy.failure), (Proof::Exact, &Fact::Absent, &Fact::Absent));
    assert_eq!((known(&copy.host_bytes), known(&copy.device_bytes)), (16 << 20, 256 << 20));
    assert!(is_near(&copy.device_gb_per_second, 4300.0), "{copy:?}");
    for pinned in [&copy.host_to_device_pinned_gb_per_second, &copy.device_to_host_pinned_gb_per_second] {
        assert!(is_near(pinned, 55.0), "{copy:?}");
    }
    for pageable in [&copy.host_to_device_pageable_gb_per_second, &copy.device_to_host_pageable_gb_per_second] {
        assert!(is_near(pageable, 11.0), "{copy:?}");
    }
}

#[test]
fn a_flipped_bit_on_one_gpu_is_found_there_and_nowhere_else() {
    let (copies, _) = FakeMachine::plays("count=3;flip=1").copies(3);
    let proofs: Vec<(u32, Proof)> = copies.iter().map(|copy| (copy.gpu, known(&copy.proof))).collect();
    assert_eq!(proofs, [(0, Proof::Exact), (1, Proof::Wrong), (2, Proof::Exact)]);
    assert!(known(&copies[1].proof_detail).starts_with("byte 5592405 of 16777216 came back as "), "{copies:?}");
}

#[test]
fn memory_that_cannot_be_pinned_is_no_fault() {
    let (copies, runs) = FakeMachine::plays("fail=cudaMallocHost:2").copies(1);
    assert_eq!(runs[0].end, ProbeEnd::Completed);
    let copy = &copies[0];
    assert_eq!((known(&copy.proof), &copy.failure), (Proof::Exact, &Fact::Absent));
    assert_eq!(gap_kind(&copy.host_to_device_pinned_gb_per_second), GapKind::NotPermitted);
    assert!(copy.device_gb_per_second.known().is_some());
}

#[test]
fn a_crash_in_a_copy_leaves_the_multiplies_and_names_the_call() {
    let (compute, runs) = FakeMachine::plays("crash=cudaMallocHost").computed(1);
    assert_eq!(runs[0].end, ProbeEnd::Crashed);
    assert!(known(&compute.multiplies).iter().all(|multiply| known(&multiply.proof) == Proof::Exact));
    let copy = &known(&compute.copies)[0];
    assert_eq!(
        (known(&copy.failure).call, known(&copy.failure).how, known(&copy.failure).signal),
        ("cudaMallocHost".to_owned(), FailedHow::Crashed, Fact::Known("SIGSEGV".to_owned()))
    );
    assert_eq!(gap_kind(&copy.proof), GapKind::Crashed);
}

#[test]
fn nothing_is_copied_on_a_gpu_that_cannot_multiply() {
    let (copies, _) = FakeMachine::plays("cublas_create=1").copies(1);
    assert!(copies.is_empty(), "{copies:?}");
}

#[test]
fn little_memory_makes_small_copies_and_no_fault() {
    let (copies, _) = FakeMachine::plays("free=60000000").copies(1);
    assert_eq!(known(&copies[0].proof), Proof::Exact);
    assert!(known(&copies[0].host_bytes) <= 5_000_000, "{copies:?}");
}
