//! Errors of host functions, and of plugins.

use std::error;
use std::fmt::{self, Display, Formatter};

use crate::bindings::proxy_wasm::plugin::{
    foreign_function::ForeignFunctionError, grpc_callout::GrpcError, http_body::BodyError,
    http_callout::CalloutError, http_headers::HeaderError, http_stream::LocalResponseError,
    metrics::MetricError, property::PropertyError, shared_data::SharedDataError,
    shared_queue::QueueError, timer::TimerError,
};

/// Whatever goes wrong in a plugin. Every error type converts with `?`, and so does text with `.into()`.
pub type Error = Box<dyn error::Error>;

/// The result of a plugin's callback.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A host function's refusal: what was asked, and the host's reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused<R> {
    subject: String,
    reason: R,
}

impl<R: Reason> Refused<R> {
    #[cold]
    pub(crate) fn new(subject: impl Display, reason: R) -> Self {
        Self {
            subject: subject.to_string(),
            reason,
        }
    }

    /// Returns the host's reason.
    pub fn reason(&self) -> R {
        self.reason
    }
}

impl<R: Reason> Display for Refused<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The contract's documentation of a reason is a sentence; an error message is a clause.
        let sentence = self.reason.sentence();
        let clause = sentence.strip_suffix('.').unwrap_or(sentence);
        let mut chars = clause.chars();
        let first = chars.next().map(|first| first.to_ascii_lowercase());
        write!(
            f,
            "{}: {}{}",
            self.subject,
            first.map(String::from).unwrap_or_default(),
            chars.as_str()
        )
    }
}

impl<R: Reason> error::Error for Refused<R> {}

/// One of the contract's error enums.
pub trait Reason: Copy + fmt::Debug + sealed::Sealed {
    /// Returns the contract's explanation.
    fn sentence(self) -> &'static str;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! reasons {
    ($($reason:ty),+ $(,)?) => {
        $(
            impl sealed::Sealed for $reason {}

            impl Reason for $reason {
                fn sentence(self) -> &'static str {
                    self.message()
                }
            }
        )+
    };
}

reasons!(
    BodyError,
    CalloutError,
    ForeignFunctionError,
    GrpcError,
    HeaderError,
    LocalResponseError,
    MetricError,
    PropertyError,
    QueueError,
    SharedDataError,
    TimerError,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_one_clause() {
        let refused = Refused::new("shared data `a`", SharedDataError::NotFound);

        assert_eq!(refused.to_string(), "shared data `a`: the key has no value");
        assert_eq!(refused.reason(), SharedDataError::NotFound);
    }
}
