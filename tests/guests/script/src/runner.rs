//! Running a script inside a plugin.

use std::collections::HashMap;
use std::fmt::Write;

use crate::{Arg, Script, hex, report};

/// Bytes of one result that are reported as they are; of more, only how many and a sum.
const MAX_REPORTED: usize = 3000;

/// What a plugin can do for a script.
pub trait Machine {
    /// Calls a function.
    fn call(&mut self, function: &str, args: &[Arg], saved: &HashMap<String, i64>) -> Answer;
    /// Logs a line.
    fn log(&self, line: &str);
}

/// What a call was answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status: a number, or a name of the contract's.
    pub status: String,
    /// Each result in the order of the arguments that asked for them: see the constructors of words below.
    pub results: Vec<String>,
    /// Numbers to remember.
    pub saved: Vec<(String, i64)>,
}

impl Answer {
    /// An answer without results.
    pub fn status(status: impl ToString) -> Self {
        Self {
            status: status.to_string(),
            ..Self::default()
        }
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let word = if bytes.len() > MAX_REPORTED {
            let sum = bytes.iter().fold(0_u32, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
            });
            format!("many:{}:{sum}", bytes.len())
        } else {
            format!("x{}", hex(bytes))
        };
        self.word(word)
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: impl ToString) -> Self {
        self.word(number.to_string())
    }

    /// Adds a word: `null` is a null address and the length 0, `unwritten` room that nobody wrote to.
    #[must_use]
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.results.push(word.into());
        self
    }
}

/// A script that a plugin runs.
#[derive(Debug, Default)]
pub struct Runner {
    script: Script,
    seen: HashMap<String, u32>,
    saved: HashMap<String, i64>,
}

impl Runner {
    /// Starts with a script.
    pub fn new(script: Script) -> Self {
        Self {
            script,
            ..Self::default()
        }
    }

    /// Reports a callback, makes its calls, and returns what the callback is to return.
    pub fn run(
        &mut self,
        machine: &mut impl Machine,
        callback: &str,
        params: &[u64],
        default: u32,
    ) -> u32 {
        let mut line = format!("{}{} {callback}", report::CALLBACK, self.script.tag);
        for param in params {
            // Writing to a string cannot fail.
            let _ = write!(line, " {param}");
        }
        machine.log(&format!("{}{line}{}", report::BEGIN, report::END));
        let of_context = format!("{callback}@{}", params.first().copied().unwrap_or(0));
        let mut count = |name: &str| {
            let seen = self.seen.entry(name.to_owned()).or_default();
            *seen += 1;
            *seen
        };
        let (seen, seen_of_context) = (count(callback), count(&of_context));
        let find = |name: &str, occurrence| {
            let mut blocks = self.script.blocks.iter();
            blocks.find(|block| block.callback == name && block.occurrence == occurrence)
        };
        let block = find(&of_context, Some(seen_of_context))
            .or_else(|| find(&of_context, None))
            .or_else(|| find(callback, Some(seen)))
            .or_else(|| find(callback, None));
        let Some(block) = block else {
            return default;
        };
        let mut result = default;
        for call in &block.calls {
            if call.function == "return" {
                if let Some(Arg::Number(number)) = call.args.first() {
                    result = lower_half(*number);
                }
                continue;
            }
            let answer = machine.call(&call.function, &call.args, &self.saved);
            let mut line = format!("{}{} {}", report::ANSWER, call.id, answer.status);
            for word in &answer.results {
                line.push(' ');
                line.push_str(word);
            }
            machine.log(&format!("{}{line}{}", report::BEGIN, report::END));
            self.saved.extend(answer.saved);
        }
        result
    }
}

/// A number as the ABI carries it.
pub fn lower_half(number: i64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
