//! The functions that a host offers in the import module `env` (ABI reference 1.5).

use crate::AbiVersion;
use crate::signature::{Signature, ValueType};

use ValueType::{F64, I32, I64};

/// One function that a legacy module may import from `env`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hostcall {
    /// The import's name.
    pub name: &'static str,
    /// Its signature. The same in every version that has it.
    pub signature: Signature,
    /// The versions whose text has it. Modules import functions of other versions too, and are offered all of them.
    pub versions: &'static [AbiVersion],
}

impl Hostcall {
    /// Whether the text of a version has this function.
    pub fn is_in(&self, version: AbiVersion) -> bool {
        self.versions.contains(&version)
    }
}

const ALL: &[AbiVersion] = AbiVersion::ALL;
const V0_1: &[AbiVersion] = &[AbiVersion::V0_1_0];
const V0_2: &[AbiVersion] = &[AbiVersion::V0_2_0, AbiVersion::V0_2_1];
const V0_2_1: &[AbiVersion] = &[AbiVersion::V0_2_1];

/// Shorthand for functions whose parameters are all `i32` and whose result is a status.
const fn call(name: &'static str, params: usize, versions: &'static [AbiVersion]) -> Hostcall {
    const WORDS: [ValueType; 12] = [I32; 12];
    let (params, _) = WORDS.as_slice().split_at(params);
    Hostcall {
        name,
        signature: Signature {
            params,
            result: Some(I32),
        },
        versions,
    }
}

const fn odd(
    name: &'static str,
    params: &'static [ValueType],
    result: Option<ValueType>,
) -> Hostcall {
    Hostcall {
        name,
        signature: Signature { params, result },
        versions: ALL,
    }
}

/// The module name under which hostcalls are imported.
pub const MODULE: &str = "env";

/// Every hostcall of the three versions, and what toolchains import from `env` beside them. The shim exports each as
/// `env.<name>`.
pub const HOSTCALLS: &[Hostcall] = &[
    // Integration (4.2)
    call("proxy_log", 3, ALL),
    call("proxy_get_log_level", 1, V0_2_1),
    call("proxy_get_status", 3, ALL),
    call("proxy_get_current_time_nanoseconds", 1, ALL),
    call("proxy_set_tick_period_milliseconds", 1, ALL),
    call("proxy_get_configuration", 2, V0_1),
    // Contexts and shutdown (4.3)
    call("proxy_set_effective_context", 1, ALL),
    call("proxy_done", 0, ALL),
    // Properties (4.4)
    call("proxy_get_property", 4, ALL),
    call("proxy_set_property", 4, ALL),
    // Header maps (4.5)
    call("proxy_get_header_map_value", 5, ALL),
    call("proxy_add_header_map_value", 5, ALL),
    call("proxy_replace_header_map_value", 5, ALL),
    call("proxy_remove_header_map_value", 3, ALL),
    call("proxy_get_header_map_pairs", 3, ALL),
    call("proxy_set_header_map_pairs", 3, ALL),
    call("proxy_get_header_map_size", 2, ALL),
    // Buffers (4.6)
    call("proxy_get_buffer_status", 3, ALL),
    call("proxy_get_buffer_bytes", 5, ALL),
    call("proxy_set_buffer_bytes", 5, ALL),
    // Stream control (4.7)
    call("proxy_continue_request", 0, V0_1),
    call("proxy_continue_response", 0, V0_1),
    call("proxy_clear_route_cache", 0, V0_1),
    call("proxy_continue_stream", 1, V0_2),
    call("proxy_close_stream", 1, V0_2),
    // Local responses (4.8)
    call("proxy_send_local_response", 8, ALL),
    // HTTP callouts (4.9)
    call("proxy_http_call", 10, ALL),
    // Shared data (4.10)
    call("proxy_get_shared_data", 5, ALL),
    call("proxy_set_shared_data", 5, ALL),
    // Shared queues (4.11)
    call("proxy_register_shared_queue", 3, ALL),
    call("proxy_resolve_shared_queue", 5, ALL),
    call("proxy_dequeue_shared_queue", 3, ALL),
    call("proxy_enqueue_shared_queue", 3, ALL),
    // Foreign functions (4.12)
    call("proxy_call_foreign_function", 6, ALL),
    // Metrics (9.1)
    call("proxy_define_metric", 4, ALL),
    Hostcall {
        name: "proxy_increment_metric",
        signature: Signature {
            params: &[I32, I64],
            result: Some(I32),
        },
        versions: ALL,
    },
    Hostcall {
        name: "proxy_record_metric",
        signature: Signature {
            params: &[I32, I64],
            result: Some(I32),
        },
        versions: ALL,
    },
    call("proxy_get_metric", 2, ALL),
    // gRPC callouts (11.2)
    call("proxy_grpc_call", 12, ALL),
    call("proxy_grpc_stream", 9, ALL),
    call("proxy_grpc_send", 4, ALL),
    call("proxy_grpc_cancel", 1, ALL),
    call("proxy_grpc_close", 1, ALL),
    // Toolchains (1.5)
    odd("emscripten_notify_memory_growth", &[I32], None),
    odd("pthread_equal", &[I32, I32], Some(I32)),
    odd("abort", &[I32, I32, I32, I32], None),
    odd("seed", &[], Some(F64)),
    odd("getentropy", &[I32, I32], Some(I32)),
];

/// Finds a hostcall by its import name.
pub fn hostcall(name: &str) -> Option<&'static Hostcall> {
    HOSTCALLS.iter().find(|hostcall| hostcall.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn count(version: AbiVersion) -> usize {
        let proxy = HOSTCALLS
            .iter()
            .filter(|hostcall| hostcall.name.starts_with("proxy_"));
        proxy.filter(|hostcall| hostcall.is_in(version)).count()
    }

    #[test]
    fn versions_have_the_functions_their_text_has() {
        let common = HOSTCALLS
            .iter()
            .filter(|hostcall| hostcall.name.starts_with("proxy_") && hostcall.versions == ALL);
        assert_eq!(common.count(), 36);
        assert_eq!(count(AbiVersion::V0_1_0), 36 + 4);
        assert_eq!(count(AbiVersion::V0_2_0), 36 + 2);
        assert_eq!(count(AbiVersion::V0_2_1), 36 + 3);
    }

    #[test]
    fn names_are_unique_and_found() {
        let names: HashSet<_> = HOSTCALLS.iter().map(|hostcall| hostcall.name).collect();
        assert_eq!(names.len(), HOSTCALLS.len());
        assert_eq!(
            hostcall("proxy_http_call").map(|hostcall| hostcall.signature.params.len()),
            Some(10)
        );
        assert_eq!(
            hostcall("proxy_grpc_call").map(|hostcall| hostcall.signature.params.len()),
            Some(12)
        );
        assert_eq!(hostcall("proxy_httpcall"), None);
    }
}
