//! A legacy Proxy-Wasm module embedded the direct way: a core module whose imports are `func_wrap` closures. The
//! difference to `proxy-wasi` with the same module is what components and the shim cost.
//!
//! As little of the ABI as header plugins of the Rust SDK use. The engine has the settings of `proxy-wasi serve` that
//! cost time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header, request, response};
use wasmtime::ensure;
use wasmtime::error::Context;
use wasmtime::{Config, Engine, Instance, Linker, Module, Store, TypedFunc};

use crate::filter::Filter;

mod hostcalls;

pub(crate) use hostcalls::Exchange;

/// The root context's id.
const ROOT: u32 = 1;

/// The action with which a callback lets a message go on.
const CONTINUE: u32 = 0;

/// A VM with a legacy module, as a filter of the bare proxy.
#[derive(Clone)]
pub struct ReferenceHost(Arc<Mutex<Vm>>);

impl fmt::Debug for ReferenceHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceHost").finish_non_exhaustive()
    }
}

impl ReferenceHost {
    /// Loads a module and starts a root context with an empty configuration.
    ///
    /// # Errors
    ///
    /// Fails if the module does not compile, lacks a callback or does not start.
    pub fn new(module: &[u8]) -> wasmtime::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Vm::start(module)?))))
    }

    fn with_vm<T>(&self, call: impl FnOnce(&mut Vm) -> wasmtime::Result<T>) -> wasmtime::Result<T> {
        // Never contended: there is one thread. The lock is here because hyper-util's client wants `Send`.
        call(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Filter for ReferenceHost {
    type Stream = u32;

    fn on_request(&self, head: request::Parts) -> wasmtime::Result<(request::Parts, u32)> {
        self.with_vm(|vm| vm.on_request(head))
    }

    fn on_response(
        &self,
        context: u32,
        head: response::Parts,
    ) -> wasmtime::Result<response::Parts> {
        self.with_vm(|vm| vm.on_response(context, head))
    }
}

struct Vm {
    store: Store<Exchange>,
    callbacks: Callbacks,
    last_context: u32,
}

impl Vm {
    fn start(module: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, module)?;
        let mut linker = Linker::new(&engine);
        hostcalls::add_to_linker(&mut linker)?;
        linker.define_unknown_imports_as_traps(&module)?;

        let mut store = Store::new(&engine, Exchange::default());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = linker.instantiate(&mut store, &module)?;
        let guest = hostcalls::Guest::new(&mut store, &instance)?;
        store.data_mut().guest = Some(guest);
        instance
            .get_typed_func::<(), ()>(&mut store, "_initialize")?
            .call(&mut store, ())?;

        let callbacks = Callbacks::new(&mut store, &instance)?;
        callbacks.context_create.call(&mut store, (ROOT, 0))?;
        ensure!(
            callbacks.vm_start.call(&mut store, (ROOT, 0))? != 0,
            "proxy_on_vm_start returned false"
        );
        ensure!(
            callbacks.configure.call(&mut store, (ROOT, 0))? != 0,
            "proxy_on_configure returned false"
        );
        Ok(Self {
            store,
            callbacks,
            last_context: ROOT,
        })
    }

    fn on_request(&mut self, head: request::Parts) -> wasmtime::Result<(request::Parts, u32)> {
        self.last_context += 1;
        let context = self.last_context;
        let count = entries(&head.headers);
        self.store.data_mut().request = Some(head);
        self.callbacks
            .context_create
            .call(&mut self.store, (context, ROOT))?;
        let action = self
            .callbacks
            .request_headers
            .call(&mut self.store, (context, count, 1))?;
        ensure!(action == CONTINUE, "this host does not pause");
        let head = self.store.data_mut().request.take().context("no request")?;
        Ok((head, context))
    }

    /// Runs all that is left of a stream. The end of the body is assumed to be near: a proxy would call `on_log` and
    /// what follows it later, at the same cost.
    fn on_response(
        &mut self,
        context: u32,
        head: response::Parts,
    ) -> wasmtime::Result<response::Parts> {
        let Self {
            store, callbacks, ..
        } = self;
        let body = head
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let count = entries(&head.headers);
        store.data_mut().response = Some(head);
        let action = callbacks
            .response_headers
            .call(&mut *store, (context, count, 0))?;
        ensure!(action == CONTINUE, "this host does not pause");
        let head = store.data_mut().response.take().context("no response")?;
        let action = callbacks
            .response_body
            .call(&mut *store, (context, body.unwrap_or(0), 1))?;
        ensure!(action == CONTINUE, "this host does not pause");
        callbacks.done.call(&mut *store, context)?;
        callbacks.log.call(&mut *store, context)?;
        callbacks.delete.call(&mut *store, context)?;
        Ok(head)
    }
}

/// Header maps of any proxy have far fewer than 2^32 entries.
pub(crate) fn entries(headers: &HeaderMap) -> u32 {
    u32::try_from(headers.len()).unwrap_or(u32::MAX)
}

/// What the module exports. The Rust SDK exports every callback.
struct Callbacks {
    context_create: TypedFunc<(u32, u32), ()>,
    vm_start: TypedFunc<(u32, u32), u32>,
    configure: TypedFunc<(u32, u32), u32>,
    request_headers: TypedFunc<(u32, u32, u32), u32>,
    response_headers: TypedFunc<(u32, u32, u32), u32>,
    response_body: TypedFunc<(u32, u32, u32), u32>,
    done: TypedFunc<u32, u32>,
    log: TypedFunc<u32, ()>,
    delete: TypedFunc<u32, ()>,
}

impl Callbacks {
    fn new(store: &mut Store<Exchange>, instance: &Instance) -> wasmtime::Result<Self> {
        Ok(Self {
            context_create: instance.get_typed_func(&mut *store, "proxy_on_context_create")?,
            vm_start: instance.get_typed_func(&mut *store, "proxy_on_vm_start")?,
            configure: instance.get_typed_func(&mut *store, "proxy_on_configure")?,
            request_headers: instance.get_typed_func(&mut *store, "proxy_on_request_headers")?,
            response_headers: instance.get_typed_func(&mut *store, "proxy_on_response_headers")?,
            response_body: instance.get_typed_func(&mut *store, "proxy_on_response_body")?,
            done: instance.get_typed_func(&mut *store, "proxy_on_done")?,
            log: instance.get_typed_func(&mut *store, "proxy_on_log")?,
            delete: instance.get_typed_func(&mut *store, "proxy_on_delete")?,
        })
    }
}
