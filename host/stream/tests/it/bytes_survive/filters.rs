//! Filters that edit, hold and resume as they are told.

use http::header::CONTENT_LENGTH;
use proptest::collection::vec;
use proptest::prelude::*;
use proxy_wasi_stream::{
    Action, Callback, DataAction, Direction, FilterIndex, HeaderAction, MapKind, Stream,
    TrailersAction,
};

/// What a filter makes of the bytes of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit {
    None,
    /// Writes every vowel twice.
    Double,
    /// Removes the vowels.
    Remove,
    /// Puts other letters in their place.
    Replace,
}

impl Edit {
    pub(super) fn apply(self, bytes: &[u8]) -> Vec<u8> {
        let vowel = |byte: u8| b"aeiou".contains(&byte);
        bytes
            .iter()
            .flat_map(|&byte| match self {
                Self::Double if vowel(byte) => vec![byte, byte],
                Self::Remove if vowel(byte) => vec![],
                Self::Replace => vec![byte.wrapping_add(1)],
                Self::None | Self::Double | Self::Remove => vec![byte],
            })
            .collect()
    }
}

/// How a filter behaves in its callbacks.
#[derive(Debug, Clone)]
pub(super) struct Manners {
    pub(super) interest: u8,
    pub(super) stop_iteration: bool,
    pub(super) edit: Edit,
    pub(super) headers: HeaderAction,
    /// For the nth body callback, and whether it resumes at once.
    pub(super) body: Vec<(DataAction, bool)>,
    pub(super) trailers: TrailersAction,
    pub(super) removes_length: bool,
}

/// A filter at work.
pub(super) struct Worker {
    pub(super) manners: Manners,
    /// Bytes at the front of the next view that have been edited before.
    pub(super) edited: usize,
    /// Bytes held that the next view does not show, also edited before.
    pub(super) hidden: usize,
    /// Bytes taken over from the machine, to be given back.
    pub(super) taken: Vec<u8>,
    pub(super) may_take: bool,
    pub(super) callbacks: usize,
    /// Everything that the filter has been shown, once each.
    pub(super) seen: Vec<u8>,
}

impl Worker {
    pub(super) fn run(
        &mut self,
        stream: &mut Stream,
        filter: FilterIndex,
        direction: Direction,
        callback: Callback,
    ) -> Action {
        match callback {
            Callback::RequestHeaders { .. } | Callback::ResponseHeaders { .. } => {
                let map = match direction {
                    Direction::Request => MapKind::RequestHeaders,
                    Direction::Response => MapKind::ResponseHeaders,
                };
                if self.manners.removes_length {
                    stream
                        .fields_mut(filter, map)
                        .unwrap()
                        .remove(CONTENT_LENGTH);
                }
                Action::Headers(self.manners.headers)
            }
            Callback::RequestBody {
                size,
                end_of_stream,
            }
            | Callback::ResponseBody {
                size,
                end_of_stream,
            } => self.body(stream, filter, direction, size as usize, end_of_stream),
            Callback::RequestTrailers { .. } | Callback::ResponseTrailers { .. } => {
                Action::Trailers(self.manners.trailers)
            }
            Callback::StreamEnd => Action::Done,
        }
    }

    fn body(
        &mut self,
        stream: &mut Stream,
        filter: FilterIndex,
        direction: Direction,
        size: usize,
        end_of_stream: bool,
    ) -> Action {
        assert_eq!(stream.body_size(filter, direction), Ok(size));
        let known = self.edited;
        let fresh = stream
            .body_read(filter, direction, known, usize::MAX)
            .unwrap();
        assert_eq!(
            known + fresh.len(),
            size,
            "a view begins with what was held to be shown again"
        );
        self.seen.extend_from_slice(&fresh);
        let mut data = std::mem::take(&mut self.taken);
        data.extend(self.manners.edit.apply(&fresh));
        stream
            .body_splice(filter, direction, known, fresh.len(), &data)
            .unwrap();

        let (mut action, resume) = self
            .manners
            .body
            .get(self.callbacks)
            .copied()
            .unwrap_or((DataAction::Continue, false));
        self.callbacks += 1;
        if action == DataAction::PauseNoBuffer && (end_of_stream || resume || !self.may_take) {
            action = DataAction::PauseAndBuffer;
        }
        if resume {
            stream.resume(filter, direction);
        }
        let size = stream.body_size(filter, direction).unwrap();
        self.edited = 0;
        match action {
            _ if resume => self.hidden = 0,
            DataAction::Continue => self.hidden = 0,
            // From now on all that is held is shown again, also what was hidden.
            DataAction::PauseAndBuffer => self.edited = std::mem::take(&mut self.hidden) + size,
            DataAction::PauseAndWatermark => self.hidden += size,
            DataAction::PauseNoBuffer => {
                self.taken = stream.body_read(filter, direction, 0, usize::MAX).unwrap()
            }
        }
        Action::Data(action)
    }
}

pub(super) fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::None),
        Just(Edit::Double),
        Just(Edit::Remove),
        Just(Edit::Replace)
    ]
}

pub(super) fn manners(edit: impl Strategy<Value = Edit>) -> impl Strategy<Value = Manners> {
    let headers = prop_oneof![
        2 => Just(HeaderAction::Continue),
        2 => Just(HeaderAction::Pause),
        1 => Just(HeaderAction::PauseAllAndBuffer),
        1 => Just(HeaderAction::PauseAllAndWatermark),
    ];
    let data = prop_oneof![
        Just(DataAction::Continue),
        Just(DataAction::PauseAndBuffer),
        Just(DataAction::PauseAndWatermark),
        Just(DataAction::PauseNoBuffer),
    ];
    let body = vec((data, prop_oneof![4 => Just(false), 1 => Just(true)]), 0..8);
    let trailers = prop_oneof![Just(TrailersAction::Continue), Just(TrailersAction::Pause)];
    let interest = prop_oneof![3 => Just(0x7f_u8), 1 => any::<u8>()];
    (
        interest,
        any::<bool>(),
        edit,
        headers,
        body,
        trailers,
        any::<bool>(),
    )
        .prop_map(
            |(interest, stop_iteration, edit, headers, body, trailers, removes_length)| Manners {
                interest,
                stop_iteration,
                edit,
                headers,
                body,
                trailers,
                removes_length,
            },
        )
}
