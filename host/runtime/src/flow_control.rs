//! How much HTTP/2 peers may send before somebody reads it, the same on both sides.
//!
//! A connection's window is as large as those of all its streams together: were it smaller, a few streams that nobody
//! reads would use it up and stop all others. What is kept is bounded by the streams' windows, whatever the connection's.

/// Bytes of a body that a peer sends ahead. Enough for 20 Mbit/s at a round trip of 100 ms; with the 128 streams that a
/// client may have, 32 MiB of a connection at worst.
pub(crate) const STREAM_WINDOW: u32 = 256 * 1024;

/// RFC 9113, 6.9.1
pub(crate) const MAX_WINDOW: u32 = (1 << 31) - 1;

/// Bytes of a connection with at most so many streams.
pub(crate) fn connection_window(streams: u32) -> u32 {
    // No peer can be told of less than what it begins with.
    STREAM_WINDOW
        .saturating_mul(streams)
        .clamp(STREAM_WINDOW, MAX_WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_streams_have_room() {
        assert_eq!(connection_window(0), STREAM_WINDOW);
        assert_eq!(connection_window(128), 32 * 1024 * 1024);
        assert_eq!(connection_window(u32::MAX), MAX_WINDOW);
    }
}
