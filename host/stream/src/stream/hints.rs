//! What the driver may ask about the stream.

use http::HeaderMap;

use crate::deviation::Deviation;
use crate::effect::Direction;
use crate::filter::FilterIndex;
use crate::head::{RequestHead, ResponseHead};
use crate::interest::Interest;

use super::{Stream, around_request, around_response};

impl Stream {
    /// Returns whether it is worth handing in more of this message's body now: false while a filter holds as much as
    /// the limit, with back-pressure. What is handed in nevertheless is kept.
    #[must_use]
    pub fn wants_data(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.request.wants_data(self.limits.request_body_bytes),
            Direction::Response => self.response.wants_data(self.limits.response_body_bytes),
        }
    }

    /// Returns whether nothing will look at or hold any more of this message's body: its head has been sent, no filter
    /// holds any of it or is interested in more.
    ///
    /// From then on the driver may move body bytes past the machine. It stays true until the exchange ends otherwise:
    /// effects are still to be polled after hostcalls. Trailers are better handed in as always, for
    /// [`Callback::StreamEnd`](crate::Callback::StreamEnd) to read them.
    #[must_use]
    pub fn is_transparent(&self, direction: Direction) -> bool {
        let undisturbed = self.is_open() && self.running.is_none() && !self.has_commands();
        undisturbed
            && match direction {
                Direction::Request => self
                    .request
                    .is_transparent(around_request(&self.filters, self.limits)),
                Direction::Response => {
                    let around = around_response(&self.filters, self.limits, &self.request);
                    self.response.is_transparent(around)
                }
            }
    }

    /// Returns the callbacks that some filter still wants. If there are none, the driver can leave the machine out of
    /// the exchange.
    #[must_use]
    pub fn interest(&self) -> Interest {
        let all = self.filters.iter().map(|filter| filter.interest);
        all.fold(Interest::NONE, Interest::union)
    }

    /// Returns the filter that keeps the exchange from going on, and the message that it holds: the response, else the
    /// request.
    #[must_use]
    pub fn holder(&self) -> Option<(FilterIndex, Direction)> {
        let response = self.response.holder();
        let request = || Some((self.request.holder()?, Direction::Request));
        response
            .map(|filter| (filter, Direction::Response))
            .or_else(request)
    }

    /// Returns whether the filter waits in vain if it waits for the body: it paused in its headers callback, and body
    /// callbacks come once it resumes, as [`HeadersPause::StopAll`](crate::HeadersPause::StopAll) says.
    #[must_use]
    pub fn hides_body(&self, filter: FilterIndex, direction: Direction) -> bool {
        match direction {
            Direction::Request => self
                .request
                .hides_body(filter, around_request(&self.filters, self.limits)),
            Direction::Response => {
                let around = around_response(&self.filters, self.limits, &self.request);
                self.response.hides_body(filter, around)
            }
        }
    }

    /// Returns the request's head as it is now, for routes, properties and access logs. None before it has come, and
    /// after it has been sent if no copy was kept (see [`fields`](Self::fields)).
    #[must_use]
    pub fn peek_request_head(&self) -> Option<&RequestHead> {
        self.request.any_head()
    }

    /// Returns the response's head as it is now, for properties and access logs. None before it has come, and after it
    /// has been sent if no copy was kept (see [`fields`](Self::fields)).
    #[must_use]
    pub fn peek_response_head(&self) -> Option<&ResponseHead> {
        self.response.any_head()
    }

    /// Returns the request's head if the filter may read it, as [`request_head`](Self::request_head) does, but without
    /// noting that Envoy might not show it: for properties.
    #[must_use]
    pub fn seen_request_head(&self, filter: FilterIndex) -> Option<&RequestHead> {
        self.request.head(filter, self.is_over()).ok()
    }

    /// Returns the response's head if the filter may read it. See [`seen_request_head`](Self::seen_request_head).
    #[must_use]
    pub fn seen_response_head(&self, filter: FilterIndex) -> Option<&ResponseHead> {
        self.response.head(filter, self.is_over()).ok()
    }

    /// Returns the response's trailers if the filter may read them. See
    /// [`seen_request_head`](Self::seen_request_head).
    #[must_use]
    pub fn seen_response_trailers(&self, filter: FilterIndex) -> Option<&HeaderMap> {
        self.response.trailers(filter, self.is_over()).ok()
    }

    /// Returns the details of the local response, or of the reset, that ended the exchange's normal course, for access
    /// logs. None: it has not ended so.
    #[must_use]
    pub fn response_details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// Returns a deviation from Envoy that a filter has relied on since last asked.
    pub fn take_deviation(&mut self) -> Option<(FilterIndex, Deviation)> {
        let mut filters = self.filters.iter_mut().enumerate();
        filters.find_map(|(index, filter)| {
            let deviation = filter.deviations.get_mut().take()?;
            Some((FilterIndex(index), deviation))
        })
    }
}
