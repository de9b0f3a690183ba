//! The imports of header plugins.

use http::{HeaderName, HeaderValue};
use proxy_wasi_abi::pairs;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::bindings::proxy_wasm::plugin::http_headers::HeaderError;
use super::bindings::proxy_wasm::plugin::plugin_types::HeaderMap;
use super::bindings::wasi::logging::logging::Level;
use crate::reference_host::Exchange;

type Host<'a> = StoreContextMut<'a, Exchange>;

/// Defines what the shim imports for reading, adding and removing fields.
pub(super) fn add_to_linker(linker: &mut Linker<Exchange>) -> wasmtime::Result<()> {
    let mut headers = linker.instance("proxy-wasm:plugin/http-headers@0.1.0")?;
    headers.func_wrap(
        "get",
        |mut host: Host<'_>, (_, map, name): (u64, HeaderMap, String)| {
            let headers = headers_of(&mut host, map);
            Ok(
                (
                    headers
                        .map(|headers| headers.get(&name).map(|value| value.as_bytes().to_vec())),
                ),
            )
        },
    )?;
    headers.func_wrap(
        "append",
        |mut host: Host<'_>, (_, map, name, value): (u64, HeaderMap, String, Vec<u8>)| {
            let appended = field(&name, &value).and_then(|(name, value)| {
                headers_of(&mut host, map)?.append(name, value);
                Ok(())
            });
            Ok((appended,))
        },
    )?;
    headers.func_wrap(
        "remove",
        |mut host: Host<'_>, (_, map, name): (u64, HeaderMap, String)| {
            let headers = headers_of(&mut host, map);
            Ok((headers.map(|headers| {
                headers.remove(&name);
            }),))
        },
    )?;
    let mut flat = linker.instance("proxy-wasm:plugin/flat-headers@0.1.0")?;
    flat.func_wrap(
        "entries",
        |mut host: Host<'_>, (_, map): (u64, HeaderMap)| {
            let headers = headers_of(&mut host, map);
            Ok((headers.map(|headers| {
                let fields: Vec<_> = headers.iter().collect();
                pairs::encode(fields.iter().copied())
            }),))
        },
    )?;
    let mut log_level = linker.instance("proxy-wasm:plugin/log-level@0.1.0")?;
    log_level.func_wrap("current", |_: Host<'_>, ()| Ok((Some(Level::Info),)))?;
    Ok(())
}

fn headers_of<'a>(
    host: &'a mut Host<'_>,
    map: HeaderMap,
) -> Result<&'a mut http::HeaderMap, HeaderError> {
    let exchange = host.data_mut();
    let headers = match map {
        HeaderMap::RequestHeaders => exchange.request.as_mut().map(|head| &mut head.headers),
        HeaderMap::ResponseHeaders => exchange.response.as_mut().map(|head| &mut head.headers),
        HeaderMap::RequestTrailers | HeaderMap::ResponseTrailers => None,
    };
    headers.ok_or(HeaderError::Unavailable)
}

fn field(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let name = name.parse().map_err(|_| HeaderError::InvalidName)?;
    let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidValue)?;
    Ok((name, value))
}
