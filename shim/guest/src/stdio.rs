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
            emit(line);
        } else {
            begun.extend_from_slice(line);
            emit(&begun);
            begun.clear();
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    begun.extend_from_slice(rest);
    while begun.len() > MAX_LINE {
        let tail = begun.split_off(MAX_LINE);
        emit(&begun);
        begun = tail;
    }
    begun
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
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 2 * MAX_LINE + 1];
        let (lines, rest) = written(&[&long]);
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [MAX_LINE, MAX_LINE]
        );
        assert_eq!(rest, "x");
    }
}
