//! `grpc-callout`: gRPC calls and streams of the plugin's own.

use std::time::Duration;

use crate::callout::{Fields, GrpcCall, GrpcTarget as Target, SendError};
use crate::config::UpstreamProtocol;
use crate::metrics::CalloutKind;
use crate::vm::bindings::proxy_wasm::plugin::grpc_callout::{self, GrpcError, GrpcTarget};
use crate::vm::bindings::proxy_wasm::plugin::http_callout::CalloutError;
use crate::vm::callouts::Kind;
use crate::vm::state::VmState;

impl grpc_callout::Host for VmState {
    fn call(
        &mut self,
        root: u64,
        target: GrpcTarget,
        metadata: Fields,
        message: Vec<u8>,
        timeout: Option<u64>,
    ) -> Result<u64, CalloutError> {
        let target = self.grpc_target(root, &target, CalloutKind::GrpcCall)?;
        let limits = self.callouts.get().client().limits();
        if message.len() > limits.body {
            let (bytes, most) = (message.len(), limits.body);
            self.refuse_callout(CalloutKind::GrpcCall, &format!(
                "a gRPC message has {bytes} bytes, and {most} are allowed; see `limits.callout_response`"
            ));
            return Err(CalloutError::LimitReached);
        }
        let timeout = timeout.map_or(limits.timeout, Duration::from_nanos);
        let client = self.callouts.get().client();
        let call =
            GrpcCall::unary(client, target, &metadata, &message, timeout).map_err(|invalid| {
                self.refuse_callout(CalloutKind::GrpcCall, &invalid.to_string());
                CalloutError::InvalidRequest
            })?;
        let handle = self.handle();
        let id = self.callouts.get_mut().next_id();
        self.start_callout(root, id, Kind::GrpcCall, async move {
            let event = call.run_unary(timeout).await;
            handle.deliver(move |vm| vm.grpc_callout_event(root, id, event));
        })
    }

    fn open(
        &mut self,
        root: u64,
        target: GrpcTarget,
        metadata: Fields,
    ) -> Result<u64, CalloutError> {
        let target = self.grpc_target(root, &target, CalloutKind::GrpcStream)?;
        let client = self.callouts.get().client();
        let (call, sender) = GrpcCall::stream(client, target, &metadata).map_err(|invalid| {
            self.refuse_callout(CalloutKind::GrpcStream, &invalid.to_string());
            CalloutError::InvalidRequest
        })?;
        let handle = self.handle();
        let id = self.callouts.get_mut().next_id();
        self.start_callout(root, id, Kind::GrpcStream(sender), async move {
            let deliver = |event| handle.deliver(move |vm| vm.grpc_callout_event(root, id, event));
            call.run_stream(deliver).await;
        })
    }

    fn send(&mut self, id: u64, message: Vec<u8>, end_of_stream: bool) -> Result<(), GrpcError> {
        let most = self.callouts.get().client().limits().body;
        let sent = match self.callouts.get().kind(id) {
            Some(Kind::GrpcStream(sender)) => sender.send(&message, end_of_stream),
            Some(Kind::GrpcCall) => return Err(GrpcError::NotAStream),
            Some(Kind::Http) | None => return Err(GrpcError::UnknownCallout),
        };
        sent.map_err(|error| match error {
            SendError::Closed => GrpcError::Closed,
            SendError::LimitReached => {
                self.explain_callout(&format!(
                    "more than {most} bytes of a gRPC stream wait to be sent; see `limits.callout_response`"
                ));
                GrpcError::LimitReached
            }
        })
    }

    fn close(&mut self, id: u64) -> Result<(), GrpcError> {
        match self.callouts.get().kind(id) {
            Some(Kind::GrpcStream(sender)) => sender.end().map_err(|_| GrpcError::Closed),
            Some(Kind::GrpcCall) => self.give_up_grpc(id),
            Some(Kind::Http) | None => Err(GrpcError::UnknownCallout),
        }
    }

    fn cancel(&mut self, id: u64) -> Result<(), GrpcError> {
        self.give_up_grpc(id)
    }
}

impl VmState {
    fn give_up_grpc(&mut self, id: u64) -> Result<(), GrpcError> {
        let grpc = |kind: &Kind| matches!(kind, Kind::GrpcCall | Kind::GrpcStream(_));
        if self.callouts.get_mut().cancel(id, grpc) {
            Ok(())
        } else {
            Err(GrpcError::UnknownCallout)
        }
    }

    fn grpc_target<'a>(
        &mut self,
        root: u64,
        target: &'a GrpcTarget,
        kind: CalloutKind,
    ) -> Result<Target<'a>, CalloutError> {
        self.admit_callout(root, kind)?;
        let cluster = self
            .callout_cluster(root, &target.cluster, UpstreamProtocol::H2c)
            .map_err(|unknown| {
                self.refuse_callout(kind, &unknown.to_string());
                CalloutError::UnknownCluster
            })?;
        if cluster.protocol() == UpstreamProtocol::Http1 {
            self.refuse_callout(kind, &format!(
                "cluster {cluster} speaks HTTP/1.1, and gRPC needs HTTP/2; write `h2c://` or `https://`"
            ));
            return Err(CalloutError::Refused);
        }
        Ok(Target {
            cluster,
            service: &target.service,
            method: &target.method,
        })
    }
}
