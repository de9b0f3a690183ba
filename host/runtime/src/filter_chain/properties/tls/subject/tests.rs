use super::*;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let mut element = vec![tag];
    if length >= 0x80 {
        element.push(0x81);
    }
    element.push(length);
    element.extend(content);
    element
}

fn attribute(id: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
    let parts = [der(tag::OBJECT_IDENTIFIER, id), der(tag, value)].concat();
    der(tag::SEQUENCE, &parts)
}

/// A name of sets of attributes.
fn name(sets: &[&[Vec<u8>]]) -> Vec<u8> {
    let sets = sets.iter().map(|set| der(tag::SET, &set.concat()));
    sets.collect::<Vec<_>>().concat()
}

fn common_name(tag: u8, value: &[u8]) -> Option<String> {
    rfc2253(&name(&[&[attribute(COMMON_NAME, tag, value)]]))
}

#[test]
fn the_last_attribute_comes_first() {
    let name = name(&[
        &[attribute(&[0x55, 4, 6], tag::PRINTABLE_STRING, b"DE")],
        &[
            attribute(ORGANIZATION, tag::UTF8_STRING, b"Example"),
            attribute(&[0x55, 4, 11], tag::UTF8_STRING, b"Tests"),
        ],
        &[attribute(COMMON_NAME, tag::UTF8_STRING, b"a.example")],
    ]);
    assert_eq!(
        rfc2253(&name).as_deref(),
        Some("CN=a.example,OU=Tests+O=Example,C=DE")
    );
    assert_eq!(rfc2253(b"").as_deref(), Some(""), "nobody");
}

#[test]
fn values_are_escaped() {
    let table: [(u8, &[u8], &str); 9] = [
        (
            tag::UTF8_STRING,
            b"a,b+c\"d\\e<f>g;h",
            r#"a\,b\+c\"d\\e\<f\>g\;h"#,
        ),
        (tag::UTF8_STRING, b"#a#", r"\#a#"),
        (tag::UTF8_STRING, b" a b ", r"\ a b\ "),
        (tag::UTF8_STRING, "\u{e9}\n".as_bytes(), r"\C3\A9\0A"),
        (tag::T61_STRING, b"\xe9", r"\C3\A9"),
        (tag::BMP_STRING, b"\0a\0\xe9", r"a\C3\A9"),
        (tag::UNIVERSAL_STRING, b"\0\0\0a", "a"),
        (tag::IA5_STRING, b"", ""),
        // A boolean.
        (1, b"\xff", "#0101FF"),
    ];
    for (tag, value, expected) in table {
        let expected = format!("CN={expected}");
        assert_eq!(common_name(tag, value), Some(expected), "{value:?}");
    }
}

#[test]
fn types_that_are_not_known_are_numbers() {
    let of = |id| rfc2253(&name(&[&[attribute(id, tag::UTF8_STRING, b"a")]]));
    assert_eq!(
        of(&[0x2a, 0x86, 0x48, 3]).as_deref(),
        Some("1.2.840.3=#0C0161")
    );
    assert_eq!(of(&[0x88, 0x37, 3]).as_deref(), Some("2.999.3=#0C0161"));
    // A number that does not end, none at all, and one beyond 64 bits.
    for id in [&[0x2a, 0x86][..], &[], &[0xff; 12]] {
        assert_eq!(of(id), None, "{id:?}");
    }
}

#[test]
fn long_values_are_read() {
    let value = "x".repeat(100);
    let expected = format!("CN={value}");
    assert_eq!(
        common_name(tag::UTF8_STRING, value.as_bytes()),
        Some(expected)
    );
}

#[test]
fn what_is_no_name_is_none() {
    let good = name(&[&[attribute(COMMON_NAME, tag::UTF8_STRING, b"a")]]);
    assert!(rfc2253(&good).is_some());
    for end in 1..good.len() {
        assert_eq!(rfc2253(&good[..end]), None, "cut at {end}");
    }
    for at in 0..good.len() {
        for byte in [0, 0x7f, 0x80, 0x84, 0x85, 0xff] {
            let mut bad = good.clone();
            bad[at] = byte;
            // Whatever it says, it says so without a panic.
            let _ = rfc2253(&bad);
        }
    }
    assert_eq!(common_name(tag::UTF8_STRING, b"\xff"), None);
    assert_eq!(common_name(tag::BMP_STRING, b"a"), None);
    assert_eq!(common_name(tag::BMP_STRING, b"\xd8\0"), None);
    // Lengths that nothing has.
    assert_eq!(rfc2253(&[tag::SET, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    assert_eq!(rfc2253(&[tag::SET, 0x80]), None);
}
