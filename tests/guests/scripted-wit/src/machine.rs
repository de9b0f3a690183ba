//! Calls of a script on the contract.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use conformance_script::{Answer, Arg, Machine};

use crate::bindings::proxy_wasm::plugin::plugin_types::Fields;
use crate::bindings::wasi::logging::logging::{self, Level};
use crate::functions;

/// A root context, or a stream context of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) root: u64,
    pub(crate) stream: Option<u64>,
}

/// The contract.
pub(crate) struct Typed {
    /// On whose behalf calls are made.
    pub(crate) effective: Context,
    contexts: Vec<Context>,
}

thread_local! {
    /// The callout whose answer can be read.
    static CALLOUT: Cell<Option<u64>> = const { Cell::new(None) };
    /// What the running callback has brought: a message, the text of a status, or the input of a foreign call.
    static RECEIVED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// The metadata that it has brought.
    static METADATA: RefCell<Fields> = const { RefCell::new(Vec::new()) };
}

/// An argument as the contract takes it.
#[derive(Debug)]
pub(crate) enum Value {
    Number(i64),
    Bytes(Vec<u8>),
}

/// Logs a line at level info.
pub(crate) fn log(line: &str) {
    logging::log(Level::Info, "", line);
}

impl Typed {
    pub(crate) fn new(effective: Context, contexts: Vec<Context>) -> Self {
        Self {
            effective,
            contexts,
        }
    }

    /// Runs a callback that brings the answer of a callout.
    pub(crate) fn answer_of(callout: u64, callback: impl FnOnce()) {
        CALLOUT.set(Some(callout));
        callback();
        CALLOUT.set(None);
    }

    /// Runs a callback that brings bytes and metadata.
    pub(crate) fn received(bytes: Vec<u8>, metadata: Fields, callback: impl FnOnce()) {
        RECEIVED.set(bytes);
        METADATA.set(metadata);
        callback();
        RECEIVED.take();
        METADATA.take();
    }

    /// The bytes that the running callback has brought.
    pub(crate) fn message() -> Vec<u8> {
        RECEIVED.with_borrow(Clone::clone)
    }

    /// A field of the metadata that the running callback has brought.
    pub(crate) fn metadata(name: &str) -> Option<Vec<u8>> {
        METADATA.with_borrow(|metadata| {
            let mut metadata = metadata.iter();
            let found = metadata.find(|(other, _)| other == name);
            found.map(|(_, value)| value.clone())
        })
    }

    /// The callout whose answer can be read.
    pub(crate) fn callout() -> Option<u64> {
        CALLOUT.get()
    }
}

impl Machine for Typed {
    fn call(&mut self, function: &str, args: &[Arg], saved: &HashMap<String, i64>) -> Answer {
        let mut values = Vec::new();
        let mut names = Vec::new();
        for arg in args {
            values.push(match arg {
                Arg::Number(number) => Value::Number(*number),
                Arg::Bytes(bytes) => Value::Bytes(bytes.clone()),
                Arg::Saved(name) => match saved.get(name) {
                    Some(number) => Value::Number(*number),
                    None => return Answer::status("not-saved"),
                },
                Arg::OutU32(name) => {
                    names.extend(name.clone());
                    continue;
                }
                Arg::OutBytes | Arg::OutU64 => continue,
                Arg::FromEnd(_) | Arg::Address(_) | Arg::Pieces(_) | Arg::Room(_) => {
                    return Answer::status("no-addresses-here");
                }
            });
        }
        let effective = match (function, values.as_slice()) {
            ("set_effective_context", [Value::Number(number)]) => usize::try_from(*number)
                .ok()
                .and_then(|number| self.contexts.get(number.checked_sub(1)?)),
            _ => None,
        };
        if let Some(effective) = effective {
            self.effective = *effective;
            return Answer::status(0);
        }
        if function == "trap" {
            unreachable!("the script says so");
        }
        let (mut answer, number) = functions::call(self.effective, function, &values);
        if let (Some(number), Some(name)) = (number, names.pop()) {
            answer.saved.push((name, number));
        }
        answer
    }

    fn log(&self, line: &str) {
        log(line);
    }
}
