//! What a request asks for.

/// Deeds by callback: the request header `x-do`, as `request-body=respond, response-headers=pause`.
///
/// | Deed | In | Does |
/// |---|---|---|
/// | `respond` | all | answers with 418 |
/// | `reset` | all | resets the exchange |
/// | `pause` | all | returns Pause; of a body, until its end |
/// | `edit` | bodies | waits for the whole body, puts `<` before it, `abcd` in the place of its first three bytes, and `>` behind it |
/// | `edit-middle` | bodies | puts `?` in the place of the second byte; only components can |
/// | `lengthen` | bodies | puts `!` behind each piece |
/// | `unlength` | headers | removes `content-length` |
/// | `mark` | trailers | copies `x-seen` to `x-marked`, and removes `x-secret` |
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<(String, String)>);

impl Script {
    pub(crate) fn read(text: &str) -> Self {
        let parts = text
            .split(',')
            .filter_map(|part| part.trim().split_once('='));
        let deeds = parts.map(|(callback, deed)| (callback.to_owned(), deed.to_owned()));
        Self(deeds.collect())
    }

    /// What to do in a callback; empty if nothing.
    pub(crate) fn deed(&self, callback: &str) -> &str {
        let found = self.0.iter().find(|(of, _)| of == callback);
        found.map_or("", |(_, deed)| deed)
    }
}
