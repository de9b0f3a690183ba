//! What is to be done, to which messages.

use crate::replace::Replacement;

/// What is done to a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Texts are replaced, in the whole body at once.
    Replace(Replacement),
    /// Digits are masked, in each piece as it comes.
    Mask,
    /// A trailer tells the digest.
    Digest,
}

/// The configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// Whether requests are meant.
    pub(crate) requests: bool,
    /// Whether responses are meant.
    pub(crate) responses: bool,
}

impl Settings {
    /// Reads `key=value` lines. Empty lines and those that begin with `#` say nothing.
    pub(crate) fn read(configuration: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(configuration)
            .map_err(|error| format!("configuration: not text: {error}"))?;
        let (mut mode, mut find, mut with, mut of) = (None, None, None, None);
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .ok_or_else(|| format!("configuration: line {number} is not `key=value`"))?;
            let place = match key {
                "mode" => &mut mode,
                "find" => &mut find,
                "with" => &mut with,
                "of" => &mut of,
                _ => {
                    return Err(format!(
                        "configuration: line {number}: no setting `{key}`; there are `mode`, `find`, `with`, `of`"
                    ));
                }
            };
            *place = Some(value);
        }
        let mode = match mode {
            Some("replace") => {
                let find = find.filter(|find| !find.is_empty());
                let find = find.ok_or("configuration: `mode=replace` needs `find=TEXT`")?;
                Mode::Replace(Replacement::new(find, with.unwrap_or_default()))
            }
            Some("mask") => Mode::Mask,
            Some("digest") => Mode::Digest,
            _ => return Err("configuration: set `mode` to `replace`, `mask` or `digest`".into()),
        };
        let (requests, responses) = match of {
            None | Some("both") => (true, true),
            Some("requests") => (true, false),
            Some("responses") => (false, true),
            Some(_) => {
                return Err("configuration: set `of` to `requests`, `responses` or `both`".into());
            }
        };
        Ok(Self {
            mode,
            requests,
            responses,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read() {
        let replace = Settings::read(b"# words\nmode=replace\nfind=a b\nwith= c\nof=requests\n");
        assert_eq!(
            replace,
            Ok(Settings {
                mode: Mode::Replace(Replacement::new("a b", " c")),
                requests: true,
                responses: false,
            })
        );
        let mask = Settings::read(b"mode=mask");
        assert_eq!(
            mask,
            Ok(Settings {
                mode: Mode::Mask,
                requests: true,
                responses: true,
            })
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            "",
            "mode=other",
            "mode=replace",
            "mode=replace\nfind=",
            "mode=mask\nof=nothing",
            "mode=mask\ncolour=red",
            "mode",
        ] {
            let refused = Settings::read(wrong.as_bytes());
            assert!(
                refused.is_err_and(|error| error.starts_with("configuration: ")),
                "{wrong}"
            );
        }
        assert!(Settings::read(b"mode=\xff").is_err());
    }
}
