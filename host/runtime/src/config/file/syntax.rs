//! What the parser says about a text, in words of the file.

use std::path::Path;
use std::sync::Arc;

use serde_saphyr::Error;

use super::place;
use crate::config::{ConfigError, Origin, Problem};

const WAY_OUT: &str = "see the README for an example of a configuration";

pub(super) fn syntax_error(path: &Arc<Path>, text: &str, error: &Error) -> ConfigError {
    let near = error.location().map_or(1, |location| location.line());
    let key = || {
        let place = error
            .location()
            .and_then(|location| place::of(text, location));
        place.unwrap_or_else(|| key_near(text, near))
    };
    let (line, key, problem) = if let Error::Unexpected { expected, .. } = error.without_snippet() {
        let problem = match *expected {
            "sequence start" => "a list is needed here; begin each item with `- `".to_owned(),
            "mapping start" => {
                "keys with values are needed here; write them as `key: value`".to_owned()
            }
            "string scalar" => "a single value is needed here; write it behind the key".to_owned(),
            other => format!("{other} is needed here; {WAY_OUT}"),
        };
        (near, key(), problem)
    } else {
        // The line is said once, in front.
        let said = error.to_string();
        let said = said
            .split(" at line ")
            .next()
            .unwrap_or(&said)
            .replace('\n', " ");
        if let Some(known) = said.strip_prefix("unknown field `") {
            let (key, known) = known
                .split_once("`, expected one of ")
                .unwrap_or((known, ""));
            let known = known.replace(", ", "`, `");
            // The parser points at the map that the key is in.
            (
                line_of_key(text, near, key),
                String::new(),
                format!("unknown key `{key}`; known here are `{known}`"),
            )
        } else if let Some(key) = said.strip_prefix("duplicate mapping key: ") {
            (
                near,
                key.to_owned(),
                "it is given twice; keep one".to_owned(),
            )
        } else if said.starts_with("cannot deserialize null") {
            let problem = "a value is needed here; give one, or `''` for an empty text";
            (near, key(), problem.to_owned())
        } else if said.starts_with("cannot deserialize scalar tagged") {
            let problem = "a value without tag is needed here; leave out what begins with `!`";
            (near, key(), problem.to_owned())
        } else if said.starts_with("multiple YAML documents") {
            (
                near,
                String::new(),
                "a second document begins here; keep one and remove the `---`".to_owned(),
            )
        } else {
            let too_much = "too much, or nested too deeply, for a configuration";
            let is_budget = matches!(error.without_snippet(), Error::Budget { .. });
            let said = if is_budget { too_much } else { &said };
            (near, String::new(), format!("{said}; {WAY_OUT}"))
        }
    };
    let origin = Origin::File {
        path: path.clone(),
        line,
        key,
    };
    ConfigError::new(&origin, Problem::Syntax(problem))
}

/// The first line from `start` on that has the key, else `start`. Lines count from 1.
fn line_of_key(text: &str, start: u64, key: &str) -> u64 {
    let has_key = |line: &str| {
        if line.trim_start().starts_with('#') {
            return false;
        }
        line.match_indices(key).any(|(at, _)| {
            let before = line.get(..at).and_then(|before| before.chars().next_back());
            let after = line
                .get(at + key.len()..)
                .map(|after| after.trim_start_matches(['"', '\'']));
            before.is_none_or(|char| " -{,\"'".contains(char))
                && after.is_some_and(|after| after.starts_with(':'))
        })
    };
    let lines = (1..).zip(text.lines());
    lines
        .skip_while(|(at, _)| *at < start)
        .find(|(_, line)| has_key(line))
        .map_or(start, |(at, _)| at)
}

/// The key on a line, or else the key on the nearest line before it that is indented less. Lines count from 1.
fn key_near(text: &str, line: u64) -> String {
    let lines: Vec<_> = (1..)
        .zip(text.lines())
        .take_while(|(at, _)| *at <= line)
        .map(|(_, line)| line)
        .collect();
    let mut deepest = usize::MAX;
    for line in lines.iter().rev() {
        let item = line.trim_start();
        let indent = line.len() - item.len();
        let code = item.trim_start_matches(['-', ' ']);
        let key = code
            .split_once(':')
            .map(|(key, _)| key.trim_matches(['"', '\'']));
        let is_key = |key: &&str| {
            key.chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '_')
        };
        if indent < deepest
            && let Some(key) = key.filter(is_key)
        {
            return key.to_owned();
        }
        // The items of a list may stand as far left as its key.
        deepest = deepest.min(if item.starts_with('-') {
            indent + 1
        } else {
            indent
        });
    }
    String::new()
}
