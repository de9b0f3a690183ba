//! Where a host for plugins hooks into the bare proxy.

use http::{request, response};

/// What happens to heads on their way. `()` lets them pass; a host for plugins puts its plugin here.
pub trait Filter: Clone + Send + 'static {
    /// What is kept of a request until its response.
    type Stream: Send;
    /// A request's head is there.
    ///
    /// # Errors
    ///
    /// An error closes the connection.
    fn on_request(&self, head: request::Parts) -> wasmtime::Result<(request::Parts, Self::Stream)>;
    /// The response's head is there.
    ///
    /// # Errors
    ///
    /// An error closes the connection.
    fn on_response(
        &self,
        stream: Self::Stream,
        head: response::Parts,
    ) -> wasmtime::Result<response::Parts>;
}

impl Filter for () {
    type Stream = ();
    fn on_request(&self, head: request::Parts) -> wasmtime::Result<(request::Parts, ())> {
        Ok((head, ()))
    }
    fn on_response(&self, (): (), head: response::Parts) -> wasmtime::Result<response::Parts> {
        Ok(head)
    }
}
