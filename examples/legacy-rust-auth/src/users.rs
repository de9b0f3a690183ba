//! Who may pass.

/// Users and their tokens.
#[derive(Debug)]
pub(crate) struct Users(Vec<(String, String)>);

impl Users {
    /// Reads `user=token` lines. Empty lines and those that begin with `#` say nothing.
    pub(crate) fn read(configuration: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(configuration)
            .map_err(|error| format!("configuration: not text: {error}"))?;
        let mut users = Vec::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((user, token)) if !user.is_empty() && !token.is_empty() => {
                    users.push((user.into(), token.into()))
                }
                _ => return Err(format!("configuration: line {number} is not `user=token`")),
            }
        }
        if users.is_empty() {
            return Err("configuration: nobody could pass; give `user=token` lines".into());
        }
        Ok(Self(users))
    }

    /// Returns whose the credentials are, the value of a field `authorization`.
    pub(crate) fn identify(&self, credentials: &[u8]) -> Option<&str> {
        let (scheme, token) = credentials.split_at_checked(b"Bearer ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return None;
        }
        self.0
            .iter()
            .find(|(_, expected)| same(expected.as_bytes(), token))
            .map(|(user, _)| user.as_str())
    }
}

/// Compares in a time that tells only the length, so that nobody can guess a token byte by byte.
fn same(expected: &[u8], token: &[u8]) -> bool {
    let difference = expected
        .iter()
        .zip(token)
        .fold(0, |difference, (a, b)| difference | (a ^ b));
    expected.len() == token.len() && std::hint::black_box(difference) == 0
}
