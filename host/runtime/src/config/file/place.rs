//! The way from the top of a file to a place in it, for errors that the parser gives a line and column only.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// The key at a place, such as `plugins[0].env.LEVEL`; none if the text cannot be read to its end.
pub(super) fn of(text: &str, location: Location) -> Option<String> {
    let top: Spanned<Node> = serde_saphyr::from_str_with_options(text, super::options()).ok()?;
    top.value.find(location)
}

/// Any value: all that counts is where its parts are.
#[derive(Default)]
struct Node(Vec<(Step, Spanned<Node>)>);

enum Step {
    Key(String),
    Item(usize),
}

impl Node {
    fn find(&self, location: Location) -> Option<String> {
        self.0.iter().find_map(|(step, node)| {
            let rest = match node.referenced == location {
                true => String::new(),
                false => node.value.find(location)?,
            };
            let step = match step {
                Step::Key(key) => key.clone(),
                Step::Item(index) => format!("[{index}]"),
            };
            let dot = match rest.starts_with('[') || rest.is_empty() {
                true => "",
                false => ".",
            };
            Some(format!("{step}{dot}{rest}"))
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut parts = Vec::new();
        while let Some(key) = map.next_key()? {
            parts.push((Step::Key(key), map.next_value()?));
        }
        Ok(Node(parts))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut parts = Vec::new();
        while let Some(item) = list.next_element()? {
            parts.push((Step::Item(parts.len()), item));
        }
        Ok(Node(parts))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Node, E> {
        Ok(Node::default())
    }
}
