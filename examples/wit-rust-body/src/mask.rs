//! Masking digits.

/// Puts `#` in the place of each digit; says whether there was any.
pub(crate) fn digits(text: &mut [u8]) -> bool {
    let mut any = false;
    for byte in text {
        if byte.is_ascii_digit() {
            *byte = b'#';
            any = true;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_masked() {
        let mut text = *b"card 1234 of 2026";
        assert!(digits(&mut text));
        assert_eq!(&text, b"card #### of ####");
        assert!(!digits(&mut text));
    }
}
