//! What many checks ask about the machine as a whole, said once.

use crate::facts::{DeclaredKind, Fact, Facts, Phase, Services};

/// Share of a GPU's memory that may be in use while nobody works on it.
const IDLE_SHARE: f64 = 0.05;

/// Fills the answers. The shares of GPU memory in use are derived before.
pub fn derive(facts: &mut Facts) {
    facts.nvml.workload_running = workload_running(facts);
    facts.cuda.init_explained = facts.cuda.init_code.as_ref().map(|code| is_explained(*code));
    facts.services.ssh_expected = ssh_expected(&facts.services);
}

/// In the other phases the workload does not run yet; who holds memory then is told by checks of its own.
fn workload_running(facts: &Facts) -> Fact<bool> {
    if facts.run.phase != Phase::Live {
        return Fact::Known(false);
    }
    match &facts.gpus {
        Fact::Known(gpus) => {
            any(gpus.iter().map(|gpu| gpu.memory_used_share.as_ref().map(|share| *share > IDLE_SHARE)))
        }
        Fact::Absent => Fact::Known(false),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}

/// Success, a MIG without instances (3), a stub, no device, and 802 to 810: fabric, versions, compatibility and MPS.
/// Any other code comes from device nodes as well as from anything else.
fn is_explained(code: i64) -> bool {
    matches!(code, 0 | 3 | 34 | 100 | 802..=810)
}

fn ssh_expected(services: &Services) -> Fact<bool> {
    let runs = services.ssh.as_ref().map(|servers| !servers.is_empty());
    let declared = services.declared.as_ref().map(|all| all.iter().any(|service| service.kind == DeclaredKind::Ssh));
    any([runs, declared])
}

/// Whether one of them is true, as `||` and `exists` of the language say it: one that is true settles it, one that is
/// not known leaves it open, and what is absent is false.
pub(super) fn any(parts: impl IntoIterator<Item = Fact<bool>>) -> Fact<bool> {
    let mut answer = Fact::Known(false);
    for part in parts {
        match part {
            Fact::Known(true) => return part,
            Fact::Unknown(_) if !answer.is_unknown() => answer = part,
            _ => {}
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{DeclaredService, Gap, GapKind, Gpu, Ssh};

    fn unknown<T>(detail: &str) -> Fact<T> {
        Fact::Unknown(Gap::new(GapKind::NotPermitted, detail))
    }

    #[test]
    fn memory_in_use_is_a_workload_in_phase_live_alone() {
        let gpu = |share: Fact<f64>| Gpu { memory_used_share: share, ..Gpu::default() };
        let live = |gpus| Facts { gpus, ..Facts::default() };
        for (gpus, expected) in [
            (Fact::Known(vec![gpu(Fact::Known(0.01)), gpu(Fact::Known(0.8))]), Fact::Known(true)),
            (Fact::Known(vec![gpu(unknown("first")), gpu(Fact::Known(0.8))]), Fact::Known(true)),
            (Fact::Known(vec![gpu(unknown("first")), gpu(unknown("second"))]), unknown("first")),
            (Fact::Known(vec![gpu(Fact::Known(0.05)), gpu(Fact::Absent)]), Fact::Known(false)),
            (Fact::Absent, Fact::Known(false)),
            (unknown("list"), unknown("list")),
        ] {
            assert_eq!(workload_running(&live(gpus.clone())), expected, "{gpus:?}");
            let mut start = live(gpus);
            start.run.phase = Phase::Start;
            assert_eq!(workload_running(&start), Fact::Known(false));
        }
    }

    #[test]
    fn a_code_that_names_no_reason_explains_nothing() {
        let explained: Vec<i64> = (-1..1000).filter(|code| is_explained(*code)).collect();
        assert_eq!(explained, [0, 3, 34, 100, 802, 803, 804, 805, 806, 807, 808, 809, 810]);
        let mut facts = Facts::default();
        for (code, expected) in
            [(Fact::Known(999), Fact::Known(false)), (Fact::Absent, Fact::Absent), (unknown("x"), unknown("x"))]
        {
            facts.cuda.init_code = code;
            derive(&mut facts);
            assert_eq!(facts.cuda.init_explained, expected);
        }
    }

    #[test]
    fn ssh_is_expected_where_it_runs_or_will_be_started() {
        let declared = |kind| Fact::Known(vec![DeclaredService { kind, ..DeclaredService::default() }]);
        for (ssh, declared, expected) in [
            (Fact::Known(vec![Ssh::default()]), unknown("shells"), Fact::Known(true)),
            (unknown("sockets"), declared(DeclaredKind::Ssh), Fact::Known(true)),
            (Fact::Known(Vec::new()), declared(DeclaredKind::Jupyter), Fact::Known(false)),
            (Fact::Known(Vec::new()), unknown("shells"), unknown("shells")),
            (unknown("sockets"), unknown("shells"), unknown("sockets")),
        ] {
            let services = Services { ssh, declared, ..Services::default() };
            assert_eq!(ssh_expected(&services), expected);
        }
    }
}
