//! What the Proxy-Wasm ABI asks of a host, rule by rule: real proxies, plugins that make the calls of a script.
//!
//! A module for each part of the ABI, a test for each rule; `README.md` says how they are written. What both kinds of
//! plugin can express is tested with both.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong in a test fails it, and says so"
)]

mod harness;

mod deviations;
mod limits;
mod s10_properties;
mod s11_2_grpc_callouts;
mod s1_5_imports;
mod s1_module;
mod s3_wire_formats;
mod s4_10_shared_data;
mod s4_11_shared_queues;
mod s4_12_foreign_functions;
mod s4_1_memory;
mod s4_1_rules;
mod s4_2_integration;
mod s4_3_contexts;
mod s4_4_properties;
mod s4_5_header_maps;
mod s4_6_buffers;
mod s4_7_stream_control;
mod s4_8_local_responses;
mod s4_9_http_call;
mod s5_life_cycle;
mod s6_1_callbacks;
mod s6_2_actions;
mod s6_4_local_responses;
mod s6_5_call_responses;
mod s6_5_lost_calls;
mod s6_6_timers;
mod s7_4_routes;
mod s7_phases;
mod s8_wasi;
mod s9_1_metrics;
