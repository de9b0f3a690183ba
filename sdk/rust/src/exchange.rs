//! One HTTP exchange, as a plugin sees it.

use crate::bindings::proxy_wasm::plugin::http_stream::{self, LocalResponseError};
use crate::bindings::proxy_wasm::plugin::plugin_types::{Direction, Interest};
use crate::bindings::proxy_wasm::plugin::property::{self, PropertyError, PropertyValue};
use crate::error::Refused;
use crate::local_response::LocalResponse;
use crate::message::{Request, Response};
use crate::root::Root;

/// Names a stream context: one exchange as one plugin sees it. Never used again while a mistake could matter, so a
/// plugin may keep it and come back with [`Root::exchange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub(crate) u64);

/// One HTTP exchange: the request, the response, and what can become of them.
///
/// Whatever steers the exchange takes effect after the running callback has returned, in the order of the calls; on
/// one that is over, nothing happens.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub(crate) context: u64,
    pub(crate) root: &'a Root,
}

impl<'a> Exchange<'a> {
    /// Returns the exchange's id, with which [`Root::exchange`] finds it again.
    pub fn id(&self) -> StreamId {
        StreamId(self.context)
    }

    /// Returns the root context that the exchange belongs to.
    pub fn root(&self) -> &'a Root {
        self.root
    }

    /// Returns the request.
    pub fn request(&self) -> Request {
        Request::new(self.context)
    }

    /// Returns the response.
    pub fn response(&self) -> Response {
        Response::new(self.context)
    }

    /// Lets a paused request go on. Nothing happens if this plugin does not hold it.
    pub fn resume_request(&self) {
        http_stream::resume(self.context, Direction::Request);
    }

    /// Lets a paused response go on. Nothing happens if this plugin does not hold it.
    pub fn resume_response(&self) {
        http_stream::resume(self.context, Direction::Response);
    }

    /// Answers the request, whatever the running callback returns.
    ///
    /// Before a response has begun, this one passes the response path of all plugins that have seen the request, this
    /// plugin included; while the upstream's head is held, it takes that one's place and passes none; afterwards the
    /// exchange is reset.
    ///
    /// # Errors
    ///
    /// The stream is no more, the status is not 200 to 599, the gRPC status not 0 to 16, or a header is malformed.
    pub fn respond(&self, response: LocalResponse) -> Result<(), Refused<LocalResponseError>> {
        response.send(self.context)
    }

    /// Resets the exchange: both connections learn that it has failed.
    pub fn reset(&self) {
        http_stream::reset(self.context);
    }

    /// Gives up callbacks for the rest of this exchange: those not named in `interest`. They do not return.
    ///
    /// A stream with state keeps [`HttpStream::on_stream_end`](crate::HttpStream::on_stream_end): it is how the SDK
    /// learns that the state can go.
    pub fn narrow_interest(&self, interest: Interest) {
        http_stream::narrow_interest(self.context, interest | self.root.kept_interest());
    }

    /// Has the route chosen again, from the request's head as it is when it is next needed.
    pub fn clear_route_cache(&self) {
        http_stream::clear_route_cache(self.context);
    }

    /// Returns a property of the exchange, its connection or its plugin, `["request", "path"]` for one.
    ///
    /// # Errors
    ///
    /// The stream is no more, no property has this path, or it has no value (yet).
    pub fn property(&self, path: &[&str]) -> Result<PropertyValue, Refused<PropertyError>> {
        property::get(self.context, path).map_err(|reason| property_refused(path, reason))
    }

    /// Sets a property that this and later plugins of the exchange can read under the path `[name]`.
    ///
    /// # Errors
    ///
    /// The stream is no more, the property is read-only, or the host's limit on properties is reached.
    pub fn set_property(
        &self,
        name: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<(), Refused<PropertyError>> {
        property::set(self.context, name, value.as_ref())
            .map_err(|reason| property_refused(&[name], reason))
    }
}

#[cold]
pub(crate) fn property_refused(path: &[&str], reason: PropertyError) -> Refused<PropertyError> {
    Refused::new(format_args!("property `{}`", path.join(".")), reason)
}
