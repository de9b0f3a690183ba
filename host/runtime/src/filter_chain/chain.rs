//! What a worker's requests pass: plugins in order.

use std::rc::Rc;
use std::sync::Arc;

use proxy_wasi_stream::{Filter, HeadersPause, Interest, Limits, OnFailure};
use smallvec::SmallVec;

use super::vm_slot::VmSlot;
use crate::config::{FailurePolicy, OnHeadersPause, PluginConfig};
use crate::vm::{self, SharedVm};

/// A plugin of the chain: which VM of the worker it lives in, and as which of its root contexts.
#[derive(Debug)]
pub(crate) struct ChainFilter {
    pub(crate) config: Arc<PluginConfig>,
    pub(crate) slot: Rc<VmSlot>,
    /// The place of the root context in its VM.
    pub(crate) root: usize,
}

/// A filter chain. A stream keeps the filters it began with.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) filters: Vec<ChainFilter>,
    pub(crate) limits: Limits,
}

/// A filter of one stream.
#[derive(Debug)]
pub(crate) struct Bound {
    /// Nothing if the plugin had no healthy VM when the stream began.
    pub(crate) vm: Option<Rc<SharedVm>>,
    pub(crate) root: u64,
    pub(crate) on_failure: OnFailure,
}

/// The filters of one stream, and its limits.
#[derive(Debug)]
pub(crate) struct Bindings {
    pub(crate) filters: SmallVec<[(Bound, Filter); 4]>,
    pub(crate) limits: Limits,
}

impl Chain {
    /// Binds the filters for an exchange that begins now. Nothing if no plugin wants to see anything of it: it can go
    /// past the chain. `end`: the request is its head alone.
    pub(crate) fn bind(&self, end: bool) -> Option<Bindings> {
        let impossible = match end {
            true => Interest::REQUEST_BODY.union(Interest::REQUEST_TRAILERS),
            false => Interest::NONE,
        };
        let filters: SmallVec<_> = self.filters.iter().map(ChainFilter::bind).collect();
        let is_wanted =
            |(_, filter): &(Bound, Filter)| !filter.interest.difference(impossible).is_empty();
        filters.iter().any(is_wanted).then_some(Bindings {
            filters,
            limits: self.limits,
        })
    }
}

impl ChainFilter {
    /// Binds the filter to the VM that runs now.
    fn bind(&self) -> (Bound, Filter) {
        let vm = self.slot.vm();
        let started = vm.as_ref().and_then(|vm| vm.root(self.root));
        let on_failure = match self.config.failure_policy {
            FailurePolicy::Closed => OnFailure::Closed,
            FailurePolicy::Open => OnFailure::Open,
        };
        let interest = match (started, on_failure) {
            (Some((_, interest)), _) => interest_of(interest),
            // The callback that this brings about fails, and the stream with it.
            (None, OnFailure::Closed) => Interest::REQUEST_HEADERS,
            (None, OnFailure::Open) => Interest::NONE,
        };
        let on_headers_pause = match self.config.on_headers_pause {
            OnHeadersPause::StopAll => HeadersPause::StopAll,
            OnHeadersPause::StopIteration => HeadersPause::StopIteration,
        };
        let root = started.map_or(0, |(root, _)| root);
        (
            Bound {
                vm,
                root,
                on_failure,
            },
            Filter {
                interest,
                on_headers_pause,
            },
        )
    }
}

/// The contract's flags as the stream machine's.
pub(crate) fn interest_of(wit: vm::Interest) -> Interest {
    [
        (vm::Interest::REQUEST_HEADERS, Interest::REQUEST_HEADERS),
        (vm::Interest::REQUEST_BODY, Interest::REQUEST_BODY),
        (vm::Interest::REQUEST_TRAILERS, Interest::REQUEST_TRAILERS),
        (vm::Interest::RESPONSE_HEADERS, Interest::RESPONSE_HEADERS),
        (vm::Interest::RESPONSE_BODY, Interest::RESPONSE_BODY),
        (vm::Interest::RESPONSE_TRAILERS, Interest::RESPONSE_TRAILERS),
        (vm::Interest::STREAM_END, Interest::STREAM_END),
    ]
    .into_iter()
    .filter(|(flag, _)| wit.contains(*flag))
    .fold(Interest::NONE, |all, (_, flag)| all.union(flag))
}
