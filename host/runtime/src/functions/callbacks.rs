//! What plugins may be called for.

use super::Support::{Differs, Works};
use super::{Area, Function, absent, differs, works};

const TCP: &str = "not yet: only HTTP";
const METADATA: &str = "HTTP/2 METADATA frames are not passed on";
const ROOT_ONCE: &str = "before requests are taken, in every worker; a refusal stops the start, with the plugin's own \
                         log lines. There is no extra start to try it";

/// Every callback, by area.
pub const CALLBACKS: &[Area] = &[
    Area {
        title: "Life cycle",
        functions: &[
            Function {
                name: "proxy_on_context_create",
                legacy: Works,
                wit: &["lifecycle.start"],
                component: Differs("a stream context begins with its first callback"),
            },
            differs("proxy_on_vm_start", &["lifecycle.start"], ROOT_ONCE),
            differs("proxy_on_configure", &["lifecycle.configure"], ROOT_ONCE),
            absent(
                "proxy_validate_configuration",
                "not in the specification, and no host calls it",
            ),
            Function {
                name: "proxy_on_done",
                legacy: Works,
                wit: &["lifecycle.on-done"],
                component: Differs("for root contexts; a stream cannot delay its end"),
            },
            Function {
                name: "proxy_on_log",
                legacy: Works,
                wit: &["http-filter.on-stream-end"],
                component: Works,
            },
            Function {
                name: "proxy_on_delete",
                legacy: Works,
                wit: &["lifecycle.on-delete", "http-filter.on-stream-end"],
                component: Works,
            },
        ],
    },
    Area {
        title: "HTTP streams",
        functions: &[
            works(
                "proxy_on_request_headers",
                &["http-filter.on-request-headers"],
            ),
            works("proxy_on_request_body", &["http-filter.on-request-body"]),
            works(
                "proxy_on_request_trailers",
                &["http-filter.on-request-trailers"],
            ),
            absent("proxy_on_request_metadata", METADATA),
            works(
                "proxy_on_response_headers",
                &["http-filter.on-response-headers"],
            ),
            works("proxy_on_response_body", &["http-filter.on-response-body"]),
            works(
                "proxy_on_response_trailers",
                &["http-filter.on-response-trailers"],
            ),
            absent("proxy_on_response_metadata", METADATA),
        ],
    },
    Area {
        title: "Timers, queues, callouts",
        functions: &[
            works("proxy_on_tick", &["timer-handler.on-tick"]),
            works("proxy_on_queue_ready", &["shared-queue-handler.on-ready"]),
            Function {
                name: "proxy_on_http_call_response",
                legacy: Works,
                wit: &["http-callout-handler.on-response"],
                component: Differs(
                    "an error code in place of the response 503 or 504 that stands in for an answer",
                ),
            },
            works(
                "proxy_on_grpc_receive_initial_metadata",
                &["grpc-callout-handler.on-initial-metadata"],
            ),
            works(
                "proxy_on_grpc_receive",
                &["grpc-callout-handler.on-message"],
            ),
            works(
                "proxy_on_grpc_receive_trailing_metadata",
                &["grpc-callout-handler.on-trailing-metadata"],
            ),
            works("proxy_on_grpc_close", &["grpc-callout-handler.on-close"]),
            differs(
                "proxy_on_foreign_function",
                &["foreign-function-handler.on-call"],
                "functions that an embedder registers can call the root context of their caller back; Envoy has none that \
                 does, and none of this host's own does",
            ),
        ],
    },
    Area {
        title: "TCP streams",
        functions: &[
            absent("proxy_on_new_connection", TCP),
            absent("proxy_on_downstream_data", TCP),
            absent("proxy_on_upstream_data", TCP),
            absent("proxy_on_downstream_connection_close", TCP),
            absent("proxy_on_upstream_connection_close", TCP),
        ],
    },
];

/// Callbacks of the ABI that the shim does not know, so that nobody calls them.
#[cfg(test)]
pub(super) const OUTSIDE: &[&str] = &[
    "proxy_validate_configuration",
    "proxy_on_request_metadata",
    "proxy_on_response_metadata",
    "proxy_on_new_connection",
    "proxy_on_downstream_data",
    "proxy_on_upstream_data",
    "proxy_on_downstream_connection_close",
    "proxy_on_upstream_connection_close",
];
