//! HTTP callouts (ABI reference 4.9).

use std::cell::RefCell;

use proxy_wasi_abi::{Status, pairs};

use super::Answer;
use super::header_map::field;
use crate::active;
use crate::bindings::proxy_wasm::plugin::http_callout::{
    self, CalloutError, CalloutId, CalloutRequest,
};
use crate::id_map::IdMap;
use crate::log;
use crate::memory::{self, Input};

/// The tokens of callouts that are not answered yet.
struct Tokens {
    last: u32,
    by_id: IdMap<u32>,
}

thread_local! {
    static TOKENS: RefCell<Tokens> = const { RefCell::new(Tokens { last: 0, by_id: IdMap::new() }) };
}

/// The upstream's name, the header list, the body, the trailer list.
pub(crate) type Arguments = [Input; 4];

/// `proxy_http_call`
pub(crate) fn call(arguments: Arguments, timeout: u32, token: u32) -> Answer {
    for Input(at, len) in arguments {
        memory::check(at, len)?;
    }
    // Alone among the hostcalls, this one tries its result's place first: no call is made whose token would be lost.
    memory::store_u32(token, 0)?;
    let milliseconds = u32::try_from(timeout.cast_signed())
        .map_err(|_| refused("the timeout is negative; give 0 for none"))?;
    let timeout = (milliseconds > 0).then_some(u64::from(milliseconds) * 1_000_000);
    let id = memory::with_inputs(arguments, |[cluster, headers, body, trailers]| {
        let root = active::effective().root().ok_or_else(|| refused(NO_ROOT))?;
        let request = request(cluster, headers, body, trailers, timeout).map_err(refused)?;
        http_callout::send(root, &request).map_err(|error| refusal(error, "proxy_http_call"))
    })??;
    let number = TOKENS.with_borrow_mut(|tokens| {
        let live = |token| tokens.by_id.values().any(|other| *other == token);
        let number = next_token(tokens.last, 0, live);
        tokens.last = number;
        tokens.by_id.insert(id, number);
        number
    });
    memory::store_u32(token, number)
}

/// The token of a callout that is answered now.
pub(crate) fn take_token(id: CalloutId) -> Option<u32> {
    TOKENS.with_borrow_mut(|tokens| tokens.by_id.remove(id))
}

/// The token after `last` of a kind (0 HTTP, 1 gRPC call, 2 gRPC stream): 4, 8, 12 and so on, with the kind in the low
/// two bits. After a wrap, those of live callouts are left out.
pub(crate) fn next_token(last: u32, kind: u32, live: impl Fn(u32) -> bool) -> u32 {
    let mut place = last >> 2;
    loop {
        place = (place + 1) & (u32::MAX >> 2);
        let token = (place << 2) | kind;
        if place != 0 && (token > last || !live(token)) {
            return token;
        }
    }
}

/// A call from `_initialize` and the like, or with the VM as effective context.
pub(super) const NO_ROOT: &str = "no root context runs; call from `proxy_on_vm_start` on, with the own root or a stream as effective context";

/// Explains a `BadArgument` in the log.
pub(super) fn refused(reason: &'static str) -> Status {
    log::refused_callout(reason);
    Status::BadArgument
}

/// Reads a request. An error says which of `:method`, `:path`, `:authority` or `:scheme` is missing or malformed.
fn request(
    cluster: &[u8],
    headers: &[u8],
    body: &[u8],
    trailers: &[u8],
    timeout: Option<u64>,
) -> Result<CalloutRequest, &'static str> {
    let text = |value, malformed| {
        str::from_utf8(value)
            .map(str::to_owned)
            .map_err(|_| malformed)
    };
    let (mut method, mut scheme, mut authority, mut path) = (None, None, None, None);
    let mut fields = Vec::new();
    for (name, value) in pairs::decode(headers) {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if is(b":method") {
            method = Some(field::method(value).map_err(|_| "`:method` is no method")?);
        } else if is(b":scheme") {
            scheme = Some(field::scheme(value).map_err(|_| "`:scheme` is no scheme")?);
        } else if is(b":path") {
            path = Some(text(value, "`:path` is no text")?);
        } else if is(b":authority") || is(b"host") {
            authority = Some(text(value, "`:authority` is no text")?);
        } else {
            fields.push((log::text(name).into_owned(), value.to_vec()));
        }
    }
    Ok(CalloutRequest {
        cluster: log::text(cluster).into_owned(),
        method: method.ok_or("the headers have no `:method`")?,
        scheme,
        authority: authority.ok_or("the headers have no `:authority`")?,
        path_with_query: path.ok_or("the headers have no `:path`")?,
        headers: fields,
        body: body.to_vec(),
        trailers: self::fields(trailers),
        timeout,
    })
}

/// Fields of a list.
pub(crate) fn fields(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    pairs::decode(bytes)
        .map(|(name, value)| (log::text(name).into_owned(), value.to_vec()))
        .collect()
}

/// What the Rust SDK can take is 2 or 10.
pub(crate) fn refusal(error: CalloutError, hostcall: &'static str) -> Status {
    match error {
        CalloutError::UnknownContext
        | CalloutError::UnknownCluster
        | CalloutError::InvalidRequest => Status::BadArgument,
        CalloutError::LimitReached | CalloutError::Refused => Status::InternalFailure,
        CalloutError::Unsupported => {
            log::unimplemented(hostcall);
            Status::Unimplemented
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::wasi::http::types::{Method, Scheme};

    #[test]
    fn tokens_go_up_and_wrap_past_the_living() {
        assert_eq!(next_token(0, 0, |_| false), 4);
        assert_eq!(next_token(4, 0, |_| false), 8);
        assert_eq!(next_token(0, 1, |_| false), 5);
        assert_eq!(next_token(10, 2, |_| false), 14);
        assert_eq!(next_token(u32::MAX - 3, 0, |token| token < 12), 12);
    }

    #[test]
    fn requests_are_read() {
        let headers = pairs::encode([
            (":method", "PURGE"),
            (":path", "/a?b"),
            ("Host", "example.com"),
            (":scheme", "https"),
            ("x-a", "1"),
        ]);
        let request = request(
            b"cluster",
            &headers,
            b"body",
            &pairs::encode([("t", "1")]),
            Some(5),
        )
        .unwrap();
        assert!(matches!(request.method, Method::Other(method) if method == "PURGE"));
        assert!(matches!(request.scheme, Some(Scheme::Https)));
        assert_eq!(
            (request.authority.as_str(), request.path_with_query.as_str()),
            ("example.com", "/a?b")
        );
        assert_eq!(request.headers, [("x-a".to_owned(), b"1".to_vec())]);
        assert_eq!(request.trailers, [("t".to_owned(), b"1".to_vec())]);
        assert_eq!(
            (request.cluster.as_str(), request.body, request.timeout),
            ("cluster", b"body".to_vec(), Some(5))
        );
    }

    #[test]
    fn a_request_without_its_line_is_refused() {
        let all = [(":method", "GET"), (":path", "/"), (":authority", "a")];
        assert!(request(b"c", &pairs::encode(all), b"", b"", None).is_ok());
        for missing in 0..3 {
            let rest: Vec<_> = all
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != missing)
                .map(|(_, pair)| *pair)
                .collect();
            let refused = request(b"c", &pairs::encode(rest), b"", b"", None);
            let (name, _) = all[missing];
            assert!(refused.is_err_and(|reason| reason.contains(name)));
        }
        assert!(request(b"c", b"malformed", b"", b"", None).is_err());
    }
}
