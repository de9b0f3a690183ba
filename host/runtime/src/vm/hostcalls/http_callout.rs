//! `http-callout`: requests of the plugin's own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::callout::{Fields, HttpAnswer, HttpCall, RequestParts};
use crate::config::UpstreamProtocol;
use crate::metrics::CalloutKind;
use crate::vm::bindings::proxy_wasm::plugin::http_callout::{self, CalloutError, CalloutRequest};
use crate::vm::bindings::wasi::http::types::{Method, Scheme};
use crate::vm::callouts::Kind;
use crate::vm::state::VmState;

impl http_callout::Host for VmState {
    fn send(&mut self, root: u64, request: CalloutRequest) -> Result<u64, CalloutError> {
        self.admit_callout(root, CalloutKind::Http)?;
        let protocol = match &request.scheme {
            Some(Scheme::Https) => UpstreamProtocol::Https,
            Some(Scheme::Http) | None => UpstreamProtocol::Http1,
            Some(Scheme::Other(scheme)) => {
                let scheme = scheme.escape_debug();
                self.refuse_callout(
                    CalloutKind::Http,
                    &format!("`:scheme` is `{scheme}`; only `http` and `https` can be called"),
                );
                return Err(CalloutError::InvalidRequest);
            }
        };
        let cluster = self
            .callout_cluster(root, &request.cluster, protocol)
            .map_err(|unknown| {
                self.refuse_callout(CalloutKind::Http, &unknown.to_string());
                CalloutError::UnknownCluster
            })?;
        let timeout = request.timeout.map(Duration::from_nanos);
        let parts = RequestParts {
            method: method(request.method),
            authority: request.authority,
            path: request.path_with_query,
            headers: request.headers,
            body: request.body.into(),
            trailers: request.trailers,
        };
        let client = self.callouts.get().client();
        let call = HttpCall::new(client, cluster, parts, timeout).map_err(|invalid| {
            self.refuse_callout(CalloutKind::Http, &invalid.to_string());
            CalloutError::InvalidRequest
        })?;
        let handle = self.handle();
        let id = self.callouts.get_mut().next_id();
        self.start_callout(root, id, Kind::Http, async move {
            let outcome = call.run().await;
            handle.deliver(move |vm| vm.end_http_callout(root, id, outcome));
        })
    }

    fn cancel(&mut self, id: u64) {
        let http = |kind: &Kind| matches!(kind, Kind::Http);
        self.callouts.get_mut().cancel(id, http);
    }

    fn response_status(&mut self, id: u64) -> Option<u16> {
        self.answer(id).map(|answer| answer.status)
    }

    fn response_headers(&mut self, id: u64) -> Fields {
        self.answer(id)
            .map(|answer| answer.headers.clone())
            .unwrap_or_default()
    }

    fn response_body_size(&mut self, id: u64) -> u32 {
        self.answer(id)
            .and_then(|answer| u32::try_from(answer.body.len()).ok())
            .unwrap_or(0)
    }

    fn response_body(&mut self, id: u64, start: u32, count: u32) -> Vec<u8> {
        let Some(answer) = self.answer(id) else {
            return Vec::new();
        };
        let from = answer.body.get(start as usize..).unwrap_or_default();
        from.get(..count as usize).unwrap_or(from).to_vec()
    }

    fn response_trailers(&mut self, id: u64) -> Fields {
        self.answer(id)
            .map(|answer| answer.trailers.clone())
            .unwrap_or_default()
    }
}

impl VmState {
    fn answer(&self, id: u64) -> Option<&HttpAnswer> {
        self.callouts.get().answer(id)
    }

    /// Whether a root context may make one more callout.
    pub(super) fn admit_callout(
        &mut self,
        root: u64,
        kind: CalloutKind,
    ) -> Result<(), CalloutError> {
        if self.root(root).is_none() {
            self.refuse_callout(kind, &format!("there is no live root context {root}"));
            return Err(CalloutError::UnknownContext);
        }
        let callouts = self.callouts.get_mut();
        if callouts.is_full() {
            let most = callouts.client().limits().outstanding;
            self.refuse_callout(
                kind,
                &format!("{most} callouts of this VM are not over; see `limits.callouts`"),
            );
            return Err(CalloutError::LimitReached);
        }
        Ok(())
    }

    /// Starts a callout that was admitted.
    pub(super) fn start_callout(
        &mut self,
        root: u64,
        id: u64,
        kind: Kind,
        task: impl Future<Output = ()> + 'static,
    ) -> Result<u64, CalloutError> {
        let counters = self.root(root).map(|root| Arc::clone(&root.info.counters));
        let counters = counters.ok_or(CalloutError::UnknownContext)?;
        let task = self.spawn(root, task).ok_or(CalloutError::UnknownContext)?;
        self.callouts
            .get_mut()
            .insert(id, root, kind, task, counters);
        Ok(id)
    }
}

fn method(method: Method) -> String {
    match method {
        Method::Get => "GET".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Other(name) => name,
    }
}
