//! The HTTP side over real sockets: a proxy without plugins between raw clients and scripted upstreams.

mod http_proxy {
    mod support;

    mod pass_through;
}
