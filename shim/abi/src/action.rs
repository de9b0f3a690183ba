//! What callbacks answer, and what H makes of it (ABI reference 2.2 and 2.3).
//!
//! Values are compared unsigned, and none is an error: what is out of range holds the message.

/// The result of `proxy_on_request_headers` and `proxy_on_response_headers`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum HeadersAction {
    /// The head goes on.
    Continue = 0,
    /// The head is held. What the body does is a setting of the host.
    StopIteration = 1,
    /// The same as `Continue`.
    ContinueAndEndStream = 2,
    /// Head and body are held, up to the buffer limit.
    StopAllIterationAndBuffer = 3,
    /// Head and body are held, with back-pressure at the buffer limit.
    StopAllIterationAndWatermark = 4,
}

impl From<u32> for HeadersAction {
    #[inline]
    fn from(result: u32) -> Self {
        match result {
            0 => Self::Continue,
            1 => Self::StopIteration,
            2 => Self::ContinueAndEndStream,
            3 => Self::StopAllIterationAndBuffer,
            _ => Self::StopAllIterationAndWatermark,
        }
    }
}

/// The result of `proxy_on_request_body` and `proxy_on_response_body`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum DataAction {
    /// The bytes go on.
    Continue = 0,
    /// The bytes are held and shown again.
    StopIterationAndBuffer = 1,
    /// The bytes are held and not shown again.
    StopIterationAndWatermark = 2,
    /// The bytes are dropped.
    StopIterationNoBuffer = 3,
}

impl From<u32> for DataAction {
    #[inline]
    fn from(result: u32) -> Self {
        match result {
            0 => Self::Continue,
            1 => Self::StopIterationAndBuffer,
            2 => Self::StopIterationAndWatermark,
            _ => Self::StopIterationNoBuffer,
        }
    }
}

/// The result of `proxy_on_request_trailers` and `proxy_on_response_trailers`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum TrailersAction {
    /// The trailers go on.
    Continue = 0,
    /// The trailers are held.
    StopIteration = 1,
}

impl From<u32> for TrailersAction {
    #[inline]
    fn from(result: u32) -> Self {
        if result == 0 {
            Self::Continue
        } else {
            Self::StopIteration
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_holds_the_message() {
        assert_eq!(
            HeadersAction::from(u32::MAX),
            HeadersAction::StopAllIterationAndWatermark
        );
        assert_eq!(DataAction::from(4), DataAction::StopIterationNoBuffer);
        assert_eq!(TrailersAction::from(2), TrailersAction::StopIteration);
        for result in 0..=4 {
            assert_eq!(HeadersAction::from(result) as u32, result);
        }
        for result in 0..=3 {
            assert_eq!(DataAction::from(result) as u32, result);
        }
    }
}
