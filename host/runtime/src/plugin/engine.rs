//! The engine of the synchronous tier.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use proxy_wasi_linker::FEATURES;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, OptLevel, WasmBacktraceDetails, WasmFeatures};

use crate::vm::{VmState, add_to_linker};

/// How often the clock of callback deadlines moves: often enough for deadlines of some milliseconds, and too seldom to
/// be seen in a profile.
pub const EPOCH_PERIOD: Duration = Duration::from_millis(10);

/// A wasmtime engine for plugins, with everything they may import.
///
/// Plugins are synchronous: without the component model's concurrency a call costs about half. Epochs end callbacks
/// that run for too long; exceptions carry `proc_exit` through legacy modules.
#[derive(Clone)]
pub struct PluginEngine {
    engine: Engine,
    linker: Arc<Linker<VmState>>,
    /// Held by every clone: when the last is gone, the epoch thread ends.
    _alive: Arc<()>,
}

impl PluginEngine {
    /// Makes an engine and the thread that moves its epochs.
    ///
    /// # Errors
    ///
    /// This machine cannot run wasmtime, or start a thread.
    pub fn new() -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            // Exactly these: files are checked for them before they are compiled.
            .wasm_features(WasmFeatures::all(), false)
            .wasm_features(FEATURES, true)
            .concurrency_support(false)
            .epoch_interruption(true)
            .cranelift_opt_level(OptLevel::Speed)
            .wasm_backtrace_details(WasmBacktraceDetails::Enable);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker)?;
        let alive = Arc::new(());
        move_epochs(&engine, Arc::downgrade(&alive))?;
        Ok(Self {
            engine,
            linker: Arc::new(linker),
            _alive: alive,
        })
    }

    /// The wasmtime engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What plugins may import.
    pub(crate) fn linker(&self) -> &Linker<VmState> {
        &self.linker
    }
}

impl std::fmt::Debug for PluginEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginEngine").finish_non_exhaustive()
    }
}

fn move_epochs(engine: &Engine, alive: Weak<()>) -> wasmtime::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("epochs".into())
        .spawn(move || {
            while alive.strong_count() > 0 {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this thread does nothing but keep time"
                )]
                thread::sleep(EPOCH_PERIOD);
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.increment_epoch();
            }
        })?;
    Ok(())
}
