//! Standard output and error of the legacy module, a log message for each line.

use std::cell::Cell;

use proxy_wasi_abi::LogLevel;

use crate::log;

/// Bytes. A longer line becomes several messages.
const MAX_LINE: usize = 8 * 1024;

/// Where a legacy module prints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stream {
    /// Logged at level info.
    Stdout,
    /// Logged at level error.
    Stderr,
}

thread_local! {
    static STDOUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static STDERR: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Whether there is an unfinished line.
    static PENDING: Cell<bool> = const { Cell::new(false) };
}

/// Logs the lines of `bytes`. A line that does not end here is kept for the next call or [`flush`].
pub(crate) fn write(stream: Stream, bytes: &[u8]) {
    let (cell, name, level) = match stream {
        Stream::Stdout => (&STDOUT, "stdout", LogLevel::Info),
        Stream::Stderr => (&STDERR, "stderr", LogLevel::Error),
    };
    let line = lines(cell.take(), bytes, |line| log::plugin(level, name, line));
    if !line.is_empty() {
        PENDING.set(true);
    }
    cell.set(line);
}

/// Logs unfinished lines: the callback that printed them has ended.
#[inline]
pub(crate) fn flush() {
    if PENDING.replace(false) {
        for (cell, stream) in [(&STDOUT, Stream::Stdout), (&STDERR, Stream::Stderr)] {
            let line = cell.take();
            let unfinished = !line.is_empty();
            cell.set(line);
            if unfinished {
                write(stream, b"\n");
            }
        }
        PENDING.set(false);
    }
}

/// Calls `emit` for each line that `begun` and `bytes` complete, and returns the rest.
fn lines(mut begun: Vec<u8>, bytes: &[u8], mut emit: impl FnMut(&[u8])) -> Vec<u8> {
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, tail) = rest.split_at(end);
        if begun.is_empty() {
            let last = cut(line, &mut emit);
            emit(last);
        } else {
            begun.extend_from_slice(line);
            let last = cut(&begun, &mut emit);
            emit(last);
            begun.clear();
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    begun.extend_from_slice(rest);
    let kept = cut(&begun, &mut emit).len();
    begun.drain(..begun.len() - kept);
    begun
}

/// Calls `emit` for pieces of a line that is too long, none of which ends within a character, and returns the last one.
fn cut(mut line: &[u8], mut emit: impl FnMut(&[u8])) -> &[u8] {
    while let Some(next) = line.get(MAX_LINE) {
        let mut end = MAX_LINE;
        let mut next = *next;
        // At most the three bytes that can follow the first of a character in UTF-8.
        while is_inner(next) && end > MAX_LINE - 3 {
            end -= 1;
            next = line.get(end).copied().unwrap_or_default();
        }
        let (piece, rest) = line.split_at(end);
        emit(piece);
        line = rest;
    }
    line
}

/// Whether this is not the first byte of a character in UTF-8.
fn is_inner(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that writes of these texts make, and what is left.
    fn written(texts: &[&[u8]]) -> (Vec<String>, String) {
        let (mut line, mut lines_seen) = (Vec::new(), Vec::new());
        for text in texts {
            line = lines(line, text, |line| {
                lines_seen.push(String::from_utf8(line.to_vec()).unwrap())
            });
        }
        (lines_seen, String::from_utf8(line).unwrap())
    }

    #[test]
    fn lines_are_put_together() {
        assert_eq!(written(&[b"one\n"]), (vec!["one".into()], String::new()));
        assert_eq!(
            written(&[b"o", b"ne", b"\ntwo\nthr"]),
            (vec!["one".into(), "two".into()], "thr".into())
        );
        assert_eq!(
            written(&[b"\n\n"]),
            (vec![String::new(), String::new()], String::new())
        );
        assert_eq!(written(&[b""]), (vec![], String::new()));
    }

    #[test]
    fn long_lines_are_cut_with_and_without_an_end() {
        let long = vec![b'x'; 2 * MAX_LINE + 1];
        let lengths = |lines: &[String]| lines.iter().map(String::len).collect::<Vec<_>>();
        let (lines, rest) = written(&[&long]);
        assert_eq!(lengths(&lines), [MAX_LINE, MAX_LINE]);
        assert_eq!(rest, "x");
        for texts in [&[&long, b"\n".as_slice()][..], &[b"x", &long[1..], b"\n"]] {
            let (lines, rest) = written(texts);
            assert_eq!(lengths(&lines), [MAX_LINE, MAX_LINE, 1]);
            assert_eq!(rest, "");
        }
        let whole = [&long[..], b"\n"].concat();
        assert_eq!(lengths(&written(&[&whole]).0), [MAX_LINE, MAX_LINE, 1]);
    }

    /// `written` reads each line as UTF-8.
    #[test]
    fn characters_are_not_cut() {
        for before in 0..5 {
            let text = format!("{}{}", "x".repeat(before), "\u{1f980}".repeat(MAX_LINE / 2));
            let (lines, rest) = written(&[text.as_bytes()]);
            assert_eq!(lines.concat() + &rest, text);
            assert!(lines.iter().all(|line| line.len() > MAX_LINE - 4));
        }
        // What is no UTF-8 is cut all the same.
        let mut pieces = Vec::new();
        let bytes = vec![0x80; 2 * MAX_LINE];
        let last = cut(&bytes, |piece| pieces.push(piece.len()));
        assert_eq!(pieces.iter().sum::<usize>() + last.len(), bytes.len());
    }
}
