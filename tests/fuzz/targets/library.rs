//! An ELF file that lies where the loader looks.
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
        root.write("/opt/lib/libcublas.so.12", bytes);
        let world = root.world(&[("LD_LIBRARY_PATH", "/opt/lib")]);
        let _ = libraries::census(&world, &Framework::default());
    });
});
