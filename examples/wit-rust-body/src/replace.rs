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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_is_replaced() {
        let replacement = Replacement::new("aa", "b");
        for (body, edited) in [
            ("aaxaa", Some("bxb")),
            ("aaa", Some("ba")),
            ("aa", Some("b")),
            ("a", None),
            ("", None),
        ] {
            let found = replacement.apply(body.as_bytes());
            assert_eq!(found.as_deref(), edited.map(str::as_bytes), "{body}");
        }
        let away = Replacement::new("x", "");
        assert_eq!(away.apply(b"axbx").as_deref(), Some(b"ab".as_slice()));
    }
}
