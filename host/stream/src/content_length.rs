//! Reading and writing `content-length`.

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};

/// Returns the length that the fields declare; none if they declare no or no proper one.
pub(crate) fn declared(headers: &HeaderMap) -> Option<u64> {
    let digits = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    // `parse` would take a sign.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Declares a length.
pub(crate) fn declare(headers: &mut HeaderMap, length: u64) {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
}

/// Returns `length`, grown or shrunk by `delta`.
pub(crate) fn grown(length: u64, delta: i64) -> u64 {
    length.saturating_add_signed(delta)
}

/// Returns how many bytes `after` has more than `before`.
pub(crate) fn difference(before: u64, after: u64) -> i64 {
    if after >= before {
        i64::try_from(after - before).unwrap_or(i64::MAX)
    } else {
        i64::try_from(before - after).map_or(i64::MIN, |less| -less)
    }
}
