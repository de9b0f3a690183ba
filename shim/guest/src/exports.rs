//! Everything that legacy modules import, one line for each function: its name, its parameters as the ABI has them,
//! and what answers. The tables of `proxy-wasi-abi` say the same; a test of `proxy-wasi-shim-artifact` compares.
#![cfg_attr(
    target_arch = "wasm32",
    expect(
        unsafe_code,
        reason = "these export names are the ABI's, and nothing else has them"
    )
)]

use std::cell::RefCell;

use proxy_wasi_abi::LogLevel;
use proxy_wasi_abi::wasi::Errno;

use crate::bindings::proxy_wasm::plugin::plugin_types::Direction;
use crate::bridge;
use crate::hostcalls::{
    Answer, buffer, clock, context, foreign_function, grpc_callout, header_map, http_callout,
    integration, local_response, metric, property, shared_data, shared_queue, stream, timer,
    toolchain, wasi,
};
use crate::log;
use crate::memory::{Input, Output};

/// Exports functions. Parameters are `u32` unless something else is said.
macro_rules! exports {
    ($($export:literal ($($param:ident $(: $type:ty)?),*) $(-> $result:ty)? => $body:expr;)*) => {$(
        const _: () = {
            // Only here: a native library could not have such names.
            #[cfg_attr(target_arch = "wasm32", unsafe(export_name = $export))]
            extern "C" fn export($($param: exports!(@type $($type)?)),*) $(-> $result)? {
                #[cfg(not(feature = "trace"))]
                {
                    $body
                }
                #[cfg(feature = "trace")]
                crate::trace::traced(
                    $export,
                    &[$(crate::trace::Value::number($param)),*],
                    || $body,
                )
            }
            // Natively nothing else mentions it.
            let _ = export as extern "C" fn($(exports!(@type $($type)?)),*) $(-> $result)?;
        };
    )*};
    (@type) => { u32 };
    (@type $type:ty) => { $type };
}

#[inline]
fn status(answer: Answer) -> u32 {
    match answer {
        Ok(()) => 0,
        Err(status) => status.into(),
    }
}

#[inline]
fn errno(answer: wasi::Answer) -> u32 {
    match answer {
        Ok(()) => 0,
        Err(errno) => errno.into(),
    }
}

// Integration
exports! {
    "env.proxy_log" (level, text, len) -> u32 => status(integration::log(level, Input(text, len)));
    "env.proxy_get_log_level" (result) -> u32 => status(integration::get_log_level(result));
    "env.proxy_get_status" (code, text, len) -> u32 => status(integration::get_status(code, Output(text, len)));
    "env.proxy_get_current_time_nanoseconds" (result) -> u32 => status(clock::get_current_time(result));
    "env.proxy_set_tick_period_milliseconds" (period) -> u32 => status(timer::set_tick_period(period));
    "env.proxy_get_configuration" (result, len) -> u32 => status(buffer::get_configuration(Output(result, len)));
}

// Contexts and shutdown
exports! {
    "env.proxy_set_effective_context" (id) -> u32 => status(context::set_effective(id));
    "env.proxy_done" () -> u32 => status(context::done());
}

// Properties
exports! {
    "env.proxy_get_property" (path, path_len, result, len) -> u32 =>
        status(property::get(Input(path, path_len), Output(result, len)));
    "env.proxy_set_property" (path, path_len, value, value_len) -> u32 =>
        status(property::set(Input(path, path_len), Input(value, value_len)));
}

// Header maps
exports! {
    "env.proxy_get_header_map_value" (map, name, name_len, result, len) -> u32 =>
        status(header_map::get_value(map, Input(name, name_len), Output(result, len)));
    "env.proxy_add_header_map_value" (map, name, name_len, value, value_len) -> u32 =>
        status(header_map::add(map, Input(name, name_len), Input(value, value_len)));
    "env.proxy_replace_header_map_value" (map, name, name_len, value, value_len) -> u32 =>
        status(header_map::replace(map, Input(name, name_len), Input(value, value_len)));
    "env.proxy_remove_header_map_value" (map, name, name_len) -> u32 =>
        status(header_map::remove(map, Input(name, name_len)));
    "env.proxy_get_header_map_pairs" (map, result, len) -> u32 =>
        status(header_map::get_pairs(map, Output(result, len)));
    "env.proxy_set_header_map_pairs" (map, pairs, pairs_len) -> u32 =>
        status(header_map::set_pairs(map, Input(pairs, pairs_len)));
    "env.proxy_get_header_map_size" (map, result) -> u32 => status(header_map::get_size(map, result));
}

// Buffers
exports! {
    "env.proxy_get_buffer_status" (buffer, size, flags) -> u32 => status(buffer::get_status(buffer, size, flags));
    "env.proxy_get_buffer_bytes" (buffer, start, max, result, len) -> u32 =>
        status(buffer::get_bytes(buffer, start, max, Output(result, len)));
    "env.proxy_set_buffer_bytes" (buffer, start, count, data, data_len) -> u32 =>
        status(buffer::set_bytes(buffer, start, count, Input(data, data_len)));
}

// Stream control
exports! {
    "env.proxy_continue_request" () -> u32 => status(stream::resume(Direction::Request));
    "env.proxy_continue_response" () -> u32 => status(stream::resume(Direction::Response));
    "env.proxy_clear_route_cache" () -> u32 => status(stream::clear_route_cache());
    "env.proxy_continue_stream" (stream) -> u32 => status(stream::continue_stream(stream));
    "env.proxy_close_stream" (stream) -> u32 => status(stream::close_stream(stream));
}

// Local responses
exports! {
    "env.proxy_send_local_response"
        (code, details, details_len, body, body_len, headers, headers_len, grpc_status) -> u32 =>
        status(local_response::send(
            code,
            Input(details, details_len),
            Input(body, body_len),
            Input(headers, headers_len),
            grpc_status,
        ));
}

// Callouts
exports! {
    "env.proxy_http_call"
        (cluster, cluster_len, headers, headers_len, body, body_len, trailers, trailers_len, timeout, token) -> u32 =>
        status(http_callout::call(
            [
                Input(cluster, cluster_len),
                Input(headers, headers_len),
                Input(body, body_len),
                Input(trailers, trailers_len),
            ],
            timeout,
            token,
        ));
    "env.proxy_grpc_call"
        (cluster, cluster_len, service, service_len, method, method_len, metadata, metadata_len, message, message_len,
            timeout, token) -> u32 =>
        status(grpc_callout::call(
            [Input(cluster, cluster_len), Input(service, service_len), Input(method, method_len)],
            Input(metadata, metadata_len),
            Input(message, message_len),
            timeout,
            token,
        ));
    "env.proxy_grpc_stream"
        (cluster, cluster_len, service, service_len, method, method_len, metadata, metadata_len, token) -> u32 =>
        status(grpc_callout::stream(
            [Input(cluster, cluster_len), Input(service, service_len), Input(method, method_len)],
            Input(metadata, metadata_len),
            token,
        ));
    "env.proxy_grpc_send" (token, message, message_len, end_of_stream) -> u32 =>
        status(grpc_callout::send(token, Input(message, message_len), end_of_stream));
    "env.proxy_grpc_cancel" (token) -> u32 => status(grpc_callout::cancel(token));
    "env.proxy_grpc_close" (token) -> u32 => status(grpc_callout::close(token));
}

// Shared data and queues
exports! {
    "env.proxy_get_shared_data" (key, key_len, result, len, cas) -> u32 =>
        status(shared_data::get(Input(key, key_len), Output(result, len), cas));
    "env.proxy_set_shared_data" (key, key_len, value, value_len, cas) -> u32 =>
        status(shared_data::set(Input(key, key_len), Input(value, value_len), cas));
    "env.proxy_register_shared_queue" (name, name_len, token) -> u32 =>
        status(shared_queue::register(Input(name, name_len), token));
    "env.proxy_resolve_shared_queue" (vm_id, vm_id_len, name, name_len, token) -> u32 =>
        status(shared_queue::resolve(Input(vm_id, vm_id_len), Input(name, name_len), token));
    "env.proxy_dequeue_shared_queue" (token, result, len) -> u32 =>
        status(shared_queue::dequeue(token, Output(result, len)));
    "env.proxy_enqueue_shared_queue" (token, item, item_len) -> u32 =>
        status(shared_queue::enqueue(token, Input(item, item_len)));
}

// Foreign functions
exports! {
    "env.proxy_call_foreign_function" (name, name_len, arguments, arguments_len, result, len) -> u32 =>
        status(foreign_function::call(Input(name, name_len), Input(arguments, arguments_len), Output(result, len)));
}

// Metrics
exports! {
    "env.proxy_define_metric" (kind, name, name_len, id) -> u32 =>
        status(metric::define(kind, Input(name, name_len), id));
    "env.proxy_increment_metric" (id, delta: i64) -> u32 => status(metric::increment(id, delta));
    "env.proxy_record_metric" (id, value: u64) -> u32 => status(metric::record(id, value));
    "env.proxy_get_metric" (id, result) -> u32 => status(metric::get(id, result));
}

// Toolchains
exports! {
    "env.emscripten_notify_memory_growth" (_memory) => ();
    "env.pthread_equal" (one, other) -> u32 => toolchain::pthread_equal(one, other);
    "env.abort" (message, file, line, column) => toolchain::abort(message, file, line, column);
    "env.seed" () -> f64 => toolchain::seed();
    "env.getentropy" (at, len) -> u32 => toolchain::getentropy(at, len);
}

// WASI: output, clocks, randomness, environment
exports! {
    "wasi.fd_write" (fd, pieces, count, written) -> u32 => errno(wasi::fd_write(fd, pieces, count, written));
    "wasi.fd_pwrite" (fd, pieces, count, _offset: u64, written) -> u32 =>
        errno(wasi::fd_write(fd, pieces, count, written));
    "wasi.clock_res_get" (clock, result) -> u32 => errno(wasi::clock_res_get(clock, result));
    "wasi.clock_time_get" (clock, _precision: u64, result) -> u32 => errno(wasi::clock_time_get(clock, result));
    "wasi.random_get" (at, len) -> u32 => errno(wasi::random_get(at, len));
    "wasi.sched_yield" () -> u32 => 0;
    "wasi.poll_oneoff" (subscriptions, events, count, written) -> u32 =>
        errno(wasi::poll_oneoff(subscriptions, events, count, written));
    "wasi.args_get" (_strings, _bytes) -> u32 => 0;
    "wasi.args_sizes_get" (count, size) -> u32 => errno(wasi::no_strings(count, size));
    "wasi.environ_get" (strings, bytes) -> u32 => errno(wasi::environ_get(strings, bytes));
    "wasi.environ_sizes_get" (count, size) -> u32 => errno(wasi::environ_sizes_get(count, size));
}

// WASI: descriptors, of which only standard output and error are open
exports! {
    "wasi.fd_advise" (_fd, _offset: u64, _len: u64, _advice) -> u32 => 0;
    "wasi.fd_allocate" (fd, _offset: u64, _len: u64) -> u32 => errno(wasi::on_stdio(fd));
    "wasi.fd_close" (_fd) -> u32 => 0;
    "wasi.fd_datasync" (fd) -> u32 => errno(wasi::on_stdio(fd));
    "wasi.fd_fdstat_get" (fd, result) -> u32 => errno(wasi::fd_fdstat_get(fd, result));
    "wasi.fd_fdstat_set_flags" (_fd, _flags) -> u32 => Errno::Nosys.into();
    "wasi.fd_fdstat_set_rights" (fd, _base: u64, _inheriting: u64) -> u32 => errno(wasi::on_stdio(fd));
    "wasi.fd_filestat_get" (_fd, _result) -> u32 => Errno::Badf.into();
    "wasi.fd_filestat_set_size" (fd, _size: u64) -> u32 => errno(wasi::on_stdio(fd));
    "wasi.fd_filestat_set_times" (fd, _accessed: u64, _modified: u64, _flags) -> u32 => errno(wasi::on_stdio(fd));
    "wasi.fd_pread" (_fd, _pieces, _count, _offset: u64, _read) -> u32 => Errno::Nosys.into();
    "wasi.fd_prestat_dir_name" (_fd, _path, _len) -> u32 => Errno::Nosys.into();
    "wasi.fd_prestat_get" (_fd, _result) -> u32 => Errno::Badf.into();
    "wasi.fd_read" (_fd, _pieces, _count, _read) -> u32 => Errno::Nosys.into();
    "wasi.fd_readdir" (_fd, _buffer, _len, _cookie: u64, used) -> u32 => errno(wasi::none_done(used, Errno::Notdir));
    "wasi.fd_renumber" (from, to) -> u32 => errno(wasi::fd_renumber(from, to));
    "wasi.fd_seek" (_fd, _offset: u64, _whence, _result) -> u32 => 0;
    "wasi.fd_sync" (fd) -> u32 => errno(wasi::on_stdio(fd));
    "wasi.fd_tell" (fd, offset) -> u32 => errno(wasi::fd_tell(fd, offset));
}

// WASI: paths, sockets and signals, of which there are none
exports! {
    "wasi.path_create_directory" (_fd, _path, _len) -> u32 => Errno::Notsup.into();
    "wasi.path_filestat_get" (_fd, _flags, _path, _len, _result) -> u32 => Errno::Notsup.into();
    "wasi.path_filestat_set_times" (_fd, _flags, _path, _len, _accessed: u64, _modified: u64, _times) -> u32 =>
        Errno::Notsup.into();
    "wasi.path_link" (_old_fd, _flags, _old, _old_len, _new_fd, _new, _new_len) -> u32 => Errno::Notsup.into();
    "wasi.path_open" (_fd, _flags, _path, _len, _open, _base: u64, _inheriting: u64, _fd_flags, _result) -> u32 =>
        Errno::Noent.into();
    "wasi.path_readlink" (_fd, _path, _len, _buffer, _buffer_len, used) -> u32 =>
        errno(wasi::none_done(used, Errno::Notsup));
    "wasi.path_remove_directory" (_fd, _path, _len) -> u32 => Errno::Notsup.into();
    "wasi.path_rename" (_fd, _old, _old_len, _new_fd, _new, _new_len) -> u32 => Errno::Notsup.into();
    "wasi.path_symlink" (_old, _old_len, _fd, _new, _new_len) -> u32 => Errno::Notsup.into();
    "wasi.path_unlink_file" (_fd, _path, _len) -> u32 => Errno::Notsup.into();
    "wasi.proc_raise" (_signal) -> u32 => Errno::Notsup.into();
    "wasi.sock_accept" (_fd, _flags, result) -> u32 => errno(wasi::none_done(result, Errno::Notsup));
    "wasi.sock_recv" (_fd, _pieces, _count, _flags, received, _received_flags) -> u32 =>
        errno(wasi::none_done(received, Errno::Notsup));
    "wasi.sock_send" (_fd, _pieces, _count, _flags, sent) -> u32 => errno(wasi::none_done(sent, Errno::Notsup));
    "wasi.sock_shutdown" (_fd, _how) -> u32 => Errno::Notsup.into();
}

thread_local! {
    /// The stubs that were reported, by the place of their names.
    static REPORTED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

// For what nobody implements, which the linker made a stub
exports! {
    "proxy-wasi:report-stub" (offset, len) => report_stub(offset, len);
}

fn report_stub(offset: u32, len: u32) {
    let first = REPORTED.with_borrow_mut(|reported| {
        let first = !reported.contains(&offset);
        if first {
            reported.push(offset);
        }
        first
    });
    if first {
        let name = bridge::stub_name(offset, len);
        log::shim(
            LogLevel::Warn,
            &[
                "`",
                &log::text(&name),
                "` is not implemented, and was called",
            ]
            .concat(),
        );
    }
}
