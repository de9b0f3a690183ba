//! gRPC calls and streams of a plugin's own. Messages are without gRPC's five-byte prefix.

use std::time::Duration;

use crate::bindings::proxy_wasm::plugin::grpc_callout::{self, GrpcError, GrpcTarget};
use crate::bindings::proxy_wasm::plugin::http_callout::CalloutError;
use crate::bindings::proxy_wasm::plugin::plugin_types::GrpcStatus;
use crate::callout::CalloutId;
use crate::error::Refused;
use crate::exchange::Exchange;
use crate::headers::Fields;
use crate::root::{CalloutOwner, Root, nanoseconds};

/// What has come from a gRPC callout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcEvent {
    /// A stream's initial metadata.
    InitialMetadata(Fields),
    /// A message. For a call this is its success, and the last event.
    Message(Vec<u8>),
    /// A stream's trailing metadata.
    TrailingMetadata(Fields),
    /// A stream has ended, or a call has failed: the last event.
    Close {
        /// The status, 0 for success.
        status: GrpcStatus,
        /// The status's explanation; may be empty.
        message: String,
    },
}

/// A method of a gRPC service in a cluster of the host's configuration, and what every call of it carries.
#[derive(Clone, Debug)]
pub struct GrpcMethod {
    cluster: String,
    service: String,
    method: String,
    metadata: Fields,
}

impl GrpcMethod {
    /// Names a method. `service`: its full name, `package.Service`.
    pub fn new(
        cluster: impl Into<String>,
        service: impl Into<String>,
        method: impl Into<String>,
    ) -> Self {
        Self {
            cluster: cluster.into(),
            service: service.into(),
            method: method.into(),
            metadata: Fields::new(),
        }
    }

    /// Sets the initial metadata of calls.
    #[must_use]
    pub fn metadata(mut self, metadata: Fields) -> Self {
        self.metadata = metadata;
        self
    }

    fn target(&self) -> GrpcTarget<'_> {
        GrpcTarget {
            cluster: &self.cluster,
            service: &self.service,
            method: &self.method,
        }
    }

    fn call(
        &self,
        root: &Root,
        message: &[u8],
        timeout: Option<Duration>,
    ) -> Result<u64, Refused<CalloutError>> {
        let metadata = self.metadata.clone().into_entries();
        grpc_callout::call(
            root.id,
            self.target(),
            &metadata,
            message,
            timeout.map(nanoseconds),
        )
        .map_err(|reason| self.refused(reason))
    }

    fn open(&self, root: &Root) -> Result<u64, Refused<CalloutError>> {
        let metadata = self.metadata.clone().into_entries();
        grpc_callout::open(root.id, self.target(), &metadata).map_err(|reason| self.refused(reason))
    }

    fn refused(&self, reason: CalloutError) -> Refused<CalloutError> {
        let Self {
            cluster,
            service,
            method,
            ..
        } = self;
        Refused::new(
            format_args!("gRPC callout to `{service}/{method}` of cluster `{cluster}`"),
            reason,
        )
    }
}

impl Root {
    /// Makes a unary call. Its event goes to [`Plugin::on_grpc_event`](crate::Plugin::on_grpc_event). Without a timeout
    /// the host's default holds, as for [`Callout::timeout`](crate::Callout::timeout).
    ///
    /// # Errors
    ///
    /// See [`Root::send_callout`].
    pub fn call_grpc(
        &self,
        method: &GrpcMethod,
        message: &[u8],
        timeout: Option<Duration>,
    ) -> Result<CalloutId, Refused<CalloutError>> {
        method.call(self, message, timeout).map(CalloutId)
    }

    /// Opens a stream. Its events go to [`Plugin::on_grpc_event`](crate::Plugin::on_grpc_event).
    ///
    /// # Errors
    ///
    /// See [`Root::send_callout`].
    pub fn open_grpc(&self, method: &GrpcMethod) -> Result<CalloutId, Refused<CalloutError>> {
        method.open(self).map(CalloutId)
    }

    /// Sends a message on a stream; `end_of_stream` half-closes it.
    ///
    /// # Errors
    ///
    /// The stream is no more or not a stream, its sending side has ended, or too much waits to be sent.
    pub fn send_grpc(
        &self,
        id: CalloutId,
        message: &[u8],
        end_of_stream: bool,
    ) -> Result<(), Refused<GrpcError>> {
        grpc_callout::send(id.0, message, end_of_stream).map_err(|reason| refused(id, reason))
    }

    /// Half-closes a stream, or gives up a call.
    ///
    /// # Errors
    ///
    /// The callout is no more, or its sending side has ended.
    pub fn close_grpc(&self, id: CalloutId) -> Result<(), Refused<GrpcError>> {
        grpc_callout::close(id.0).map_err(|reason| refused(id, reason))
    }

    /// Resets a stream or gives up a call: no event follows.
    ///
    /// # Errors
    ///
    /// The callout is no more.
    pub fn cancel_grpc(&self, id: CalloutId) -> Result<(), Refused<GrpcError>> {
        self.callouts.borrow_mut().remove(&id.0);
        grpc_callout::cancel(id.0).map_err(|reason| refused(id, reason))
    }
}

impl Exchange<'_> {
    /// Makes a unary call for this exchange. Its event goes to
    /// [`HttpStream::on_grpc_event`](crate::HttpStream::on_grpc_event).
    ///
    /// # Errors
    ///
    /// See [`Root::send_callout`].
    pub fn call_grpc(
        &self,
        method: &GrpcMethod,
        message: &[u8],
        timeout: Option<Duration>,
    ) -> Result<CalloutId, Refused<CalloutError>> {
        let id = method.call(self.root, message, timeout)?;
        Ok(self.own(id, true))
    }

    /// Opens a stream for this exchange, which does not end with it. Its events go to
    /// [`HttpStream::on_grpc_event`](crate::HttpStream::on_grpc_event); messages are sent with [`Root::send_grpc`].
    ///
    /// # Errors
    ///
    /// See [`Root::send_callout`].
    pub fn open_grpc(&self, method: &GrpcMethod) -> Result<CalloutId, Refused<CalloutError>> {
        let id = method.open(self.root)?;
        Ok(self.own(id, false))
    }

    fn own(&self, id: u64, ends_with_message: bool) -> CalloutId {
        let owner = CalloutOwner {
            stream: self.context,
            ends_with_message,
        };
        self.root.callouts.borrow_mut().insert(id, owner);
        CalloutId(id)
    }
}

#[cold]
fn refused(id: CalloutId, reason: GrpcError) -> Refused<GrpcError> {
    Refused::new(format_args!("gRPC callout {}", id.0), reason)
}
