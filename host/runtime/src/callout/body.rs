//! Request bodies of callouts.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::BoxError;

/// A request body.
pub(crate) enum CalloutBody {
    /// All of it is there: bytes, which may be none, then trailers, if any.
    Whole(Option<Bytes>, Option<HeaderMap>),
    /// Parts that come one by one.
    Parts(PartReceiver),
}

impl CalloutBody {
    pub(super) fn whole(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self::Whole(Some(data).filter(|data| !data.is_empty()), trailers)
    }
}

impl Body for CalloutBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(data, trailers) => {
                let frame = match data.take() {
                    Some(data) => Some(Frame::data(data)),
                    None => trailers.take().map(Frame::trailers),
                };
                Poll::Ready(frame.map(Ok))
            }
            Self::Parts(parts) => parts
                .poll_next(cx)
                .map(|part| part.map(|part| part.map(Frame::data).map_err(Into::into))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(data, trailers) => data.is_none() && trailers.is_none(),
            Self::Parts(parts) => parts.is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // Trailers need a body whose end is not told by its length.
            Self::Whole(data, None) => {
                SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64))
            }
            Self::Whole(_, Some(_)) | Self::Parts(_) => SizeHint::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    parts: VecDeque<Bytes>,
    bytes: usize,
    ended: bool,
    /// Nobody fills it any more.
    abandoned: bool,
    waker: Option<Waker>,
}

impl Queue {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Why a part cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartError {
    /// The body has ended.
    Ended,
    /// Too much is waiting.
    Full,
}

/// A body that was not brought to its end. Whoever sends it resets the stream.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the plugin has given the stream up")]
pub(super) struct Abandoned;

/// The end of a body that is filled. Dropping it before the end abandons the body.
#[derive(Debug)]
pub(crate) struct PartSender {
    queue: Rc<RefCell<Queue>>,
    /// Bytes that may wait.
    limit: usize,
}

/// The end of a body that is sent.
#[derive(Debug)]
pub(crate) struct PartReceiver(Rc<RefCell<Queue>>);

/// Makes a body of parts, of which `limit` bytes may wait to be sent.
pub(super) fn parts(limit: usize) -> (PartSender, PartReceiver) {
    let queue = Rc::<RefCell<Queue>>::default();
    let receiver = PartReceiver(Rc::clone(&queue));
    (PartSender { queue, limit }, receiver)
}

impl PartSender {
    /// Adds a part.
    pub(super) fn send(&self, part: Bytes) -> Result<(), PartError> {
        let mut queue = self.queue.borrow_mut();
        if queue.ended {
            return Err(PartError::Ended);
        }
        let bytes = queue.bytes.saturating_add(part.len());
        if bytes > self.limit {
            return Err(PartError::Full);
        }
        queue.bytes = bytes;
        queue.parts.push_back(part);
        queue.wake();
        Ok(())
    }

    /// Ends the body.
    pub(super) fn end(&self) -> Result<(), PartError> {
        let mut queue = self.queue.borrow_mut();
        if std::mem::replace(&mut queue.ended, true) {
            return Err(PartError::Ended);
        }
        queue.wake();
        Ok(())
    }
}

impl Drop for PartSender {
    fn drop(&mut self) {
        let mut queue = self.queue.borrow_mut();
        queue.abandoned = !queue.ended;
        queue.wake();
    }
}

impl PartReceiver {
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Abandoned>>> {
        let mut queue = self.0.borrow_mut();
        if queue.abandoned {
            return Poll::Ready(Some(Err(Abandoned)));
        }
        match queue.parts.pop_front() {
            Some(part) => {
                queue.bytes -= part.len();
                Poll::Ready(Some(Ok(part)))
            }
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_ended(&self) -> bool {
        let queue = self.0.borrow();
        queue.ended && queue.parts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn parts_come_in_order_until_the_end() {
        let (sender, receiver) = parts(6);
        sender.send("abc".into()).unwrap();
        sender.send("def".into()).unwrap();
        assert_eq!(sender.send("g".into()), Err(PartError::Full));
        let mut body = CalloutBody::Parts(receiver);
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "abc");
        sender.send("ghi".into()).unwrap();
        sender.end().unwrap();
        assert_eq!(sender.end(), Err(PartError::Ended));
        assert_eq!(sender.send("j".into()), Err(PartError::Ended));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "defghi");
    }

    #[tokio::test]
    async fn a_body_that_is_given_up_fails() {
        let (sender, receiver) = parts(6);
        sender.send("abc".into()).unwrap();
        drop(sender);
        assert!(CalloutBody::Parts(receiver).collect().await.is_err());

        let (sender, receiver) = parts(6);
        sender.end().unwrap();
        drop(sender);
        assert!(CalloutBody::Parts(receiver).collect().await.is_ok());
    }

    #[tokio::test]
    async fn a_whole_body_says_its_length_unless_trailers_follow() {
        let none = CalloutBody::whole(Bytes::new(), None);
        assert!(none.is_end_stream());
        assert_eq!(none.size_hint().exact(), Some(0));
        let some = CalloutBody::whole("abc".into(), None);
        assert_eq!(some.size_hint().exact(), Some(3));

        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        let body = CalloutBody::whole("abc".into(), Some(trailers));
        assert_eq!(body.size_hint().exact(), None);
        let collected = body.collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["x-sum"], "1");
        assert_eq!(collected.to_bytes(), "abc");
    }
}
