//! A test that has a process to itself: one that becomes the parent of orphans, and must not meet other tests' children.

use std::process::Command;

const VARIABLE: &str = "PREFLIGHT_TEST_OWN_PROCESS";

/// Whether this is that process. If not, the test `name` (`module::function`) runs in one, and must pass there.
#[must_use]
pub fn is_own(name: &str) -> bool {
    if std::env::var_os(VARIABLE).is_some_and(|value| value == name) {
        return true;
    }
    let program = std::env::current_exe().expect("the test program");
    let output = Command::new(program)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, name)
        .output()
        .expect("the test program runs again");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{name} in a process of its own:\n{text}");
    false
}
