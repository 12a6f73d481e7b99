//! What PyTorch needs beyond the CUDA libraries, as far as the loader cares: which needs which, and by which symbols. Built
//! without the standard library, so that nothing else is needed. Each is chosen by a `--cfg`.
#![no_std]
#![allow(non_snake_case, unexpected_cfgs)]

/// `libnvJitLink.so.12` of CUDA 12.1, and with `new` of 12.4.
#[cfg(jitlink)]
#[unsafe(no_mangle)]
pub extern "C" fn __nvJitLinkComplete_12_1() {}

#[cfg(all(jitlink, new))]
#[unsafe(no_mangle)]
pub extern "C" fn __nvJitLinkComplete_12_4() {}

#[cfg(curand)]
#[unsafe(no_mangle)]
pub extern "C" fn curandCreateGenerator() {}

#[cfg(cudnn)]
#[unsafe(no_mangle)]
pub extern "C" fn cudnnCreate() {}

#[cfg(cusparse)]
#[unsafe(no_mangle)]
pub extern "C" fn cusparseCreate() {
    unsafe extern "C" {
        fn __nvJitLinkComplete_12_4();
    }
    // SAFETY: it takes nothing; nobody calls it.
    unsafe { __nvJitLinkComplete_12_4() }
}

#[cfg(torch)]
#[unsafe(no_mangle)]
pub extern "C" fn torch_cuda() {
    unsafe extern "C" {
        fn cusparseCreate();
        fn curandCreateGenerator();
        fn cudnnCreate();
    }
    // SAFETY: they take nothing; nobody calls them.
    unsafe {
        cusparseCreate();
        curandCreateGenerator();
        cudnnCreate();
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
