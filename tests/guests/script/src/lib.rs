//! The scripts that the conformance tests' plugins run: what to call in which callback, with which arguments.
//!
//! A script is a plugin's configuration, so it is text. A test writes it ([`Script`]'s `Display`), the plugin reads it
//! ([`Script::parse`]) and tells in log lines what it was called with and what it was answered (see [`report`]).
//!
//! ```text
//! # 0                                    the plugin's tag, in each line that it logs
//! @ request_body#2                       in the second such callback of this plugin; `request_body@3#2`: of context 3
//!                                        (without a number or a context: in each that has no block of its own)
//! 3 get_buffer_bytes 0 0 -1 out          call, and answer under this id
//! ```
#![forbid(unsafe_code)]

mod arg;
mod runner;

use std::fmt;

pub use arg::{Arg, hex, unhex};
pub use runner::{Answer, Machine, Runner, lower_half};

/// What stands around everything that a scripted plugin reports, in its log lines.
pub mod report {
    /// In front of a report.
    pub const BEGIN: &str = "[[";
    /// Behind a report.
    pub const END: &str = "]]";
    /// The first character of a report of a callback: tag, name and parameters follow.
    pub const CALLBACK: char = '@';
    /// The first character of a report of an answer: id, status and results follow.
    pub const ANSWER: char = '=';
}

/// What one plugin does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Tells the reports of several plugins apart.
    pub tag: String,
    /// What to do in callbacks.
    pub blocks: Vec<Block>,
}

/// What to do in a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name without `proxy_on_`; behind `@` the only context that is meant.
    pub callback: String,
    /// Which of this plugin's (or context's) callbacks of this name, counted from 1. Default is each that has no block
    /// of its own.
    pub occurrence: Option<u32>,
    /// In this order.
    pub calls: Vec<Call>,
}

/// A call of a function of the host, or of the scripted plugin itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What its answer is reported as.
    pub id: String,
    /// Its name without `proxy_`.
    pub function: String,
    /// Its arguments; some stand for two parameters of the ABI.
    pub args: Vec<Arg>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// Says which line is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        for line in text.lines() {
            script
                .add(line)
                .ok_or_else(|| format!("`{line}` is no line of a script"))?;
        }
        Ok(script)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_ascii_whitespace();
        match words.next()? {
            "#" => self.tag = words.next()?.to_owned(),
            "@" => {
                let name = words.next()?;
                let (callback, occurrence) = match name.split_once('#') {
                    Some((name, number)) => (name, Some(number.parse().ok()?)),
                    None => (name, None),
                };
                self.blocks.push(Block {
                    callback: callback.to_owned(),
                    occurrence,
                    calls: Vec::new(),
                });
            }
            id => {
                let call = Call {
                    id: id.to_owned(),
                    function: words.next()?.to_owned(),
                    args: words.map(Arg::parse).collect::<Option<_>>()?,
                };
                self.blocks.last_mut()?.calls.push(call);
            }
        }
        Some(())
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}", self.tag)?;
        for block in &self.blocks {
            write!(f, "@ {}", block.callback)?;
            if let Some(number) = block.occurrence {
                write!(f, "#{number}")?;
            }
            writeln!(f)?;
            for call in &block.calls {
                write!(f, "{} {}", call.id, call.function)?;
                for arg in &call.args {
                    write!(f, " {arg}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_survive_their_text() {
        let text = "# 1\n@ request_body#2\n3 f 1 -2 end-4 x6162 x &61 [61,] out u32 u32>t $t u64 room24\n@ log\n";
        let script = Script::parse(text).expect("it is a script");
        assert_eq!(script.to_string(), text);
        assert_eq!(script.blocks.len(), 2);
        assert!(Script::parse("3 f").is_err(), "a call without a callback");
    }
}
