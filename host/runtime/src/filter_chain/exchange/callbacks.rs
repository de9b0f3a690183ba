//! Calling plugins back.

use proxy_wasi_stream::{
    Action, Callback, DataAction, FilterIndex, HeaderAction, OnFailure, TrailersAction,
};

use super::{BoundStream, Exchange};
use crate::vm::{self, At, Trap};

impl Exchange {
    /// Calls a plugin back and tells the machine what it said.
    pub(super) fn call(&self, filter: FilterIndex, callback: Callback) {
        let Some(stream) = self.filters.get(filter.0) else {
            return;
        };
        let on_failure = stream.bound.on_failure;
        let Some(shared) = stream
            .bound
            .vm
            .as_ref()
            .filter(|shared| !shared.failed.get())
        else {
            self.filter_failed(filter, on_failure);
            return;
        };
        let (outcome, touched) = {
            let mut vm = shared.vm.borrow_mut();
            let Some(at) = self.context(stream, filter, &mut vm) else {
                drop(vm);
                self.filter_failed(filter, on_failure);
                return;
            };
            (enter(&mut vm, at, callback), vm.take_touched())
        };
        match outcome {
            Ok(action) => self.machine.borrow_mut().handle_action(filter, action),
            Err(trap) => {
                self.filter_failed(filter, on_failure);
                shared.fail(&trap);
            }
        }
        for touched in touched {
            touched.settle();
        }
    }

    /// The filter's plugin has failed: what it held goes on, or the stream ends.
    pub(super) fn filter_failed(&self, filter: FilterIndex, on_failure: OnFailure) {
        self.room_made.set(true);
        self.machine
            .borrow_mut()
            .handle_filter_failed(filter, on_failure);
    }

    /// The contexts of this stream in a filter's VM, which learns of the stream now if it has not before.
    #[inline]
    fn context(&self, stream: &BoundStream, filter: FilterIndex, vm: &mut vm::Vm) -> Option<At> {
        let mut context = stream.context.get();
        if context == 0 {
            context = vm.add_stream(self.this.upgrade()?, filter.0)?;
            stream.context.set(context);
        }
        Some(At {
            root: stream.bound.root,
            stream: context,
        })
    }
}

/// Runs a callback.
#[inline]
fn enter(vm: &mut vm::Vm, at: At, callback: Callback) -> Result<Action, Trap> {
    match callback {
        Callback::RequestHeaders {
            count,
            end_of_stream,
        } => vm
            .on_request_headers(at, count, end_of_stream)
            .map(header_action),
        Callback::RequestBody {
            size,
            end_of_stream,
        } => vm.on_request_body(at, size, end_of_stream).map(data_action),
        Callback::RequestTrailers { count } => {
            vm.on_request_trailers(at, count).map(trailers_action)
        }
        Callback::ResponseHeaders {
            count,
            end_of_stream,
        } => vm
            .on_response_headers(at, count, end_of_stream)
            .map(header_action),
        Callback::ResponseBody {
            size,
            end_of_stream,
        } => vm
            .on_response_body(at, size, end_of_stream)
            .map(data_action),
        Callback::ResponseTrailers { count } => {
            vm.on_response_trailers(at, count).map(trailers_action)
        }
        Callback::StreamEnd => vm.on_stream_end(at).map(|()| Action::Done),
    }
}

fn header_action(action: vm::HeaderAction) -> Action {
    Action::Headers(match action {
        vm::HeaderAction::Continue => HeaderAction::Continue,
        vm::HeaderAction::Pause => HeaderAction::Pause,
        vm::HeaderAction::ContinueAndEndStream => HeaderAction::ContinueAndEndStream,
        vm::HeaderAction::PauseAllAndBuffer => HeaderAction::PauseAllAndBuffer,
        vm::HeaderAction::PauseAllAndWatermark => HeaderAction::PauseAllAndWatermark,
    })
}

fn data_action(action: vm::DataAction) -> Action {
    Action::Data(match action {
        vm::DataAction::Continue => DataAction::Continue,
        vm::DataAction::PauseAndBuffer => DataAction::PauseAndBuffer,
        vm::DataAction::PauseAndWatermark => DataAction::PauseAndWatermark,
        vm::DataAction::PauseNoBuffer => DataAction::PauseNoBuffer,
    })
}

fn trailers_action(action: vm::TrailersAction) -> Action {
    Action::Trailers(match action {
        vm::TrailersAction::Continue => TrailersAction::Continue,
        vm::TrailersAction::Pause => TrailersAction::Pause,
    })
}
