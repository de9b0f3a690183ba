//! Why a callout failed.

use std::error::Error;
use std::time::Duration;

use crate::BoxError;
use crate::upstream::UpstreamError;

/// A callout that was made and not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CalloutFailure {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("no answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    #[error("the response has begun, and not ended within {}", humantime::format_duration(*.0))]
    Unfinished(Duration),
    #[error("the response's body has more than {0} bytes; see `limits.callout_response`")]
    TooLarge(usize),
    #[error("the response ended early")]
    Incomplete(#[source] BoxError),
}

impl CalloutFailure {
    /// The failure of a response's body.
    pub(super) fn of_body(error: BoxError) -> Self {
        match error.downcast::<UpstreamError>() {
            Ok(error) => Self::Upstream(*error),
            Err(other) => Self::Incomplete(other),
        }
    }

    /// The failure and what it came from, in one line.
    pub(crate) fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut error: &dyn Error = self;
        while let Some(source) = error.source() {
            let said = source.to_string();
            // A transparent error says the same as its source.
            if !text.ends_with(&said) {
                text = format!("{text}: {said}");
            }
            error = source;
        }
        text
    }
}
