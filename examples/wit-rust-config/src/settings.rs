//! Configurations of `key=value` lines.

use std::collections::BTreeMap;

/// Settings by key.
pub(crate) type Settings = BTreeMap<String, String>;

/// Reads a configuration and adds its settings to `settings`, over those that are there. Empty lines and those that
/// begin with `#` say nothing.
pub(crate) fn read(configuration: &[u8], settings: &mut Settings) -> Result<(), String> {
    let text = str::from_utf8(configuration).map_err(|error| format!("not text: {error}"))?;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("line {number} is not `key=value`"))?;
        let key = key.trim();
        if key.is_empty()
            || !key
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        {
            return Err(format!(
                "line {number}: `{key}` is no key; keys are of a to z, 0 to 9 and `-`"
            ));
        }
        settings.insert(key.into(), value.trim().into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_settings_win() {
        let mut settings = Settings::new();

        assert_eq!(read(b"color = red\nsize=1", &mut settings), Ok(()));
        assert_eq!(
            read(b"\n# a comment\ncolor=blue=green\n", &mut settings),
            Ok(())
        );

        let expected = [("color", "blue=green"), ("size", "1")];
        assert_eq!(
            settings,
            expected
                .map(|(key, value)| (key.into(), value.into()))
                .into()
        );
    }

    #[test]
    fn what_is_no_setting_is_refused_with_its_line() {
        let read = |configuration: &[u8]| read(configuration, &mut Settings::new());

        assert_eq!(read(b"a=1\nb"), Err("line 2 is not `key=value`".into()));
        assert_eq!(
            read(b"A=1"),
            Err("line 1: `A` is no key; keys are of a to z, 0 to 9 and `-`".into())
        );
        assert!(read(b"\xff").is_err());
    }
}
