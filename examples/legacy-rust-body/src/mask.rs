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
