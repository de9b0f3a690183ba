//! Replacing texts.

/// What is replaced by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replacement {
    find: Vec<u8>,
    with: Vec<u8>,
}

impl Replacement {
    /// `find` is not empty.
    pub(crate) fn new(find: &str, with: &str) -> Self {
        Self {
            find: find.into(),
            with: with.into(),
        }
    }

    /// Replaces every occurrence; none if there is none.
    pub(crate) fn apply(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut edited = None;
        let mut rest = body;
        while let Some(at) = self.position(rest) {
            let (before, found) = rest.split_at(at);
            let edited = edited.get_or_insert_with(|| Vec::with_capacity(body.len()));
            edited.extend_from_slice(before);
            edited.extend_from_slice(&self.with);
            rest = found.get(self.find.len()..).unwrap_or_default();
        }
        let mut edited = edited?;
        edited.extend_from_slice(rest);
        Some(edited)
    }

    fn position(&self, text: &[u8]) -> Option<usize> {
        text.windows(self.find.len())
            .position(|window| window == self.find)
    }
}
