//! Where this machine deliberately behaves unlike Envoy 1.36. The one list: documentation and log lines are made of it.

use std::fmt;

/// A way in which this machine behaves unlike Envoy 1.36, on purpose.
///
/// [`Stream::take_deviation`](crate::Stream::take_deviation) tells which of them a filter has relied on, so that its
/// author can be warned of what would happen in Envoy. The last four are never told: nobody relies on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deviation {
    /// A map was read that Envoy would not show any more.
    HeadersStayReadable,
    /// What was not paused was resumed.
    ResumeWithoutPause,
    /// The machine corrected `content-length` after an edit of the body.
    ContentLengthKeptTrue,
    /// A filter held body bytes behind another filter that held some too.
    BuffersPerFilter,
    /// Bytes shown again after a pause were dropped by "pause, no buffer".
    NoBufferDropsAll,
    /// A filter gave up callbacks while it held a message.
    GivenUpCallbacksHold,
    /// A body that was emptied while it was held went on without a callback of the next filter.
    EmptyPiecesAreNotShown,
    /// Filters removed the authority of a request.
    AuthorityIsRequired,
    /// A plugin failed while a stream needed it.
    FailuresAreImmediate,
    /// A list of all fields was read in which names repeat.
    RepeatedFieldsStandTogether,
}

impl Deviation {
    /// Every deviation.
    pub const ALL: [Self; 10] = [
        Self::HeadersStayReadable,
        Self::ResumeWithoutPause,
        Self::ContentLengthKeptTrue,
        Self::BuffersPerFilter,
        Self::NoBufferDropsAll,
        Self::GivenUpCallbacksHold,
        Self::EmptyPiecesAreNotShown,
        Self::AuthorityIsRequired,
        Self::FailuresAreImmediate,
        Self::RepeatedFieldsStandTogether,
    ];

    /// Returns its name in logs and documentation.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::HeadersStayReadable => "headers-stay-readable",
            Self::ResumeWithoutPause => "resume-without-pause",
            Self::ContentLengthKeptTrue => "content-length-kept-true",
            Self::BuffersPerFilter => "buffers-per-filter",
            Self::NoBufferDropsAll => "no-buffer-drops-all",
            Self::GivenUpCallbacksHold => "given-up-callbacks-hold",
            Self::EmptyPiecesAreNotShown => "empty-pieces-are-not-shown",
            Self::AuthorityIsRequired => "authority-is-required",
            Self::FailuresAreImmediate => "failures-are-immediate",
            Self::RepeatedFieldsStandTogether => "repeated-fields-stand-together",
        }
    }

    /// Returns what happens here and what would happen in Envoy.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::HeadersStayReadable => {
                "headers and trailers stay readable after they were continued, also request headers on the response path; \
                 in Envoy reading them then answers BadArgument (2), except in the log callback"
            }
            Self::ResumeWithoutPause => {
                "resuming a message that the plugin does not hold does nothing; in Envoy it may crash or repeat callbacks"
            }
            Self::ContentLengthKeptTrue => {
                "`content-length` is corrected when the body's length changes while the plugin holds the head, and the stream \
                 ends in an error when it changes later; in Envoy the plugin must remove or rewrite the field in its headers callback"
            }
            Self::BuffersPerFilter => {
                "each plugin holds its own body bytes; in Envoy all plugins of a stream share one buffer per direction"
            }
            Self::NoBufferDropsAll => {
                "\"pause, no buffer\" drops all bytes that the callback showed; in Envoy bytes held by an earlier \
                 \"pause and buffer\" stay in the buffer"
            }
            Self::GivenUpCallbacksHold => {
                "a plugin that gives up callbacks while it holds a message holds it until it resumes; Envoy has no way to give \
                 up callbacks, and a callback that a module lacks counts as \"continue\" there (and here)"
            }
            Self::EmptyPiecesAreNotShown => {
                "a body that a plugin empties while it holds it is not shown to the next plugin until more of it comes or it ends; \
                 in Envoy the next plugin gets a body callback of size 0"
            }
            Self::AuthorityIsRequired => {
                "a request whose authority plugins have removed is answered with 503, like one without method or path; in \
                 Envoy that holds for CONNECT requests only"
            }
            Self::FailuresAreImmediate => {
                "when a plugin fails, its streams are answered at once if it holds them or is still to be called for them; in \
                 Envoy each is answered at its next callback"
            }
            Self::RepeatedFieldsStandTogether => {
                "in a list of all fields those of one name stand together, where the first of them stood, behind the \
                 pseudo-headers, whose order is fixed; in Envoy each stands where it was put"
            }
        }
    }

    /// Returns the bit that stands for it in a set.
    #[must_use]
    pub const fn bit(self) -> u16 {
        1 << self as u16
    }
}

const _: () = assert!(
    Deviation::ALL.len() <= u16::BITS as usize,
    "each has a bit of its own"
);

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A set of deviations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Deviations(u16);

impl Deviations {
    pub(crate) fn with(self, deviation: Deviation) -> Self {
        Self(self.0 | deviation.bit())
    }

    /// Takes one deviation out of the set.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Deviation> {
        // Asked for every filter of every exchange.
        if self.0 == 0 {
            return None;
        }
        let taken = Deviation::ALL
            .into_iter()
            .find(|one| self.0 & one.bit() != 0)?;
        self.0 &= !taken.bit();
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_gives_each_deviation_back_once() {
        let mut set = Deviation::ALL
            .into_iter()
            .fold(Deviations::default(), Deviations::with);
        let mut taken = Vec::new();
        while let Some(deviation) = set.take() {
            taken.push(deviation);
        }
        assert_eq!(taken, Deviation::ALL);
    }

    #[test]
    fn every_deviation_tells_what_envoy_does() {
        for deviation in Deviation::ALL {
            assert!(deviation.to_string().contains("Envoy"), "{deviation:?}");
        }
    }

    /// The page has a section for each, in order, that begins with its text, and none for anything else.
    #[test]
    fn the_documentation_lists_every_deviation() {
        let page = include_str!("../../../docs/deviations.md");
        let sections = page.split("\n### `").skip(1);
        let sections: Vec<(&str, String)> = sections
            .map(|section| {
                let (id, text) = section.split_once("`\n").expect("a section has a heading");
                (id, text.split_whitespace().collect::<Vec<_>>().join(" "))
            })
            .collect();
        let ids: Vec<_> = sections.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, Deviation::ALL.map(Deviation::id));
        for ((id, section), deviation) in sections.iter().zip(Deviation::ALL) {
            let mut text = deviation.text().to_owned();
            text[..1].make_ascii_uppercase();
            assert!(
                section.starts_with(&format!("{text}.")),
                "the section on `{id}` does not begin with `{text}.`"
            );
        }
    }
}
