//! What ends the exchange's normal course: local responses and resets (ABI reference, 6.4).

use http::StatusCode;

use crate::effect::Direction;
use crate::filter::FilterIndex;
use crate::interest::Interest;
use crate::local_response::{LocalResponse, one_word};
use crate::reset::ResetReason;

use super::{Phase, Stream};

/// Envoy's response code details for a stream that a failed plugin closes.
const FAIL_STREAM: &str = "wasm_fail_stream";
/// Envoy's response code details for a stream that a plugin resets.
const CLOSE_STREAM: &str = "wasm_close_stream";
/// The gRPC status for a failed plugin: unavailable.
const GRPC_UNAVAILABLE: u32 = 14;

/// Something that takes the place of the exchange's normal course.
#[derive(Debug)]
pub(super) enum Takeover {
    /// A local response, of a filter or of the host.
    Respond(Option<FilterIndex>, LocalResponse),
    /// A filter asked for a reset.
    Reset(FilterIndex),
    /// A filter has failed, and is not to be skipped.
    Failed(FilterIndex),
    /// The upstream broke off.
    UpstreamReset,
    /// A filter buffers more than it may.
    TooLarge(FilterIndex, Direction),
    /// Filters have removed this from the request's head.
    MissingFromRequest(&'static str),
    /// Filters have removed this from the response's head.
    MissingFromResponse(&'static str),
}

impl Stream {
    /// Has something take the place of the normal course: at once, unless a callback is running. The first of several
    /// wins.
    pub(super) fn take_over(&mut self, takeover: Takeover) {
        if self.running.is_none() && self.takeover.is_none() {
            self.run(takeover);
        } else {
            self.take_over_next(takeover);
        }
    }

    /// Has something take the place of the normal course with the next effect. The first of several wins.
    pub(super) fn take_over_next(&mut self, takeover: Takeover) {
        if self.is_open() && self.takeover.is_none() {
            self.takeover = Some(Box::new(takeover));
        }
    }

    pub(super) fn run(&mut self, takeover: Takeover) {
        if !self.is_open() {
            return;
        }
        match takeover {
            Takeover::Respond(filter, response) => {
                let status = response.status;
                let details = one_word(&response.details);
                let late = match filter {
                    Some(filter) => ResetReason::LateLocalResponse { filter, status },
                    None => ResetReason::LateHostResponse {
                        status,
                        details: details.clone(),
                    },
                };
                self.respond(response, details, late);
            }
            Takeover::Reset(filter) => {
                self.details.get_or_insert_with(|| CLOSE_STREAM.into());
                self.reset_with(ResetReason::ByFilter(filter));
            }
            Takeover::Failed(filter) => {
                let response = LocalResponse {
                    grpc_status: Some(GRPC_UNAVAILABLE),
                    ..LocalResponse::with_text(StatusCode::SERVICE_UNAVAILABLE, "", FAIL_STREAM)
                };
                self.respond(
                    response,
                    FAIL_STREAM.into(),
                    ResetReason::FilterFailed(filter),
                );
            }
            Takeover::UpstreamReset => {
                let details = "upstream_reset_before_response_started";
                let text = "upstream connect error or disconnect/reset before headers";
                let response =
                    LocalResponse::with_text(StatusCode::SERVICE_UNAVAILABLE, text, details);
                self.respond(response, details.into(), ResetReason::UpstreamReset);
            }
            Takeover::TooLarge(filter, direction) => self.reject_body(filter, direction),
            Takeover::MissingFromRequest(part) => {
                let details = format!(
                    "filter_removed_required_request_headers{{missing_required_header:_{part}}}"
                );
                self.reject_head(StatusCode::SERVICE_UNAVAILABLE, part, details);
            }
            Takeover::MissingFromResponse(part) => {
                let details = format!(
                    "filter_removed_required_response_headers{{missing_required_header:_{part}}}"
                );
                self.reject_head(StatusCode::BAD_GATEWAY, part, details);
            }
        }
    }

    fn reject_body(&mut self, filter: FilterIndex, direction: Direction) {
        let (limit, status, text, details) = match direction {
            Direction::Request => (
                self.limits.request_body_bytes,
                StatusCode::PAYLOAD_TOO_LARGE,
                "Payload Too Large",
                "request_payload_too_large",
            ),
            Direction::Response => (
                self.limits.response_body_bytes,
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error",
                "response_payload_too_large",
            ),
        };
        let response = LocalResponse::with_text(status, text, details);
        self.respond(
            response,
            details.into(),
            ResetReason::BodyTooLarge {
                filter,
                direction,
                limit,
            },
        );
    }

    fn reject_head(&mut self, status: StatusCode, part: &str, details: String) {
        let response = LocalResponse::with_text(
            status,
            format!("missing required header: {part}"),
            details.clone(),
        );
        let late = ResetReason::LateHostResponse {
            status,
            details: details.clone(),
        };
        self.respond(response, details, late);
    }

    /// Answers with a local response: (a) through the response path if no response has begun, (b) in the place of the
    /// upstream's if its head has not gone, (c) not at all any more.
    fn respond(&mut self, response: LocalResponse, details: String, late: ResetReason) {
        if self.response.is_finished() {
            // There is nothing left to answer; but what led here must not come up again.
            self.request.close();
            return;
        }
        self.details = Some(details.into());
        if self.response.is_head_sent() {
            self.reset_with(late);
            return;
        }
        let (head, body) = response.into_message(self.is_grpc, self.is_head);
        self.skip_unreached();
        self.request.close();
        self.abandon = !self.abandoned;
        self.abandoned = true;
        if self.response.has_begun() {
            self.response.replace(head, body);
        } else {
            self.response.push_head(head, body.is_empty());
            if !body.is_empty() {
                self.response.push_data(body, true);
            }
        }
    }

    /// Takes the response callbacks from filters that the request has not come to: as in Envoy, a plugin that has not
    /// seen a request does not see its response either (ABI reference, 6.1).
    fn skip_unreached(&mut self) {
        for (index, filter) in self.filters.iter_mut().enumerate() {
            if !self.request.has_reached(FilterIndex(index)) {
                filter.interest = filter.interest.difference(Interest::RESPONSE);
            }
        }
    }

    pub(super) fn reset_with(&mut self, reason: ResetReason) {
        self.phase = Phase::Reset(Some(Box::new(reason)));
        self.request.close();
        self.response.close();
    }
}
