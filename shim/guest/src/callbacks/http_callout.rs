//! Answers to HTTP callouts (ABI reference 6.5).

mod stand_in;

use proxy_wasi_abi::Status;

use self::stand_in::StandIn;
use super::received::{self, Received, ReceivedBytes, ReceivedMap};
use super::{Shim, call_root};
use crate::bindings::exports::proxy_wasm::plugin::http_callout_handler::Guest;
use crate::bindings::proxy_wasm::plugin::http_callout::{self, CalloutId};
use crate::bindings::proxy_wasm::plugin::plugin_types::{Fields, RootContext};
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
            (Ok(()), None) => failed(root, token),
            (Err(failure), _) => match StandIn::of(&failure) {
                Some(response) => stood_in(root, token, &response),
                None => failed(root, token),
            },
        }
    }
}

fn succeeded(root: RootContext, id: CalloutId, token: u32, status: u16) {
    let mut headers = http_callout::response_headers(id);
    headers.insert(0, (":status".to_owned(), status_text(status).to_vec()));
    let trailers = http_callout::response_trailers(id);
    let answer = Received {
        callout: Some(id),
        ..Received::default()
    };
    answered(
        root,
        token,
        &headers,
        http_callout::response_body_size(id),
        &trailers,
        answer,
    );
}

fn stood_in(root: RootContext, token: u32, response: &StandIn) {
    let answer = Received {
        bytes: Some((ReceivedBytes::CalloutBody, response.body().to_vec())),
        ..Received::default()
    };
    let size = count(response.body().len());
    answered(
        root,
        token,
        &response.headers(),
        size,
        &Fields::new(),
        answer,
    );
}

/// Calls the plugin with an answer, of which `received` has the body.
fn answered(
    root: RootContext,
    token: u32,
    headers: &Fields,
    body_size: u32,
    trailers: &Fields,
    received: Received,
) {
    let (header_count, trailer_count) = (count(headers.len()), count(trailers.len()));
    let maps = vec![
        (ReceivedMap::HttpHeaders, received::flat(headers)),
        (ReceivedMap::HttpTrailers, received::flat(trailers)),
    ];
    received::during(Received { maps, ..received }, || {
        call_root(root, "proxy_on_http_call_response", |root| {
            bridge::proxy_on_http_call_response(
                root,
                token,
                header_count,
                body_size,
                trailer_count,
            );
        })
    });
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// An answer that did not come as a whole has no headers, and `proxy_get_status` says why. The message lasts as long as
/// the callback.
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
