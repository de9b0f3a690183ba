//! Every function that a module may import, by name.

use std::cell::Cell;

/// What came of a call.
pub(crate) enum Called {
    /// The function's result, or 0.
    Answered(u32),
    /// There is no such function.
    Unknown,
    /// It takes this many parameters.
    Arity(usize),
}

/// Parameters, to be taken one by one.
struct Params<'a>(Cell<&'a [i64]>);

impl<'a> Params<'a> {
    fn new(params: &'a [i64]) -> Self {
        Self(Cell::new(params))
    }

    fn next(&self) -> i64 {
        let Some((first, rest)) = self.0.get().split_first() else {
            return 0;
        };
        self.0.set(rest);
        *first
    }
}

macro_rules! functions {
    ($($module:literal $prefix:literal { $($name:ident($($ty:ident)*) $(-> $result:ident)?;)* })*) => {
        mod imports {
            $(
                #[link(wasm_import_module = $module)]
                unsafe extern "C" {
                    $(pub(super) fn $name($(_: $ty),*) $(-> $result)?;)*
                }
            )*
        }

        /// Calls a function with parameters as they are.
        pub(crate) fn call(name: &str, params: &[i64]) -> Called {
            $($(
                if name.strip_prefix($prefix) == Some(stringify!($name).trim_start_matches("proxy_")) {
                    let arity = <[&str]>::len(&[$(stringify!($ty)),*]);
                    if params.len() != arity {
                        return Called::Arity(arity);
                    }
                    let params = Params::new(params);
                    // SAFETY: the host checks what it is given; that is what is tested.
                    let result = unsafe {
                        imports::$name($(params.next() as $ty),*)
                    };
                    debug_assert!(params.0.get().is_empty(), "the arity was checked");
                    return functions!(@ result $($result)?);
                }
            )*)*
            Called::Unknown
        }
    };
    (@ $value:ident $result:ident) => { Called::Answered($value as u32) };
    (@ $value:ident) => {{ let () = $value; Called::Answered(0) }};
}

functions! {
    "env" "" {
        proxy_log(u32 u32 u32) -> u32;
        proxy_get_log_level(u32) -> u32;
        proxy_get_status(u32 u32 u32) -> u32;
        proxy_get_current_time_nanoseconds(u32) -> u32;
        proxy_set_tick_period_milliseconds(u32) -> u32;
        proxy_get_configuration(u32 u32) -> u32;
        proxy_set_effective_context(u32) -> u32;
        proxy_done() -> u32;
        proxy_get_property(u32 u32 u32 u32) -> u32;
        proxy_set_property(u32 u32 u32 u32) -> u32;
        proxy_get_header_map_value(u32 u32 u32 u32 u32) -> u32;
        proxy_add_header_map_value(u32 u32 u32 u32 u32) -> u32;
        proxy_replace_header_map_value(u32 u32 u32 u32 u32) -> u32;
        proxy_remove_header_map_value(u32 u32 u32) -> u32;
        proxy_get_header_map_pairs(u32 u32 u32) -> u32;
        proxy_set_header_map_pairs(u32 u32 u32) -> u32;
        proxy_get_header_map_size(u32 u32) -> u32;
        proxy_get_buffer_status(u32 u32 u32) -> u32;
        proxy_get_buffer_bytes(u32 u32 u32 u32 u32) -> u32;
        proxy_set_buffer_bytes(u32 u32 u32 u32 u32) -> u32;
        proxy_continue_request() -> u32;
        proxy_continue_response() -> u32;
        proxy_clear_route_cache() -> u32;
        proxy_continue_stream(u32) -> u32;
        proxy_close_stream(u32) -> u32;
        proxy_send_local_response(u32 u32 u32 u32 u32 u32 u32 u32) -> u32;
        proxy_http_call(u32 u32 u32 u32 u32 u32 u32 u32 u32 u32) -> u32;
        proxy_get_shared_data(u32 u32 u32 u32 u32) -> u32;
        proxy_set_shared_data(u32 u32 u32 u32 u32) -> u32;
        proxy_register_shared_queue(u32 u32 u32) -> u32;
        proxy_resolve_shared_queue(u32 u32 u32 u32 u32) -> u32;
        proxy_dequeue_shared_queue(u32 u32 u32) -> u32;
        proxy_enqueue_shared_queue(u32 u32 u32) -> u32;
        proxy_call_foreign_function(u32 u32 u32 u32 u32 u32) -> u32;
        proxy_define_metric(u32 u32 u32 u32) -> u32;
        proxy_increment_metric(u32 i64) -> u32;
        proxy_record_metric(u32 i64) -> u32;
        proxy_get_metric(u32 u32) -> u32;
        proxy_grpc_call(u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32 u32) -> u32;
        proxy_grpc_stream(u32 u32 u32 u32 u32 u32 u32 u32 u32) -> u32;
        proxy_grpc_send(u32 u32 u32 u32) -> u32;
        proxy_grpc_cancel(u32) -> u32;
        proxy_grpc_close(u32) -> u32;
        proxy_nobody_knows(u32) -> u32;
        emscripten_notify_memory_growth(u32);
        pthread_equal(u32 u32) -> u32;
    }
    "wasi_snapshot_preview1" "wasi." {
        args_get(u32 u32) -> u32;
        args_sizes_get(u32 u32) -> u32;
        clock_res_get(u32 u32) -> u32;
        clock_time_get(u32 i64 u32) -> u32;
        environ_get(u32 u32) -> u32;
        environ_sizes_get(u32 u32) -> u32;
        fd_advise(u32 i64 i64 u32) -> u32;
        fd_allocate(u32 i64 i64) -> u32;
        fd_close(u32) -> u32;
        fd_datasync(u32) -> u32;
        fd_fdstat_get(u32 u32) -> u32;
        fd_fdstat_set_flags(u32 u32) -> u32;
        fd_fdstat_set_rights(u32 i64 i64) -> u32;
        fd_filestat_get(u32 u32) -> u32;
        fd_filestat_set_size(u32 i64) -> u32;
        fd_filestat_set_times(u32 i64 i64 u32) -> u32;
        fd_pread(u32 u32 u32 i64 u32) -> u32;
        fd_prestat_dir_name(u32 u32 u32) -> u32;
        fd_prestat_get(u32 u32) -> u32;
        fd_pwrite(u32 u32 u32 i64 u32) -> u32;
        fd_read(u32 u32 u32 u32) -> u32;
        fd_readdir(u32 u32 u32 i64 u32) -> u32;
        fd_renumber(u32 u32) -> u32;
        fd_seek(u32 i64 u32 u32) -> u32;
        fd_sync(u32) -> u32;
        fd_tell(u32 u32) -> u32;
        fd_write(u32 u32 u32 u32) -> u32;
        path_create_directory(u32 u32 u32) -> u32;
        path_filestat_get(u32 u32 u32 u32 u32) -> u32;
        path_filestat_set_times(u32 u32 u32 u32 i64 i64 u32) -> u32;
        path_link(u32 u32 u32 u32 u32 u32 u32) -> u32;
        path_open(u32 u32 u32 u32 u32 i64 i64 u32 u32) -> u32;
        path_readlink(u32 u32 u32 u32 u32 u32) -> u32;
        path_remove_directory(u32 u32 u32) -> u32;
        path_rename(u32 u32 u32 u32 u32 u32) -> u32;
        path_symlink(u32 u32 u32 u32 u32) -> u32;
        path_unlink_file(u32 u32 u32) -> u32;
        poll_oneoff(u32 u32 u32 u32) -> u32;
        proc_exit(u32);
        proc_raise(u32) -> u32;
        random_get(u32 u32) -> u32;
        sched_yield() -> u32;
        sock_accept(u32 u32 u32) -> u32;
        sock_recv(u32 u32 u32 u32 u32 u32) -> u32;
        sock_send(u32 u32 u32 u32 u32) -> u32;
        sock_shutdown(u32 u32) -> u32;
        nobody_knows(u32) -> u32;
    }
}
