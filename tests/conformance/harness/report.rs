//! What plugins reported.

use conformance_script::report::{ANSWER, BEGIN, CALLBACK, END};

use super::script::Written;

/// What plugins reported in a run, in order.
#[derive(Debug)]
pub(crate) struct Report {
    /// The proxy's log.
    pub(crate) log: String,
    callbacks: Vec<Callback>,
    answers: Vec<Answered>,
}

/// A callback that came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Callback {
    tag: String,
    name: String,
    params: Vec<u64>,
}

/// A call that was answered.
#[derive(Clone, Debug)]
struct Answered {
    id: String,
    words: Vec<String>,
}

impl Report {
    pub(crate) fn read(log: String) -> Self {
        let mut report = Self {
            log: String::new(),
            callbacks: Vec::new(),
            answers: Vec::new(),
        };
        for line in log.lines() {
            let Some((_, rest)) = line.split_once(BEGIN) else {
                continue;
            };
            let (text, _) = rest.split_once(END).expect("reports have an end");
            let mut words = text[1..].split(' ').map(str::to_owned);
            let first = words.next().expect("reports are not empty");
            if text.starts_with(CALLBACK) {
                report.callbacks.push(Callback {
                    tag: first,
                    name: words.next().expect("callbacks have names"),
                    params: words.map(|word| word.parse().unwrap_or(u64::MAX)).collect(),
                });
            } else if text.starts_with(ANSWER) {
                report.answers.push(Answered {
                    id: first,
                    words: words.collect(),
                });
            }
        }
        report.log = log;
        report
    }

    /// Checks all answers. A call that was never made is a failure too.
    pub(crate) fn check(&self, written: &Written) {
        self.check_calls(written, true);
    }

    /// Checks the answers to calls that were made.
    pub(crate) fn check_made(&self, written: &Written) {
        self.check_calls(written, false);
    }

    fn check_calls(&self, written: &Written, all: bool) {
        let mut wrong = Vec::new();
        for expected in &written.expected {
            let answers = self
                .answers
                .iter()
                .filter(|answer| answer.id == expected.id);
            let mut made = false;
            for answer in answers {
                made = true;
                let matches = expected.words.len() <= answer.words.len()
                    && expected
                        .words
                        .iter()
                        .zip(&answer.words)
                        .all(|(expected, word)| expected == "*" || expected == word);
                if !matches {
                    wrong.push(format!(
                        "{}\n    was answered {}, not {}",
                        expected.line,
                        readable(&answer.words),
                        readable(&expected.words)
                    ));
                }
            }
            if all && !made {
                wrong.push(format!("{}\n    was not called", expected.line));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} calls went wrong:\n  {}\n\nthe log:\n{}",
            wrong.len(),
            wrong.join("\n  "),
            self.log
        );
    }

    /// The names of the first plugin's callbacks for its first stream, and what they were called with beside the
    /// context: the size of a body, and `end`. Left out: what legacy modules have and components have not
    /// (`context_create`, `done` and `delete` of streams), and how many fields there were.
    pub(crate) fn stream_callbacks(&self) -> Vec<String> {
        self.stream_callbacks_of("0", 2)
    }

    /// The same of another plugin or stream.
    pub(crate) fn stream_callbacks_of(&self, tag: &str, context: u64) -> Vec<String> {
        let of_streams = |name: &str| {
            name == "log" || name.starts_with("request_") || name.starts_with("response_")
        };
        let callbacks = self.callbacks.iter();
        callbacks
            .filter(|callback| callback.tag == tag && callback.params.first() == Some(&context))
            .filter(|callback| of_streams(&callback.name))
            .map(|callback| {
                let mut text = callback.name.clone();
                let params = callback.params.get(1..).unwrap_or_default();
                if callback.name.ends_with("_body") {
                    text.push_str(&format!(" {}", params[0]));
                }
                if params.len() == 2 && params[1] == 1 {
                    text.push_str(" end");
                }
                text
            })
            .collect()
    }

    /// All callbacks of a plugin with all parameters. `!` is the module before it has any plugin.
    pub(crate) fn callbacks(&self, tag: &str) -> Vec<String> {
        let callbacks = self.callbacks.iter();
        callbacks
            .filter(|callback| callback.tag == tag)
            .map(Callback::text)
            .collect()
    }

    /// The callbacks of the first plugin from one on, the first that reads so.
    pub(crate) fn callbacks_from(&self, first: &str) -> Vec<String> {
        let mut callbacks = self.callbacks("0");
        let at = callbacks.iter().position(|text| text == first);
        let at = at.unwrap_or_else(|| panic!("no `{first}` in {callbacks:?}"));
        callbacks.split_off(at)
    }

    /// The callbacks of a plugin whose text begins so.
    pub(crate) fn callbacks_like(&self, tag: &str, prefix: &str) -> Vec<String> {
        let mut callbacks = self.callbacks(tag);
        callbacks.retain(|text| text.starts_with(prefix));
        callbacks
    }

    /// All callbacks of all plugins: tag, name and parameters.
    pub(crate) fn all_callbacks(&self) -> Vec<String> {
        let callbacks = self.callbacks.iter();
        callbacks
            .map(|callback| format!("{} {}", callback.tag, callback.text()))
            .collect()
    }

    /// The words of all answers to calls of a function, as `script` numbers them.
    pub(crate) fn answers(&self, id: &str) -> Vec<Vec<String>> {
        let answers = self.answers.iter().filter(|answer| answer.id == id);
        answers.map(|answer| answer.words.clone()).collect()
    }
}

impl Callback {
    fn text(&self) -> String {
        let params = self.params.iter().map(|param| format!(" {param}"));
        params.fold(self.name.clone(), |text, param| text + &param)
    }
}

/// Words with bytes as text.
fn readable(words: &[String]) -> String {
    let words = words.iter().map(|word| {
        let bytes = word.strip_prefix('x').and_then(conformance_script::unhex);
        match bytes {
            Some(bytes) => format!("'{}'", bytes.escape_ascii()),
            None => word.clone(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
