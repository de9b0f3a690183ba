//! The functions of WASI preview 1, which legacy modules import as `wasi_snapshot_preview1` or `wasi_unstable`
//! (ABI reference 8.1).

use crate::signature::{Signature, ValueType};

use ValueType::{I32, I64};

/// The module names under which WASI functions are imported; both carry the same functions.
pub const MODULES: &[&str] = &["wasi_snapshot_preview1", "wasi_unstable"];

/// One function of WASI preview 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WasiFunction {
    /// The import's name.
    pub name: &'static str,
    /// Its standard signature.
    pub signature: Signature,
}

const fn function(name: &'static str, params: &'static [ValueType]) -> WasiFunction {
    WasiFunction {
        name,
        signature: Signature {
            params,
            result: Some(I32),
        },
    }
}

/// All 46 functions. The shim exports each as `wasi.<name>`, except `proc_exit`, which the linker makes.
pub const WASI: &[WasiFunction] = &[
    function("args_get", &[I32, I32]),
    function("args_sizes_get", &[I32, I32]),
    function("clock_res_get", &[I32, I32]),
    function("clock_time_get", &[I32, I64, I32]),
    function("environ_get", &[I32, I32]),
    function("environ_sizes_get", &[I32, I32]),
    function("fd_advise", &[I32, I64, I64, I32]),
    function("fd_allocate", &[I32, I64, I64]),
    function("fd_close", &[I32]),
    function("fd_datasync", &[I32]),
    function("fd_fdstat_get", &[I32, I32]),
    function("fd_fdstat_set_flags", &[I32, I32]),
    function("fd_fdstat_set_rights", &[I32, I64, I64]),
    function("fd_filestat_get", &[I32, I32]),
    function("fd_filestat_set_size", &[I32, I64]),
    function("fd_filestat_set_times", &[I32, I64, I64, I32]),
    function("fd_pread", &[I32, I32, I32, I64, I32]),
    function("fd_prestat_dir_name", &[I32, I32, I32]),
    function("fd_prestat_get", &[I32, I32]),
    function("fd_pwrite", &[I32, I32, I32, I64, I32]),
    function("fd_read", &[I32, I32, I32, I32]),
    function("fd_readdir", &[I32, I32, I32, I64, I32]),
    function("fd_renumber", &[I32, I32]),
    function("fd_seek", &[I32, I64, I32, I32]),
    function("fd_sync", &[I32]),
    function("fd_tell", &[I32, I32]),
    function("fd_write", &[I32, I32, I32, I32]),
    function("path_create_directory", &[I32, I32, I32]),
    function("path_filestat_get", &[I32, I32, I32, I32, I32]),
    function(
        "path_filestat_set_times",
        &[I32, I32, I32, I32, I64, I64, I32],
    ),
    function("path_link", &[I32, I32, I32, I32, I32, I32, I32]),
    function("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32]),
    function("path_readlink", &[I32, I32, I32, I32, I32, I32]),
    function("path_remove_directory", &[I32, I32, I32]),
    function("path_rename", &[I32, I32, I32, I32, I32, I32]),
    function("path_symlink", &[I32, I32, I32, I32, I32]),
    function("path_unlink_file", &[I32, I32, I32]),
    function("poll_oneoff", &[I32, I32, I32, I32]),
    WasiFunction {
        name: "proc_exit",
        signature: Signature {
            params: &[I32],
            result: None,
        },
    },
    function("proc_raise", &[I32]),
    function("random_get", &[I32, I32]),
    function("sched_yield", &[]),
    function("sock_accept", &[I32, I32, I32]),
    function("sock_recv", &[I32, I32, I32, I32, I32, I32]),
    function("sock_send", &[I32, I32, I32, I32, I32]),
    function("sock_shutdown", &[I32, I32]),
];

/// Finds a WASI function by its import name.
pub fn wasi_function(name: &str) -> Option<&'static WasiFunction> {
    WASI.iter().find(|function| function.name == name)
}

/// The error numbers of WASI preview 1 that the shim answers with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum Errno {
    /// No error.
    Success = 0,
    /// Not an open file.
    Badf = 8,
    /// A pointer outside the memory.
    Fault = 21,
    /// An argument out of its range.
    Inval = 28,
    /// No such file.
    Noent = 44,
    /// No such function.
    Nosys = 52,
    /// Not a directory.
    Notdir = 54,
    /// Not supported.
    Notsup = 58,
}

impl From<Errno> for u32 {
    #[inline]
    fn from(errno: Errno) -> u32 {
        errno as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_sorted() {
        assert_eq!(WASI.len(), 46);
        assert!(WASI.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(wasi_function("fd_write").is_some());
        assert!(wasi_function("fd_writev").is_none());
    }
}
