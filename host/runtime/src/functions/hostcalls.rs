//! What plugins may call.

use super::Support::{Differs, Works};
use super::{Area, absent, differs, legacy_only, works};

const HEADERS_STAY: &str = "also after the message was continued, and on the response path";
const HEADER_EDITS: &str =
    "a malformed name or value is refused (2); at most 256 KiB and 4096 entries (10)";
const RESUME: &str = "nothing happens if the plugin does not hold the message";

const CALLOUT: &str = "to the clusters that are configured, or with `callouts: {allow: any}` to every `host:port`; what \
                       is refused is explained in the log; the number of open calls and the size of answers are bounded";

/// Every host function, by area.
pub const HOSTCALLS: &[Area] = &[
    Area {
        title: "Integration",
        functions: &[
            works("proxy_log", &["wasi:logging/logging.log"]),
            works("proxy_get_log_level", &["log-level.current"]),
            works("proxy_get_status", &["grpc-callout-handler.on-close"]),
            works(
                "proxy_get_current_time_nanoseconds",
                &[
                    "wasi:clocks/system-clock.now",
                    "wasi:clocks/monotonic-clock.now",
                ],
            ),
            works(
                "proxy_set_tick_period_milliseconds",
                &["timer.set-tick-period"],
            ),
            works(
                "proxy_get_configuration",
                &["lifecycle.start", "lifecycle.configure"],
            ),
        ],
    },
    Area {
        title: "Contexts",
        functions: &[
            legacy_only(
                "proxy_set_effective_context",
                Works,
                "every function names its context",
            ),
            works("proxy_done", &["root-control.done"]),
        ],
    },
    Area {
        title: "Properties",
        functions: &[
            differs(
                "proxy_get_property",
                &["property.get", "property.get-of-root"],
                "see [properties.md](properties.md)",
            ),
            differs(
                "proxy_set_property",
                &["property.set"],
                "at most 128 in a stream, with 64 KiB (10)",
            ),
        ],
    },
    Area {
        title: "Headers and trailers",
        functions: &[
            differs(
                "proxy_get_header_map_value",
                &[
                    "http-headers.get",
                    "http-headers.get-all",
                    "http-start-line.get-method",
                    "http-start-line.get-scheme",
                    "http-start-line.get-authority",
                    "http-start-line.get-path-with-query",
                    "http-start-line.get-status",
                    "http-callout.response-status",
                ],
                HEADERS_STAY,
            ),
            differs(
                "proxy_add_header_map_value",
                &["http-headers.append"],
                HEADER_EDITS,
            ),
            differs(
                "proxy_replace_header_map_value",
                &[
                    "http-headers.set",
                    "http-start-line.set-method",
                    "http-start-line.set-scheme",
                    "http-start-line.set-authority",
                    "http-start-line.set-path-with-query",
                    "http-start-line.set-status",
                ],
                HEADER_EDITS,
            ),
            works("proxy_remove_header_map_value", &["http-headers.remove"]),
            differs(
                "proxy_get_header_map_pairs",
                &[
                    "http-headers.entries",
                    "flat-headers.entries",
                    "http-callout.response-headers",
                    "http-callout.response-trailers",
                    "grpc-callout-handler.on-initial-metadata",
                    "grpc-callout-handler.on-trailing-metadata",
                ],
                HEADERS_STAY,
            ),
            differs(
                "proxy_set_header_map_pairs",
                &["http-headers.set-entries", "flat-headers.set-entries"],
                HEADER_EDITS,
            ),
            works(
                "proxy_get_header_map_size",
                &["flat-headers.byte-size", "http-headers.count"],
            ),
        ],
    },
    Area {
        title: "Bodies and other buffers",
        functions: &[
            works(
                "proxy_get_buffer_status",
                &["http-body.size", "http-callout.response-body-size"],
            ),
            works(
                "proxy_get_buffer_bytes",
                &["http-body.read", "http-callout.response-body"],
            ),
            differs(
                "proxy_set_buffer_bytes",
                &["http-body.splice"],
                "`content-length` follows; a stream whose body would outgrow its limit ends (413, 500), and a component is told instead (`too-large`)",
            ),
        ],
    },
    Area {
        title: "Streams",
        functions: &[
            differs("proxy_continue_request", &["http-stream.resume"], RESUME),
            differs("proxy_continue_response", &["http-stream.resume"], RESUME),
            differs("proxy_continue_stream", &["http-stream.resume"], RESUME),
            works("proxy_close_stream", &["http-stream.reset"]),
            works(
                "proxy_clear_route_cache",
                &["http-stream.clear-route-cache"],
            ),
            works(
                "proxy_send_local_response",
                &["http-stream.send-local-response"],
            ),
        ],
    },
    Area {
        title: "HTTP callouts",
        functions: &[differs("proxy_http_call", &["http-callout.send"], CALLOUT)],
    },
    Area {
        title: "gRPC callouts",
        functions: &[
            differs("proxy_grpc_call", &["grpc-callout.call"], CALLOUT),
            differs("proxy_grpc_stream", &["grpc-callout.open"], CALLOUT),
            works("proxy_grpc_send", &["grpc-callout.send"]),
            works("proxy_grpc_cancel", &["grpc-callout.cancel"]),
            works("proxy_grpc_close", &["grpc-callout.close"]),
        ],
    },
    Area {
        title: "Shared data",
        functions: &[
            works("proxy_get_shared_data", &["shared-data.get"]),
            differs(
                "proxy_set_shared_data",
                &["shared-data.set"],
                "bounded: keys of 8 KiB, values of 1 MiB, 64 MiB for each `vm_id` (10)",
            ),
        ],
    },
    Area {
        title: "Shared queues",
        functions: &[
            differs(
                "proxy_register_shared_queue",
                &["shared-queue.queue.register", "shared-queue.queue.token"],
                "at most 1,024 for each `vm_id` (10)",
            ),
            works(
                "proxy_resolve_shared_queue",
                &["shared-queue.queue.resolve"],
            ),
            works(
                "proxy_dequeue_shared_queue",
                &["shared-queue.queue.dequeue"],
            ),
            differs(
                "proxy_enqueue_shared_queue",
                &["shared-queue.queue.enqueue"],
                "bounded: items of 1 MiB, 65,536 of them, 64 MiB for each `vm_id` (10)",
            ),
        ],
    },
    Area {
        title: "Metrics",
        functions: &[
            differs(
                "proxy_define_metric",
                &[
                    "metrics.counter.define",
                    "metrics.gauge.define",
                    "metrics.histogram.define",
                ],
                "a module that defines a name again gets the same number; names have 1 to 1,024 bytes (2); at most 10,000 \
                 series (10)",
            ),
            differs(
                "proxy_increment_metric",
                &[
                    "metrics.counter.add",
                    "metrics.gauge.add",
                    "metrics.gauge.subtract",
                ],
                "a gauge stops at 0 and at the largest number",
            ),
            works(
                "proxy_record_metric",
                &["metrics.gauge.set", "metrics.histogram.observe"],
            ),
            works(
                "proxy_get_metric",
                &["metrics.counter.value", "metrics.gauge.value"],
            ),
        ],
    },
    Area {
        title: "Foreign functions",
        functions: &[differs(
            "proxy_call_foreign_function",
            &["foreign-function.call"],
            "`compress` (of at most 16 MiB), `uncompress` (to at most 16 MiB), `clear_route_cache` and `declare_property` \
             (without the span of a connection), and what an embedder registers; Envoy's others are unsupported (12)",
        )],
    },
    Area {
        title: "For toolchains, and Envoy's own",
        functions: &[
            legacy_only(
                "emscripten_notify_memory_growth",
                Works,
                "nothing to do with the host",
            ),
            legacy_only("pthread_equal", Works, "nothing to do with the host"),
            legacy_only(
                "abort",
                Differs("logs and traps; Envoy lacks it, and does not load modules that import it"),
                "nothing to do with the host",
            ),
            legacy_only(
                "seed",
                Differs(
                    "a random number; Envoy lacks it, and does not load modules that import it",
                ),
                "nothing to do with the host",
            ),
            legacy_only(
                "getentropy",
                Differs(
                    "at most 256 random bytes; Envoy lacks it, and does not load modules that import it",
                ),
                "nothing to do with the host",
            ),
            absent(
                "envoy_resolve_dns",
                "Envoy's own: a call answers Unimplemented (12)",
            ),
        ],
    },
];

/// What this host offers although no version of the ABI has it, or refuses although Envoy has it. Checked against the
/// list of the ABI's functions by a test.
#[cfg(test)]
pub(super) const OUTSIDE: &[&str] = &["envoy_resolve_dns"];
