//! Bodies: the contract's `http-body`.

use proxy_wasi_stream::{self as stream, FilterIndex};

use super::super::Exchange;
use super::direction;
use crate::vm::{BodyAccess, BodyError, Direction};

fn body_error(error: stream::BodyError) -> BodyError {
    match error {
        stream::BodyError::Unavailable => BodyError::Unavailable,
        stream::BodyError::OutOfRange => BodyError::OutOfRange,
        stream::BodyError::TooLarge => BodyError::TooLarge,
    }
}

impl BodyAccess for Exchange {
    fn body_size(&self, filter: usize, of: Direction) -> Result<u32, BodyError> {
        let size = self
            .machine
            .borrow()
            .body_size(FilterIndex(filter), direction(of))
            .map_err(body_error)?;
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    fn read_body(
        &self,
        filter: usize,
        of: Direction,
        start: u32,
        count: u32,
    ) -> Result<Vec<u8>, BodyError> {
        let machine = self.machine.borrow();
        machine
            .body_read(
                FilterIndex(filter),
                direction(of),
                start as usize,
                count as usize,
            )
            .map_err(body_error)
    }

    fn splice_body(
        &self,
        filter: usize,
        of: Direction,
        start: u32,
        count: u32,
        data: &[u8],
    ) -> Result<(), BodyError> {
        self.room_made.set(true);
        let mut machine = self.machine.borrow_mut();
        machine
            .body_splice(
                FilterIndex(filter),
                direction(of),
                start as usize,
                count as usize,
                data,
            )
            .map_err(body_error)
    }
}
