//! Strings in binaries.

/// Where `needle` first occurs. An empty needle occurs nowhere.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?;
    let mut at = 0;
    // Looking for one byte is fast, and files have megabytes.
    while let Some(rest) = bytes.get(at..) {
        let skipped = rest.iter().position(|byte| byte == first)?;
        at += skipped;
        if rest.get(skipped..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there() {
        assert_eq!(find(b"aabaac", b"aac"), Some(3));
        assert_eq!(find(b"aabaac", b"aabaac"), Some(0));
        assert_eq!(find(b"aabaac", b"c"), Some(5));
    }

    #[test]
    fn finds_nothing_else() {
        assert_eq!(find(b"aabaac", b"aad"), None);
        assert_eq!(find(b"aab", b"aabb"), None);
        assert_eq!(find(b"aab", b""), None);
        assert_eq!(find(b"", b"a"), None);
    }
}
