//! `http-headers` and `flat-headers`.

use crate::vm::access::{HeaderError, HeaderMap};
use crate::vm::bindings::proxy_wasm::plugin::{flat_headers, http_headers};
use crate::vm::state::VmState;
use crate::vm::streams::StreamEntry;

impl VmState {
    #[inline]
    pub(super) fn headers_of(&self, context: u64) -> Result<&StreamEntry, HeaderError> {
        self.stream(context).ok_or(HeaderError::UnknownStream)
    }
}

impl http_headers::Host for VmState {
    fn get(
        &mut self,
        context: u64,
        of: HeaderMap,
        name: String,
    ) -> Result<Option<Vec<u8>>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.field(stream.filter, of, &name)
    }

    fn get_all(
        &mut self,
        context: u64,
        of: HeaderMap,
        name: String,
    ) -> Result<Vec<Vec<u8>>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.field_values(stream.filter, of, &name)
    }

    fn entries(
        &mut self,
        context: u64,
        of: HeaderMap,
    ) -> Result<Vec<(String, Vec<u8>)>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.fields(stream.filter, of)
    }

    fn count(&mut self, context: u64, of: HeaderMap) -> Result<u32, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.field_count(stream.filter, of)
    }

    fn append(
        &mut self,
        context: u64,
        of: HeaderMap,
        name: String,
        value: Vec<u8>,
    ) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.append_field(stream.filter, of, &name, &value)
    }

    fn set(
        &mut self,
        context: u64,
        of: HeaderMap,
        name: String,
        value: Vec<u8>,
    ) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.set_field(stream.filter, of, &name, &value)
    }

    fn remove(&mut self, context: u64, of: HeaderMap, name: String) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.remove_field(stream.filter, of, &name)
    }

    fn set_entries(
        &mut self,
        context: u64,
        of: HeaderMap,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.set_fields(stream.filter, of, &entries)
    }
}

impl flat_headers::Host for VmState {
    fn entries(&mut self, context: u64, of: HeaderMap) -> Result<Vec<u8>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.flat_fields(stream.filter, of)
    }

    fn byte_size(&mut self, context: u64, of: HeaderMap) -> Result<u32, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.fields_byte_size(stream.filter, of)
    }

    fn set_entries(
        &mut self,
        context: u64,
        of: HeaderMap,
        entries: Vec<u8>,
    ) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.set_flat_fields(stream.filter, of, &entries)
    }
}
