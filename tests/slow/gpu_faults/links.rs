//! Faults between GPUs, and of memory that does not keep what it is given.

use gpu_preflight::facts::{Fact, Framework, GapKind, Links, MemoryPatterns, Pair, ProbeRun, Proof};
use gpu_preflight::probe::{compute, links};

use super::{FakeMachine, PATIENCE, fakes, gap_kind, known, libraries, soon};

impl FakeMachine {
    fn links(&self, gpus: u64) -> (Links, Vec<ProbeRun>) {
        self.links_until(gpus, PATIENCE)
    }

    fn links_until(&self, gpus: u64, patience: f64) -> (Links, Vec<ProbeRun>) {
        links::collect(&self.world, &libraries(), &Framework::default(), gpus, soon(patience))
    }

    fn patterns(&self, gpus: u64) -> Vec<MemoryPatterns> {
        let budget = compute::Budget { patterns: std::time::Duration::from_secs(20), ..compute::Budget::default() };
        let (_, memory, _) =
            compute::collect(&self.world, &libraries(), &compute::ordinals(gpus), budget, None, soon(PATIENCE));
        known(&memory.patterns)
    }
}

/// Seconds for links of which one hangs. The first child may take four tenths of them, the second a twentieth, in which
/// it has to copy all other pairs.
const HUNG_PAIR: f64 = 80.0;

fn wrong(pairs: &[Pair]) -> Vec<(u32, u32)> {
    let is_wrong = |pair: &&Pair| pair.copied == Fact::Known(Proof::Wrong);
    pairs.iter().filter(is_wrong).map(|pair| (pair.from, pair.to)).collect()
}

#[test]
fn every_ordered_pair_is_copied_and_nccl_sums_over_all() {
    let (links, _) = FakeMachine::plays("count=3;slow_peer=0-2:0.1").links(3);
    let pairs = known(&links.pairs);
    let order: Vec<_> = pairs.iter().map(|pair| (pair.from, pair.to)).collect();
    assert_eq!(order, [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]);
    for pair in &pairs {
        assert_eq!((known(&pair.copied), &pair.failure), (Proof::Exact, &Fact::Absent), "{pair:?}");
        let played = if (pair.from, pair.to) == (0, 2) { 38.0 } else { 380.0 };
        assert!((known(&pair.gb_per_second) / played - 1.0).abs() < 0.05, "{pair:?}");
    }
    assert_eq!((known(&links.nccl.version).as_str(), known(&links.nccl.gpu_count)), ("2.27.3", 3));
    assert_eq!((known(&links.nccl.summed), &links.nccl.failure), (Proof::Exact, &Fact::Absent));
    assert!(known(&links.nccl.bus_gb_per_second) > 300.0);
}

#[test]
fn one_gpu_has_no_pairs_and_no_bus() {
    let (links, _) = FakeMachine::plays("").links(1);
    assert_eq!(links.pairs, Fact::Known(Vec::new()));
    assert_eq!((known(&links.nccl.summed), links.nccl.bus_gb_per_second), (Proof::Exact, Fact::Absent));
}

#[test]
fn wrong_data_is_found_at_the_receiver_and_in_no_other_pair() {
    let (links, _) = FakeMachine::plays("count=3;peer_wrong=2-1").links(3);
    let pairs = known(&links.pairs);
    assert_eq!(wrong(&pairs), [(2, 1)]);
    assert!(known(&pairs[5].copied_detail).contains("instead of"), "{:?}", pairs[5]);
}

#[test]
fn a_wrong_sum_names_its_gpu() {
    let (links, _) = FakeMachine::plays("count=3;nccl_wrong=2").links(3);
    assert_eq!(known(&links.nccl.summed), Proof::Wrong);
    assert!(known(&links.nccl.summed_detail).starts_with("GPU 2: number 4242 is "), "{:?}", links.nccl);
    assert_eq!(wrong(&known(&links.pairs)), []);
}

#[test]
fn a_pair_that_hangs_costs_itself_alone() {
    let (links, _) = FakeMachine::plays("count=3;hang=cudaMemcpyPeer 0-1").links_until(3, HUNG_PAIR);
    let pairs = known(&links.pairs);
    let lost: Vec<_> = pairs.iter().filter(|pair| pair.copied.is_unknown()).collect();
    assert_eq!(lost.iter().map(|pair| (pair.from, pair.to)).collect::<Vec<_>>(), [(0, 1)]);
    assert_eq!(known(&lost[0].failure).call, "cudaMemcpyPeer from GPU 0 to GPU 1");
    assert_eq!(known(&links.nccl.summed), Proof::Exact, "NCCL has a child of its own");
}

#[test]
fn a_gpu_that_ends_the_program_costs_its_own_pairs() {
    let (links, _) = FakeMachine::plays("count=4;crash=cudaSetDevice 1").links(4);
    for pair in known(&links.pairs) {
        let has_it = [pair.from, pair.to].contains(&1);
        assert_eq!(pair.copied.is_unknown(), has_it, "{pair:?}");
    }
}

#[test]
fn an_image_without_nccl_is_told_from_one_whose_nccl_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["libcuda.so.1", "libcudart.so.12"] {
        std::os::unix::fs::symlink(fakes::folder().join(name), folder.path().join(name)).expect("a link");
    }
    let (links, _) = FakeMachine::with_libraries(folder.path(), "").links(1);
    assert_eq!((&links.nccl.library, &links.nccl.load_error), (&Fact::Absent, &Fact::Absent));
    assert_eq!(links.nccl.summed, Fact::Absent);

    std::fs::write(folder.path().join("libnccl.so.2"), "no library").expect("a file");
    let (links, _) = FakeMachine::with_libraries(folder.path(), "").links(1);
    assert!(known(&links.nccl.load_error).contains("libnccl.so.2"), "{:?}", links.nccl);
}

#[test]
fn nccl_that_fails_or_crashes_is_told_with_its_call() {
    let (links, _) = FakeMachine::plays("count=2;fail=ncclCommInitAll:2").links(2);
    assert_eq!(known(&links.nccl.failure).call, "ncclCommInitAll");
    assert_eq!(known(&links.nccl.failure).words(), "2 unhandled system error");
    let (links, _) = FakeMachine::plays("count=2;crash=ncclAllReduce").links(2);
    assert_eq!(known(&links.nccl.failure).call, "ncclAllReduce");
    assert_eq!(known(&links.nccl.failure).words(), "SIGSEGV");
}

#[test]
fn nccl_is_not_accused_where_somebody_else_has_the_memory() {
    let (links, _) = FakeMachine::plays("count=2;free=30000000").links(2);
    assert_eq!((gap_kind(&links.nccl.summed), &links.nccl.failure), (GapKind::NotSupported, &Fact::Absent));
}

#[test]
fn pairs_are_not_accused_where_somebody_else_has_the_memory() {
    let (links, _) = FakeMachine::plays("count=2;fail=cudaSetDevice:2").links(2);
    let short: Vec<_> = known(&links.pairs).iter().map(|pair| known(&pair.memory_short)).collect();
    assert!(short.iter().any(|short| *short), "{links:?}");
    let (links, _) = FakeMachine::plays("count=2;fail=cudaMemcpyPeer:2").links(2);
    assert!(!known(&known(&links.pairs)[0].memory_short), "a GPU that has memory and refuses it is broken");
}

#[test]
fn a_gpu_that_already_reaches_eight_others_copies_through_the_host() {
    let (links, _) = FakeMachine::plays("count=2;fail=cudaDeviceEnablePeerAccess:711").links(2);
    for pair in known(&links.pairs) {
        assert_eq!((known(&pair.peer_access), known(&pair.copied)), (false, Proof::Exact), "{pair:?}");
    }
}

#[test]
fn a_cell_that_does_not_keep_its_bit_is_named_by_its_offset_on_its_gpu() {
    let patterns = FakeMachine::plays("count=2;free=300000000;bad_cell=1:4660").patterns(2);
    assert_eq!((patterns.len(), known(&patterns[0].kept)), (2, Proof::Exact));
    assert!(known(&patterns[0].tested_bytes) <= 150_000_000, "at most half of what is free: {patterns:?}");
    assert_eq!(known(&patterns[1].kept), Proof::Wrong);
    assert_eq!(known(&patterns[1].kept_detail), "byte 0x1234 is 0x10 instead of 0x00");
}

#[test]
fn too_little_memory_for_patterns_is_a_gap() {
    let patterns = FakeMachine::plays("free=40000000").patterns(1);
    assert_eq!((gap_kind(&patterns[0].kept), &patterns[0].failure), (GapKind::NotSupported, &Fact::Absent));
}
