//! What each fuzz target does with its bytes: everything that reads what anyone may have written.
//!
//! `just fuzz TARGET` runs them under libFuzzer, `tests/slow/fuzzed.rs` with every run of the tests.

mod gpu_code;
mod images;
mod machine;
mod packages;
mod root;
mod services;
mod texts;
mod workload;

use root::Root;

/// One reader of foreign bytes.
pub type Body = fn(&[u8], &Root);

/// The targets, each with its seeds in `tests/fuzz/seeds/`.
pub const TARGETS: [(&str, Body); 15] = [
    ("gpu_code", gpu_code::read),
    ("library", machine::library),
    ("loader_cache", machine::loader_cache),
    ("proc_files", machine::proc_files),
    ("recordings", texts::recordings),
    ("checks", texts::checks),
    ("profiles", texts::profiles),
    ("http_answers", services::http_answers),
    ("sshd_config", services::sshd_config),
    ("jupyter_config", services::jupyter_config),
    ("packages", packages::records),
    ("advisories", packages::advisories),
    ("workload", workload::read),
    ("layer", images::layer),
    ("image_config", images::configuration),
];

/// Runs one target.
pub fn run(target: &str, bytes: &[u8]) {
    thread_local! {
        static ROOT: Root = Root::new();
    }
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    ROOT.with(|root| body(bytes, root));
}
