//! The table of rates: of whom it speaks, what it proves, and how wide it is.

use super::*;

fn multiply(gpu: u32, precision: Precision, tflops: f64, proof: Proof) -> Multiply {
    Multiply {
        gpu,
        precision,
        tflops: Fact::Known(tflops),
        expected_tflops: Fact::Known(400.0),
        share_of_expected: Fact::Known(tflops / 400.0),
        proof: Fact::Known(proof),
        ..Multiply::default()
    }
}

fn table(multiplies: Vec<Multiply>) -> Vec<Shown> {
    let mut facts = Facts::default();
    facts.compute.multiplies = Fact::Known(multiplies);
    render(&facts, 100).expect("a table")
}

#[test]
fn where_nothing_was_measured_there_is_no_table() {
    assert_eq!(render(&Facts::default(), 100), None);
}

#[test]
fn what_was_proven_on_some_is_not_said_of_all() {
    let mut lost = multiply(1, Precision::Tf32, 400.0, Proof::Exact);
    lost.proof = Fact::unknown(crate::facts::GapKind::Crashed, "cublasGemmEx");
    let table = table(vec![multiply(0, Precision::Tf32, 400.0, Proof::Exact), lost]);
    assert!(table[1].ends_with("exact on 1 of 2"), "{table:?}");
}

#[test]
fn bits_are_known_other_or_unlisted() {
    let with = |known: Fact<bool>| {
        let mut one = multiply(0, Precision::Tf32, 400.0, Proof::Exact);
        (one.fingerprint, one.fingerprint_known) = (Fact::Known("6d2f1235c35a84e2".to_owned()), known);
        table(vec![one]).remove(1)
    };
    assert!(with(Fact::Known(true)).ends_with("exact, known bits"));
    assert!(with(Fact::Absent).ends_with("exact, unlisted bits"));
    assert!(with(Fact::Known(false)).ends_with("exact, OTHER BITS"));
    assert!(with(Fact::default()).ends_with("exact"), "nobody asked");
}

#[test]
fn a_narrow_terminal_is_told_less_of_a_gpu_that_stands_out() {
    let mut facts = Facts::default();
    let all = [Precision::Float32, Precision::Bfloat16].into_iter();
    let of = |precision| (0..3).map(move |gpu| multiply(gpu, precision, 400.0 - f64::from(gpu) * 150.0, Proof::Exact));
    let all = all.flat_map(of).map(|one| Multiply {
        fingerprint: Fact::Known("00".to_owned()),
        fingerprint_known: Fact::Absent,
        ..one
    });
    facts.compute.multiplies = Fact::Known(all.collect());
    let head = |width| {
        let table = render(&facts, width).expect("a table");
        let widest = table.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= usize::from(width), "{width}: {table:?}");
        assert!(table.iter().all(|line| line.contains("slowest") || line.contains("GPU 2")), "{table:?}");
        table[0].to_string()
    };
    assert!(head(120).contains("× float32"));
    assert!(!head(82).contains("× float32") && head(82).contains("expected"), "{}", head(82));
    assert!(!head(72).contains("expected") && head(72).contains("reached"), "{}", head(72));
}

#[test]
fn one_gpu_has_no_slowest() {
    let table = table(vec![
        multiply(0, Precision::Float32, 50.0, Proof::Exact),
        multiply(0, Precision::Tf32, 400.0, Proof::Exact),
    ]);
    let rows: Vec<Vec<&str>> = table.iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["rate", "expected", "reached", "×", "float32"]);
    assert_eq!(rows[1], ["float32", "TFLOP/s", "50.0", "400", "12", "%", "exact"]);
    assert_eq!(rows[2], ["tf32", "TFLOP/s", "400", "400", "100", "%", "8.0", "exact"]);
}

#[test]
fn of_several_the_slowest_is_named_and_one_wrong_product_shows() {
    let table = table(
        (0..3)
            .map(|gpu| {
                multiply(
                    gpu,
                    Precision::Int8,
                    300.0 - f64::from(gpu) * 100.0,
                    if gpu == 1 { Proof::Wrong } else { Proof::Exact },
                )
            })
            .collect(),
    );
    let row: Vec<&str> = table[1].split_whitespace().collect();
    assert_eq!(row, ["int8", "TOP/s", "200", "100", "GPU", "2", "400", "25", "%", "WRONG"]);
}
