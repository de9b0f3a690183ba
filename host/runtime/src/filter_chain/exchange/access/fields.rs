//! Headers and trailers: the contract's `http-headers` and `flat-headers`.

use http::{HeaderName, header};
use proxy_wasi_stream::{FilterIndex, MapKind};

use super::super::{Exchange, flat};
use super::{header_map, name, unavailable, value};
use crate::plugin_fields::check_room;
use crate::vm::{FieldAccess, HeaderError, HeaderMap};

fn map_kind(of: HeaderMap) -> MapKind {
    match of {
        HeaderMap::RequestHeaders => MapKind::RequestHeaders,
        HeaderMap::RequestTrailers => MapKind::RequestTrailers,
        HeaderMap::ResponseHeaders => MapKind::ResponseHeaders,
        HeaderMap::ResponseTrailers => MapKind::ResponseTrailers,
    }
}

/// `host` is the request's authority, which the contract keeps out of the fields.
fn hidden(of: MapKind, name: &HeaderName) -> bool {
    matches!(of, MapKind::RequestHeaders) && name == header::HOST
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
}

impl FieldAccess for Exchange {
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
        // With room for `host`.
        let new = header_map(fields, 1)?;
        let (filter, kind) = (FilterIndex(filter), map_kind(of));
        let mut machine = self.machine.borrow_mut();
        if kind == MapKind::RequestHeaders {
            let head = machine.request_head_mut(filter).map_err(unavailable)?;
            head.set_fields(new);
        } else {
            *machine.fields_mut(filter, kind).map_err(unavailable)? = new;
        }
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
}
