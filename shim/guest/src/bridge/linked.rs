//! The placeholder imports that the linker replaces.
#![expect(
    unsafe_code,
    reason = "calls functions that the linker generates, by raw pointers into this memory"
)]

/// What the linker generates from its knowledge of the module.
mod bridge {
    #[link(wasm_import_module = "proxy-wasi:bridge")]
    unsafe extern "C" {
        /// Copies from the legacy memory. Traps out of bounds, on either side.
        #[link_name = "copy-in"]
        pub(super) unsafe fn copy_in(to: *mut u8, from: u32, len: u32);
        /// Copies to the legacy memory. Traps out of bounds, on either side.
        #[link_name = "copy-out"]
        pub(super) unsafe fn copy_out(to: u32, from: *const u8, len: u32);
        #[link_name = "memory-pages"]
        pub(crate) safe fn memory_pages() -> u32;
        #[link_name = "load-u32"]
        pub(crate) safe fn load_u32(at: u32) -> u32;
        #[link_name = "store-u32"]
        pub(crate) safe fn store_u32(at: u32, value: u32);
        #[link_name = "store-u64"]
        pub(crate) safe fn store_u64(at: u32, value: u64);
        #[link_name = "take-exit"]
        pub(crate) safe fn take_exit() -> u32;
        #[link_name = "throw-exit"]
        pub(crate) safe fn throw_exit(code: u32) -> !;
        #[link_name = "abi-version"]
        pub(crate) safe fn abi_version() -> u32;
        #[link_name = "callbacks"]
        pub(crate) safe fn callbacks() -> u64;
        #[link_name = "stub-name"]
        pub(super) unsafe fn stub_name(to: *mut u8, offset: u32, len: u32);
    }
}

/// The legacy module's exports. One that it lacks returns its default.
mod legacy {
    #[link(wasm_import_module = "proxy-wasi:legacy")]
    unsafe extern "C" {
        pub(crate) safe fn start();
        pub(crate) safe fn allocate(size: u32) -> u32;
        pub(crate) safe fn proxy_on_context_create(context: u32, parent: u32);
        pub(crate) safe fn proxy_on_vm_start(root: u32, size: u32) -> u32;
        pub(crate) safe fn proxy_on_configure(root: u32, size: u32) -> u32;
        pub(crate) safe fn proxy_on_request_headers(context: u32, count: u32, end: u32) -> u32;
        pub(crate) safe fn proxy_on_request_body(context: u32, size: u32, end: u32) -> u32;
        pub(crate) safe fn proxy_on_request_trailers(context: u32, count: u32) -> u32;
        pub(crate) safe fn proxy_on_response_headers(context: u32, count: u32, end: u32) -> u32;
        pub(crate) safe fn proxy_on_response_body(context: u32, size: u32, end: u32) -> u32;
        pub(crate) safe fn proxy_on_response_trailers(context: u32, count: u32) -> u32;
        pub(crate) safe fn proxy_on_done(context: u32) -> u32;
        pub(crate) safe fn proxy_on_log(context: u32);
        pub(crate) safe fn proxy_on_delete(context: u32);
        pub(crate) safe fn proxy_on_tick(root: u32);
        pub(crate) safe fn proxy_on_queue_ready(root: u32, token: u32);
        pub(crate) safe fn proxy_on_http_call_response(
            root: u32,
            token: u32,
            headers: u32,
            body_size: u32,
            trailers: u32,
        );
        pub(crate) safe fn proxy_on_grpc_receive_initial_metadata(
            root: u32,
            token: u32,
            count: u32,
        );
        pub(crate) safe fn proxy_on_grpc_receive(root: u32, token: u32, size: u32);
        pub(crate) safe fn proxy_on_grpc_receive_trailing_metadata(
            root: u32,
            token: u32,
            count: u32,
        );
        pub(crate) safe fn proxy_on_grpc_close(root: u32, token: u32, status: u32);
        pub(crate) safe fn proxy_on_foreign_function(root: u32, function: u32, size: u32);
    }
}

pub(crate) use bridge::{
    abi_version, callbacks, load_u32, memory_pages, store_u32, store_u64, throw_exit,
};
pub(crate) use legacy::*;

/// Appends bytes of the legacy memory, which must lie within it, to `bytes`, which must have room for them.
pub(crate) fn copy_in(bytes: &mut Vec<u8>, from: u32, len: u32) {
    let old = bytes.len();
    let new = old + len as usize;
    assert!(new <= bytes.capacity());
    // SAFETY: the spare capacity begins at `old` and holds `len` bytes, as just checked; the copy initializes them all
    // or traps.
    unsafe {
        bridge::copy_in(bytes.as_mut_ptr().add(old), from, len);
        bytes.set_len(new);
    }
}

/// Copies bytes to the legacy memory, within which they must fit.
pub(crate) fn copy_out(to: u32, bytes: &[u8]) {
    let Ok(len) = u32::try_from(bytes.len()) else {
        return; // This memory has 32 bits.
    };
    // SAFETY: reads the bytes of the slice and nothing else.
    unsafe { bridge::copy_out(to, bytes.as_ptr(), len) }
}

/// The exit code of the last call into the legacy module, if it ended in `proc_exit`.
pub(crate) fn take_exit() -> Option<u32> {
    bridge::take_exit().checked_sub(1)
}

/// A name of the linker's table of stubs.
pub(crate) fn stub_name(offset: u32, len: u32) -> Vec<u8> {
    let mut name = vec![0; len as usize];
    // SAFETY: writes `len` bytes, which the vector has.
    unsafe { bridge::stub_name(name.as_mut_ptr(), offset, len) };
    name
}
