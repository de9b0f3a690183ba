//! Which callbacks a filter wants.

use std::fmt;
use std::ops::BitOr;

/// A set of callbacks: those that a filter wants to be entered for.
///
/// The machine never asks for a callback outside its filter's interest. A filter without interest in a callback counts
/// as answering it with "continue", as in Envoy (ABI reference, 1.4: "absent means").
///
/// ```
/// use proxy_wasi_stream::Interest;
///
/// let interest = Interest::REQUEST_HEADERS | Interest::STREAM_END;
/// assert!(interest.contains(Interest::STREAM_END));
/// assert!(!interest.intersects(Interest::RESPONSE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interest(u8);

impl Interest {
    /// No callback at all.
    pub const NONE: Self = Self(0);
    /// [`Callback::RequestHeaders`](crate::Callback::RequestHeaders)
    pub const REQUEST_HEADERS: Self = Self(1);
    /// [`Callback::RequestBody`](crate::Callback::RequestBody)
    pub const REQUEST_BODY: Self = Self(1 << 1);
    /// [`Callback::RequestTrailers`](crate::Callback::RequestTrailers)
    pub const REQUEST_TRAILERS: Self = Self(1 << 2);
    /// [`Callback::ResponseHeaders`](crate::Callback::ResponseHeaders)
    pub const RESPONSE_HEADERS: Self = Self(1 << 3);
    /// [`Callback::ResponseBody`](crate::Callback::ResponseBody)
    pub const RESPONSE_BODY: Self = Self(1 << 4);
    /// [`Callback::ResponseTrailers`](crate::Callback::ResponseTrailers)
    pub const RESPONSE_TRAILERS: Self = Self(1 << 5);
    /// [`Callback::StreamEnd`](crate::Callback::StreamEnd)
    pub const STREAM_END: Self = Self(1 << 6);
    /// The callbacks of the request path.
    pub const REQUEST: Self = Self(0b000_0111);
    /// The callbacks of the response path.
    pub const RESPONSE: Self = Self(0b011_1000);
    /// Every callback.
    pub const ALL: Self = Self(0b111_1111);

    const NAMES: [(Self, &str); 7] = [
        (Self::REQUEST_HEADERS, "request-headers"),
        (Self::REQUEST_BODY, "request-body"),
        (Self::REQUEST_TRAILERS, "request-trailers"),
        (Self::RESPONSE_HEADERS, "response-headers"),
        (Self::RESPONSE_BODY, "response-body"),
        (Self::RESPONSE_TRAILERS, "response-trailers"),
        (Self::STREAM_END, "stream-end"),
    ];

    /// Returns whether every callback of `other` is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns whether a callback of `other` is in the set.
    #[inline]
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns whether the set is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the callbacks that are in either set.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the callbacks that are in both sets.
    #[inline]
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the callbacks of this set that are not in `other`.
    #[inline]
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES
            .iter()
            .filter(|(one, _)| self.contains(*one))
            .map(|(_, name)| name);
        f.debug_set().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_are_made_of_their_callbacks() {
        let all = Interest::NAMES
            .iter()
            .fold(Interest::NONE, |set, (one, _)| set | *one);
        assert_eq!(all, Interest::ALL);
        assert_eq!(
            Interest::REQUEST | Interest::RESPONSE | Interest::STREAM_END,
            Interest::ALL
        );
        assert!(
            Interest::REQUEST
                .intersection(Interest::RESPONSE)
                .is_empty()
        );
        let request =
            Interest::REQUEST_HEADERS | Interest::REQUEST_BODY | Interest::REQUEST_TRAILERS;
        assert_eq!(Interest::REQUEST, request);
    }

    #[test]
    fn sets_work_like_sets() {
        let set = Interest::REQUEST_HEADERS | Interest::STREAM_END;
        assert!(set.contains(Interest::STREAM_END) && !set.contains(Interest::ALL));
        assert!(set.intersects(Interest::REQUEST) && !set.intersects(Interest::RESPONSE));
        assert_eq!(
            set.difference(Interest::STREAM_END),
            Interest::REQUEST_HEADERS
        );
        assert_eq!(format!("{set:?}"), r#"{"request-headers", "stream-end"}"#);
    }
}
