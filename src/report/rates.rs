//! Every measured rate in one table, beside what such a GPU is expected to reach.

use comfy_table::{CellAlignment, Table, presets};

use super::table;
use crate::facts::{Compute, Fact, Facts, Links, MemoryCopy, Multiply, Precision, Proof};
use crate::text::{Shown, short_rate};

/// The slowest GPU is named where it stays below this share of the median.
const STANDS_OUT: f64 = 0.97;

/// One rate over all GPUs.
pub struct Row {
    /// Of what.
    pub what: &'static str,
    /// In what.
    pub unit: &'static str,
    /// The GPUs or pairs with their rates, slowest first.
    pub rates: Vec<(String, f64)>,
    /// What is expected of the slowest, and the share of it that it reaches.
    pub expected: Option<(f64, f64)>,
    /// How many times the rate of strict 32-bit floats it is.
    pub gain: Option<f64>,
    /// What was proven of the results.
    pub proof: String,
}

/// Every rate that was measured.
pub fn rows(facts: &Facts) -> Vec<Row> {
    multiplies(&facts.compute).into_iter().chain(copies(&facts.compute)).chain(links(&facts.links)).collect()
}

/// The lines of the table without its title; nothing where nothing was measured.
pub fn render(facts: &Facts, width: u16) -> Option<Vec<Shown>> {
    let rows = rows(facts);
    if rows.is_empty() {
        return None;
    }
    let columns = |has_gain, has_expected| table_of(&rows, has_gain, has_expected);
    let fits = |lines: &Vec<Shown>| lines.iter().all(|line| line.chars().count() <= usize::from(width));
    let first = columns(true, true);
    let found = if fits(&first) { Some(first) } else { Some(columns(false, true)).filter(fits) };
    Some(found.unwrap_or_else(|| columns(false, false)))
}

/// The table; where it becomes too wide, without how many times strict floats a rate is, and without the expected rate,
/// of which the share that is reached says enough.
fn table_of(rows: &[Row], has_gain: bool, has_expected: bool) -> Vec<Shown> {
    let several = rows.iter().any(|row| row.straggler().is_some());
    let has_gain = has_gain && rows.iter().any(|row| row.gain.is_some());
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let pick = |cells: [String; 8]| {
        let [what, unit, rate, slowest, expected, reached, gain, proof] = cells;
        let mut kept = vec![what, unit, rate];
        kept.extend(several.then_some(slowest));
        kept.extend(has_expected.then_some(expected));
        kept.push(reached);
        kept.extend(has_gain.then_some(gain));
        kept.push(proof);
        kept
    };
    let rate = if rows.iter().any(|row| row.rates.len() > 1) { "median" } else { "rate" };
    table.add_row(pick(["", "", rate, "slowest", "expected", "reached", "× float32", ""].map(str::to_owned)));
    for row in rows {
        table.add_row(pick(row.cells()));
    }
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        if index > 1 && index < last {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table::shown(&table).iter().map(|line| Shown::line(" ") + line).collect()
}

impl Row {
    /// The rate in the middle.
    pub fn median(&self) -> Option<f64> {
        self.rates.get(self.rates.len() / 2).map(|(_, rate)| *rate)
    }

    /// The slowest, where it stands out.
    pub fn straggler(&self) -> Option<&(String, f64)> {
        let median = self.median()?;
        self.rates.first().filter(|(_, rate)| *rate < median * STANDS_OUT)
    }

    fn cells(&self) -> [String; 8] {
        let middle = self.median().map_or(String::new(), short_rate);
        let slowest = self.straggler().map_or(String::new(), |(who, rate)| format!("{} {who}", short_rate(*rate)));
        let (expected, reached) = match self.expected {
            Some((rate, share)) => (short_rate(rate), format!("{:.0} %", share * 100.0)),
            None => (String::new(), String::new()),
        };
        let gain = self.gain.map_or(String::new(), |gain| format!("{gain:.1}"));
        [self.what.to_owned(), self.unit.to_owned(), middle, slowest, expected, reached, gain, self.proof.clone()]
    }
}

/// Wrong if any of them is, exact if all are; of how many, where some could not be proven.
fn worst<'a>(proofs: impl Iterator<Item = &'a Fact<Proof>>) -> String {
    let all: Vec<Option<Proof>> = proofs.map(|proof| proof.known().copied()).collect();
    let exact = all.iter().filter(|proof| **proof == Some(Proof::Exact)).count();
    match exact {
        _ if all.contains(&Some(Proof::Wrong)) => "WRONG".to_owned(),
        0 => String::new(),
        exact if exact == all.len() => "exact".to_owned(),
        exact => format!("exact on {exact} of {}", all.len()),
    }
}

/// What was proven, and whether the bits are those that such GPUs are known to give. A combination that is in no table is
/// said, so that somebody may add it.
fn proof_and_bits(multiplies: &[&Multiply]) -> String {
    let proof = worst(multiplies.iter().map(|one| &one.proof));
    let known: Vec<&Fact<bool>> = multiplies.iter().map(|one| &one.fingerprint_known).collect();
    let has_bits = multiplies.iter().all(|one| one.fingerprint.known().is_some());
    let bits = match proof.as_str() {
        "" | "WRONG" => "",
        _ if known.contains(&&Fact::Known(false)) => ", OTHER BITS",
        _ if known.iter().all(|known| **known == Fact::Known(true)) => ", known bits",
        _ if has_bits && known.iter().all(|known| known.is_absent()) => ", unlisted bits",
        _ => "",
    };
    proof + bits
}

fn sorted(mut rates: Vec<(String, f64)>) -> Vec<(String, f64)> {
    rates.sort_by(|one, other| one.1.total_cmp(&other.1));
    rates
}

fn on(gpu: u32) -> String {
    format!("GPU {gpu}")
}

fn multiplies(compute: &Compute) -> Vec<Row> {
    let all = compute.multiplies.known().map_or(&[][..], Vec::as_slice);
    let of = |precision: Precision| all.iter().filter(move |multiply| multiply.precision == precision);
    let slowest =
        |precision| of(precision).filter(|one| one.tflops.known().is_some()).min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let plain = slowest(Precision::Float32).map(rate).filter(|rate| *rate > 0.0);
    let row = |precision: &Precision| {
        let slow = slowest(*precision)?;
        let gain = plain.map(|plain| rate(slow) / plain).filter(|_| *precision != Precision::Float32);
        Some(Row {
            what: precision.as_str(),
            unit: if *precision == Precision::Int8 { "TOP/s" } else { "TFLOP/s" },
            rates: sorted(of(*precision).filter_map(|one| Some((on(one.gpu), *one.tflops.known()?))).collect()),
            expected: slow.expected_tflops.known().copied().zip(slow.share_of_expected.known().copied()),
            gain,
            proof: proof_and_bits(&of(*precision).collect::<Vec<_>>()),
        })
    };
    Precision::ALL.iter().filter_map(row).collect()
}

fn rate(multiply: &Multiply) -> f64 {
    multiply.tflops.known().copied().unwrap_or_default()
}

fn copies(compute: &Compute) -> Vec<Row> {
    let all = compute.copies.known().map_or(&[][..], Vec::as_slice);
    let row = |what, of: fn(&MemoryCopy) -> &Fact<f64>, is_judged: bool, is_proven: bool| {
        let rates = sorted(all.iter().filter_map(|copy| Some((on(copy.gpu), *of(copy).known()?))).collect());
        let slowest = all.iter().filter(|copy| of(copy).known().is_some());
        let slowest = slowest.min_by(|a, b| known(of(a)).total_cmp(&known(of(b))))?;
        let expected = slowest.expected_device_gb_per_second.known().copied();
        Some(Row {
            what,
            unit: "GB/s",
            rates,
            expected: expected.zip(slowest.share_of_expected.known().copied()).filter(|_| is_judged),
            gain: None,
            proof: if is_proven { worst(all.iter().map(|copy| &copy.proof)) } else { String::new() },
        })
    };
    [
        row("memory", |copy| &copy.device_gb_per_second, true, true),
        row("upload, pinned", |copy| &copy.host_to_device_pinned_gb_per_second, false, false),
        row("download, pinned", |copy| &copy.device_to_host_pinned_gb_per_second, false, false),
        row("upload, pageable", |copy| &copy.host_to_device_pageable_gb_per_second, false, false),
        row("download, pageable", |copy| &copy.device_to_host_pageable_gb_per_second, false, false),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn known(rate: &Fact<f64>) -> f64 {
    rate.known().copied().unwrap_or_default()
}

fn links(links: &Links) -> Vec<Row> {
    let pairs = links.pairs.known().map_or(&[][..], Vec::as_slice);
    let rates: Vec<_> = pairs
        .iter()
        .filter_map(|pair| Some((format!("{} to {}", pair.from, pair.to), *pair.gb_per_second.known()?)))
        .collect();
    let between = Row {
        what: "GPU to GPU",
        unit: "GB/s",
        rates: sorted(rates),
        expected: None,
        gain: None,
        proof: worst(pairs.iter().map(|pair| &pair.copied)),
    };
    let bus = links.nccl.bus_gb_per_second.known().map(|rate| Row {
        what: "all-reduce (bus)",
        unit: "GB/s",
        rates: vec![(String::new(), *rate)],
        expected: None,
        gain: None,
        proof: worst(std::iter::once(&links.nccl.summed)),
    });
    Some(between).filter(|row| !row.rates.is_empty()).into_iter().chain(bus).collect()
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
