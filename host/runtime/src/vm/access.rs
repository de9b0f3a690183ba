//! The one door from hostcalls to a stream.

use http::{Method, StatusCode, uri::Scheme};

pub use super::bindings::proxy_wasm::plugin::http_body::BodyError;
pub use super::bindings::proxy_wasm::plugin::http_headers::HeaderError;
pub use super::bindings::proxy_wasm::plugin::http_stream::{LocalResponse, LocalResponseError};
pub use super::bindings::proxy_wasm::plugin::plugin_types::{
    DataAction, Direction, HeaderAction, HeaderMap, Interest, TrailersAction,
};
pub use super::bindings::proxy_wasm::plugin::property::{PropertyError, PropertyValue};

/// The status of a final response: interim responses and numbers without a meaning cannot be one.
pub(crate) fn final_status(code: u16) -> Option<StatusCode> {
    let code = (200..=599).contains(&code).then_some(code)?;
    StatusCode::from_u16(code).ok()
}

/// What a plugin can ask of an HTTP exchange, in the contract's terms.
///
/// Hostcalls know streams only through this trait, so that the same VM and hostcalls serve real traffic and tests.
/// `filter` is the position of the asking plugin in the filter chain. Every method answers at once; what must wait for
/// the running callback to return is queued, and done in [`settle`](Self::settle).
pub trait StreamAccess: FieldAccess + StartLineAccess + BodyAccess {
    /// The exchange's request id, for logs.
    fn request_id(&self) -> String;

    /// Lets a paused message go on.
    fn resume(&self, filter: usize, of: Direction);

    /// Answers the request.
    ///
    /// # Errors
    ///
    /// The response is malformed.
    fn send_local_response(
        &self,
        filter: usize,
        response: LocalResponse,
    ) -> Result<(), LocalResponseError>;

    /// Resets the stream.
    fn reset(&self, filter: usize);

    /// Gives up callbacks.
    fn narrow_interest(&self, filter: usize, interest: Interest);

    /// Has the route chosen again.
    fn clear_route_cache(&self);

    /// A property of the stream, its connection, its request or its response (ABI 10); those of the plugin are
    /// answered before.
    ///
    /// # Errors
    ///
    /// There is none of this path.
    fn property(&self, filter: usize, path: &[&str]) -> Result<PropertyValue, PropertyError>;

    /// Sets a property.
    ///
    /// # Errors
    ///
    /// It is read-only, or there are too many.
    fn set_property(&self, filter: usize, name: &str, value: &[u8]) -> Result<(), PropertyError>;

    /// The plugin's VM has failed: the stream goes on, or ends, as the plugin's failure policy says.
    fn plugin_failed(&self, filter: usize);

    /// Does what hostcalls have queued. Called once the callback that made them has returned, for every stream that
    /// was touched other than the callback's own.
    fn settle(&self);
}

/// Headers and trailers of the exchange.
#[expect(
    clippy::missing_errors_doc,
    reason = "all methods share the errors of `field`"
)]
pub trait FieldAccess {
    /// The first value of a field.
    ///
    /// # Errors
    ///
    /// As every method here: the map is not readable (or writable) now, or the name or value is malformed.
    fn field(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
    ) -> Result<Option<Vec<u8>>, HeaderError>;

    /// All values of a field, in order.
    fn field_values(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
    ) -> Result<Vec<Vec<u8>>, HeaderError>;

    /// All fields, in order, without pseudo-headers.
    fn fields(&self, filter: usize, of: HeaderMap) -> Result<Vec<(String, Vec<u8>)>, HeaderError>;

    /// The number of entries, without pseudo-headers.
    fn field_count(&self, filter: usize, of: HeaderMap) -> Result<u32, HeaderError>;

    /// Adds an entry.
    fn append_field(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
        value: &[u8],
    ) -> Result<(), HeaderError>;

    /// Makes `value` the only one of a field.
    fn set_field(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
        value: &[u8],
    ) -> Result<(), HeaderError>;

    /// Removes all values of a field.
    fn remove_field(&self, filter: usize, of: HeaderMap, name: &str) -> Result<(), HeaderError>;

    /// Replaces all fields; the start line stays.
    fn set_fields(
        &self,
        filter: usize,
        of: HeaderMap,
        fields: &[(String, Vec<u8>)],
    ) -> Result<(), HeaderError>;

    /// The whole map with pseudo-headers in front, in the ABI's serialized form (ABI 3.1).
    fn flat_fields(&self, filter: usize, of: HeaderMap) -> Result<Vec<u8>, HeaderError>;

    /// The bytes in all names and values, pseudo-headers included, of a writable map.
    fn fields_byte_size(&self, filter: usize, of: HeaderMap) -> Result<u32, HeaderError>;

    /// Replaces the whole map, pseudo-headers included.
    fn set_flat_fields(
        &self,
        filter: usize,
        of: HeaderMap,
        fields: &[u8],
    ) -> Result<(), HeaderError>;
}

/// What stands in front of the headers. Each part can be missing once a plugin has removed it.
///
/// All methods have the errors of [`FieldAccess::field`].
#[expect(
    clippy::missing_errors_doc,
    reason = "they are those of `FieldAccess::field`"
)]
pub trait StartLineAccess {
    /// The request's method.
    fn method(&self, filter: usize) -> Result<Option<Method>, HeaderError>;

    /// Sets or removes the request's method.
    fn set_method(&self, filter: usize, value: Option<Method>) -> Result<(), HeaderError>;

    /// The request's scheme.
    fn scheme(&self, filter: usize) -> Result<Option<Scheme>, HeaderError>;

    /// Sets or removes the request's scheme.
    fn set_scheme(&self, filter: usize, value: Option<Scheme>) -> Result<(), HeaderError>;

    /// The request's authority.
    fn authority(&self, filter: usize) -> Result<Option<String>, HeaderError>;

    /// Sets or removes the request's authority.
    fn set_authority(&self, filter: usize, value: Option<&str>) -> Result<(), HeaderError>;

    /// The request's path with its query.
    fn path_with_query(&self, filter: usize) -> Result<Option<String>, HeaderError>;

    /// Sets or removes the request's path with its query.
    fn set_path_with_query(&self, filter: usize, value: Option<&str>) -> Result<(), HeaderError>;

    /// The response's status.
    fn status(&self, filter: usize) -> Result<Option<StatusCode>, HeaderError>;

    /// Sets or removes the response's status.
    fn set_status(&self, filter: usize, value: Option<StatusCode>) -> Result<(), HeaderError>;
}

/// What is there of the bodies.
pub trait BodyAccess {
    /// The number of body bytes that can be read now.
    ///
    /// # Errors
    ///
    /// There are none to see in this phase.
    fn body_size(&self, filter: usize, of: Direction) -> Result<u32, BodyError>;

    /// Up to `count` body bytes from `start` on.
    ///
    /// # Errors
    ///
    /// There are none to see in this phase.
    fn read_body(
        &self,
        filter: usize,
        of: Direction,
        start: u32,
        count: u32,
    ) -> Result<Vec<u8>, BodyError>;

    /// Puts `data` in the place of up to `count` body bytes from `start` on.
    ///
    /// # Errors
    ///
    /// There are none to edit in this phase, `start` lies behind them, or the result would be too large.
    fn splice_body(
        &self,
        filter: usize,
        of: Direction,
        start: u32,
        count: u32,
        data: &[u8],
    ) -> Result<(), BodyError>;
}
