//! As much HTTP/1.1 as a load generator needs that knows whom it talks to.

use std::io;

/// The end of a head.
const BLANK_LINE: &[u8] = b"\r\n\r\n";

/// The head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHead<'a> {
    /// The head as text, without the blank line that ends it.
    pub text: &'a str,
    /// Bytes of the head, blank line included.
    pub size: usize,
    /// The status code.
    pub status: u16,
    /// Bytes of the body.
    pub content_length: usize,
}

impl<'a> ResponseHead<'a> {
    /// Parses the head at the beginning of `bytes`; none if it is not complete yet.
    ///
    /// # Errors
    ///
    /// Fails if the head is not one of HTTP/1.1 or does not tell the size of the body in a `content-length`.
    pub fn parse(bytes: &'a [u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes
            .windows(BLANK_LINE.len())
            .position(|window| window == BLANK_LINE)
        else {
            return Ok(None);
        };
        let text = bytes
            .get(..end)
            .and_then(|head| str::from_utf8(head).ok())
            .ok_or_else(|| invalid("is not text"))?;
        let status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok());
        Ok(Some(Self {
            text,
            size: end + BLANK_LINE.len(),
            status: status.ok_or_else(|| invalid("has no status"))?,
            content_length: field(text, "content-length")
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| invalid("has no content-length"))?,
        }))
    }

    /// Returns the value of a header field.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        field(self.text, name)
    }
}

/// Says whether `bytes` end with the end of a head, as a request without body does.
pub fn is_complete_request(bytes: &[u8]) -> bool {
    bytes.ends_with(BLANK_LINE)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the response's head {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_a_head_and_leaves_the_body() -> io::Result<()> {
        let head =
            ResponseHead::parse(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc")?
                .ok_or_else(|| invalid("is incomplete"))?;
        assert_eq!((head.status, head.content_length, head.size), (200, 3, 49));
        assert_eq!(head.field("server"), Some("x"));
        assert_eq!(head.field("http/1.1 200 ok"), None);
        Ok(())
    }

    #[test]
    fn waits_for_the_blank_line() -> io::Result<()> {
        assert_eq!(
            ResponseHead::parse(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n")?,
            None
        );
        Ok(())
    }

    #[test]
    fn refuses_a_response_whose_end_it_could_not_find() {
        assert!(
            ResponseHead::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err()
        );
        assert!(ResponseHead::parse(b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\n").is_err());
    }
}
