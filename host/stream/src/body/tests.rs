use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Operation {
    Push(Vec<u8>),
    Pop,
    SplitTo(usize),
    SplitOff(usize),
    Splice(usize, usize, Vec<u8>),
    Append(Vec<Vec<u8>>),
}

/// Bytes of all kinds of lengths: the ones that are copied together, and those that are not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop_oneof![4 => 0..20_usize, 1 => SMALL - 2..SMALL + 2, 1 => Just(2 * SMALL)];
    (lengths, any::<u8>()).prop_map(|(length, first)| {
        (0..length)
            .map(|at| first.wrapping_add(at.to_le_bytes()[0]))
            .collect()
    })
}

fn operations() -> impl Strategy<Value = Operation> {
    let places = prop_oneof![3 => 0..40_usize, 1 => 0..3 * SMALL, 1 => Just(usize::MAX)];
    prop_oneof![
        4 => pieces().prop_map(Operation::Push),
        1 => Just(Operation::Pop),
        1 => places.clone().prop_map(Operation::SplitTo),
        1 => places.clone().prop_map(Operation::SplitOff),
        4 => (places.clone(), places, pieces()).prop_map(|(start, count, data)| Operation::Splice(start, count, data)),
        1 => vec(pieces(), 0..4).prop_map(Operation::Append),
    ]
}

fn all(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.pop() {
        assert!(!piece.is_empty(), "a piece has bytes");
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(body.len(), 0);
    assert!(body.is_empty());
    bytes
}

proptest! {
    #[test]
    fn a_body_is_a_sequence_of_bytes(
        operations in vec(operations(), 0..24),
        reads in vec((0..3 * SMALL, prop_oneof![0..50_usize, Just(usize::MAX)]), 3),
    ) {
        let (mut body, mut model) = (Body::default(), Vec::new());
        for operation in operations {
            match operation {
                Operation::Push(data) => {
                    model.extend_from_slice(&data);
                    body.push(data.into());
                }
                Operation::Pop => {
                    let piece = body.pop().unwrap_or_default();
                    prop_assert_eq!(&*piece, &model[..piece.len()]);
                    model.drain(..piece.len());
                }
                Operation::SplitTo(at) => {
                    let front: Vec<u8> = model.drain(..at.min(model.len())).collect();
                    prop_assert_eq!(all(body.split_to(at)), front);
                }
                Operation::SplitOff(at) => {
                    let back = model.split_off(at.min(model.len()));
                    prop_assert_eq!(all(body.split_off(at)), back);
                }
                Operation::Splice(start, count, data) => {
                    let start = start.min(model.len());
                    let end = start.saturating_add(count).min(model.len());
                    body.splice(start, count, &data);
                    model.splice(start..end, data);
                }
                Operation::Append(pieces) => {
                    let mut other = Body::default();
                    for piece in pieces {
                        model.extend_from_slice(&piece);
                        other.push(piece.into());
                    }
                    body.append(other);
                }
            }
            prop_assert_eq!(body.len(), model.len());
            prop_assert_eq!(body.is_empty(), model.is_empty());
            for &(start, count) in &reads {
                let rest = model.get(start..).unwrap_or_default();
                prop_assert_eq!(body.read(start, count), &rest[..count.min(rest.len())]);
            }
        }
        prop_assert_eq!(all(body), model);
    }
}

#[test]
fn one_piece_is_never_copied() {
    let bytes = Bytes::from(vec![1, 2, 3]);
    let address = bytes.as_ptr();
    let mut body = Body::default();
    body.push(bytes);
    let mut other = Body::default();
    other.append(body);
    assert_eq!(other.pop().unwrap().as_ptr(), address);
}

#[test]
fn small_edits_do_not_make_a_piece_each() {
    let mut body = Body::from(Bytes::from(vec![b'.'; 10 * SMALL]));
    for at in 0..1000 {
        body.splice(at * 7 % body.len(), 0, b"x");
        body.splice(0, 0, b"<");
        body.splice(body.len(), 0, b">");
    }
    let bytes = body.len();
    let mut pieces = 0;
    while body.pop().is_some() {
        pieces += 1;
    }
    assert!(
        pieces <= 2 * bytes / SMALL + 4,
        "{pieces} pieces for {bytes} bytes"
    );
}
