//! The callbacks a legacy module may export (ABI reference 1.4).

/// One callback that hosts call. All parameters are `i32`; the result, if any, too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Callback {
    /// The export's name.
    pub name: &'static str,
    /// The number of parameters in ABI 0.2.x. A module's own export may take fewer: what counts is its signature.
    pub params: u8,
    /// The number of parameters in ABI 0.1.0.
    pub params_0_1_0: u8,
    /// Whether there is a result.
    pub has_result: bool,
    /// The result that stands for a callback which the module does not export.
    pub default: i32,
}

const fn callback(name: &'static str, params: u8, has_result: bool) -> Callback {
    Callback {
        name,
        params,
        params_0_1_0: params,
        has_result,
        default: 0,
    }
}

const fn yes_by_default(name: &'static str, params: u8) -> Callback {
    Callback {
        name,
        params,
        params_0_1_0: params,
        has_result: true,
        default: 1,
    }
}

const fn headers(name: &'static str) -> Callback {
    Callback {
        name,
        params: 3,
        params_0_1_0: 2,
        has_result: true,
        default: 0,
    }
}

/// Every callback of HTTP plugins and root contexts. The shim and the linker speak of a callback by its index here.
pub const CALLBACKS: &[Callback] = &[
    callback("proxy_on_context_create", 2, false),
    yes_by_default("proxy_on_vm_start", 2),
    yes_by_default("proxy_on_configure", 2),
    headers("proxy_on_request_headers"),
    callback("proxy_on_request_body", 3, true),
    callback("proxy_on_request_trailers", 2, true),
    headers("proxy_on_response_headers"),
    callback("proxy_on_response_body", 3, true),
    callback("proxy_on_response_trailers", 2, true),
    yes_by_default("proxy_on_done", 1),
    callback("proxy_on_log", 1, false),
    callback("proxy_on_delete", 1, false),
    callback("proxy_on_tick", 1, false),
    callback("proxy_on_queue_ready", 2, false),
    callback("proxy_on_http_call_response", 5, false),
    callback("proxy_on_grpc_receive_initial_metadata", 3, false),
    callback("proxy_on_grpc_receive", 3, false),
    callback("proxy_on_grpc_receive_trailing_metadata", 3, false),
    callback("proxy_on_grpc_close", 3, false),
    callback("proxy_on_foreign_function", 3, false),
];

/// The index of a callback in [`CALLBACKS`].
pub fn callback_index(name: &str) -> Option<usize> {
    CALLBACKS.iter().position(|callback| callback.name == name)
}
