//! What the tests know of Docker's flags.

use gpu_preflight::harden::flags::Flag;

/// Whether taking `flag` away takes `other` away: `-e` all variables, `-e A` that variable.
pub fn covers(flag: &Flag, other: &Flag) -> bool {
    let given = other.value.as_deref().unwrap_or_default();
    let of_variable = |value: &str| given.strip_prefix(value).is_some_and(|rest| rest.starts_with('='));
    flag.name == other.name && flag.value.as_deref().is_none_or(|value| value == given || of_variable(value))
}

/// Whether only NVIDIA's runtime can do what it asks for.
pub fn needs_a_gpu_runtime(flag: &Flag) -> bool {
    let value = flag.value.as_deref().unwrap_or_default();
    match flag.name.as_str() {
        "--gpus" => true,
        "--device" => value.contains("nvidia"),
        "-e" => value.starts_with("NVIDIA_"),
        _ => false,
    }
}

/// Whether Docker needs a privilege for it that a daemon inside another container may lack.
pub fn may_be_refused(flag: &Flag) -> bool {
    let value = flag.value.as_deref().unwrap_or_default();
    match flag.name.as_str() {
        "--privileged" | "--cap-add" => true,
        "--ulimit" => value.starts_with("nofile=") || value.starts_with("memlock="),
        _ => false,
    }
}

/// As arguments of `docker run`.
pub fn arguments(flag: &Flag) -> impl Iterator<Item = String> {
    [Some(flag.name.clone()), flag.value.clone()].into_iter().flatten()
}

#[test]
fn a_flag_covers_those_that_it_leaves_open() {
    let flag = |name: &str, value: Option<&str>| Flag { name: name.to_owned(), value: value.map(str::to_owned) };
    let given = flag("-e", Some("A=b"));
    assert!(covers(&flag("-e", None), &given) && covers(&flag("-e", Some("A")), &given) && covers(&given, &given));
    assert!(!covers(&flag("-e", Some("B")), &given) && !covers(&flag("--pid", None), &given));
}
