//! Whole maps in the ABI's serialized form (ABI 3.1), pseudo-headers in front (ABI 7.2).

use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Method, header};
use proxy_wasi_abi::pairs;
use proxy_wasi_stream::{FilterIndex, MapKind, RequestHead, ResponseHead, Stream, Unavailable};
use smallvec::SmallVec;

use super::access::path_and_query;
use crate::plugin_fields::PluginFields;
use crate::vm::{HeaderError, final_status};

type Pairs<'a> = SmallVec<[(&'a [u8], &'a [u8]); 32]>;

/// Collects a map's entries.
fn with_pairs<R>(
    machine: &Stream,
    filter: FilterIndex,
    of: MapKind,
    then: impl FnOnce(&Pairs<'_>) -> R,
) -> Result<R, Unavailable> {
    let status = if of == MapKind::ResponseHeaders {
        machine.response_head(filter)?.status
    } else {
        None
    };
    let mut all = Pairs::new();
    let map = machine.fields(filter, of)?;
    match of {
        MapKind::RequestHeaders => {
            let head = machine.request_head(filter)?;
            push_start_line(&mut all, head);
        }
        MapKind::ResponseHeaders => {
            if let Some(status) = &status {
                all.push((b":status", status.as_str().as_bytes()));
            }
        }
        MapKind::RequestTrailers | MapKind::ResponseTrailers => {}
    }
    let hides_host = of == MapKind::RequestHeaders;
    for (name, value) in map {
        if !(hides_host && name == header::HOST) {
            all.push((name.as_str().as_bytes(), value.as_bytes()));
        }
    }
    Ok(then(&all))
}

/// The order in which Envoy shows them.
fn push_start_line<'a>(all: &mut Pairs<'a>, head: &'a RequestHead) {
    if let Some(authority) = head.authority() {
        all.push((b":authority", authority.as_bytes()));
    }
    if let Some(path) = &head.path {
        all.push((b":path", path.as_str().as_bytes()));
    }
    if let Some(method) = &head.method {
        all.push((b":method", method.as_str().as_bytes()));
    }
    if let Some(scheme) = &head.scheme {
        all.push((b":scheme", scheme.as_str().as_bytes()));
    }
}

pub(super) fn encode(
    machine: &Stream,
    filter: FilterIndex,
    of: MapKind,
) -> Result<Vec<u8>, Unavailable> {
    with_pairs(machine, filter, of, |all| {
        pairs::encode(all.iter().copied())
    })
}

pub(super) fn byte_size(
    machine: &Stream,
    filter: FilterIndex,
    of: MapKind,
) -> Result<usize, Unavailable> {
    with_pairs(machine, filter, of, |all| {
        all.iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    })
}

/// Replaces a whole map. Pseudo-headers that are not in the list are gone, as in Envoy.
pub(super) fn replace(
    machine: &mut Stream,
    filter: FilterIndex,
    of: MapKind,
    bytes: &[u8],
) -> Result<(), HeaderError> {
    let mut fields = PluginFields::with_capacity(0);
    let mut authority = None;
    let mut request = RequestHead::default();
    let mut response = ResponseHead::default();
    for (name, value) in pairs::decode(bytes) {
        if let Some(pseudo) = name.strip_prefix(b":") {
            let pseudo = pseudo.to_ascii_lowercase();
            let text = std::str::from_utf8(value).map_err(|_| HeaderError::InvalidValue)?;
            match (of, pseudo.as_slice()) {
                (MapKind::RequestHeaders, b"method") => {
                    request.method =
                        Some(Method::from_bytes(value).map_err(|_| HeaderError::InvalidValue)?);
                }
                (MapKind::RequestHeaders, b"scheme") => {
                    request.scheme =
                        Some(Scheme::try_from(text).map_err(|_| HeaderError::InvalidValue)?);
                }
                (MapKind::RequestHeaders, b"path") => request.path = Some(path_and_query(text)?),
                (MapKind::RequestHeaders, b"authority") => {
                    authority = Some(
                        HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidValue)?,
                    );
                }
                (MapKind::ResponseHeaders, b"status") => {
                    let status = text.parse().ok().and_then(final_status);
                    response.status = Some(status.ok_or(HeaderError::InvalidValue)?);
                }
                _ => return Err(HeaderError::InvalidName),
            }
            continue;
        }
        let name = HeaderName::from_bytes(name).map_err(|_| HeaderError::InvalidName)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidValue)?;
        if of == MapKind::RequestHeaders && name == header::HOST {
            authority.get_or_insert(value);
        } else {
            fields.append(name, value)?;
        }
    }
    let mut fields = fields.into_map();
    if let Some(authority) = authority {
        fields.insert(header::HOST, authority);
    }
    let unavailable = |_| HeaderError::Unavailable;
    match of {
        MapKind::RequestHeaders => {
            request.headers = fields;
            *machine.request_head_mut(filter).map_err(unavailable)? = request;
        }
        MapKind::ResponseHeaders => {
            response.headers = fields;
            *machine.response_head_mut(filter).map_err(unavailable)? = response;
        }
        MapKind::RequestTrailers | MapKind::ResponseTrailers => {
            *machine.fields_mut(filter, of).map_err(unavailable)? = fields;
        }
    }
    Ok(())
}
