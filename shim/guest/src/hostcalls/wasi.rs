//! WASI preview 1, as far as a plugin has any use for it: output, clocks, randomness, environment (ABI reference 8.1).
//! There are no files, no sockets and no arguments.

use proxy_wasi_abi::Status;
use proxy_wasi_abi::wasi::Errno;

use super::clock;
use crate::bindings::wasi::cli::environment::get_environment;
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

/// `args_sizes_get`: there are none.
pub(crate) fn no_strings(count: u32, size: u32) -> Answer {
    memory::store_u32(count, 0).map_err(fault)?;
    memory::store_u32(size, 0).map_err(fault)
}

/// `environ_sizes_get`
pub(crate) fn environ_sizes_get(count: u32, size: u32) -> Answer {
    let strings = strings(&get_environment());
    let total = strings.iter().map(Vec::len).sum();
    let all = |number: usize| u32::try_from(number).map_err(|_| Errno::Inval);
    memory::store_u32(count, all(strings.len())?).map_err(fault)?;
    memory::store_u32(size, all(total)?).map_err(fault)
}

/// `environ_get`
pub(crate) fn environ_get(list: u32, bytes: u32) -> Answer {
    write_strings(&strings(&get_environment()), list, bytes)
}

fn strings(variables: &[(String, String)]) -> Vec<Vec<u8>> {
    let string = |(name, value): &(String, String)| [name, "=", value, "\0"].concat().into_bytes();
    variables.iter().map(string).collect()
}

/// Writes strings one after the other, and a list of where they are.
fn write_strings(strings: &[Vec<u8>], list: u32, bytes: u32) -> Answer {
    let (mut entry, mut at) = (list, bytes);
    for string in strings {
        memory::write(at, string).map_err(fault)?;
        memory::store_u32(entry, at).map_err(fault)?;
        let len = memory::length(string).map_err(fault)?;
        at = at.checked_add(len).ok_or(Errno::Fault)?;
        entry = entry.checked_add(4).ok_or(Errno::Fault)?;
    }
    Ok(())
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

/// `poll_oneoff`: a callback must not hold up its worker, so all that is waited for has come already. Who sleeps has slept:
/// Go's runtime, and the `sleep` of Rust and C, need that answer.
pub(crate) fn poll_oneoff(subscriptions: u32, events: u32, count: u32, written: u32) -> Answer {
    if count > MAX_PIECES {
        return Err(Errno::Inval);
    }
    let list = memory::read(Input(subscriptions, count * 48)).map_err(fault)?;
    let events_of: Vec<_> = list.as_chunks().0.iter().flat_map(event).collect();
    memory::write(events, &events_of).map_err(fault)?;
    memory::store_u32(written, count).map_err(fault)
}

/// The event for a subscription: its mark, an error number, its kind.
fn event(subscription: &[u8; 48]) -> [u8; 32] {
    let (mark, kind) = (&subscription[..8], subscription[8]);
    let [fd, _] = words(*subscription[16..].first_chunk().unwrap_or(&[0; 8]));
    let error = match kind {
        // A clock, at any time.
        0 => Errno::Success,
        // Nothing can be read.
        1 => Errno::Badf,
        2 => stream(fd).map_or_else(|error| error, |_| Errno::Success),
        _ => Errno::Inval,
    };
    let mut event = [0; 32];
    event[..8].copy_from_slice(mark);
    event[8..10].copy_from_slice(&(error as u16).to_le_bytes());
    event[10] = kind;
    event
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
    fn strings_lie_one_after_the_other() {
        let variables = [
            ("A".to_owned(), "1".to_owned()),
            ("BC".into(), String::new()),
        ];
        let strings = strings(&variables);
        assert_eq!(write_strings(&strings, 400, 500), Ok(()));
        assert_eq!(memory::load_u32(400), Ok(500));
        assert_eq!(memory::load_u32(404), Ok(504));
        assert_eq!(memory::read(Input(500, 8)).unwrap(), b"A=1\0BC=\0");
        assert_eq!(write_strings(&strings, 400, 65_534), Err(Errno::Fault));
        assert_eq!(write_strings(&strings, u32::MAX, 500), Err(Errno::Fault));
        assert_eq!(write_strings(&[], u32::MAX, u32::MAX), Ok(()));
    }

    #[test]
    fn nothing_is_waited_for() {
        // A clock, standard output, standard input, and what there is none of.
        let kinds = [(0, 7, 0), (2, 1, 0), (1, 0, 8), (9, 0, 28)];
        for ((kind, fd, _), at) in kinds.into_iter().zip([0, 48, 96, 144]) {
            let mut subscription = [0; 48];
            subscription[..8].fill(kind + 100);
            subscription[8] = kind;
            subscription[16] = fd;
            memory::write(at, &subscription).unwrap();
        }
        assert_eq!(poll_oneoff(0, 1000, 4, 2000), Ok(()));
        assert_eq!(memory::load_u32(2000), Ok(4));
        for ((kind, _, error), at) in kinds.into_iter().zip([1000, 1032, 1064, 1096]) {
            let mut event = [0; 32];
            event[..8].fill(kind + 100);
            event[8] = error;
            event[10] = kind;
            assert_eq!(memory::read(Input(at, 32)).unwrap(), event, "{kind}");
        }
        assert_eq!(poll_oneoff(0, 1000, 0, 2000), Ok(()));
        assert_eq!(memory::load_u32(2000), Ok(0));
        assert_eq!(poll_oneoff(65_500, 1000, 1, 2000), Err(Errno::Fault));
        assert_eq!(poll_oneoff(0, 65_520, 1, 2000), Err(Errno::Fault));
        assert_eq!(poll_oneoff(0, 1000, u32::MAX, 2000), Err(Errno::Inval));
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
