//! Hostcalls of filters. They answer at once; what they ask of the stream happens with the next effect, so that no
//! callback, also none outside of the stream, finds it changed by a command of its own (ABI reference, 4.1).

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName};

use crate::access::{BodyError, Unavailable};
use crate::deviation::Deviation;
use crate::effect::{Direction, MapKind};
use crate::filter::FilterIndex;
use crate::head::{RequestHead, ResponseHead};
use crate::interest::Interest;
use crate::local_response::LocalResponse;

use super::Stream;
use super::takeover::Takeover;

impl Stream {
    /// Returns a map that the filter may read: from its own callback on, and when the exchange is over every map that
    /// ever was (ABI reference, 7.1, and the crate's list of deviations).
    ///
    /// # Errors
    ///
    /// [`Unavailable`] before that. Also once the head or trailers have been sent when no filter wanted any more
    /// callbacks at that time: then no copy was kept.
    pub fn fields(&self, filter: FilterIndex, of: MapKind) -> Result<&HeaderMap, Unavailable> {
        match of {
            MapKind::RequestHeaders => self.request_head(filter).map(|head| &head.headers),
            MapKind::ResponseHeaders => self.response_head(filter).map(|head| &head.headers),
            MapKind::RequestTrailers => {
                let trailers = self.request.trailers(filter, self.is_over())?;
                self.note_read(filter, self.request.holds_trailers(filter));
                Ok(trailers)
            }
            MapKind::ResponseTrailers => {
                let trailers = self.response.trailers(filter, self.is_over())?;
                self.note_read(filter, self.response.holds_trailers(filter));
                Ok(trailers)
            }
        }
    }

    /// Returns a map that the filter may write: in its own callback, and while the filter holds it. Trailers are made
    /// in the callback that shows the end of a body without any; if they are left empty, there are none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] otherwise.
    pub fn fields_mut(
        &mut self,
        filter: FilterIndex,
        of: MapKind,
    ) -> Result<&mut HeaderMap, Unavailable> {
        match of {
            MapKind::RequestHeaders => self.request_head_mut(filter).map(|head| &mut head.headers),
            MapKind::ResponseHeaders => {
                self.response_head_mut(filter).map(|head| &mut head.headers)
            }
            MapKind::RequestTrailers => self.request.trailers_mut(filter),
            MapKind::ResponseTrailers => self.response.trailers_mut(filter),
        }
    }

    /// Returns a map as [`fields_mut`](Self::fields_mut) does, for edits of one field only. The machine looks at the
    /// message's length again only if this field could have changed it, which spares most edits the search.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] as there.
    pub fn field_mut(
        &mut self,
        filter: FilterIndex,
        of: MapKind,
        name: &str,
    ) -> Result<&mut HeaderMap, Unavailable> {
        let is = |other: HeaderName| name.eq_ignore_ascii_case(other.as_str());
        if is(CONTENT_LENGTH) || is(HOST) {
            return self.fields_mut(filter, of);
        }
        match of {
            MapKind::RequestHeaders => self.request.other_fields_mut(filter),
            MapKind::ResponseHeaders => self.response.other_fields_mut(filter),
            MapKind::RequestTrailers => self.request.trailers_mut(filter),
            MapKind::ResponseTrailers => self.response.trailers_mut(filter),
        }
    }

    /// Returns the request's head, readable as [`fields`](Self::fields) are.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] as there.
    pub fn request_head(&self, filter: FilterIndex) -> Result<&RequestHead, Unavailable> {
        let head = self.request.head(filter, self.is_over())?;
        self.note_read(filter, self.request.holds_head(filter));
        Ok(head)
    }

    /// Returns the request's head, writable as [`fields_mut`](Self::fields_mut) are.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] as there.
    pub fn request_head_mut(
        &mut self,
        filter: FilterIndex,
    ) -> Result<&mut RequestHead, Unavailable> {
        self.request.head_mut(filter)
    }

    /// Returns the response's head, readable as [`fields`](Self::fields) are.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] as there.
    pub fn response_head(&self, filter: FilterIndex) -> Result<&ResponseHead, Unavailable> {
        let head = self.response.head(filter, self.is_over())?;
        self.note_read(filter, self.response.holds_head(filter));
        Ok(head)
    }

    /// Returns the response's head, writable as [`fields_mut`](Self::fields_mut) are.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] as there.
    pub fn response_head_mut(
        &mut self,
        filter: FilterIndex,
    ) -> Result<&mut ResponseHead, Unavailable> {
        self.response.head_mut(filter)
    }

    /// Returns the number of body bytes that the filter can see: in its body callback those that it shows, else those
    /// that it holds by [`DataAction::PauseAndBuffer`](crate::DataAction::PauseAndBuffer).
    ///
    /// # Errors
    ///
    /// [`BodyError::Unavailable`] in other phases.
    pub fn body_size(&self, filter: FilterIndex, of: Direction) -> Result<usize, BodyError> {
        match of {
            Direction::Request => self.request.body_size(filter),
            Direction::Response => self.response.body_size(filter),
        }
    }

    /// Copies up to `count` of the bytes that the filter can see, from `start` on: fewer where they end, none beyond.
    ///
    /// # Errors
    ///
    /// [`BodyError::Unavailable`] if there are none to see in this phase.
    pub fn body_read(
        &self,
        filter: FilterIndex,
        of: Direction,
        start: usize,
        count: usize,
    ) -> Result<Vec<u8>, BodyError> {
        match of {
            Direction::Request => self.request.body_read(filter, start, count),
            Direction::Response => self.response.body_read(filter, start, count),
        }
    }

    /// Puts `data` in the place of `count` of the bytes that the filter can see, from `start` on; of fewer where they
    /// end.
    ///
    /// # Errors
    ///
    /// [`BodyError::Unavailable`] if there are none to see in this phase, [`BodyError::OutOfRange`] if `start` is beyond
    /// their end, [`BodyError::TooLarge`] if the filter would then hold more than its limit.
    pub fn body_splice(
        &mut self,
        filter: FilterIndex,
        of: Direction,
        start: usize,
        count: usize,
        data: &[u8],
    ) -> Result<(), BodyError> {
        match of {
            Direction::Request => {
                self.request
                    .body_splice(filter, start, count, data, self.limits.request_body_bytes)
            }
            Direction::Response => self.response.body_splice(
                filter,
                start,
                count,
                data,
                self.limits.response_body_bytes,
            ),
        }
    }

    /// Lets a paused message go on, with the next effect. Nothing happens if the filter does not hold it then.
    pub fn resume(&mut self, filter: FilterIndex, direction: Direction) {
        if !self.is_open() {
            return;
        }
        self.resumes = true;
        match direction {
            Direction::Request => self.request.resume_later(filter),
            Direction::Response => self.response.resume_later(filter),
        }
    }

    /// Answers the request, with the next effect, whatever the running callback returns. The first of several commands
    /// that end the normal course wins.
    pub fn send_local_response(&mut self, filter: FilterIndex, response: LocalResponse) {
        self.take_over_next(Takeover::Respond(Some(filter), response));
    }

    /// Resets the stream, with the next effect.
    pub fn reset(&mut self, filter: FilterIndex) {
        self.take_over_next(Takeover::Reset(filter));
    }

    /// Gives up callbacks of the filter for the rest of the stream: those not in `interest`. What the filter holds stays
    /// held until it resumes.
    pub fn narrow_interest(&mut self, filter: FilterIndex, interest: Interest) {
        if let Some(filter) = self.filters.get_mut(filter.0) {
            filter.narrow(interest);
        }
    }

    /// Notes that a filter has read a map; `held`: one that Envoy would have shown it too.
    fn note_read(&self, filter: FilterIndex, held: bool) {
        if held || self.is_over() {
            return;
        }
        if let Some(filter) = self.filters.get(filter.0) {
            filter.note(Deviation::HeadersStayReadable);
        }
    }
}
