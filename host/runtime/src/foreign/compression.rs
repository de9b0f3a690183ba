//! `compress` and `uncompress`: zlib streams (RFC 1950), as in Envoy.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::ForeignError;

/// zlib's default: what Envoy asks for.
const LEVEL: u8 = 6;

/// Bytes that are compressed at once. The host does this in a plugin's callback, and a worker waits for it: so much takes
/// some tenths of a second.
const MAX_COMPRESSED: usize = 16 * 1024 * 1024;

/// Bytes that a stream may become. A few KiB can stand for gigabytes; a body of the default size, compressed well, is
/// still far below.
const MAX_UNCOMPRESSED: usize = 16 * 1024 * 1024;

pub(super) fn compress(input: &[u8]) -> Result<Vec<u8>, ForeignError> {
    if input.len() > MAX_COMPRESSED {
        return Err(ForeignError::InvalidInput);
    }
    Ok(compress_to_vec_zlib(input, LEVEL))
}

pub(super) fn uncompress(input: &[u8]) -> Result<Vec<u8>, ForeignError> {
    decompress_to_vec_zlib_with_limit(input, MAX_UNCOMPRESSED)
        .map_err(|_| ForeignError::NotSerializable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        for input in [&b""[..], b"a", &[7; 100_000]] {
            let compressed = compress(input).unwrap();
            assert!(compressed.len() < input.len() + 16);
            assert_eq!(uncompress(&compressed).unwrap(), input);
        }
    }

    #[test]
    fn streams_are_zlibs() {
        // What zlib itself makes of "hello" at its default level.
        let hello = b"\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15";
        assert_eq!(uncompress(hello).unwrap(), b"hello");
        assert_eq!(compress(b"hello").unwrap(), hello);
    }

    #[test]
    fn broken_streams_are_refused() {
        let mut compressed = compress(&[7; 1000]).unwrap();
        let refused = Err(ForeignError::NotSerializable);
        assert_eq!(uncompress(b""), refused);
        assert_eq!(uncompress(b"no stream"), refused);
        assert_eq!(uncompress(&compressed[..compressed.len() - 5]), refused);
        if let Some(last) = compressed.last_mut() {
            *last ^= 1;
        }
        assert_eq!(uncompress(&compressed), refused, "the checksum is wrong");
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let large = vec![0; MAX_COMPRESSED + 1];
        assert_eq!(compress(&large), Err(ForeignError::InvalidInput));
        assert!(compress(&large[1..]).is_ok());
    }

    #[test]
    fn what_would_become_too_large_is_refused() {
        let fits = compress(&vec![0; MAX_UNCOMPRESSED]).unwrap();
        assert_eq!(uncompress(&fits).unwrap().len(), MAX_UNCOMPRESSED);
        let bomb = compress_to_vec_zlib(&vec![0; MAX_UNCOMPRESSED + 1], LEVEL);
        assert!(bomb.len() < 100_000);
        assert_eq!(uncompress(&bomb), Err(ForeignError::NotSerializable));
    }
}
