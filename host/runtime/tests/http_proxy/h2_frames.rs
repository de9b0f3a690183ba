//! HTTP/2 written by hand, for peers that do what no library does.

use super::support::RawClient;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// `GET http://a/`, in indices of the static table and a literal without indexing.
pub(crate) const GET: &[u8] = b"\x82\x84\x86\x01\x01a";
/// `:status: 200`
pub(crate) const OK: &[u8] = b"\x88";

/// A frame as it is on the wire.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The beginning of a client's connection.
pub(crate) fn client_preface() -> Vec<u8> {
    [PREFACE.to_vec(), frame(SETTINGS, 0, 0, b"")].concat()
}

/// Begins a server's connection and waits for the client's first request; its stream is 1.
pub(crate) async fn accept(connection: &mut RawClient) {
    connection.send(frame(SETTINGS, 0, 0, b"")).await;
    connection.read_exact(PREFACE.len()).await;
    while read_frame(connection).await != HEADERS {}
    connection.send(frame(SETTINGS, ACK, 0, b"")).await;
}

/// The kind of the next frame.
pub(crate) async fn read_frame(connection: &mut RawClient) -> u8 {
    let head = connection.read_exact(9).await;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    connection.read_exact(length as usize).await;
    head[3]
}
