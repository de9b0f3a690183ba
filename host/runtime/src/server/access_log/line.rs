//! The text of a line.

use std::io::Write;
use std::time::Duration;

use http::{Uri, Version};

use super::AccessRecord;

pub(super) fn format(out: &mut Vec<u8>, record: &AccessRecord) {
    let status = record.status.map_or(0, |status| status.as_u16());
    let time = humantime::format_rfc3339_millis(record.time);
    // Writing to memory does not fail.
    let _ = write!(out, "[{time}] {} ", record.peer);
    let _ = match &record.line {
        Some(line) => write!(
            out,
            "\"{} {} {}\"",
            line.method,
            Target(&line.target),
            protocol(line.version)
        ),
        None => out.write_all(b"\"-\""),
    };
    let _ = write!(
        out,
        " {status} {} {} {} ",
        record.request_bytes,
        record.response_bytes,
        Milliseconds(record.began.elapsed()),
    );
    field(out, record.upstream.as_deref().map(str::as_bytes));
    out.push(b' ');
    field(out, record.request_id.as_ref().map(|id| id.as_bytes()));
    out.push(b'\n');
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}

/// Quotes what could be taken for more than one field.
fn field(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None | Some(b"") => out.push(b'-'),
        Some(value)
            if value
                .iter()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(byte)) =>
        {
            out.extend_from_slice(value);
        }
        Some(value) => {
            out.push(b'"');
            for chunk in value.utf8_chunks() {
                let _ = write!(out, "{}", Escaped(chunk.valid()));
                for byte in chunk.invalid() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
            out.push(b'"');
        }
    }
}

/// Text without anything that ends a quoted field or a line.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The path, or the whole target if it is not one.
struct Target<'a>(&'a Uri);

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.path_and_query() {
            Some(path) => Escaped(path.as_str()).fmt(f),
            None => Escaped(&self.0.to_string()).fmt(f),
        }
    }
}

struct Milliseconds(Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}.{:03}",
            self.0.as_millis(),
            self.0.subsec_micros() % 1000
        )
    }
}
