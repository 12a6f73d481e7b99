//! Every failure of the table is played, and the first thing said of it must be its cause.
//!
//! No GPU and no container is needed: the real probes look at a root of files with fake GPU libraries in it. What they
//! read is judged as any recording is; the outcome of each is a line of `tests/failures/outcomes.txt`, and the table
//! becomes `docs/failures.md`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::support::failures::{self, Failure, Scenario};
use crate::support::fake_machine::{Collected, collect_on};
use crate::support::report::Report;
use crate::support::{bless, outcome};

/// How many failures are played at once. More than most machines have cores, because what hangs only waits.
const AT_ONCE: usize = 6;

/// What is wrong with the verdict on a failure; nothing when all is right.
fn mistake(failure: &Failure, report: &Report) -> Result<(), String> {
    let (check, owner) = (failure.check.as_deref().expect("a check"), failure.owner.as_deref().expect("an owner"));
    let first = report.findings().next().expect("findings");
    let fail = |what: &str| Err(format!("{}: {what}\n{}", failure.id, report.troubles()));
    if first["check"] != check || first["outcome"] != "fails" {
        return fail(&format!("the first finding is {} and not {check}", first["check"]));
    }
    if first["owner"] != owner {
        return fail(&format!("{check} belongs to {} and not to {owner}", first["owner"]));
    }
    let expected = if first["gating"] == true { ("not-ready", 1) } else { ("ready", 0) };
    if (report.verdict(), report.code) != expected {
        return fail(&format!("the verdict is {} with exit code {}", report.verdict(), report.code));
    }
    for finding in report.findings().filter(|finding| finding["gating"] == true && finding["check"] != check) {
        match finding["outcome"].as_str() {
            Some("fails") => return fail(&format!("{} is accused as well", finding["check"])),
            Some("unknown") => return fail(&format!("{} is left open", finding["check"])),
            Some("blocked") if finding["blocked_by"] != check => {
                return fail(&format!("{} is blocked by {}", finding["check"], finding["blocked_by"]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `FAILURE=driver.` plays only those with this in their names.
fn wanted() -> Vec<Failure> {
    let wanted = std::env::var("FAILURE").unwrap_or_default();
    failures::all().into_iter().filter(|failure| failure.decidable && failure.id.contains(&wanted)).collect()
}

/// What was read where each was played, in their order.
fn play(scenarios: &[Scenario]) -> Vec<Collected> {
    // Those with a deadline of their own hang until then: they begin first, and the others go on meanwhile.
    let mut queue: Vec<usize> = (0..scenarios.len()).collect();
    queue.sort_by_key(|index| scenarios[*index].deadline.is_none());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(index) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let collected = collect_on(&scenarios[*index]);
                    done.lock().expect("no player panics").insert(*index, collected);
                }
            });
        }
    });
    done.into_inner().expect("no player panics").into_values().collect()
}

/// Every failure that can be decided, and what was read where it was played, in the order of the table.
fn played() -> &'static [(Failure, Collected)] {
    static PLAYED: OnceLock<Vec<(Failure, Collected)>> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let failures = wanted();
        let scenario = |failure: &Failure| failure.scenario.clone().unwrap_or_else(|| panic!("{}: none", failure.id));
        let scenarios: Vec<Scenario> = failures.iter().map(scenario).collect();
        failures.into_iter().zip(play(&scenarios)).collect()
    })
}

/// A machine on which nothing is wrong that gates, and what was read there.
struct Healthy {
    name: String,
    /// The check that says a failure that looks like it.
    check: Option<String>,
    collected: Collected,
}

impl Healthy {
    /// Whether somebody is accused here, or anything said of the failure beside it.
    fn is_accused(&self, report: &Report) -> bool {
        report.findings().any(|finding| {
            let is_said = finding["check"].as_str() == self.check.as_deref();
            finding["outcome"] == "fails" && (is_said || finding["gating"] == true)
        })
    }
}

/// The healthy machines of this file and those beside the failures.
fn healthy_ones() -> &'static [Healthy] {
    static PLAYED: OnceLock<Vec<Healthy>> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let own = HEALTHY.iter().map(|(name, gpus, fake, env)| ((*name).to_owned(), None, healthy(*gpus, fake, env)));
        let beside = wanted().into_iter().flat_map(|failure| {
            let check = failure.check;
            failure.neighbour.into_iter().map(move |neighbour| (neighbour.name, check.clone(), neighbour.scenario))
        });
        let all: Vec<(String, Option<String>, Scenario)> = own.chain(beside).collect();
        let collected = play(&all.iter().map(|(.., scenario)| scenario.clone()).collect::<Vec<_>>());
        all.into_iter().zip(collected).map(|((name, check, _), collected)| Healthy { name, check, collected }).collect()
    })
}

#[test]
fn the_machine_that_every_failure_starts_from_is_healthy() {
    for gpus in [1, 8] {
        let report = Report::of(&collect_on(&Scenario { gpus: Some(gpus), ..Scenario::default() }).facts);
        assert!(report.failing().is_empty(), "{}", report.troubles());
        assert_eq!((report.verdict(), report.code), ("ready", 0), "{}", report.troubles());
    }
}

#[test]
fn every_failure_that_can_be_decided_names_its_cause_first() {
    let wrong =
        played().iter().filter_map(|(failure, collected)| mistake(failure, &Report::of(&collected.facts)).err());
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_failure_is_read_by_its_deadline() {
    let late = played().iter().filter(|(_, collected)| collected.is_late);
    let late: Vec<String> = late.map(|(failure, collected)| format!("{}: {} s", failure.id, collected.wall)).collect();
    assert_eq!(late, Vec::<String>::new());
}

#[test]
fn outcomes_of_failures_are_current() {
    if std::env::var_os("FAILURE").is_some() {
        return; // a part of them is no table
    }
    let production = outcome::padded("production", outcome::PADDING);
    let line = |(failure, collected): &(Failure, Collected)| outcome::line(&failure.id, &production, &collected.facts);
    bless::compare("tests/failures/outcomes.txt", &played().iter().map(line).collect::<String>());
}

/// Name, GPUs, what the libraries play and the environment of a machine.
type Machine = (&'static str, u64, &'static str, &'static [(&'static str, &'static str)]);

/// Machines on which nothing is wrong with driver, node or hardware, beside those of the failures: what explains a
/// reading is there and no fault.
const HEALTHY: [Machine; 7] = [
    ("one GPU", 1, "", &[]),
    ("eight GPUs", 8, "", &[]),
    ("another process at work on the GPU", 1, "slow=0:0.33;holder=4242:1050673152;utilization=97", &[]),
    ("the same with hidden process ids", 1, "slow=0:0.33;reserved=500000000;free=147000000000", &[]),
    ("TF32 turned off by a variable", 1, "rate_of_tf32=52", &[("NVIDIA_TF32_OVERRIDE", "0")]),
    ("a third of the GPU by a library for sharing", 1, "slow=0:0.3", &[("CUDA_DEVICE_SM_LIMIT", "30")]),
    ("power capped at half", 1, "watts=350;slow=0:0.7", &[]),
];

#[test]
fn healthy_neighbours_are_not_accused() {
    for machine in healthy_ones() {
        let report = Report::of(&machine.collected.facts);
        assert!(!machine.is_accused(&report), "{}:\n{}", machine.name, report.troubles());
    }
}

fn healthy(gpus: u64, fake: &str, env: &[(&str, &str)]) -> Scenario {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Scenario { gpus: Some(gpus), fake: fake.to_owned(), env, ..Scenario::default() }
}

#[test]
fn the_table_of_verdicts_is_current() {
    if std::env::var_os("FAILURE").is_some() {
        return; // a part of them is no table
    }
    let mut rooms: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (failure, collected) in played() {
        let report = Report::of(&collected.facts);
        let first = report.findings().next().expect("findings");
        let row = rooms.entry(failure.id.split('.').next().expect("a room")).or_default();
        row[0] += 1;
        row[1] += usize::from(first["check"].as_str() == failure.check.as_deref());
        row[2] += usize::from(first["owner"].as_str() == failure.owner.as_deref());
    }
    let sum = rooms.values().fold([0; 3], |sum, row| [sum[0] + row[0], sum[1] + row[1], sum[2] + row[2]]);
    let mut text = String::from("| failures | played | right cause first | right owner |\n|---|---|---|---|\n");
    let line = |name: &str, row: &[usize; 3]| format!("| {name} | {} | {} | {} |\n", row[0], row[1], row[2]);
    text.extend(rooms.iter().map(|(room, row)| line(room, row)));
    text.push_str(&line("**all**", &sum));
    text.push_str("\n| nothing is wrong | accused |\n|---|---|\n");
    for machine in healthy_ones() {
        let is_accused = machine.is_accused(&Report::of(&machine.collected.facts));
        text += &["| ", &machine.name, " | ", if is_accused { "yes" } else { "no" }, " |\n"].concat();
    }
    bless::compare_section("docs/measurements.md", "verdicts", &text);
}
