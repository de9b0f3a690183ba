//! The HTTP side over real sockets: a proxy without plugins between raw clients and scripted upstreams.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod http_proxy {
    mod h2_frames;
    mod h2_peers;
    mod support;

    mod bodies;
    mod drain;
    mod failures;
    mod framing;
    mod h2_limits;
    mod h2_wire;
    mod http2;
    mod pass_through;
    mod pool;
    mod retry;
    mod timeouts;
    mod trailers;
}
