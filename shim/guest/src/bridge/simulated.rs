//! A legacy module without code: one page of memory and a bump allocator. For unit tests.

use std::cell::{Cell, RefCell};

/// Bytes.
const PAGE: usize = 65536;

thread_local! {
    static MEMORY: RefCell<Vec<u8>> = RefCell::new(vec![0; PAGE]);
    static NEXT: Cell<u32> = const { Cell::new(1024) };
}

fn range(at: u32, len: usize) -> std::ops::Range<usize> {
    at as usize..at as usize + len
}

#[expect(
    clippy::indexing_slicing,
    reason = "as the real function traps out of bounds, this one panics"
)]
pub(crate) fn copy_in(bytes: &mut Vec<u8>, from: u32, len: u32) {
    MEMORY.with_borrow(|memory| bytes.extend_from_slice(&memory[range(from, len as usize)]));
}

#[expect(
    clippy::indexing_slicing,
    reason = "as the real function traps out of bounds, this one panics"
)]
pub(crate) fn copy_out(to: u32, bytes: &[u8]) {
    MEMORY.with_borrow_mut(|memory| memory[range(to, bytes.len())].copy_from_slice(bytes));
}

#[expect(clippy::cast_possible_truncation, reason = "one page")]
pub(crate) fn memory_pages() -> u32 {
    MEMORY.with_borrow(|memory| memory.len() / PAGE) as u32
}

pub(crate) fn load_u32(at: u32) -> u32 {
    let mut bytes = Vec::new();
    copy_in(&mut bytes, at, 4);
    bytes.first_chunk().copied().map_or(0, u32::from_le_bytes)
}

pub(crate) fn store_u32(at: u32, value: u32) {
    copy_out(at, &value.to_le_bytes());
}

pub(crate) fn store_u64(at: u32, value: u64) {
    copy_out(at, &value.to_le_bytes());
}

pub(crate) fn take_exit() -> Option<u32> {
    None
}

pub(crate) fn throw_exit(code: u32) -> ! {
    unreachable!("exit {code}")
}

pub(crate) fn abi_version() -> u32 {
    201
}

pub(crate) fn callbacks() -> u64 {
    0
}

pub(crate) fn stub_name(_offset: u32, _len: u32) -> Vec<u8> {
    Vec::new()
}

pub(crate) extern "C" fn start() {}

/// Fails (0) for sizes that end in 13, and answers a place outside the memory when that is full.
pub(crate) fn allocate(size: u32) -> u32 {
    assert_ne!(size, 0, "the allocator is never asked for nothing");
    if size % 100 == 13 {
        0
    } else {
        NEXT.replace(NEXT.get().saturating_add(size))
    }
}

/// The callbacks, none of which this module exports. Foreign, like the real ones.
macro_rules! absent {
    ($($name:ident($($param:ident),*) $(-> $default:literal)?;)*) => {
        $(pub(crate) extern "C" fn $name($(_: absent!(@ty $param)),*) $(-> absent!(@ty $default))? { $($default)? })*
    };
    (@ty $any:tt) => { u32 };
}

absent! {
    proxy_on_context_create(context, parent);
    proxy_on_vm_start(root, size) -> 1;
    proxy_on_configure(root, size) -> 1;
    proxy_on_request_headers(context, count, end) -> 0;
    proxy_on_request_body(context, size, end) -> 0;
    proxy_on_request_trailers(context, count) -> 0;
    proxy_on_response_headers(context, count, end) -> 0;
    proxy_on_response_body(context, size, end) -> 0;
    proxy_on_response_trailers(context, count) -> 0;
    proxy_on_done(context) -> 1;
    proxy_on_log(context);
    proxy_on_delete(context);
    proxy_on_tick(root);
    proxy_on_queue_ready(root, token);
    proxy_on_http_call_response(root, token, headers, body_size, trailers);
    proxy_on_grpc_receive_initial_metadata(root, token, count);
    proxy_on_grpc_receive(root, token, size);
    proxy_on_grpc_receive_trailing_metadata(root, token, count);
    proxy_on_grpc_close(root, token, status);
    proxy_on_foreign_function(root, function, size);
}
