//! `/etc/ld.so.cache`.
#![no_main]

mod root;

use gpu_preflight::facts::Framework;
use gpu_preflight::probe::libraries;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static ROOT: root::Root = root::Root::new();
}

fuzz_target!(|bytes: &[u8]| {
    ROOT.with(|root| {
        root.write("/etc/ld.so.cache", bytes);
        let _ = libraries::census(&root.world(&[]), &Framework::default());
    });
});
