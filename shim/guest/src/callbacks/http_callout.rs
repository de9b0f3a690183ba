//! Answers to HTTP callouts (ABI reference 6.5).

use proxy_wasi_abi::Status;

use super::received::{self, Received, ReceivedMap};
use super::{Shim, call_root};
use crate::bindings::exports::proxy_wasm::plugin::http_callout_handler::Guest;
use crate::bindings::proxy_wasm::plugin::http_callout::{self, CalloutId};
use crate::bindings::proxy_wasm::plugin::plugin_types::RootContext;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::bridge;
use crate::contexts;
use crate::hostcalls::header_map::field::status_text;
use crate::hostcalls::http_callout::take_token;

impl Guest for Shim {
    fn on_response(root: RootContext, id: CalloutId, outcome: Result<(), ErrorCode>) {
        // Answers come once; a second one would make the Rust SDK panic.
        let Some(token) = take_token(id) else { return };
        match (outcome, http_callout::response_status(id)) {
            (Ok(()), Some(status)) => succeeded(root, id, token, status),
            (Ok(()), None) | (Err(_), _) => failed(root, token),
        }
    }
}

fn succeeded(root: RootContext, id: CalloutId, token: u32, status: u16) {
    let mut headers = http_callout::response_headers(id);
    headers.insert(0, (":status".to_owned(), status_text(status).to_vec()));
    let trailers = http_callout::response_trailers(id);
    let counts =
        [headers.len(), trailers.len()].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let [headers_count, trailers_count] = counts;
    let body_size = http_callout::response_body_size(id);
    let maps = vec![
        (ReceivedMap::HttpHeaders, received::flat(&headers)),
        (ReceivedMap::HttpTrailers, received::flat(&trailers)),
    ];
    received::during(
        Received {
            maps,
            callout: Some(id),
            ..Received::default()
        },
        || {
            call_root(root, "proxy_on_http_call_response", |root| {
                bridge::proxy_on_http_call_response(
                    root,
                    token,
                    headers_count,
                    body_size,
                    trailers_count,
                );
            })
        },
    );
}

/// A failure has no headers, and `proxy_get_status` says why. The message lasts as long as the callback.
fn failed(root: RootContext, token: u32) {
    set_status(root, Status::BrokenConnection.into(), "reset".to_owned());
    call_root(root, "proxy_on_http_call_response", |root| {
        bridge::proxy_on_http_call_response(root, token, 0, 0, 0)
    });
    set_status(root, Status::BrokenConnection.into(), String::new());
}

/// Sets what `proxy_get_status` shows.
pub(super) fn set_status(root: RootContext, code: u32, message: String) {
    contexts::with(|contexts| {
        if let Some(root) = contexts.root_mut(root) {
            root.status = (code, message);
        }
    });
}
