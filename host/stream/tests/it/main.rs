//! The stream machine seen from outside: what a driver and filters observe, against the ABI reference and against
//! independent models.

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
mod limits;
mod local_response;
mod random_events;
mod trailers;
