//! The report of a plugin that trapped.

use std::fmt;

use wasmtime::{FrameInfo, WasmBacktrace};

use crate::metrics::label;

/// Functions of a backtrace that a report shows. A panic of Rust's takes some fifteen before it comes to the plugin's own.
const MAX_FRAMES: usize = 32;

label! {
    /// What kind of trap it was.
    pub enum TrapCause {
        /// The code gave up itself: a panic, an assertion, `abort`, a module's `proc_exit`.
        Unreachable = "unreachable",
        /// The callback ran longer than it may.
        Timeout = "timeout",
        /// Memory, a table or a string was used beyond its end.
        OutOfBounds = "out_of_bounds",
        /// Calls were nested too deeply.
        StackOverflow = "stack_overflow",
        /// A number was divided by zero, or does not fit where it was put.
        Arithmetic = "arithmetic",
        /// A function was called that is not there, or is of another type.
        BadCall = "bad_call",
        /// Everything else: the contract was broken, a component ended itself, the host refused.
        Other = "other",
    }
}

impl TrapCause {
    fn of(error: &wasmtime::Error) -> Self {
        use wasmtime::Trap;
        let Some(trap) = error.downcast_ref::<Trap>() else {
            return Self::Other;
        };
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the engine has some fifty kinds, of which these say something about a plugin"
        )]
        match trap {
            Trap::UnreachableCodeReached => Self::Unreachable,
            Trap::Interrupt => Self::Timeout,
            Trap::MemoryOutOfBounds
            | Trap::TableOutOfBounds
            | Trap::ArrayOutOfBounds
            | Trap::StringOutOfBounds
            | Trap::ListOutOfBounds => Self::OutOfBounds,
            Trap::StackOverflow => Self::StackOverflow,
            Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => {
                Self::Arithmetic
            }
            Trap::IndirectCallToNull | Trap::BadSignature => Self::BadCall,
            _ => Self::Other,
        }
    }
}

/// A callback that ended in a trap: the VM is lost.
#[derive(Debug)]
pub struct Trap(Box<Report>);

#[derive(Debug)]
struct Report {
    plugin: String,
    cause: TrapCause,
    callback: &'static str,
    request_id: Option<String>,
    reason: String,
    frames: Vec<String>,
    hostcalls: Vec<String>,
}

/// Whether this callback starts a plugin, for which there is more time: `limits.start_time`. Code that runs while the VM is
/// instantiated runs for no callback, whose name is empty.
pub(super) fn is_start(callback: &str) -> bool {
    matches!(callback, "" | "instantiation" | "start" | "configure")
}

impl Trap {
    pub(crate) fn new(
        plugin: &str,
        callback: &'static str,
        request_id: Option<String>,
        error: wasmtime::Error,
    ) -> Self {
        let cause = TrapCause::of(&error);
        let frames = error
            .downcast_ref::<WasmBacktrace>()
            .map(frames)
            .unwrap_or_default();
        let reason = match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::Interrupt) if is_start(callback) => {
                "it took longer than a start may (`limits.start_time`)".to_owned()
            }
            Some(wasmtime::Trap::Interrupt) => {
                "it ran longer than a callback may (`limits.callback_time`)".to_owned()
            }
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        Self(Box::new(Report {
            plugin: plugin.to_owned(),
            cause,
            callback,
            request_id,
            reason,
            frames,
            hostcalls: Vec::new(),
        }))
    }

    /// Adds what explains many traps: the plugin could not have more memory.
    pub(crate) fn without_memory(mut self) -> Self {
        self.0.reason.push_str(
            "; at some time it was refused more memory than a VM may have (`limits.vm_memory`)",
        );
        self
    }

    /// Adds the hostcalls that came before the trap, oldest first.
    pub(crate) fn after(mut self, hostcalls: Vec<String>) -> Self {
        self.0.hostcalls = hostcalls;
        self
    }

    /// What kind of trap it was.
    pub fn cause(&self) -> TrapCause {
        self.0.cause
    }

    /// The plugin's functions that were on the stack, innermost first, with source lines if the code carries them.
    pub fn frames(&self) -> &[String] {
        &self.0.frames
    }
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let frames = backtrace.frames().iter().flat_map(functions);
    frames.take(MAX_FRAMES).collect()
}

/// The functions of a frame, innermost first: one, or with debug information also those that were compiled into it.
fn functions(frame: &FrameInfo) -> Vec<String> {
    let whole = frame
        .func_name()
        .map_or_else(|| format!("<function {}>", frame.func_index()), demangle);
    let symbols = frame.symbols();
    let lines = symbols.iter().enumerate().filter_map(|(at, symbol)| {
        // The last is the function itself, whose own name says more.
        let name = match symbol.name() {
            Some(name) if at + 1 < symbols.len() => demangle(name),
            _ => whole.clone(),
        };
        Some(format!("{name} ({}:{})", symbol.file()?, symbol.line()?))
    });
    let functions: Vec<_> = lines.collect();
    if functions.is_empty() {
        vec![whole]
    } else {
        functions
    }
}

/// Function names as their language writes them.
fn demangle(name: &str) -> String {
    rustc_demangle::try_demangle(name)
        .map_or_else(|_| name.to_owned(), |demangled| format!("{demangled:#}"))
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            plugin,
            callback,
            request_id,
            reason,
            frames,
            hostcalls,
            cause: _,
        } = &*self.0;
        write!(f, "plugin `{plugin}` trapped in `{callback}`")?;
        if let Some(id) = request_id {
            write!(f, " of request {id}")?;
        }
        write!(f, ": {reason}")?;
        if let Some((first, rest)) = frames.split_first() {
            write!(f, "; at {first}")?;
            for frame in rest {
                write!(f, " < {frame}")?;
            }
        }
        if !hostcalls.is_empty() {
            write!(f, "; last hostcalls: {}", hostcalls.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {}
