//! What was said already.

use rustc_hash::FxHashSet;

/// Things that are remembered. Beyond them everything counts as said: a plugin that makes names up must not fill the log,
/// or the machine.
const MOST: usize = 64;

/// What was logged, by a name for it or the message itself.
#[derive(Debug, Default)]
pub(super) struct Said(FxHashSet<String>);

impl Said {
    /// Whether this is the first time; it is not any more.
    pub(super) fn is_new(&mut self, what: &str) -> bool {
        if self.0.len() >= MOST || self.0.contains(what) {
            return false;
        }
        self.0.insert(what.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_new_once_and_few_are() {
        let mut said = Said::default();
        assert!(said.is_new("a"));
        assert!(!said.is_new("a"));
        let new = (0..1000).filter(|n| said.is_new(&n.to_string())).count();
        assert_eq!(new, MOST - 1);
    }
}
