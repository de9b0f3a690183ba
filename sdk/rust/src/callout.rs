//! HTTP requests of a plugin's own.

use std::ops::Range;
use std::time::Duration;

use crate::bindings::proxy_wasm::plugin::http_callout::{self, CalloutError};
use crate::bindings::wasi::http::types::{Method, Scheme, StatusCode};
use crate::error::Refused;
use crate::exchange::Exchange;
use crate::headers::{FieldValue, Fields};
use crate::root::{CalloutOwner, Root, nanoseconds};

/// Names a callout, HTTP or gRPC, in its VM. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CalloutId(pub(crate) u64);

/// A request to a cluster of the host's configuration.
///
/// Sent by [`Exchange::send_callout`], its answer goes to the exchange's
/// [`HttpStream::on_callout_response`](crate::HttpStream::on_callout_response), by [`Root::send_callout`] to
/// [`Plugin::on_callout_response`](crate::Plugin::on_callout_response).
///
/// ```
/// # use proxy_wasi_sdk::{Callout, Method};
/// # use std::time::Duration;
/// let callout = Callout::new("auth", "auth.example", "/check")
///     .method(Method::Post)
///     .header("x-token", "secret")
///     .timeout(Duration::from_millis(200));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a callout is sent with `Exchange::send_callout` or `Root::send_callout`"]
pub struct Callout {
    cluster: String,
    method: Method,
    scheme: Option<Scheme>,
    authority: String,
    path: String,
    headers: Fields,
    body: Vec<u8>,
    trailers: Fields,
    timeout: Option<Duration>,
}

impl Callout {
    /// Makes a GET request to a cluster, by its name in the host's configuration. `authority` is what the cluster's
    /// server sees as `host`, the cluster's own if empty; `path` begins with `/` and is with its query.
    pub fn new(
        cluster: impl Into<String>,
        authority: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            cluster: cluster.into(),
            method: Method::Get,
            scheme: None,
            authority: authority.into(),
            path: path.into(),
            headers: Fields::new(),
            body: Vec::new(),
            trailers: Fields::new(),
            timeout: None,
        }
    }

    /// Sets the method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets the scheme; by default the cluster's.
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Adds a header field.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a trailer field.
    pub fn trailer(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.trailers.append(name, value);
        self
    }

    /// Sets how long the callout may take, to the end of the answer. By default the host says: proxy-wasi its
    /// `timeouts.idle`, 5 minutes. Zero fails at once.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn send(self, root: &Root) -> Result<u64, Refused<CalloutError>> {
        http_callout::send(
            root.id,
            http_callout::CalloutRequest {
                cluster: &self.cluster,
                method: &self.method,
                scheme: self.scheme.as_ref(),
                authority: &self.authority,
                path_with_query: &self.path,
                headers: &self.headers.into_entries(),
                body: &self.body,
                trailers: &self.trailers.into_entries(),
                timeout: self.timeout.map(nanoseconds),
            },
        )
        .map_err(|reason| {
            Refused::new(
                format_args!("callout to cluster `{}`", self.cluster),
                reason,
            )
        })
    }
}

impl Root {
    /// Starts a callout. Its answer never comes before the running callback has returned.
    ///
    /// # Errors
    ///
    /// The cluster is unknown or not for this plugin, the request is malformed, too many are outstanding, or the host
    /// makes no callouts. Which of its checks it was, is in proxy-wasi's log.
    pub fn send_callout(&self, callout: Callout) -> Result<CalloutId, Refused<CalloutError>> {
        callout.send(self).map(CalloutId)
    }

    /// Gives up an HTTP callout: its answer will not come. Nothing happens if it has come already.
    pub fn cancel_callout(&self, id: CalloutId) {
        self.callouts.borrow_mut().remove(&id.0);
        http_callout::cancel(id.0);
    }
}

impl Exchange<'_> {
    /// Starts a callout for this exchange. Its answer never comes before the running callback has returned, and is
    /// dropped if the exchange is over by then.
    ///
    /// # Errors
    ///
    /// See [`Root::send_callout`].
    pub fn send_callout(&self, callout: Callout) -> Result<CalloutId, Refused<CalloutError>> {
        let id = callout.send(self.root)?;
        let owner = CalloutOwner {
            stream: self.context,
            ends_with_message: false,
        };
        self.root.callouts.borrow_mut().insert(id, owner);
        Ok(CalloutId(id))
    }
}

/// The answer to a callout. It can be read while the callback runs that brought it; later it is empty.
#[derive(Debug)]
pub struct CalloutResponse {
    id: u64,
}

impl CalloutResponse {
    pub(crate) fn new(id: u64) -> Self {
        Self { id }
    }

    /// Returns the status.
    pub fn status(&self) -> Option<StatusCode> {
        http_callout::response_status(self.id)
    }

    /// Returns the header fields.
    pub fn headers(&self) -> Fields {
        http_callout::response_headers(self.id)
            .into_iter()
            .collect()
    }

    /// Returns the number of bytes in the body.
    pub fn body_size(&self) -> u32 {
        http_callout::response_body_size(self.id)
    }

    /// Returns the body.
    pub fn body(&self) -> Vec<u8> {
        http_callout::response_body(self.id, 0, u32::MAX)
    }

    /// Returns a part of the body: fewer bytes where it ends.
    pub fn body_range(&self, range: Range<u32>) -> Vec<u8> {
        http_callout::response_body(self.id, range.start, range.end.saturating_sub(range.start))
    }

    /// Returns the trailer fields.
    pub fn trailers(&self) -> Fields {
        http_callout::response_trailers(self.id)
            .into_iter()
            .collect()
    }
}
