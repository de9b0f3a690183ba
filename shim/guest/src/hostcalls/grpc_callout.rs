//! gRPC callouts (ABI reference 11.2).

use std::cell::RefCell;

use proxy_wasi_abi::{LogLevel, Status};

use super::Answer;
use super::http_callout::{NO_ROOT, fields, next_token, refusal, refused};
use crate::active;
use crate::bindings::proxy_wasm::plugin::grpc_callout::{self, GrpcError, GrpcTarget};
use crate::bindings::proxy_wasm::plugin::http_callout::{CalloutError, CalloutId};
use crate::id_map::IdMap;
use crate::log;
use crate::memory::{self, Input};

/// What a token's low two bits say it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A unary call.
    Call = 1,
    /// A stream.
    Stream = 2,
}

#[derive(Clone, Copy)]
struct Callout {
    id: CalloutId,
    /// Of a stream, what has ended: the plugin's side, the other side, or neither.
    half_closed: bool,
    remote_closed: bool,
}

/// Callouts that the plugin may still name.
struct Callouts {
    last: [u32; 2],
    by_token: IdMap<Callout>,
    tokens: IdMap<u32>,
}

thread_local! {
    static CALLOUTS: RefCell<Callouts> =
        const { RefCell::new(Callouts { last: [0; 2], by_token: IdMap::new(), tokens: IdMap::new() }) };
}

impl Callouts {
    fn add(&mut self, id: CalloutId, kind: Kind) -> u32 {
        let [last_call, last_stream] = &mut self.last;
        let last = match kind {
            Kind::Call => last_call,
            Kind::Stream => last_stream,
        };
        let token = next_token(*last, kind as u32, |token| {
            self.by_token.contains(token.into())
        });
        *last = token;
        self.by_token.insert(
            token.into(),
            Callout {
                id,
                half_closed: false,
                remote_closed: false,
            },
        );
        self.tokens.insert(id, token);
        token
    }

    fn remove(&mut self, token: u32) {
        if let Some(callout) = self.by_token.remove(token.into()) {
            self.tokens.remove(callout.id);
        }
    }
}

/// What is called: the cluster's name, the service's, the method's.
pub(crate) type Target = [Input; 3];

/// `proxy_grpc_call`
pub(crate) fn call(
    target: Target,
    metadata: Input,
    message: Input,
    timeout: u32,
    token: u32,
) -> Answer {
    let [cluster, service, method] = target;
    let id = memory::with_inputs([cluster, service, method, metadata, message], |inputs| {
        let [cluster, service, method, metadata, message] = inputs;
        let root = active::effective().root().ok_or_else(|| refused(NO_ROOT))?;
        let target = self::target(cluster, service, method);
        let timeout = (timeout > 0).then_some(u64::from(timeout) * 1_000_000);
        let result = grpc_callout::call(root, &target, &fields(metadata), message, timeout);
        result.map_err(|error| grpc_refusal(error, "proxy_grpc_call"))
    })??;
    started(id, Kind::Call, token)
}

/// `proxy_grpc_stream`
pub(crate) fn stream(target: Target, metadata: Input, token: u32) -> Answer {
    let [cluster, service, method] = target;
    let id = memory::with_inputs(
        [cluster, service, method, metadata],
        |[cluster, service, method, metadata]| {
            let root = active::effective().root().ok_or_else(|| refused(NO_ROOT))?;
            let result = grpc_callout::open(
                root,
                &self::target(cluster, service, method),
                &fields(metadata),
            );
            result.map_err(|error| grpc_refusal(error, "proxy_grpc_stream"))
        },
    )??;
    started(id, Kind::Stream, token)
}

fn target(cluster: &[u8], service: &[u8], method: &[u8]) -> GrpcTarget {
    let [cluster, service, method] =
        [cluster, service, method].map(|text| log::text(text).into_owned());
    GrpcTarget {
        cluster,
        service,
        method,
    }
}

/// Envoy's word for an unknown upstream is `ParseFailure` here, and the Rust SDK takes no other.
fn grpc_refusal(error: CalloutError, hostcall: &'static str) -> Status {
    match error {
        CalloutError::UnknownCluster => Status::ParseFailure,
        CalloutError::UnknownContext
        | CalloutError::InvalidRequest
        | CalloutError::LimitReached
        | CalloutError::Refused => Status::InternalFailure,
        CalloutError::Unsupported => refusal(error, hostcall),
    }
}

fn started(id: CalloutId, kind: Kind, token: u32) -> Answer {
    let number = CALLOUTS.with_borrow_mut(|callouts| callouts.add(id, kind));
    memory::store_u32(token, number)
}

/// The callout of a token. `BadArgument` if it is not of a kind in `kinds`, `NotFound` if there is none.
fn find(token: u32, kinds: &[Kind]) -> Result<Callout, Status> {
    if !kinds.iter().any(|kind| *kind as u32 == token & 3) {
        return Err(Status::BadArgument);
    }
    CALLOUTS
        .with_borrow(|callouts| callouts.by_token.get(token.into()).copied())
        .ok_or(Status::NotFound)
}

/// As [`find`], with a line in the log for whoever takes one token for another.
fn find_or_explain(token: u32, kinds: &[Kind]) -> Result<Callout, Status> {
    find(token, kinds).map_err(|status| match (status, kinds) {
        (Status::BadArgument, [Kind::Stream]) => refused("the token is no gRPC stream's"),
        (Status::BadArgument, _) => refused("the token is no gRPC callout's"),
        _ => status,
    })
}

/// `proxy_grpc_send`
pub(crate) fn send(token: u32, message: Input, end_of_stream: u32) -> Answer {
    let end = end_of_stream != 0;
    memory::with_inputs([message], |[message]| {
        let callout = find_or_explain(token, &[Kind::Stream])?;
        if callout.remote_closed {
            // The plugin has yet to hear of it, or does not care.
            return Ok(());
        }
        let sent = grpc_callout::send(callout.id, message, end);
        if matches!(sent, Err(GrpcError::Closed)) {
            log::shim(
                LogLevel::Warn,
                "a gRPC message is dropped: the plugin has ended its side of the stream",
            );
        }
        stream_answer(sent)
    })?
}

/// `proxy_grpc_close`
pub(crate) fn close(token: u32) -> Answer {
    let callout = find_or_explain(token, &[Kind::Call, Kind::Stream])?;
    let answer = stream_answer(grpc_callout::close(callout.id));
    if token & 3 == Kind::Call as u32 || callout.remote_closed {
        CALLOUTS.with_borrow_mut(|callouts| callouts.remove(token));
        return Ok(());
    }
    half_close(token);
    answer
}

/// `proxy_grpc_cancel`
pub(crate) fn cancel(token: u32) -> Answer {
    let callout = find_or_explain(token, &[Kind::Call, Kind::Stream])?;
    // Ended at the host already or not, no callback follows.
    let _ = grpc_callout::cancel(callout.id);
    CALLOUTS.with_borrow_mut(|callouts| callouts.remove(token));
    Ok(())
}

fn half_close(token: u32) {
    CALLOUTS.with_borrow_mut(|callouts| {
        if let Some(callout) = callouts.by_token.get_mut(token.into()) {
            callout.half_closed = true;
        }
    });
}

/// What a stream's operation is answered with. After the plugin has ended its side nothing happens, and as in Envoy
/// nothing is wrong: many end it with the last message and close it too.
fn stream_answer(result: Result<(), GrpcError>) -> Answer {
    match result {
        Ok(()) | Err(GrpcError::Closed) => Ok(()),
        Err(GrpcError::UnknownCallout) => Err(Status::NotFound),
        Err(GrpcError::NotAStream) => Err(refused("the token is no gRPC stream's")),
        Err(GrpcError::LimitReached) => Err(Status::InternalFailure),
    }
}

/// The token and the kind of a callout that the host has something for. None once the plugin has given it up.
pub(crate) fn token(id: CalloutId) -> Option<(u32, Kind)> {
    let token = CALLOUTS.with_borrow(|callouts| callouts.tokens.get(id).copied())?;
    Some((
        token,
        if token & 3 == Kind::Call as u32 {
            Kind::Call
        } else {
            Kind::Stream
        },
    ))
}

/// A callout has ended at the host. A stream that the plugin has not closed keeps its token until it does.
pub(crate) fn ended(token: u32) {
    CALLOUTS.with_borrow_mut(|callouts| match callouts.by_token.get_mut(token.into()) {
        Some(callout) if token & 3 == Kind::Stream as u32 && !callout.half_closed => {
            callout.remote_closed = true
        }
        Some(_) | None => callouts.remove(token),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(id: CalloutId, kind: Kind) -> u32 {
        CALLOUTS.with_borrow_mut(|callouts| callouts.add(id, kind))
    }

    #[test]
    fn tokens_tell_kinds_and_the_dead_apart() {
        let (call, stream) = (add(100, Kind::Call), add(101, Kind::Stream));
        assert_eq!((call, stream), (5, 6));
        assert_eq!(token(101), Some((6, Kind::Stream)));
        assert_eq!(find(call, &[Kind::Stream]).err(), Some(Status::BadArgument));
        assert_eq!(
            find(4, &[Kind::Call, Kind::Stream]).err(),
            Some(Status::BadArgument)
        );
        assert_eq!(find(10, &[Kind::Stream]).err(), Some(Status::NotFound));
        ended(call);
        assert_eq!(find(call, &[Kind::Call]).err(), Some(Status::NotFound));
        assert_eq!(token(100), None);
    }

    #[test]
    fn a_stream_keeps_its_token_until_both_sides_have_closed() {
        let stream = add(101, Kind::Stream);
        ended(stream);
        assert!(find(stream, &[Kind::Stream]).is_ok_and(|callout| callout.remote_closed));
        assert_eq!(send(stream, Input(0, 0), 0), Ok(()), "silently nothing");

        let closed_first = add(102, Kind::Stream);
        half_close(closed_first);
        ended(closed_first);
        assert_eq!(
            find(closed_first, &[Kind::Stream]).err(),
            Some(Status::NotFound)
        );
    }
}
