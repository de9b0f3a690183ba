//! Scripts as cases are written: calls, and what they must be answered. See `README.md` beside the cases.

use conformance_script::{Answer, Arg, Block, Call, Script};
use proxy_wasi_test_support::Kind;

/// A script and what must come of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) script: Script,
    /// By id of the call.
    pub(crate) expected: Vec<Expected>,
}

/// What a call must be answered.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) id: String,
    /// The line, for whoever reads of a failure.
    pub(crate) line: String,
    /// Status and results; `*` is any.
    pub(crate) words: Vec<String>,
}

impl Written {
    /// Reads a script for one kind of plugin.
    pub(crate) fn read(text: &str, kind: Kind, tag: &str) -> Self {
        let mut written = Self::default();
        written.script.tag = tag.to_owned();
        for line in text.lines() {
            let line = line.split(" // ").next().unwrap_or(line).trim();
            if !line.is_empty() && !line.starts_with("//") {
                written.add(line, kind);
            }
        }
        written
    }

    fn add(&mut self, line: &str, kind: Kind) {
        if let Some(name) = line.strip_suffix(':') {
            let (callback, occurrence) = match name.split_once('#') {
                Some((name, number)) => (name, Some(number.parse().expect("it is a number"))),
                None => (name, None),
            };
            self.script.blocks.push(Block {
                callback: callback.to_owned(),
                occurrence,
                calls: Vec::new(),
            });
            return;
        }
        let (only, call) = match line.split_once(' ') {
            Some(("legacy", call)) => (Some(Kind::Legacy), call),
            Some(("wit", call)) => (Some(Kind::Wit), call),
            _ => (None, line),
        };
        if only.is_some_and(|only| only != kind) {
            return;
        }
        let mut text = Text { line, rest: call };
        let id = format!("{}.{}", self.script.tag, self.expected.len() + 1);
        let function = text.word().to_owned();
        let args = text.args();
        let words = text.expected(kind);
        if function != "return" {
            self.expected.push(Expected {
                id: id.clone(),
                line: line.to_owned(),
                words,
            });
        }
        let block = self.script.blocks.last_mut();
        block
            .unwrap_or_else(|| panic!("`{line}` stands in no callback"))
            .calls
            .push(Call { id, function, args });
    }
}

/// What is left of a line.
struct Text<'a> {
    line: &'a str,
    rest: &'a str,
}

impl<'a> Text<'a> {
    fn wrong(&self) -> ! {
        panic!("`{}` cannot be read from `{}` on", self.line, self.rest)
    }

    fn take(&mut self, token: &str) -> bool {
        let taken = self.rest.trim_start().strip_prefix(token);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    fn need(&mut self, token: &str) {
        if !self.take(token) {
            self.wrong();
        }
    }

    /// Letters, digits and what names are made of beside them.
    fn word(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"_-.+$>*".contains(c))
            .unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        if word.is_empty() {
            self.wrong();
        }
        word
    }

    fn args(&mut self) -> Vec<Arg> {
        self.need("(");
        let mut args = Vec::new();
        while !self.take(")") {
            let arg = self.arg();
            args.push(arg);
            if !self.take(",") {
                self.need(")");
                break;
            }
        }
        args
    }

    fn arg(&mut self) -> Arg {
        if self.take("pieces(") {
            let mut pieces = Vec::new();
            while !self.take(")") {
                pieces.push(self.bytes().unwrap_or_else(|| self.wrong()));
            }
            return Arg::Pieces(pieces);
        }
        if self.take("at(") {
            let bytes = self.bytes().unwrap_or_else(|| self.wrong());
            self.need(")");
            return Arg::Address(bytes);
        }
        if let Some(bytes) = self.bytes() {
            return Arg::Bytes(bytes);
        }
        let word = self.word();
        if let Some(digits) = word.strip_prefix("0x") {
            return Arg::Number(i64::from_str_radix(digits, 16).unwrap_or_else(|_| self.wrong()));
        }
        match Arg::parse(word) {
            Some(arg) => arg,
            None => self.wrong(),
        }
    }

    /// A text in quotes, or what stands for bytes.
    fn bytes(&mut self) -> Option<Vec<u8>> {
        if self.take("'") {
            return Some(self.quoted());
        }
        if self.take("pairs(") {
            let mut pairs = Vec::new();
            while !self.take(")") {
                let name = self.bytes().unwrap_or_else(|| self.wrong());
                let value = self.bytes().unwrap_or_else(|| self.wrong());
                pairs.push((name, value));
            }
            return Some(proxy_wasi_abi::pairs::encode(pairs));
        }
        if self.take("many(") {
            let piece = self.bytes().unwrap_or_else(|| self.wrong());
            let count: usize = self.word().parse().unwrap_or_else(|_| self.wrong());
            self.need(")");
            return Some(piece.repeat(count));
        }
        if self.take("i64(") {
            let number: i64 = self.word().parse().unwrap_or_else(|_| self.wrong());
            self.need(")");
            return Some(number.to_le_bytes().to_vec());
        }
        None
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            let c = match c {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return bytes;
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('0') => '\0',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('x') => {
                        let digits: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                        let byte = u8::from_str_radix(&digits, 16);
                        bytes.push(byte.unwrap_or_else(|_| self.wrong()));
                        continue;
                    }
                    Some(c @ ('\\' | '\'')) => c,
                    _ => self.wrong(),
                },
                c => c,
            };
            bytes.extend(c.to_string().bytes());
        }
        self.wrong()
    }

    /// What stands behind `=>`, for this kind of plugin. Default is success.
    fn expected(&mut self, kind: Kind) -> Vec<String> {
        if !self.take("=>") {
            if !self.rest.trim().is_empty() {
                self.wrong();
            }
            return vec!["0".to_owned()];
        }
        let legacy = self.words();
        let wit = if self.take("|") {
            self.words()
        } else {
            legacy.clone()
        };
        if !self.rest.trim().is_empty() {
            self.wrong();
        }
        match kind {
            Kind::Legacy => legacy,
            Kind::Wit => wit,
        }
    }

    fn words(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while !self.rest.trim().is_empty() && !self.rest.trim_start().starts_with('|') {
            words.push(match self.bytes() {
                // As the plugin would report them.
                Some(bytes) => Answer::default().bytes(&bytes).results.remove(0),
                None => self.word().to_owned(),
            });
        }
        words
    }
}
