//! A skip that is seen: written past the capture of the test runner.

use std::io::Write;

/// Says what was skipped and why.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
