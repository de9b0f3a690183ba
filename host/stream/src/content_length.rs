//! Reading and writing `content-length`.

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};

/// Returns the length that the fields declare; none if they declare none, or contradict each other or the grammar
/// (RFC 9110, 8.6).
pub(crate) fn declared(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter().map(length_of);
    let first = values.next()??;
    values.all(|other| other == Some(first)).then_some(first)
}

/// Declares a length, or none.
pub(crate) fn declare(headers: &mut HeaderMap, length: Option<u64>) {
    match length {
        Some(length) => _ = headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
        None => _ = headers.remove(CONTENT_LENGTH),
    }
}

/// Returns how many bytes `after` has more than `before`.
pub(crate) fn difference(before: u64, after: u64) -> i64 {
    if after >= before {
        i64::try_from(after - before).unwrap_or(i64::MAX)
    } else {
        i64::try_from(before - after).map_or(i64::MIN, |less| -less)
    }
}

fn length_of(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    // `parse` alone would take a sign.
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_LENGTH, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_a_proper_and_agreed_length_counts() {
        assert_eq!(declared(&headers(&[])), None);
        assert_eq!(declared(&headers(&["17"])), Some(17));
        assert_eq!(declared(&headers(&["17", "17"])), Some(17));
        for wrong in [
            &["17", "18"][..],
            &["+17"],
            &["-1"],
            &["1 7"],
            &[""],
            &["17, 17"],
            &["99999999999999999999"],
        ] {
            assert_eq!(declared(&headers(wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn difference_counts_both_ways_and_stays_in_range() {
        assert_eq!(difference(3, 10), 7);
        assert_eq!(difference(10, 3), -7);
        assert_eq!(difference(0, u64::MAX), i64::MAX);
        assert_eq!(difference(u64::MAX, 0), i64::MIN);
    }
}
