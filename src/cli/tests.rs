//! The command line: what is taken, and what is refused.

use std::time::Duration;

use super::*;

fn collecting(words: &[&str]) -> Result<CollectingArgs, String> {
    let words = [&["gpu-preflight", "check"][..], words].concat();
    match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
        Some(Command::Check(arguments)) => Ok(arguments.look.collecting),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn every_tier_has_the_time_that_it_needs_unless_another_is_asked_for() {
    for (words, seconds) in [
        (&["--tier", "quick"][..], 10),
        (&[], 10),
        (&["--tier", "deep"], 90),
        (&["--tier", "soak"], 675),
        (&["--tier", "soak", "--for", "1h"], 3675),
        (&["--tier", "deep", "--deadline", "5"], 5),
        (&["--deadline", "5s"], 5),
        (&["--deadline", "2m"], 120),
    ] {
        let found = collecting(words).map(|arguments| arguments.deadline());
        assert_eq!(found, Ok(Duration::from_secs(seconds)), "{words:?}");
    }
}

#[test]
fn a_time_goes_with_soak_alone() {
    let soak = |words: &[&str]| collecting(words).and_then(|arguments| arguments.soak());
    assert_eq!(soak(&["--tier", "soak", "--for", "30s"]), Ok(Some(Duration::from_secs(30))));
    assert_eq!(soak(&["--tier", "soak"]), Ok(Some(Duration::from_mins(10))));
    assert_eq!(soak(&["--tier", "deep"]), Ok(None));
    assert!(soak(&["--for", "30s"]).is_err_and(|why| why.contains("--tier soak")));
    assert_eq!(soak(&["--tier", "soak", "--for", "90"]), Ok(Some(Duration::from_secs(90))), "seconds without a unit");
    assert_eq!(soak(&["--tier", "soak", "--for", "1.5h"]), Ok(Some(Duration::from_mins(90))));
    for wrong in ["", "s", "0m", "25h", "ten m", "18446744073709551615h", "1µ", "NaN", "inf", "-5", "1d"] {
        assert!(soak(&["--tier", "soak", "--for", wrong]).is_err(), "{wrong}");
    }
}
