//! Machines that are odd and not broken: nothing may be accused, and what can be told must be told.

use gpu_preflight::facts::{Fact, Facts, GapKind, Gpu};

use crate::support::failures::Scenario;
use crate::support::fake_machine::collect_on;
use crate::support::patience::allowed;
use crate::support::report::Report;

fn scenario(text: &str) -> Scenario {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What was read on a machine that plays this, and the report on it, which accuses nothing.
fn unaccused(text: &str) -> (Facts, Report) {
    let facts = collect_on(&scenario(text)).facts;
    let report = Report::of(&facts);
    assert!(report.failing().is_empty(), "{text}\n{}", report.troubles());
    (facts, report)
}

/// The same where nothing that gates may stay open either.
fn ready(text: &str) -> Facts {
    let (facts, report) = unaccused(text);
    assert_eq!((report.verdict(), report.code), ("ready", 0), "{text}\n{}", report.troubles());
    facts
}

fn first_gpu(facts: &Facts) -> &Gpu {
    facts.gpus.known().and_then(|gpus| gpus.first()).unwrap_or_else(|| panic!("{:?}", facts.gpus))
}

fn gap_kind<T: std::fmt::Debug>(fact: &Fact<T>) -> GapKind {
    let Fact::Unknown(gap) = fact else { panic!("{fact:?}") };
    gap.kind
}

#[test]
fn a_driver_folder_that_can_be_read_only_in_part_accuses_nobody() {
    // A folder in place of the file, as where a runtime masks it.
    let facts = ready(
        r#"
        remove = ["/proc/driver/nvidia/version", "/proc/driver/nvidia/gpus", "/proc/devices"]
        files = { "/proc/driver/nvidia/version/masked" = "", "/proc/driver/nvidia/gpus" = "", "/proc/devices/masked" = "" }
        "#,
    );
    assert!(facts.driver.kernel_version.is_unknown() && facts.driver.uvm_major_current.is_unknown());
    ready(r#"files = { "/proc/driver/nvidia/version" = "NVRM version: of no kind that we know\n" }"#);
    ready(r#"remove = ["/proc/driver"]"#);
}

#[test]
fn an_nvml_that_lacks_half_the_calls_leaves_gaps_and_no_doubt() {
    let facts = ready(
        r#"
        fake = "driver=418.87.00"
        remove = ["/usr/local/nvidia/lib64/libnvidia-ml.so.1", "/usr/local/nvidia/lib64/libnvidia-ml.so.580.65.06"]
        libraries = { "/usr/local/nvidia/lib64/libnvidia-ml.so.1" = "old/libnvidia-ml.so.1" }
        "#,
    );
    let gpu = first_gpu(&facts);
    assert_eq!(gpu.name, Fact::Known("NVIDIA H200".to_owned()));
    assert_eq!(gap_kind(&gpu.memory_bytes), GapKind::NoSymbol);
    assert_eq!(gap_kind(&gpu.processes), GapKind::NoSymbol);
}

#[test]
fn values_that_no_gpu_can_have_are_believed_by_nobody() {
    let (facts, report) = unaccused(r#"fake = "garbage=1""#);
    let gpu = first_gpu(&facts);
    for kind in [gap_kind(&gpu.temperature_celsius), gap_kind(&gpu.memory_bytes), gap_kind(&gpu.row_remap_failed)] {
        assert_eq!(kind, GapKind::Malformed);
    }
    assert_eq!(gap_kind(&gpu.process_count), GapKind::Malformed);
    assert_eq!(report.verdict(), "incomplete", "whether its memory had errors is not known");
}

#[test]
fn a_mig_slice_whose_parent_may_not_be_read_is_ready() {
    let facts = ready(r#"fake = "model=NVIDIA H100 80GB HBM3 MIG 1g.10gb;sms=16;mig=1;mig_refused=1""#);
    let gpu = first_gpu(&facts);
    assert_eq!(gap_kind(&gpu.mig_device_count), GapKind::NotPermitted);
    assert_eq!(gap_kind(&gpu.process_count), GapKind::NotPermitted);
    ready(r#"fake = "model=NVIDIA A100-SXM4-40GB MIG 3g.20gb;cc=8.0;sms=42;mhz=1410;mig=1;mig_count=1""#);
}

#[test]
fn instances_that_may_not_be_seen_are_not_accused_of_being_missing() {
    let report = Report::of(&collect_on(&scenario(r#"fake = "mig=1;mig_refused=1;cu_init=100""#)).facts);
    let first = report.findings().next().expect("findings");
    assert_eq!((&first["check"], &first["outcome"]), (&"driver.devices-visible".into(), &"fails".into()));
}

#[test]
fn names_of_virtual_gpus_do_no_harm() {
    for (model, cc) in [("GRID A100-40C", "8.0"), ("NVIDIA A40-48Q", "8.6"), ("NVIDIA H100XM-80C", "9.0"), ("", "9.0")]
    {
        ready(&format!(r#"fake = "model={model};cc={cc}""#));
    }
}

#[test]
fn sixteen_gpus_are_as_good_as_one() {
    // The machine with eight has shared memory for eight.
    let facts = ready(
        "gpus = 16\n\
         patch.host = { memory_bytes = 68719476736 }\n\
         patch.limits = { pids = 4096, memory_bytes = 34359738368, shm_bytes = 17179869184, shm_free_bytes = 17179869184 }",
    );
    assert_eq!(facts.gpus.known().map(Vec::len), Some(16));
    assert_eq!(facts.driver.gpu_node_openable_count, Fact::Known(16));
}

#[test]
fn a_gpu_that_vanishes_between_two_calls_is_lost_and_hides_no_other() {
    for call in ["nvmlDeviceGetUUID", "nvmlDeviceGetEccMode", "nvmlDeviceGetFieldValues"] {
        let facts = collect_on(&scenario(&format!("gpus = 8\nfake = \"vanish={call}:2\""))).facts;
        assert_eq!(facts.nvml.lost_gpus, Fact::Known(vec!["2: 15 NVML_ERROR_GPU_IS_LOST".to_owned()]), "{call}");
        assert_eq!(facts.gpus.known().map(Vec::len), Some(7), "{call}");
    }
}

#[test]
fn what_holds_clocks_down_and_is_usual_accuses_nobody() {
    // Idle; the power cap; clocks that somebody set; a group that keeps step; a display; several of them.
    for bits in ["1", "4", "2", "10", "100", "116"] {
        ready(&format!(r#"fake = "held=0:{bits}""#));
    }
    // The power limit is lowered to a half, and the rate with it to what such a board then reaches: worth knowing only.
    let capped = collect_on(&scenario(r#"fake = "watts=350;slow=0:0.72;held=0:4""#)).facts;
    let report = Report::of(&capped);
    assert_eq!(report.verdict(), "ready", "{}", report.troubles());
    let accused = report.failing();
    assert_eq!(accused.len(), 1, "{}", report.troubles());
    assert_eq!(accused[0]["check"], "gpu.power-limit-default");
}

#[test]
fn heat_of_a_model_that_no_table_knows_and_of_a_mig_board_is_told_all_the_same() {
    for fake in [
        "model=NVIDIA X9000;cc=99.0;held=0:48;slow=0:0.33",
        "model=NVIDIA H100 80GB HBM3 MIG 1g.10gb;sms=16;mig=1;mig_count=1;held=0:48;slow=0:0.33",
    ] {
        let report = Report::of(&collect_on(&scenario(&format!("fake = {fake:?}"))).facts);
        let failed = report.failing();
        assert_eq!(failed.len(), 1, "{fake}\n{}", report.troubles());
        assert_eq!(failed[0]["check"], "gpu.cool-under-load", "{fake}");
    }
}

/// What fails on a machine that plays this: check and message.
fn accused(fake: &str) -> Vec<(String, String)> {
    let report = Report::of(&collect_on(&scenario(&format!("fake = {fake:?}"))).facts);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    report.failing().into_iter().map(|finding| (text(&finding["check"]), text(&finding["message"]))).collect()
}

#[test]
fn a_rate_that_was_low_by_chance_accuses_nobody() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = folder.path().join("over");
    let facts = ready(&format!("fake = \"slow=0:0.3;slow_until={}\"", file.display()));
    for multiply in facts.compute.multiplies.known().expect("multiplies") {
        let (first, kept) = (multiply.first_tflops.known(), multiply.tflops.known());
        assert!(first.zip(kept).is_some_and(|(first, kept)| *first < kept * 0.4), "{multiply:?}");
    }
}

#[test]
fn a_slow_model_that_no_table_knows_and_a_slow_slice_are_found_by_their_multiprocessors() {
    let slice = "model=NVIDIA H100 80GB HBM3 MIG 1g.10gb;sms=16;mig=1;mig_count=1";
    for fake in ["model=NVIDIA X9000;cc=9.0;slow=0:0.2".to_owned(), format!("{slice};slow=0:0.2")] {
        let accused = accused(&fake);
        assert!(
            !accused.is_empty() && accused.iter().all(|(check, _)| check == "compute.rate-expected"),
            "{accused:?}"
        );
    }
    // Neighbours on the same board may take as much.
    assert_eq!(accused(&format!("{slice};slow=0:0.5")), []);
    ready("fake = \"model=NVIDIA X9000;cc=9.0\"");
}

#[test]
fn a_hot_gpu_whose_watch_dies_is_still_accused_of_being_slow() {
    let accused = accused("held=0:48;slow=0:0.2;crash_nth=nvmlEventSetWait_v2:12");
    let of = |check: &str| accused.iter().filter(|(id, _)| id == check).count();
    assert!(of("compute.rate-expected") > 0 && of("observability.load-watched") == 1, "{accused:?}");
    assert_eq!(of("gpu.cool-under-load"), 0, "what was seen last says nothing of the end: {accused:?}");
}

#[test]
fn a_slow_gpu_is_found_where_cuda_and_nvml_number_gpus_differently() {
    let facts = collect_on(&scenario(
        "gpus = 8\nfake = \"slow=0:0.33;held=5:48\"\nenv = { CUDA_VISIBLE_DEVICES = \"5,0,1,2\" }",
    ))
    .facts;
    let report = Report::of(&facts);
    // The GPU that CUDA calls 0 is slow for the heat of what NVML calls 5, which is told once.
    let gates: Vec<_> = report.failing().into_iter().filter(|finding| finding["gating"] == true).collect();
    assert_eq!(gates.len(), 1, "{}", report.troubles());
    assert_eq!((&gates[0]["check"], &gates[0]["subject"]), (&"gpu.cool-under-load".into(), &"GPU 5".into()));
}

#[test]
fn without_a_multiply_nobody_watches() {
    for text in [
        r#"remove = ["/usr/local/nvidia/lib64/libcublas.so.12", "/usr/local/nvidia/lib64/libcublas.so.12.9.1.4"]"#,
        r#"fake = "cu_init=999""#,
    ] {
        let facts = collect_on(&scenario(text)).facts;
        let gpu = first_gpu(&facts);
        assert_eq!((&gpu.load, &gpu.xids), (&Fact::Absent, &Fact::Absent), "{text}");
    }
}

#[test]
fn a_watch_that_dies_costs_no_time_and_no_verdict() {
    for fake in ["crash=nvmlEventSetWait_v2", "hang=nvmlEventSetWait_v2"] {
        let collected = collect_on(&scenario(&format!("fake = {fake:?}")));
        let report = Report::of(&collected.facts);
        let failed = report.failing();
        // One that hangs counts as such only after a silence for which these multiplies may be too short.
        let told = failed.iter().all(|finding| finding["check"] == "observability.load-watched");
        let needed = usize::from(fake.starts_with("crash"));
        assert!(told && (needed..=1).contains(&failed.len()), "{fake}\n{}", report.troubles());
        assert_eq!(report.verdict(), "ready", "{fake}\n{}", report.troubles());
        assert!(collected.wall < allowed(5.0).as_secs_f64(), "{fake}: {} s", collected.wall);
    }
}
