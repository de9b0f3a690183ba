//! Answers to gRPC callouts (ABI reference 11.2).

use super::http_callout::set_status;
use super::received::{self, Received, ReceivedBytes, ReceivedMap};
use super::{Shim, call_root};
use crate::bindings::exports::proxy_wasm::plugin::grpc_callout_handler::Guest;
use crate::bindings::proxy_wasm::plugin::http_callout::CalloutId;
use crate::bindings::proxy_wasm::plugin::plugin_types::{Fields, GrpcStatus, RootContext};
use crate::bridge;
use crate::hostcalls::grpc_callout::{Kind, ended, token};

impl Guest for Shim {
    fn on_initial_metadata(root: RootContext, id: CalloutId, metadata: Fields) {
        on_metadata(
            root,
            id,
            &metadata,
            ReceivedMap::GrpcInitialMetadata,
            |root, token, count| {
                call_root(root, "proxy_on_grpc_receive_initial_metadata", |root| {
                    bridge::proxy_on_grpc_receive_initial_metadata(root, token, count);
                });
            },
        );
    }

    fn on_message(root: RootContext, id: CalloutId, message: Vec<u8>) {
        let Some((token, kind)) = token(id) else {
            return;
        };
        if kind == Kind::Call {
            // Its only answer.
            ended(token);
        }
        let size = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let received = Received {
            bytes: Some((ReceivedBytes::GrpcMessage, message)),
            ..Received::default()
        };
        received::during(received, || {
            call_root(root, "proxy_on_grpc_receive", |root| {
                bridge::proxy_on_grpc_receive(root, token, size)
            })
        });
    }

    fn on_trailing_metadata(root: RootContext, id: CalloutId, metadata: Fields) {
        on_metadata(
            root,
            id,
            &metadata,
            ReceivedMap::GrpcTrailingMetadata,
            |root, token, count| {
                call_root(root, "proxy_on_grpc_receive_trailing_metadata", |root| {
                    bridge::proxy_on_grpc_receive_trailing_metadata(root, token, count);
                });
            },
        );
    }

    fn on_close(root: RootContext, id: CalloutId, status: GrpcStatus, message: String) {
        let Some((token, _)) = token(id) else { return };
        ended(token);
        set_status(root, status, message);
        call_root(root, "proxy_on_grpc_close", |root| {
            bridge::proxy_on_grpc_close(root, token, status)
        });
        set_status(root, status, String::new());
    }
}

fn on_metadata(
    root: RootContext,
    id: CalloutId,
    metadata: &Fields,
    map: ReceivedMap,
    callback: impl FnOnce(RootContext, u32, u32),
) {
    let Some((token, _)) = token(id) else { return };
    let count = u32::try_from(metadata.len()).unwrap_or(u32::MAX);
    let received = Received {
        maps: vec![(map, received::flat(metadata))],
        ..Received::default()
    };
    received::during(received, || callback(root, token, count));
}
