//! Subjects of certificates as text (RFC 2253), as OpenSSL and BoringSSL write them: what is no printable ASCII is
//! escaped byte by byte, and types that are not known are given by number, with their value in hexadecimal.

use std::fmt::Write;

/// Tags of DER (X.690): what names are made of, and the types of their values.
mod tag {
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const UTF8_STRING: u8 = 0x0c;
    pub(super) const NUMERIC_STRING: u8 = 0x12;
    pub(super) const PRINTABLE_STRING: u8 = 0x13;
    pub(super) const T61_STRING: u8 = 0x14;
    pub(super) const IA5_STRING: u8 = 0x16;
    pub(super) const VISIBLE_STRING: u8 = 0x1a;
    pub(super) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(super) const BMP_STRING: u8 = 0x1e;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
}

/// The types of attributes that have short names, by the content of their object identifiers.
const SHORT_NAMES: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 13], "description"),
    (&[0x55, 4, 17], "postalCode"),
    (&[0x55, 4, 41], "name"),
    (&[0x55, 4, 42], "GN"),
    (&[0x55, 4, 43], "initials"),
    (&[0x55, 4, 44], "generationQualifier"),
    (&[0x55, 4, 46], "dnQualifier"),
    (&[0x55, 4, 65], "pseudonym"),
    // 1.2.840.113549.1.9.1
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        "emailAddress",
    ),
    // 0.9.2342.19200300.100.1.1 and .25
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "UID",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "DC",
    ),
];

/// An element of DER.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// Tag and length included.
    whole: &'a [u8],
}

/// The elements one behind another. The iterator ends early, with `None` in its place, at what is none.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Option<Element<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let element = element(self.0);
        let taken = element.as_ref().map_or(self.0.len(), |it| it.whole.len());
        self.0 = self.0.get(taken..).unwrap_or_default();
        Some(element)
    }
}

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The length of the length. Four bytes are more than any certificate needs.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0_usize, |length, &digit| {
                length.checked_mul(256)?.checked_add(digit.into())
            })?;
            (length, rest)
        }
        _ => return None,
    };
    let content = rest.get(..length)?;
    let header = bytes.len() - rest.len();
    Some(Element {
        tag,
        content,
        whole: bytes.get(..header + length)?,
    })
}

/// Writes a name, given the content of its outer sequence: the last attribute first. None if it is no name.
pub(super) fn rfc2253(name: &[u8]) -> Option<String> {
    let sets = Elements(name).collect::<Option<Vec<_>>>()?;
    let mut written = Vec::new();
    for set in sets.iter().rev() {
        if set.tag != tag::SET {
            return None;
        }
        let attributes = Elements(set.content).collect::<Option<Vec<_>>>()?;
        let texts = attributes.iter().rev().map(attribute);
        written.push(texts.collect::<Option<Vec<_>>>()?.join("+"));
    }
    Some(written.join(","))
}

fn attribute(attribute: &Element<'_>) -> Option<String> {
    if attribute.tag != tag::SEQUENCE {
        return None;
    }
    let mut parts = Elements(attribute.content);
    let kind = parts.next()??;
    let value = parts.next()??;
    if kind.tag != tag::OBJECT_IDENTIFIER || parts.next().is_some() {
        return None;
    }
    let known = SHORT_NAMES.iter().find(|(id, _)| *id == kind.content);
    let text = match known {
        Some((_, name)) => format!("{name}={}", self::value(&value)?),
        None => format!("{}={}", dotted(kind.content)?, dumped(&value)),
    };
    Some(text)
}

/// The value, escaped; one of a type that is not known in hexadecimal.
fn value(value: &Element<'_>) -> Option<String> {
    let bytes = value.content;
    let text = match value.tag {
        tag::UTF8_STRING => std::str::from_utf8(bytes).ok()?.to_owned(),
        // One byte is one character.
        tag::NUMERIC_STRING
        | tag::PRINTABLE_STRING
        | tag::T61_STRING
        | tag::IA5_STRING
        | tag::VISIBLE_STRING => bytes.iter().copied().map(char::from).collect(),
        tag::BMP_STRING => characters::<2>(bytes)?,
        tag::UNIVERSAL_STRING => characters::<4>(bytes)?,
        _ => return Some(dumped(value)),
    };
    Some(escaped(&text))
}

/// Characters of so many bytes each.
fn characters<const SIZE: usize>(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks::<SIZE>() else {
        return None;
    };
    let units = units.iter();
    units
        .map(|unit| char::from_u32(unit.iter().fold(0, |c, byte| c << 8 | u32::from(*byte))))
        .collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                escaped.push('\\');
                escaped.push(char::from(byte));
            }
            b'#' if at == 0 => escaped.push_str("\\#"),
            b' ' if at == 0 || at == last => escaped.push_str("\\ "),
            b' '..=b'~' => escaped.push(char::from(byte)),
            _ => push_hex(&mut escaped, "\\", &[byte]),
        }
    }
    escaped
}

/// The value as it stands in the certificate.
fn dumped(value: &Element<'_>) -> String {
    let mut dumped = String::from("#");
    push_hex(&mut dumped, "", value.whole);
    dumped
}

fn push_hex(text: &mut String, before: &str, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{before}{byte:02X}");
    }
}

/// An object identifier in numbers. None if its last number does not end, or one is larger than anybody gives out.
fn dotted(id: &[u8]) -> Option<String> {
    let mut numbers = Vec::new();
    let mut number = 0_u64;
    let mut complete = true;
    for byte in id {
        number = number.checked_mul(128)? | u64::from(byte & 0x7f);
        complete = byte & 0x80 == 0;
        if complete {
            numbers.push(std::mem::take(&mut number));
        }
    }
    // The first one holds two: the root, and a number below it.
    let (&first, rest) = numbers.split_first().filter(|_| complete)?;
    let root = (first / 40).min(2);
    let rest = rest.iter().map(|number| format!(".{number}"));
    Some(
        rest.fold(format!("{root}.{}", first - root * 40), |text, part| {
            text + &part
        }),
    )
}

#[cfg(test)]
mod tests;
