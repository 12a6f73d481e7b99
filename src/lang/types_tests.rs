//! Which expressions fit the facts, and what is said of those that do not.

use super::*;
use crate::facts::Facts;
use crate::facts::shape::Shaped;
use crate::lang::parse;

fn mistake(text: &str) -> Option<Mistake> {
    check(&parse(text).expect(text), Facts::SHAPE, &[]).err()
}

#[test]
fn right_expressions_pass() {
    for text in [
        "limits.memory_bytes < host.memory_bytes",
        "container.kind != 'none' && !run.gpu_expected",
        "network.listeners.exists(l, l.port == 22 && l.bind in ['any', 'specific'])",
        "gpus.all(g, has(g.name) && size(g.throttle_reasons) == 0)",
        "version(driver.kernel_version) >= version('525.60.13')",
        "'compute' in environment.nvidia_driver_capabilities",
        "has(services.sshd_config)",
    ] {
        assert_eq!(mistake(text), None, "{text}");
    }
}

#[test]
fn a_typo_is_refused_with_its_place_and_the_nearest_name() {
    for (text, at, part) in [
        ("limits.memory_byte < 3", 7, "did you mean `memory_bytes`?"),
        ("limit.memory_bytes < 3", 0, "did you mean `limits`?"),
        ("container.kind == 'dokcer'", 18, "did you mean `docker`?"),
        ("container.kind in ['docker', 'podmann']", 29, "did you mean `podman`?"),
        ("limits.memory_bytes", 0, "expected a condition, found a number"),
        ("limits.memory_bytes == 'a'", 23, "cannot be compared"),
        ("gpus.exists(g, g.nam == 'x')", 17, "did you mean `name`?"),
        ("limits.memory_bytes.all(x, true)", 0, "expected a list, found a number"),
        ("true || limits.memory_byte > 3", 15, "did you mean"),
        ("container.kind < 'docker'", 17, "cannot be compared"),
        ("driver.kernel_version >= version('1')", 25, "cannot be compared"),
    ] {
        let mistake = mistake(text).expect(text);
        assert_eq!(mistake.at, at, "{text}: {}", mistake.message);
        assert!(mistake.message.contains(part), "{text}: {}", mistake.message);
    }
}
