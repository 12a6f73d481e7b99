//! What GPUs have been through, who is on them, and how far they are.

use gpu_preflight::facts::{FabricState, Fact, GapKind, Gpu, ProbeEnd, RecoveryAction};
use gpu_preflight::probe::cuda;

use super::{FakeMachine, HUNG, gap_kind, known, soon};
use crate::support::failures::Scenario;

/// A machine of which a workload may see these GPUs.
fn seeing(fake: &str, devices: &str) -> FakeMachine {
    let env = [("CUDA_VISIBLE_DEVICES".to_owned(), devices.to_owned())].into();
    FakeMachine::new(&Scenario { fake: fake.to_owned(), env, ..Scenario::default() })
}

fn only_gpu(scenario: &str) -> Gpu {
    let (_, gpus, run) = FakeMachine::plays(scenario).nvml();
    assert_eq!(run.end, ProbeEnd::Completed, "{run:?}");
    known(&gpus).remove(0)
}

#[test]
fn what_a_gpu_does_not_have_is_absent_and_what_is_well_is_known() {
    let gpu = only_gpu("");
    assert_eq!((known(&gpu.row_remap_pending), known(&gpu.row_remap_failed)), (false, false));
    assert_eq!(gpu.page_retirement_pending, Fact::Absent);
    assert_eq!((&gpu.nvlink_count, &gpu.nvlink_active_count), (&Fact::Absent, &Fact::Absent));
    assert_eq!(gpu.fabric_state, Fact::Absent);
    assert_eq!((known(&gpu.process_count), known(&gpu.processes).len()), (0, 0));
}

#[test]
fn repairs_links_and_processes_are_read() {
    let gpu = only_gpu("row_remap_pending=1;page_pending=1;nvlinks=18;nvlinks_down=0:2;holder=4242:1073741824");
    assert!(known(&gpu.row_remap_pending) && known(&gpu.page_retirement_pending) && !known(&gpu.row_remap_failed));
    assert_eq!((known(&gpu.nvlink_count), known(&gpu.nvlink_active_count)), (18, 16));
    let process = known(&gpu.processes).remove(0);
    assert_eq!((process.pid, known(&process.memory_bytes)), (4242, 1 << 30));
}

#[test]
fn counters_and_the_recovery_action_are_read() {
    let gpu = only_gpu("retired=3;nvlink_errors=7;recovery=4;ecc_corrected=12;ecc_errors=2;lanes=0:8");
    assert_eq!((known(&gpu.retired_page_count), known(&gpu.nvlink_error_count)), (3, 7));
    assert_eq!(known(&gpu.recovery_action), RecoveryAction::DrainAndReset);
    assert_eq!((known(&gpu.ecc_corrected_count), known(&gpu.ecc_uncorrected_lifetime_count)), (12, 2));
    assert_eq!((known(&gpu.remapped_rows_corrected_count), known(&gpu.remapped_rows_uncorrected_count)), (0, 0));
    assert_eq!((known(&gpu.pcie_generation), known(&gpu.pcie_generation_max)), (1, 5));
    assert_eq!((known(&gpu.pcie_width), known(&gpu.pcie_width_max), known(&gpu.pcie_replay_count)), (8, 16, 0));
    let other = only_gpu("");
    assert_eq!((other.retired_page_count, other.nvlink_error_count), (Fact::Absent, Fact::Absent));
    assert_eq!(other.recovery_action, Fact::Absent);
    assert_eq!(gap_kind(&only_gpu("recovery=77").recovery_action), GapKind::Malformed);
}

#[test]
fn what_no_gpu_can_have_is_believed_of_none() {
    let gpu = only_gpu("garbage=1;retired=1;nvlink_errors=1;recovery=1");
    for count in [&gpu.retired_page_count, &gpu.nvlink_error_count, &gpu.ecc_corrected_count] {
        assert_eq!(gap_kind(count), GapKind::Malformed);
    }
    assert_eq!((gap_kind(&gpu.recovery_action), gap_kind(&gpu.pcie_width)), (GapKind::Malformed, GapKind::Malformed));
}

#[test]
fn the_fabric_has_four_states_and_others_are_gaps() {
    for (told, state) in [
        ("1:0", FabricState::NotStarted),
        ("2:0", FabricState::InProgress),
        ("3:0", FabricState::Completed),
        ("3:999", FabricState::Failed),
    ] {
        assert_eq!(known(&only_gpu(&format!("fabric={told}")).fabric_state), state, "{told}");
    }
    assert_eq!(only_gpu("fabric=0:0").fabric_state, Fact::Absent);
    assert_eq!(only_gpu("").fabric_trouble, Fact::Absent);
    // 2 says no, 0 that nobody knows; 1 in the last field is a right configuration.
    assert_eq!(only_gpu("fabric_health=1aa").fabric_trouble, Fact::Absent);
    assert_eq!(known(&only_gpu("fabric_health=1a9").fabric_trouble), "degraded bandwidth");
    assert_eq!(known(&only_gpu("fabric_health=410").fabric_trouble), "an unhealthy route, a wrong configuration");
    assert_eq!(gap_kind(&only_gpu("fabric=77:0").fabric_state), GapKind::Malformed);
}

#[test]
fn instances_that_are_refused_are_a_gap_and_those_that_are_seen_are_counted() {
    assert_eq!(gap_kind(&only_gpu("mig=1;mig_refused=1").mig_device_count), GapKind::NotPermitted);
    assert_eq!(known(&only_gpu("mig=1;mig_count=3").mig_device_count), 3);
}

#[test]
fn a_call_that_waits_in_the_kernel_is_told_from_one_that_sleeps() {
    for (scenario, in_kernel) in [("stuck=cuInit", true), ("hang=cuInit", false)] {
        let (cuda, run) = cuda::collect(&FakeMachine::plays(scenario).world, soon(HUNG));
        assert_eq!((run.end, known(&cuda.hung)), (ProbeEnd::TimedOut, true), "{run:?}");
        assert_eq!(known(&cuda.hung_in_kernel), in_kernel, "{run:?}");
    }
}

#[test]
fn a_list_of_devices_counts_up_to_the_first_that_is_not_there() {
    for (list, count) in [("1,0", 2), ("0,5,1", 1), ("GPU-0001", 1)] {
        let machine = seeing("count=2", list);
        assert_eq!(known(&machine.cuda().0.device_count), count, "{list}");
    }
    let machine = seeing("count=2", "7");
    assert_eq!(known(&machine.cuda().0.init_code), 100);
}
