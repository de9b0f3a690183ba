//! The stream machine seen from outside: what a driver and filters observe, against the ABI reference and against
//! independent models.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails should panic, and a filter of a test minds few of the callbacks"
)]

mod access;
mod body;
mod bytes_survive;
mod chain;
mod content_length;
mod cost;
mod end;
mod envoy;
mod failure;
mod grammar;
mod headers;
mod host_response;
mod limits;
mod local_response;
mod random_events;
mod start_line;
mod trailers;
