//! The upstream that needs no server: it answers with the request it got.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use serde::Serialize;

/// A request as [`answer`] shows it.
#[derive(Debug, Serialize)]
struct Echo<'a> {
    method: &'a str,
    scheme: Option<&'a str>,
    authority: Option<String>,
    path: &'a str,
    version: &'static str,
    headers: Vec<(&'a str, String)>,
    body: EchoBody,
    trailers: Vec<(&'a str, String)>,
}

#[derive(Debug, Serialize)]
struct EchoBody {
    /// Bytes received, kept or not.
    length: u64,
    /// True if the text holds the beginning only.
    truncated: bool,
    /// `utf-8` or `base64`.
    encoding: &'static str,
    text: String,
}

/// Reads `request` to its end and answers 200 with a JSON description of it.
///
/// Of the body, the first `max_body` bytes are shown, as text if they are UTF-8 and in base64 if not. A request whose
/// body cannot be read is answered with 400 and the reason.
pub async fn answer<B>(request: Request<B>, max_body: usize) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let (head, body) = request.into_parts();
    let received = match receive(body, max_body).await {
        Ok(received) => received,
        Err(error) => {
            let mut response = Response::new(Full::from(format!("request body: {error}\n")));
            *response.status_mut() = http::StatusCode::BAD_REQUEST;
            return response;
        }
    };
    let host = head.headers.get(header::HOST).map(lossy);
    let echo = Echo {
        method: head.method.as_str(),
        scheme: head.uri.scheme_str(),
        authority: head.uri.authority().map(ToString::to_string).or(host),
        path: head.uri.path_and_query().map_or("", |path| path.as_str()),
        version: version(head.version),
        headers: pairs(&head.headers),
        trailers: received.trailers.as_ref().map(pairs).unwrap_or_default(),
        body: received.describe(),
    };
    // Serializing strings and numbers into memory cannot fail.
    let mut json = serde_json::to_vec_pretty(&echo).unwrap_or_default();
    json.push(b'\n');
    let length = HeaderValue::from(json.len());
    let mut response = Response::new(Full::from(json));
    // For plugins: hyper would know the length, but not say it to them.
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

struct Received {
    kept: BytesMut,
    length: u64,
    trailers: Option<HeaderMap>,
}

async fn receive<B: Body<Data = Bytes>>(body: B, max_body: usize) -> Result<Received, B::Error> {
    let mut body = pin!(body);
    let mut received = Received {
        kept: BytesMut::new(),
        length: 0,
        trailers: None,
    };
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => {
                received.length += data.len() as u64;
                let room = max_body - received.kept.len();
                let kept = data.get(..room).unwrap_or(&data);
                received.kept.extend_from_slice(kept);
            }
            Err(frame) => received.trailers = frame.into_trailers().ok(),
        }
    }
    Ok(received)
}

impl Received {
    fn describe(&self) -> EchoBody {
        let truncated = self.length > self.kept.len() as u64;
        let text = match std::str::from_utf8(&self.kept) {
            Ok(text) => Some(text),
            // The cut may have gone through a character.
            Err(error) if truncated && error.error_len().is_none() => self
                .kept
                .get(..error.valid_up_to())
                .and_then(|kept| std::str::from_utf8(kept).ok()),
            Err(_) => None,
        };
        EchoBody {
            length: self.length,
            truncated,
            encoding: if text.is_some() { "utf-8" } else { "base64" },
            text: text.map_or_else(|| base64(&self.kept), str::to_owned),
        }
    }
}

fn version(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}

fn pairs(map: &HeaderMap) -> Vec<(&str, String)> {
    map.iter()
        .map(|(name, value)| (name.as_str(), lossy(value)))
        .collect()
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// RFC 4648, section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let symbol = |group: u32, index: u32| {
        let six = (group >> (18 - 6 * index)) & 0x3f;
        ALPHABET.get(six as usize).copied().map_or('=', char::from)
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.push(symbol(group, 0));
        text.push(symbol(group, 1));
        text.push(if chunk.len() > 1 {
            symbol(group, 2)
        } else {
            '='
        });
        text.push(if chunk.len() > 2 {
            symbol(group, 3)
        } else {
            '='
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn json(request: Request<Full<Bytes>>, max_body: usize) -> serde_json::Value {
        let response = answer(request, max_body).await;
        assert_eq!(response.status(), 200);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn post(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        Request::post("http://a.test/x?y=1")
            .header("x-a", "1")
            .header("x-a", "2")
            .body(Full::new(body.into()))
            .unwrap()
    }

    #[tokio::test]
    async fn shows_the_request() {
        let json = json(post("hello"), 100).await;
        assert_eq!(json["method"], "POST");
        assert_eq!(json["scheme"], "http");
        assert_eq!(json["authority"], "a.test");
        assert_eq!(json["path"], "/x?y=1");
        assert_eq!(json["version"], "HTTP/1.1");
        assert_eq!(
            json["headers"],
            serde_json::json!([["x-a", "1"], ["x-a", "2"]])
        );
        assert_eq!(
            json["body"],
            serde_json::json!({"length": 5, "truncated": false, "encoding": "utf-8", "text": "hello"})
        );
    }

    #[tokio::test]
    async fn keeps_the_beginning_of_a_long_body() {
        let body = &json(post("häuser"), 2).await["body"];
        assert_eq!(
            *body,
            serde_json::json!({"length": 7, "truncated": true, "encoding": "utf-8", "text": "h"})
        );
    }

    #[tokio::test]
    async fn shows_bytes_in_base64() {
        for (bytes, text) in [
            (&b"\xff"[..], "/w=="),
            (b"\xff\xfe", "//4="),
            (b"\xff\xfe\xfd", "//79"),
        ] {
            let body = &json(post(bytes), 100).await["body"];
            assert_eq!(body["encoding"], "base64");
            assert_eq!(body["text"], text);
        }
    }
}
