//! The exchange as hostcalls see it.

use std::borrow::Cow;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use proxy_wasi_stream::{self as stream, FilterIndex, MapKind};

use super::{Exchange, flat};
use crate::filter_chain::chain::interest_of;
use crate::filter_chain::properties;
use crate::vm::{
    BodyError, Direction, HeaderError, HeaderMap, Interest, LocalResponse, LocalResponseError,
    PropertyError, PropertyValue, StreamAccess,
};

/// Bytes of names and values that one map may grow to by a plugin's edits. What hyper accepts from peers is in the same
/// order; a plugin that adds fields without end must not fill the machine.
const MAX_MAP_BYTES: usize = 256 * 1024;

/// Entries that one map may grow to. `http::HeaderMap` itself ends at 32,768.
const MAX_MAP_ENTRIES: usize = 4096;

fn map_kind(of: HeaderMap) -> MapKind {
    match of {
        HeaderMap::RequestHeaders => MapKind::RequestHeaders,
        HeaderMap::RequestTrailers => MapKind::RequestTrailers,
        HeaderMap::ResponseHeaders => MapKind::ResponseHeaders,
        HeaderMap::ResponseTrailers => MapKind::ResponseTrailers,
    }
}

fn direction(of: Direction) -> stream::Direction {
    match of {
        Direction::Request => stream::Direction::Request,
        Direction::Response => stream::Direction::Response,
    }
}

fn unavailable(_: stream::Unavailable) -> HeaderError {
    HeaderError::Unavailable
}

fn body_error(error: stream::BodyError) -> BodyError {
    match error {
        stream::BodyError::Unavailable => BodyError::Unavailable,
        stream::BodyError::OutOfRange => BodyError::OutOfRange,
        stream::BodyError::TooLarge => BodyError::TooLarge,
    }
}

fn name(text: &str) -> Result<HeaderName, HeaderError> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| HeaderError::InvalidName)
}

fn value(bytes: &[u8]) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_bytes(bytes).map_err(|_| HeaderError::InvalidValue)
}

/// `host` is the request's authority, which the contract keeps out of the fields.
fn hidden(of: MapKind, name: &HeaderName) -> bool {
    matches!(of, MapKind::RequestHeaders) && name == header::HOST
}

fn check_room(
    map: &http::HeaderMap,
    name: &HeaderName,
    value: &HeaderValue,
) -> Result<(), HeaderError> {
    // Counting bytes of a small map would cost more than the edit: as long as no value is long, the number of entries
    // bounds them.
    let cheap = map.len() < 256 && value.len() < MAX_MAP_BYTES / 512;
    if cheap {
        return Ok(());
    }
    let bytes: usize = map
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if map.len() >= MAX_MAP_ENTRIES || bytes + name.as_str().len() + value.len() > MAX_MAP_BYTES {
        return Err(HeaderError::TooLarge);
    }
    Ok(())
}

impl Exchange {
    fn read_map<R>(
        &self,
        filter: usize,
        of: HeaderMap,
        read: impl FnOnce(MapKind, &http::HeaderMap) -> R,
    ) -> Result<R, HeaderError> {
        let kind = map_kind(of);
        let machine = self.machine.borrow();
        machine
            .fields(FilterIndex(filter), kind)
            .map(|map| read(kind, map))
            .map_err(unavailable)
    }

    /// Edits the entries of one field.
    fn edit_field(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
        edit: impl FnOnce(MapKind, &mut http::HeaderMap) -> Result<(), HeaderError>,
    ) -> Result<(), HeaderError> {
        let kind = map_kind(of);
        let mut machine = self.machine.borrow_mut();
        let map = machine
            .field_mut(FilterIndex(filter), kind, name)
            .map_err(unavailable)?;
        edit(kind, map)
    }

    fn read_request<R>(
        &self,
        filter: usize,
        read: impl FnOnce(&stream::RequestHead) -> R,
    ) -> Result<R, HeaderError> {
        self.machine
            .borrow()
            .request_head(FilterIndex(filter))
            .map(read)
            .map_err(unavailable)
    }

    fn edit_request(
        &self,
        filter: usize,
        edit: impl FnOnce(&mut stream::RequestHead),
    ) -> Result<(), HeaderError> {
        self.machine
            .borrow_mut()
            .request_head_mut(FilterIndex(filter))
            .map(edit)
            .map_err(unavailable)
    }
}

impl StreamAccess for Exchange {
    fn request_id(&self) -> String {
        self.request_id_text().to_owned()
    }

    fn field(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
    ) -> Result<Option<Vec<u8>>, HeaderError> {
        self.read_map(filter, of, |_, map| {
            map.get(name).map(|value| value.as_bytes().to_vec())
        })
    }

    fn field_values(
        &self,
        filter: usize,
        of: HeaderMap,
        name: &str,
    ) -> Result<Vec<Vec<u8>>, HeaderError> {
        self.read_map(filter, of, |_, map| {
            map.get_all(name)
                .iter()
                .map(|value| value.as_bytes().to_vec())
                .collect()
        })
    }

    fn fields(&self, filter: usize, of: HeaderMap) -> Result<Vec<(String, Vec<u8>)>, HeaderError> {
        self.read_map(filter, of, |kind, map| {
            map.iter()
                .filter(|(name, _)| !hidden(kind, name))
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect()
        })
    }

    fn field_count(&self, filter: usize, of: HeaderMap) -> Result<u32, HeaderError> {
        self.read_map(filter, of, |kind, map| {
            let count = map.iter().filter(|(name, _)| !hidden(kind, name)).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        })
    }

    fn append_field(
        &self,
        filter: usize,
        of: HeaderMap,
        field: &str,
        bytes: &[u8],
    ) -> Result<(), HeaderError> {
        let (name, value) = (name(field)?, value(bytes)?);
        self.edit_field(filter, of, field, |kind, map| {
            check_room(map, &name, &value)?;
            if hidden(kind, &name) {
                map.insert(name, value);
            } else {
                map.append(name, value);
            }
            Ok(())
        })
    }

    fn set_field(
        &self,
        filter: usize,
        of: HeaderMap,
        field: &str,
        bytes: &[u8],
    ) -> Result<(), HeaderError> {
        let (name, value) = (name(field)?, value(bytes)?);
        self.edit_field(filter, of, field, |_, map| {
            check_room(map, &name, &value)?;
            map.insert(name, value);
            Ok(())
        })
    }

    fn remove_field(&self, filter: usize, of: HeaderMap, field: &str) -> Result<(), HeaderError> {
        self.edit_field(filter, of, field, |_, map| {
            map.remove(field);
            Ok(())
        })
    }

    fn set_fields(
        &self,
        filter: usize,
        of: HeaderMap,
        fields: &[(String, Vec<u8>)],
    ) -> Result<(), HeaderError> {
        let mut new = http::HeaderMap::with_capacity(fields.len().min(MAX_MAP_ENTRIES) + 1);
        for (field, bytes) in fields {
            let (name, value) = (name(field)?, value(bytes)?);
            check_room(&new, &name, &value)?;
            new.append(name, value);
        }
        let kind = map_kind(of);
        let mut machine = self.machine.borrow_mut();
        let map = machine
            .fields_mut(FilterIndex(filter), kind)
            .map_err(unavailable)?;
        if kind == MapKind::RequestHeaders
            && let Some(host) = map.get(header::HOST)
        {
            new.insert(header::HOST, host.clone());
        }
        *map = new;
        Ok(())
    }

    fn flat_fields(&self, filter: usize, of: HeaderMap) -> Result<Vec<u8>, HeaderError> {
        flat::encode(&self.machine.borrow(), FilterIndex(filter), map_kind(of)).map_err(unavailable)
    }

    fn fields_byte_size(&self, filter: usize, of: HeaderMap) -> Result<u32, HeaderError> {
        let kind = map_kind(of);
        // ABI 4.5: only a map that could be edited has a size.
        self.machine
            .borrow_mut()
            .fields_mut(FilterIndex(filter), kind)
            .map_err(unavailable)?;
        let size = flat::byte_size(&self.machine.borrow(), FilterIndex(filter), kind)
            .map_err(unavailable)?;
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    fn set_flat_fields(
        &self,
        filter: usize,
        of: HeaderMap,
        fields: &[u8],
    ) -> Result<(), HeaderError> {
        flat::replace(
            &mut self.machine.borrow_mut(),
            FilterIndex(filter),
            map_kind(of),
            fields,
        )
    }

    fn method(&self, filter: usize) -> Result<Option<Method>, HeaderError> {
        self.read_request(filter, |head| head.method.clone())
    }

    fn set_method(&self, filter: usize, value: Option<Method>) -> Result<(), HeaderError> {
        self.edit_request(filter, |head| head.method = value)
    }

    fn scheme(&self, filter: usize) -> Result<Option<Scheme>, HeaderError> {
        self.read_request(filter, |head| head.scheme.clone())
    }

    fn set_scheme(&self, filter: usize, value: Option<Scheme>) -> Result<(), HeaderError> {
        self.edit_request(filter, |head| head.scheme = value)
    }

    fn authority(&self, filter: usize) -> Result<Option<String>, HeaderError> {
        self.read_request(filter, |head| {
            head.authority()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
    }

    fn set_authority(&self, filter: usize, authority: Option<&str>) -> Result<(), HeaderError> {
        let authority = authority.map(|text| value(text.as_bytes())).transpose()?;
        self.edit_request(filter, |head| head.set_authority(authority))
    }

    fn path_with_query(&self, filter: usize) -> Result<Option<String>, HeaderError> {
        self.read_request(filter, |head| {
            head.path.as_ref().map(|path| path.as_str().to_owned())
        })
    }

    fn set_path_with_query(&self, filter: usize, path: Option<&str>) -> Result<(), HeaderError> {
        let path = path.map(path_and_query).transpose()?;
        self.edit_request(filter, |head| head.path = path)
    }

    fn status(&self, filter: usize) -> Result<Option<StatusCode>, HeaderError> {
        self.machine
            .borrow()
            .response_head(FilterIndex(filter))
            .map(|head| head.status)
            .map_err(unavailable)
    }

    fn set_status(&self, filter: usize, value: Option<StatusCode>) -> Result<(), HeaderError> {
        let mut machine = self.machine.borrow_mut();
        machine
            .response_head_mut(FilterIndex(filter))
            .map(|head| head.status = value)
            .map_err(unavailable)
    }

    fn body_size(&self, filter: usize, of: Direction) -> Result<u32, BodyError> {
        let size = self
            .machine
            .borrow()
            .body_size(FilterIndex(filter), direction(of))
            .map_err(body_error)?;
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    fn read_body(
        &self,
        filter: usize,
        of: Direction,
        start: u32,
        count: u32,
    ) -> Result<Vec<u8>, BodyError> {
        let machine = self.machine.borrow();
        machine
            .body_read(
                FilterIndex(filter),
                direction(of),
                start as usize,
                count as usize,
            )
            .map_err(body_error)
    }

    fn splice_body(
        &self,
        filter: usize,
        of: Direction,
        start: u32,
        count: u32,
        data: &[u8],
    ) -> Result<(), BodyError> {
        self.room_made.set(true);
        let mut machine = self.machine.borrow_mut();
        machine
            .body_splice(
                FilterIndex(filter),
                direction(of),
                start as usize,
                count as usize,
                data,
            )
            .map_err(body_error)
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

    fn clear_route_cache(&self, filter: usize) {
        self.machine
            .borrow_mut()
            .clear_route_cache(FilterIndex(filter));
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

pub(super) fn path_and_query(path: &str) -> Result<PathAndQuery, HeaderError> {
    // `PathAndQuery` takes an empty text, and fragments, which no request target has (RFC 9112, 3.2).
    if path.is_empty() || path.contains('#') || !(path.starts_with('/') || path == "*") {
        return Err(HeaderError::InvalidValue);
    }
    PathAndQuery::try_from(path).map_err(|_| HeaderError::InvalidValue)
}

fn local_response(response: LocalResponse) -> Result<stream::LocalResponse, LocalResponseError> {
    let status = match response.status {
        200..=599 => {
            StatusCode::from_u16(response.status).map_err(|_| LocalResponseError::InvalidStatus)?
        }
        _ => return Err(LocalResponseError::InvalidStatus),
    };
    if response.grpc_status.is_some_and(|status| status > 16) {
        return Err(LocalResponseError::InvalidGrpcStatus);
    }
    let headers = response
        .headers
        .iter()
        .map(|(field, bytes)| Ok((name(field)?, value(bytes)?)))
        .collect::<Result<_, HeaderError>>()
        .map_err(|_| LocalResponseError::InvalidHeader)?;
    Ok(stream::LocalResponse {
        status,
        headers,
        body: response.body.into(),
        grpc_status: response.grpc_status,
        details: printable(&response.details).into_owned(),
    })
}

/// Details end in logs, as one word (ABI 4.8).
fn printable(details: &str) -> Cow<'_, str> {
    let separates = |c: char| c.is_whitespace() || c.is_control();
    if details.contains(separates) {
        details.replace(separates, "_").into()
    } else {
        details.into()
    }
}
