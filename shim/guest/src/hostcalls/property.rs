//! Properties (ABI reference 4.4).

use proxy_wasi_abi::Status;
use proxy_wasi_abi::property::{self as path, PropertyValue as Encoded};

use super::Answer;
use crate::active;
use crate::bindings::proxy_wasm::plugin::plugin_types::RootContext;
use crate::bindings::proxy_wasm::plugin::property::{self, PropertyError, PropertyValue};
use crate::contexts::{self, Context};
use crate::memory::{self, Input, Output};

/// `proxy_get_property`
pub(crate) fn get(path: Input, value: Output) -> Answer {
    let found = memory::with_inputs([path], |[path]| find(path))??;
    value.give(&found)
}

fn find(path: &[u8]) -> Result<Vec<u8>, Status> {
    let segments = path::split_path(path).ok_or(Status::SerializationFailure)?;
    // A name that is no text is one that the host does not have.
    let segments: Result<Vec<_>, _> = segments
        .map(|segment| str::from_utf8(segment).map(str::to_owned))
        .collect();
    let segments = segments.map_err(|_| Status::NotFound)?;
    let context = active::effective();
    if let Some(value) = context.root().and_then(|root| of_plugin(root, &segments)) {
        return Ok(value);
    }
    let value = match context {
        Context::Vm => Err(PropertyError::NotFound),
        Context::Root { root, .. } => property::get_of_root(root, &segments),
        Context::Stream { stream, .. } => property::get(stream, &segments),
    };
    Ok(encode(value.map_err(refusal)?))
}

/// What the shim knows itself. C++ plugins ask for their `root_id` while they are created.
fn of_plugin(root: RootContext, path: &[String]) -> Option<Vec<u8>> {
    let [name] = path else { return None };
    contexts::with(|contexts| {
        let root = contexts.root(root)?;
        let value = match name.as_str() {
            "plugin_name" => &root.name,
            "plugin_root_id" => &root.root_id,
            "plugin_vm_id" => &root.vm_id,
            _ => return None,
        };
        Some(value.clone().into_bytes())
    })
}

/// A value as plugins expect it.
fn encode(value: PropertyValue) -> Vec<u8> {
    match value {
        PropertyValue::Text(text) => text.into_bytes(),
        PropertyValue::Bytes(bytes) | PropertyValue::Message(bytes) => bytes,
        PropertyValue::Signed(number) => Encoded::Int(number).encode(),
        PropertyValue::Unsigned(number) => Encoded::Uint(number).encode(),
        PropertyValue::Floating(number) => Encoded::Double(number).encode(),
        PropertyValue::Boolean(truth) => Encoded::Bool(truth).encode(),
        PropertyValue::Timestamp(time) => Encoded::Timestamp(time).encode(),
        PropertyValue::Span(duration) => Encoded::Duration(duration).encode(),
        PropertyValue::Entries(entries) => Encoded::Entries(&entries).encode(),
    }
}

/// `proxy_set_property`. The whole path, as it is, is the property's name.
pub(crate) fn set(path: Input, value: Input) -> Answer {
    let stream = active::effective().stream();
    memory::with_inputs([path, value], |[path, value]| {
        let stream = stream.ok_or(Status::NotFound)?;
        let name = str::from_utf8(path).map_err(|_| Status::BadArgument)?;
        property::set(stream, name, value).map_err(refusal)
    })?
}

fn refusal(error: PropertyError) -> Status {
    match error {
        PropertyError::UnknownContext | PropertyError::NotFound => Status::NotFound,
        PropertyError::NotSerializable => Status::SerializationFailure,
        PropertyError::Rejected => Status::BadArgument,
        PropertyError::LimitReached => Status::InternalFailure,
    }
}
