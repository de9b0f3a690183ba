//! WASI preview 1, as far as a plugin has any use for it: output, clocks, randomness (ABI reference 8.1). There are no
//! files, no sockets, no arguments and no environment.

use proxy_wasi_abi::Status;
use proxy_wasi_abi::wasi::Errno;

use super::clock;
use crate::bindings::wasi::random::random;
use crate::log;
use crate::memory::{self, Input};
use crate::stdio::{self, Stream};

/// What a WASI function answers: `Success`, or another error number.
pub(crate) type Answer = Result<(), Errno>;

/// Bytes. More randomness at once is refused, as in Envoy.
const MAX_RANDOM: u32 = 64 * 1024;

/// A list of more pieces is refused, as POSIX's IOV_MAX does.
const MAX_PIECES: u32 = 1024;

fn fault(status: Status) -> Errno {
    if status == Status::InvalidMemoryAccess {
        Errno::Fault
    } else {
        Errno::Inval
    }
}

/// Standard output or error; no other descriptor is open.
fn stream(fd: u32) -> Result<Stream, Errno> {
    match fd {
        1 => Ok(Stream::Stdout),
        2 => Ok(Stream::Stderr),
        _ => Err(Errno::Badf),
    }
}

/// `fd_write` and `fd_pwrite`
pub(crate) fn fd_write(fd: u32, pieces: u32, count: u32, written: u32) -> Answer {
    let stream = stream(fd)?;
    if count > MAX_PIECES {
        return Err(Errno::Inval);
    }
    let list = memory::read(Input(pieces, count * 8)).map_err(fault)?;
    let mut total = 0_u32;
    for piece in list.as_chunks::<8>().0 {
        let [at, len] = words(*piece);
        total = total.checked_add(len).ok_or(Errno::Inval)?;
        memory::check(at, len).map_err(fault)?;
    }
    memory::store_u32(written, total).map_err(fault)?;
    for piece in list.as_chunks::<8>().0 {
        let [at, len] = words(*piece);
        memory::with_inputs([Input(at, len)], |[text]| stdio::write(stream, text))
            .map_err(fault)?;
    }
    Ok(())
}

fn words([a, b, c, d, e, f, g, h]: [u8; 8]) -> [u32; 2] {
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

/// Functions that succeed on standard output and error and do nothing.
pub(crate) fn on_stdio(fd: u32) -> Answer {
    stream(fd).map(|_| ())
}

/// `fd_tell`
pub(crate) fn fd_tell(fd: u32, offset: u32) -> Answer {
    stream(fd)?;
    memory::store_u64(offset, 0).map_err(fault)
}

/// `fd_fdstat_get`: no file type, no flags, the right to write.
pub(crate) fn fd_fdstat_get(fd: u32, result: u32) -> Answer {
    stream(fd)?;
    let mut stat = [0; 24];
    stat[8] = 64;
    memory::write(result, &stat).map_err(fault)
}

/// `fd_renumber`
pub(crate) fn fd_renumber(from: u32, to: u32) -> Answer {
    stream(from)?;
    stream(to)?;
    Err(Errno::Notsup)
}

/// Functions that say how much they did: nothing, and why.
pub(crate) fn none_done(count: u32, why: Errno) -> Answer {
    memory::store_u32(count, 0).map_err(fault)?;
    Err(why)
}

/// `args_sizes_get` and `environ_sizes_get`: there are none.
pub(crate) fn no_strings(count: u32, size: u32) -> Answer {
    memory::store_u32(count, 0).map_err(fault)?;
    memory::store_u32(size, 0).map_err(fault)
}

/// `clock_time_get`
pub(crate) fn clock_time_get(clock: u32, result: u32) -> Answer {
    let now = match clock {
        0 => clock::wall(),
        1 => clock::monotonic(),
        _ => return Err(Errno::Notsup),
    };
    memory::store_u64(result, now).map_err(fault)
}

/// `clock_res_get`: a nanosecond.
pub(crate) fn clock_res_get(clock: u32, result: u32) -> Answer {
    if clock > 1 {
        return Err(Errno::Notsup);
    }
    memory::store_u64(result, 1).map_err(fault)
}

/// `random_get`
pub(crate) fn random_get(at: u32, len: u32) -> Answer {
    if len > MAX_RANDOM {
        return Err(Errno::Inval);
    }
    if len == 0 {
        return Ok(());
    }
    memory::check(at, len).map_err(fault)?;
    let mut filled = 0;
    while filled < len {
        let missing = len - filled;
        let mut bytes = random::get_random_bytes(missing.into());
        bytes.truncate(missing as usize);
        if bytes.is_empty() {
            log::abandon("the host has no random bytes");
        }
        memory::write(at + filled, &bytes).map_err(fault)?;
        filled += memory::length(&bytes).map_err(fault)?;
    }
    Ok(())
}

/// `poll_oneoff`: nothing ever waits. Go's runtime needs the success.
pub(crate) fn poll_oneoff(events: u32) -> Answer {
    memory::store_u32(events, 0).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_checked_before_any_is_written() {
        memory::store_u32(0, 100).unwrap();
        memory::store_u32(4, 3).unwrap();
        memory::store_u32(8, u32::MAX).unwrap();
        memory::store_u32(12, 1).unwrap();
        memory::write(100, b"abc").unwrap();
        assert_eq!(fd_write(0, 0, 1, 16), Err(Errno::Badf));
        assert_eq!(fd_write(1, 0, 2, 16), Err(Errno::Fault));
        assert_eq!(fd_write(1, 0, 1, 65_535), Err(Errno::Fault));
        assert_eq!(fd_write(1, 65_530, 1, 16), Err(Errno::Fault));
        assert_eq!(fd_write(1, 0, u32::MAX, 16), Err(Errno::Inval));
        // An unfinished line is kept, so this does not reach the host.
        assert_eq!(fd_write(1, 0, 1, 16), Ok(()));
        assert_eq!(memory::load_u32(16), Ok(3));
        assert_eq!(fd_write(2, 0, 0, 16), Ok(()));
        assert_eq!(memory::load_u32(16), Ok(0));
    }

    #[test]
    fn only_output_is_open() {
        for fd in [0, 3, u32::MAX] {
            assert_eq!(on_stdio(fd), Err(Errno::Badf));
            assert_eq!(fd_fdstat_get(fd, 0), Err(Errno::Badf));
            assert_eq!(fd_renumber(1, fd), Err(Errno::Badf));
        }
        assert_eq!(fd_fdstat_get(1, 200), Ok(()));
        let mut expected = [0; 24];
        expected[8] = 64;
        assert_eq!(memory::read(Input(200, 24)).unwrap(), expected);
        assert_eq!(fd_renumber(1, 2), Err(Errno::Notsup));
        assert_eq!(none_done(300, Errno::Notsup), Err(Errno::Notsup));
        assert_eq!(none_done(u32::MAX, Errno::Notsup), Err(Errno::Fault));
    }

    #[test]
    fn refusals_that_need_no_host() {
        assert_eq!(random_get(u32::MAX, 0), Ok(()));
        assert_eq!(random_get(0, MAX_RANDOM + 1), Err(Errno::Inval));
        assert_eq!(random_get(65_000, 1000), Err(Errno::Fault));
        assert_eq!(clock_time_get(2, 0), Err(Errno::Notsup));
        assert_eq!(clock_res_get(1, 65_530), Err(Errno::Fault));
    }
}
