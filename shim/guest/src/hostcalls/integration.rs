//! Log, log level, status (ABI reference 4.2).

use proxy_wasi_abi::{LogLevel, Status};

use super::Answer;
use crate::active;
use crate::contexts;
use crate::log;
use crate::memory::{self, Input, Output};

/// `proxy_log`
pub(crate) fn log(level: u32, message: Input) -> Answer {
    let level = LogLevel::try_from(level).map_err(|_| Status::BadArgument)?;
    if !log::keeps(level) {
        return memory::check(message.0, message.1);
    }
    memory::with_inputs([message], |[message]| log::plugin(level, "", message))
}

/// `proxy_get_log_level`
pub(crate) fn get_log_level(result: u32) -> Answer {
    memory::store_u32(result, log::ask_lowest())
}

/// `proxy_get_status`
pub(crate) fn get_status(code: u32, message: Output) -> Answer {
    let root = active::effective().root();
    let status = contexts::with(|contexts| {
        root.and_then(|root| contexts.root(root))
            .map(|root| root.status.clone())
    });
    let (number, text) = status.unwrap_or_default();
    memory::store_u32(code, number)?;
    message.give(text.as_bytes())
}
