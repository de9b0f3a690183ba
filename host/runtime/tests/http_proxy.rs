//! The HTTP side over real sockets: a proxy without plugins between raw clients and scripted upstreams.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod http_proxy {
    mod support;

    mod pass_through;
}
