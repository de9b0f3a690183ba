//! The callouts of a VM that are not over, and the answer that a running callback can read.

mod error_code;

use std::sync::Arc;

use rustc_hash::FxHashMap;
use tokio::task::AbortHandle;

pub(super) use self::error_code::error_code;
use super::bindings::wasi::logging::logging::Level;
use super::instance::Vm;
use super::said::Said;
use super::state::VmState;
use super::trap::Trap;
use crate::callout::{
    CalloutClient, CalloutFailure, GrpcEvent, GrpcStatus, HttpAnswer, MessageSender, Unknown,
};
use crate::config::{AllowCallouts, UpstreamProtocol};
use crate::metrics::{CalloutKind, CalloutResult, PluginCounters};
use crate::upstream::Cluster;

/// What a callout is.
#[derive(Debug)]
pub(super) enum Kind {
    Http,
    GrpcCall,
    GrpcStream(MessageSender),
}

impl Kind {
    /// Its name in metrics.
    fn label(&self) -> CalloutKind {
        match self {
            Self::Http => CalloutKind::Http,
            Self::GrpcCall => CalloutKind::GrpcCall,
            Self::GrpcStream(_) => CalloutKind::GrpcStream,
        }
    }
}

#[derive(Debug)]
struct Live {
    root: u64,
    kind: Kind,
    task: AbortHandle,
    counters: Arc<PluginCounters>,
}

impl Live {
    fn ended(self, result: CalloutResult) {
        self.counters.callout_ended(self.kind.label(), result);
    }
}

/// The callouts of a VM.
#[derive(Debug)]
pub(crate) struct Callouts {
    client: CalloutClient,
    /// The last id that was given.
    last: u64,
    live: FxHashMap<u64, Live>,
    /// The tasks of callouts that were given up. A task lives, with its request, until the loop has its next turn.
    given_up: Vec<AbortHandle>,
    /// The answer to an HTTP callout, while its callback runs.
    answer: Option<(u64, HttpAnswer)>,
    said: Said,
}

impl Callouts {
    pub(super) fn new(client: CalloutClient) -> Self {
        Self {
            client,
            last: 0,
            live: FxHashMap::default(),
            given_up: Vec::new(),
            answer: None,
            said: Said::default(),
        }
    }

    pub(super) fn client(&self) -> &CalloutClient {
        &self.client
    }

    /// Whether as many callouts as there may be are not over. One that was given up counts until its task is gone: no
    /// callback can fill the machine by giving up what it sends.
    pub(super) fn is_full(&mut self) -> bool {
        let most = self.client.limits().outstanding;
        if self.live.len() + self.given_up.len() >= most {
            self.given_up.retain(|task| !task.is_finished());
        }
        self.live.len() + self.given_up.len() >= most
    }

    /// An id for a new callout.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Remembers a callout that was started.
    pub(super) fn insert(
        &mut self,
        id: u64,
        root: u64,
        kind: Kind,
        task: AbortHandle,
        counters: Arc<PluginCounters>,
    ) {
        let live = Live {
            root,
            kind,
            task,
            counters,
        };
        self.live.insert(id, live);
    }

    /// Gives up a callout; false if it is over, or no callout of such a kind.
    pub(super) fn cancel(&mut self, id: u64, is_kind: impl FnOnce(&Kind) -> bool) -> bool {
        if !self.live.get(&id).is_some_and(|live| is_kind(&live.kind)) {
            return false;
        }
        if let Some(live) = self.live.remove(&id) {
            live.task.abort();
            self.given_up.push(live.task.clone());
            live.ended(CalloutResult::Cancelled);
        }
        true
    }

    pub(super) fn kind(&self, id: u64) -> Option<&Kind> {
        self.live.get(&id).map(|live| &live.kind)
    }

    /// Forgets the callouts of a root context, whose tasks have ended with it.
    pub(super) fn forget_root(&mut self, root: u64) {
        let lost = self.live.extract_if(|_, live| live.root == root);
        lost.for_each(|(_, live)| live.ended(CalloutResult::Cancelled));
    }

    /// Forgets all callouts, whose tasks have ended with the VM.
    pub(super) fn forget_all(&mut self) {
        let lost = self.live.drain();
        lost.for_each(|(_, live)| live.ended(CalloutResult::Cancelled));
    }

    /// The answer to this callout, if its callback runs.
    pub(super) fn answer(&self, id: u64) -> Option<&HttpAnswer> {
        self.answer
            .as_ref()
            .filter(|(answered, _)| *answered == id)
            .map(|(_, answer)| answer)
    }
}

impl VmState {
    /// The cluster that a root context may call by this name. Says why there is none.
    pub(super) fn callout_cluster(
        &mut self,
        root: u64,
        name: &str,
        protocol: UpstreamProtocol,
    ) -> Result<Arc<Cluster>, Unknown> {
        let allow = self
            .root(root)
            .map_or(AllowCallouts::Clusters, |root| root.info.allow_callouts);
        self.callouts.get().client().cluster(name, protocol, allow)
    }

    /// Says why a callout was refused: once as a warning, then, as a plugin may try with each request, for debugging.
    #[cold]
    pub(super) fn refuse_callout(&mut self, kind: CalloutKind, why: &str) {
        if let Some(plugin) = self.current_plugin() {
            plugin.counters.callout_ended(kind, CalloutResult::Refused);
        }
        self.explain_callout(why);
    }

    /// Says what is wrong with what a plugin wants: once as a warning, then for debugging.
    #[cold]
    pub(super) fn explain_callout(&mut self, why: &str) {
        let message = format!("callout refused: {why}");
        let level = if self.callouts.get_mut().said.is_new(&message) {
            Level::Warn
        } else {
            Level::Debug
        };
        self.log(level, &message);
    }
}

impl Vm {
    /// An HTTP callout has ended: the plugin hears of it, unless it has given it up meanwhile.
    pub(crate) fn end_http_callout(
        &mut self,
        root: u64,
        id: u64,
        outcome: Result<HttpAnswer, CalloutFailure>,
    ) -> Result<(), Trap> {
        let callouts = self.state_mut().callouts.get_mut();
        let Some(live) = callouts.live.remove(&id) else {
            return Ok(());
        };
        live.ended(match &outcome {
            Ok(_) => CalloutResult::Answered,
            Err(failure) => result(failure),
        });
        let outcome = match outcome {
            Ok(answer) => {
                callouts.answer = Some((id, answer));
                Ok(())
            }
            Err(failure) => {
                self.log_failed_callout(root, &failure.causes());
                Err(error_code(&failure))
            }
        };
        let called = self.on_http_callout_response(root, id, outcome.as_ref().copied());
        self.state_mut().callouts.get_mut().answer = None;
        called
    }

    /// Something has come of a gRPC callout: the plugin hears of it, unless it has given it up meanwhile.
    pub(crate) fn grpc_callout_event(
        &mut self,
        root: u64,
        id: u64,
        event: GrpcEvent,
    ) -> Result<(), Trap> {
        let live = &mut self.state_mut().callouts.get_mut().live;
        let is_call = match live.get(&id).map(|live| &live.kind) {
            Some(Kind::GrpcCall) => true,
            Some(Kind::GrpcStream(_)) => false,
            Some(Kind::Http) | None => return Ok(()),
        };
        if (is_call || matches!(event, GrpcEvent::Close(_)))
            && let Some(live) = live.remove(&id)
        {
            live.ended(match &event {
                GrpcEvent::Close(status) => match status.code {
                    0 => CalloutResult::Answered,
                    GrpcStatus::DEADLINE_EXCEEDED => CalloutResult::Timeout,
                    _ => CalloutResult::Failed,
                },
                GrpcEvent::InitialMetadata(_)
                | GrpcEvent::Message(_)
                | GrpcEvent::TrailingMetadata(_) => CalloutResult::Answered,
            });
        }
        match event {
            GrpcEvent::InitialMetadata(metadata) => {
                self.on_grpc_initial_metadata(root, id, metadata)
            }
            GrpcEvent::Message(message) => self.on_grpc_message(root, id, &message),
            GrpcEvent::TrailingMetadata(metadata) => {
                self.on_grpc_trailing_metadata(root, id, metadata)
            }
            GrpcEvent::Close(status) => self.on_grpc_close(root, id, status.code, &status.message),
        }
    }

    /// The plugin gets no more than a code.
    fn log_failed_callout(&mut self, root: u64, why: &str) {
        let plugin = self
            .state_mut()
            .root(root)
            .map_or("", |root| root.info.name.as_str());
        tracing::warn!(plugin, error = why, "callout failed");
    }
}

fn result(failure: &CalloutFailure) -> CalloutResult {
    match failure {
        CalloutFailure::Timeout(_) | CalloutFailure::Unfinished(_) => CalloutResult::Timeout,
        CalloutFailure::TooLarge(_) => CalloutResult::TooLarge,
        CalloutFailure::Upstream(_) | CalloutFailure::Incomplete(_) => CalloutResult::Failed,
    }
}
