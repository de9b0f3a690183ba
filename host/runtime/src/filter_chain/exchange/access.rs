//! The exchange as hostcalls see it: stream control and properties here, the parts of its messages beside.

mod body;
mod fields;
mod local_response;
mod start_line;

use http::{HeaderMap, HeaderName, HeaderValue};
use proxy_wasi_stream::{self as stream, FilterIndex};

use self::local_response::local_response;
pub(super) use self::start_line::path_and_query;
use super::Exchange;
use crate::filter_chain::chain::interest_of;
use crate::filter_chain::properties;
use crate::plugin_fields::{PluginFields, TooLarge};
use crate::vm::{
    Direction, HeaderError, Interest, LocalResponse, LocalResponseError, PropertyError,
    PropertyValue, StreamAccess,
};

fn direction(of: Direction) -> stream::Direction {
    match of {
        Direction::Request => stream::Direction::Request,
        Direction::Response => stream::Direction::Response,
    }
}

fn unavailable(_: stream::Unavailable) -> HeaderError {
    HeaderError::Unavailable
}

impl From<TooLarge> for HeaderError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

fn name(text: &str) -> Result<HeaderName, HeaderError> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| HeaderError::InvalidName)
}

fn value(bytes: &[u8]) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_bytes(bytes).map_err(|_| HeaderError::InvalidValue)
}

/// A plugin's fields, with room for so many more.
fn header_map(fields: &[(String, Vec<u8>)], more: usize) -> Result<HeaderMap, HeaderError> {
    let mut map = PluginFields::with_capacity(fields.len() + more);
    for (field, bytes) in fields {
        map.append(name(field)?, value(bytes)?)?;
    }
    Ok(map.into_map())
}

impl StreamAccess for Exchange {
    fn request_id(&self) -> String {
        self.request_id_text().to_owned()
    }

    fn resume(&self, filter: usize, of: Direction) {
        self.room_made.set(true);
        self.machine
            .borrow_mut()
            .resume(FilterIndex(filter), direction(of));
    }

    fn send_local_response(
        &self,
        filter: usize,
        response: LocalResponse,
    ) -> Result<(), LocalResponseError> {
        let response = local_response(response)?;
        self.machine
            .borrow_mut()
            .send_local_response(FilterIndex(filter), response);
        Ok(())
    }

    fn reset(&self, filter: usize) {
        self.machine.borrow_mut().reset(FilterIndex(filter));
    }

    fn narrow_interest(&self, filter: usize, interest: Interest) {
        self.machine
            .borrow_mut()
            .narrow_interest(FilterIndex(filter), interest_of(interest));
    }

    fn clear_route_cache(&self) {
        self.forget_route();
    }

    fn property(&self, filter: usize, path: &[&str]) -> Result<PropertyValue, PropertyError> {
        properties::get(self, filter, path)
    }

    fn set_property(&self, _filter: usize, name: &str, value: &[u8]) -> Result<(), PropertyError> {
        self.properties.borrow_mut().set(name, value)
    }

    fn plugin_failed(&self, filter: usize) {
        if let Some(stream) = self.filters.get(filter) {
            self.filter_failed(FilterIndex(filter), stream.bound.on_failure);
        }
    }

    fn settle(&self) {
        self.run();
    }
}
