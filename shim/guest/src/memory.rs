//! The legacy module's memory, checked: a bad pointer is a status, never a trap (ABI reference 4.1).

use std::cell::Cell;

use proxy_wasi_abi::Status;

use crate::bridge;

/// Bytes. What a hostcall's arguments needed is kept for the next one up to this size.
const MAX_SCRATCH: usize = 64 * 1024;

/// Where an argument lies: pointer and length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input(pub(crate) u32, pub(crate) u32);

/// Where a result's pointer and length go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output(pub(crate) u32, pub(crate) u32);

thread_local! {
    /// Memory for the arguments of one hostcall.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The size of the memory now, in bytes. It may grow whenever legacy code runs.
#[inline]
fn size() -> u64 {
    u64::from(bridge::memory_pages()) << 16
}

/// Whether a range lies within the memory. An empty one may lie at its end.
#[inline]
pub(crate) fn check(at: u32, len: u32) -> Result<(), Status> {
    check_within(size(), at, len)
}

#[inline]
fn check_within(size: u64, at: u32, len: u32) -> Result<(), Status> {
    // In 64 bits, so that a range near 2^32 does not wrap.
    if u64::from(at) + u64::from(len) <= size {
        Ok(())
    } else {
        Err(Status::InvalidMemoryAccess)
    }
}

/// Reads the arguments of a hostcall and hands them to `f`. All are checked before any is read.
///
/// # Errors
///
/// `InvalidMemoryAccess` if one of them is not within the memory, `InternalFailure` if there is no memory for them.
#[inline]
pub(crate) fn with_inputs<const N: usize, R>(
    inputs: [Input; N],
    f: impl FnOnce([&[u8]; N]) -> R,
) -> Result<R, Status> {
    let size = size();
    let mut total = 0_u64;
    for Input(at, len) in inputs {
        check_within(size, at, len)?;
        total += u64::from(len);
    }
    let total = usize::try_from(total).map_err(|_| Status::InternalFailure)?;
    // Taken, not borrowed: should `f` run legacy code, a nested hostcall finds none and makes its own.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    scratch
        .try_reserve(total)
        .map_err(|_| Status::InternalFailure)?;
    for Input(at, len) in inputs {
        bridge::copy_in(&mut scratch, at, len);
    }
    let mut rest = scratch.as_slice();
    let result = f(inputs.map(|Input(_, len)| {
        let (input, tail) = rest.split_at_checked(len as usize).unwrap_or_default();
        rest = tail;
        input
    }));
    if scratch.capacity() <= MAX_SCRATCH {
        SCRATCH.set(scratch);
    }
    Ok(result)
}

/// Reads a range into memory of its own.
pub(crate) fn read(Input(at, len): Input) -> Result<Vec<u8>, Status> {
    check(at, len)?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(len as usize)
        .map_err(|_| Status::InternalFailure)?;
    bridge::copy_in(&mut bytes, at, len);
    Ok(bytes)
}

/// Reads a number.
pub(crate) fn load_u32(at: u32) -> Result<u32, Status> {
    check(at, 4)?;
    Ok(bridge::load_u32(at))
}

/// Writes a number.
#[inline]
pub(crate) fn store_u32(at: u32, value: u32) -> Result<(), Status> {
    check(at, 4)?;
    bridge::store_u32(at, value);
    Ok(())
}

/// Writes a number.
pub(crate) fn store_u64(at: u32, value: u64) -> Result<(), Status> {
    check(at, 8)?;
    bridge::store_u64(at, value);
    Ok(())
}

/// Writes bytes.
pub(crate) fn write(at: u32, bytes: &[u8]) -> Result<(), Status> {
    check(at, length(bytes)?)?;
    bridge::copy_out(at, bytes);
    Ok(())
}

/// The length of bytes as the ABI carries it.
#[inline]
pub(crate) fn length(bytes: &[u8]) -> Result<u32, Status> {
    u32::try_from(bytes.len()).map_err(|_| Status::InternalFailure)
}

/// Asks the legacy module for memory. Nothing of the shim's state may be borrowed.
///
/// An exit inside the allocator ends the hostcall too, as if the allocator had run within legacy code.
pub(crate) fn allocate(len: u32) -> Result<u32, Status> {
    let at = bridge::allocate(len);
    if let Some(code) = bridge::take_exit() {
        bridge::throw_exit(code);
    }
    if at == 0 {
        return Err(Status::InvalidMemoryAccess);
    }
    check(at, len)?;
    Ok(at)
}

impl Output {
    /// Hands bytes to the legacy module, in memory of its own that it then owns. Nothing of the shim's state may be
    /// borrowed: the module's allocator runs.
    #[inline]
    pub(crate) fn give(self, bytes: &[u8]) -> Result<(), Status> {
        if bytes.is_empty() {
            // Go's allocator panics when asked for nothing.
            return self.set(0, 0);
        }
        let len = length(bytes)?;
        let at = allocate(len)?;
        bridge::copy_out(at, bytes);
        self.set(at, len)
    }

    /// Hands over a null pointer and a length of 0.
    pub(crate) fn give_nothing(self) -> Result<(), Status> {
        self.set(0, 0)
    }

    /// Writes a pointer and a length.
    #[inline]
    pub(crate) fn set(self, at: u32, len: u32) -> Result<(), Status> {
        store_u32(self.0, at)?;
        store_u32(self.1, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u32 = 65536;

    #[test]
    fn ranges_end_with_the_memory_and_do_not_wrap() {
        assert_eq!(check(0, 0), Ok(()));
        assert_eq!(check(PAGE, 0), Ok(()));
        assert_eq!(check(0, PAGE), Ok(()));
        for (at, len) in [
            (PAGE + 1, 0),
            (0, PAGE + 1),
            (PAGE, 1),
            (u32::MAX, 1),
            (u32::MAX, u32::MAX),
            (1, u32::MAX),
        ] {
            assert_eq!(
                check(at, len),
                Err(Status::InvalidMemoryAccess),
                "{at}, {len}"
            );
        }
        assert_eq!(store_u32(PAGE - 4, 7), Ok(()));
        assert_eq!(load_u32(PAGE - 4), Ok(7));
        assert_eq!(store_u32(PAGE - 3, 7), Err(Status::InvalidMemoryAccess));
        assert_eq!(store_u64(PAGE - 7, 7), Err(Status::InvalidMemoryAccess));
    }

    #[test]
    fn inputs_are_read_in_order_and_checked_first() {
        write(16, b"namevalue").unwrap();
        let inputs = [Input(16, 4), Input(1, 0), Input(20, 5)];
        with_inputs(inputs, |inputs| {
            assert_eq!(inputs, [b"name".as_slice(), b"", b"value"])
        })
        .unwrap();
        let one_is_bad = [Input(16, 4), Input(u32::MAX, 2)];
        let result = with_inputs(one_is_bad, |_| panic!("must not be called"));
        assert_eq!(result, Err(Status::InvalidMemoryAccess));
    }

    #[test]
    fn a_nested_hostcall_does_not_disturb_the_arguments() {
        write(16, b"outer").unwrap();
        write(32, b"inner").unwrap();
        with_inputs([Input(16, 5)], |[outer]| {
            with_inputs([Input(32, 5)], |[inner]| assert_eq!(inner, b"inner")).unwrap();
            assert_eq!(outer, b"outer");
        })
        .unwrap();
    }

    #[test]
    fn results_are_allocated_by_the_module_except_empty_ones() {
        let output = Output(0, 4);
        output.give(b"result").unwrap();
        let (at, len) = (load_u32(0).unwrap(), load_u32(4).unwrap());
        assert_eq!(read(Input(at, len)).unwrap(), b"result");
        output.give(b"").unwrap();
        assert_eq!((load_u32(0), load_u32(4)), (Ok(0), Ok(0)));
    }

    #[test]
    fn an_allocator_that_fails_is_a_status_and_nothing_is_written() {
        write(0, &[0xff; 8]).unwrap();
        let output = Output(0, 4);
        assert_eq!(output.give(&[0; 13]), Err(Status::InvalidMemoryAccess));
        assert_eq!(
            output.give(&vec![0; 65_536]),
            Err(Status::InvalidMemoryAccess)
        );
        assert_eq!((load_u32(0), load_u32(4)), (Ok(u32::MAX), Ok(u32::MAX)));
        assert_eq!(
            Output(PAGE, 4).give(b"result"),
            Err(Status::InvalidMemoryAccess)
        );
    }
}
