//! The counterpart of [`reference_host`](crate::reference_host): the same module, linked with the shim and run as a
//! component, by a host that answers from the same maps and does nothing else.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{header, request, response};
use proxy_wasi_linker::Linker as LegacyLinker;
use proxy_wasi_shim_artifact::SHIM;
use wasmtime::component::{Component, Linker};
use wasmtime::error::Context;
use wasmtime::{Config, Engine, Store};
use wasmtime::{ensure, format_err};

use crate::filter::Filter;
use crate::reference_host::{Exchange, entries};

mod bindings;
mod hostcalls;

use bindings::HttpFilterPlugin;
use bindings::exports::proxy_wasm::plugin::lifecycle::{Level, PluginInfo};
use bindings::proxy_wasm::plugin::plugin_types::{DataAction, HeaderAction};

/// The root context's id.
const ROOT: u64 = 1;

/// A VM with a linked legacy module, as a filter of the bare proxy.
#[derive(Clone)]
pub struct LinkedHost(Arc<Mutex<Vm>>);

impl fmt::Debug for LinkedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkedHost").finish_non_exhaustive()
    }
}

impl LinkedHost {
    /// Links and loads a legacy module and starts a root context with an empty configuration.
    ///
    /// # Errors
    ///
    /// Fails if the module cannot be linked or does not start.
    pub fn new(module: &[u8]) -> wasmtime::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Vm::start(module)?))))
    }

    fn with_vm<T>(&self, call: impl FnOnce(&mut Vm) -> wasmtime::Result<T>) -> wasmtime::Result<T> {
        // Never contended: see `reference_host`.
        call(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Filter for LinkedHost {
    type Stream = u64;

    fn on_request(&self, head: request::Parts) -> wasmtime::Result<(request::Parts, u64)> {
        self.with_vm(|vm| vm.on_request(head))
    }

    fn on_response(&self, stream: u64, head: response::Parts) -> wasmtime::Result<response::Parts> {
        self.with_vm(|vm| vm.on_response(stream, head))
    }
}

struct Vm {
    store: Store<Exchange>,
    plugin: HttpFilterPlugin,
    last_stream: u64,
}

impl Vm {
    fn start(module: &[u8]) -> wasmtime::Result<Self> {
        let linked = LegacyLinker::new(SHIM)?.link(module)?;
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .wasm_exceptions(true)
            .epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, linked.component)?;
        let mut linker = Linker::new(&engine);
        hostcalls::add_to_linker(&mut linker)?;
        linker.define_unknown_imports_as_traps(&component)?;

        let mut store = Store::new(&engine, Exchange::default());
        store.set_epoch_deadline(u64::MAX / 2);
        let plugin = HttpFilterPlugin::instantiate(&mut store, &component, &linker)?;
        let lifecycle = plugin.proxy_wasm_plugin_lifecycle();
        let info = PluginInfo {
            name: "plugin".into(),
            root_id: String::new(),
            vm_id: String::new(),
            log_level: Level::Info,
        };
        lifecycle
            .call_start(&mut store, ROOT, &info, &[])?
            .map_err(|reason| format_err!("start failed: {reason}"))?;
        lifecycle
            .call_configure(&mut store, ROOT, &[])?
            .map_err(|reason| format_err!("configure failed: {reason}"))?;
        Ok(Self {
            store,
            plugin,
            last_stream: 0,
        })
    }

    fn on_request(&mut self, head: request::Parts) -> wasmtime::Result<(request::Parts, u64)> {
        let Self { store, plugin, .. } = self;
        self.last_stream += 1;
        let count = entries(&head.headers);
        store.data_mut().request = Some(head);
        let filter = plugin.proxy_wasm_plugin_http_filter();
        let action =
            filter.call_on_request_headers(&mut *store, ROOT, self.last_stream, count, true)?;
        ensure!(action == HeaderAction::Continue, "this host does not pause");
        let head = store.data_mut().request.take().context("no request")?;
        Ok((head, self.last_stream))
    }

    /// Runs all that is left of a stream, as the reference host does.
    fn on_response(
        &mut self,
        stream: u64,
        head: response::Parts,
    ) -> wasmtime::Result<response::Parts> {
        let Self { store, plugin, .. } = self;
        let filter = plugin.proxy_wasm_plugin_http_filter();
        let length = head.headers.get(header::CONTENT_LENGTH);
        let body = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let count = entries(&head.headers);
        store.data_mut().response = Some(head);
        let action = filter.call_on_response_headers(&mut *store, ROOT, stream, count, false)?;
        ensure!(action == HeaderAction::Continue, "this host does not pause");
        let head = store.data_mut().response.take().context("no response")?;
        let size = body.unwrap_or(0);
        let action = filter.call_on_response_body(&mut *store, ROOT, stream, size, true)?;
        ensure!(action == DataAction::Continue, "this host does not pause");
        filter.call_on_stream_end(&mut *store, ROOT, stream)?;
        Ok(head)
    }
}
