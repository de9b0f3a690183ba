//! Where a request goes: one form, whatever the protocol and the form it came in (RFC 9112, 3.2; RFC 9113, 8.3.1).

use std::net::SocketAddr;

use http::header::{self, HeaderValue};
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{Method, Request, Version};

use super::Rejection;

/// Leaves the target in origin form, or `*`, and the authority in the only `host` field.
pub(super) fn normalize<B>(
    request: &mut Request<B>,
    hosts: usize,
    local: SocketAddr,
) -> Result<(), Rejection> {
    if hosts > 1 {
        return Err(Rejection::bad_request("more than one host field"));
    }
    if request.version() == Version::HTTP_2 {
        authority_of_h2(request)?;
    } else {
        authority_of_h1(request, hosts, local)?;
    }
    root_path(request)?;
    let star = request.uri().path() == "*";
    if star && request.method() != Method::OPTIONS {
        return Err(Rejection::bad_request("target `*` is for OPTIONS only"));
    }
    if !star && !request.uri().path().starts_with('/') {
        return Err(Rejection::bad_request("target is not a path"));
    }
    Ok(())
}

fn authority_of_h1<B>(
    request: &mut Request<B>,
    hosts: usize,
    local: SocketAddr,
) -> Result<(), Rejection> {
    match request.headers().get(header::HOST) {
        Some(host) => check_host(host.as_bytes())?,
        None if request.version() == Version::HTTP_10 => {}
        None => return Err(Rejection::bad_request("no host field")),
    }
    let uri = request.uri();
    if uri.authority().is_some() || uri.scheme().is_some() {
        let host = authority(uri)?;
        // An absolute target overrides the field.
        request.headers_mut().insert(header::HOST, host);
        origin_form(request);
    } else if hosts == 0 {
        let local = HeaderValue::try_from(local.to_string());
        let host = local.unwrap_or(HeaderValue::from_static("localhost"));
        request.headers_mut().insert(header::HOST, host);
    }
    Ok(())
}

fn authority_of_h2<B>(request: &mut Request<B>) -> Result<(), Rejection> {
    let stated = request.headers().get(header::HOST);
    if request.uri().authority().is_none() {
        return match stated {
            Some(host) => check_host(host.as_bytes()),
            None => Err(Rejection::bad_request("neither :authority nor host")),
        };
    }
    let host = authority(request.uri())?;
    match stated {
        Some(stated) if !stated.as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
            return Err(Rejection::bad_request("host differs from :authority"));
        }
        Some(_) => {}
        None => {
            request.headers_mut().insert(header::HOST, host);
        }
    }
    origin_form(request);
    Ok(())
}

/// The authority of an absolute target.
fn authority(uri: &Uri) -> Result<HeaderValue, Rejection> {
    let web = uri
        .scheme()
        .is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    match uri.authority() {
        Some(authority) if web => {
            check_host(authority.as_str().as_bytes())?;
            HeaderValue::from_str(authority.as_str())
                .map_err(|_invalid| Rejection::bad_request("invalid authority"))
        }
        Some(_) | None => Err(Rejection::bad_request(
            "target is neither a path nor an http URI",
        )),
    }
}

fn origin_form<B>(request: &mut Request<B>) {
    let path = request.uri().path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
}

/// Gives a target that is nothing but a query the path it belongs to.
fn root_path<B>(request: &mut Request<B>) -> Result<(), Rejection> {
    let query = request.uri().path_and_query().map(PathAndQuery::as_str);
    if let Some(query) = query.filter(|target| target.starts_with('?')) {
        let target = PathAndQuery::try_from(format!("/{query}"))
            .map_err(|_invalid| Rejection::bad_request("target is not a path"))?;
        *request.uri_mut() = Uri::from(target);
    }
    Ok(())
}

/// `uri-host [ ":" port ]` of RFC 3986, without user information.
///
/// Stricter than nothing and laxer than a parser: no character that an upstream could take for the end of the host.
fn check_host(host: &[u8]) -> Result<(), Rejection> {
    const INVALID: Rejection = Rejection::bad_request("invalid host");
    let (name, port) = match host {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']').ok_or(INVALID)?;
            let (address, after) = rest.split_at_checked(end).ok_or(INVALID)?;
            if !address
                .iter()
                .all(|byte| is_host_byte(*byte) || *byte == b':')
            {
                return Err(INVALID);
            }
            match after {
                [b']'] => (address, None),
                [b']', b':', port @ ..] => (address, Some(port)),
                _ => return Err(INVALID),
            }
        }
        _ => {
            let (name, port) = match host.iter().position(|byte| *byte == b':') {
                Some(colon) => (host.get(..colon).unwrap_or(host), host.get(colon + 1..)),
                None => (host, None),
            };
            if !name.iter().all(|byte| is_host_byte(*byte)) {
                return Err(INVALID);
            }
            (name, port)
        }
    };
    let port_valid = port.is_none_or(|port| port.len() <= 5 && port.iter().all(u8::is_ascii_digit));
    if name.is_empty() || !port_valid {
        Err(INVALID)
    } else {
        Ok(())
    }
}

/// `unreserved`, `sub-delims` and the sign of `pct-encoded`.
fn is_host_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&'..=b',' | b';' | b'='
    )
}
