//! The imports of header plugins.

use http::{HeaderMap, HeaderName, HeaderValue, request, response};
use wasmtime::error::Context;
use wasmtime::{Caller, Instance, Linker, Memory, Store, TypedFunc};

/// Messages below this level (2: info) are dropped, as `proxy-wasi serve` does by default.
const LOG_LEVEL: u32 = 2;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const INVALID_MEMORY_ACCESS: u32 = 6;

/// What a hostcall can reach.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) request: Option<request::Parts>,
    pub(crate) response: Option<response::Parts>,
    pub(super) guest: Option<Guest>,
}

/// The module's memory and allocator.
#[derive(Clone)]
pub(super) struct Guest {
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
}

impl Guest {
    pub(super) fn new(store: &mut Store<Exchange>, instance: &Instance) -> wasmtime::Result<Self> {
        Ok(Self {
            memory: instance
                .get_memory(&mut *store, "memory")
                .context("no memory is exported")?,
            allocate: instance.get_typed_func(store, "proxy_on_memory_allocate")?,
        })
    }
}

impl Exchange {
    fn headers(&mut self, map: u32) -> Result<&mut HeaderMap, u32> {
        match map {
            0 => self.request.as_mut().map(|head| &mut head.headers),
            2 => self.response.as_mut().map(|head| &mut head.headers),
            _ => return Err(BAD_ARGUMENT),
        }
        .ok_or(NOT_FOUND)
    }

    /// Returns the first value of a field or a pseudo-header.
    fn value(&mut self, map: u32, name: &str) -> Result<HeaderValue, u32> {
        match (name, &self.request, &self.response) {
            (":method", Some(head), _) => {
                HeaderValue::from_str(head.method.as_str()).map_err(|_| NOT_FOUND)
            }
            (":path", Some(head), _) => {
                HeaderValue::from_str(head.uri.path()).map_err(|_| NOT_FOUND)
            }
            (":status", _, Some(head)) => Ok(HeaderValue::from(head.status.as_u16())),
            _ => self.headers(map)?.get(name).cloned().ok_or(NOT_FOUND),
        }
    }
}

/// Defines the hostcalls and the little of WASI that libraries ask for at start.
pub(super) fn add_to_linker(linker: &mut Linker<Exchange>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_log",
        |mut caller: Host<'_>, level: u32, text: u32, size: u32| {
            status(log(&mut caller, level, text, size))
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_log_level",
        |mut caller: Host<'_>, level: u32| {
            status(write(&mut caller, level, &LOG_LEVEL.to_le_bytes()))
        },
    )?;
    linker.func_wrap("env", "proxy_get_header_map_value", get_header)?;
    linker.func_wrap(
        "env",
        "proxy_add_header_map_value",
        |mut caller: Host<'_>, map, name, size, value, length| {
            status(
                field(&mut caller, (name, size), (value, length)).and_then(|(name, value)| {
                    caller.data_mut().headers(map)?.append(name, value);
                    Ok(())
                }),
            )
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_replace_header_map_value",
        |mut caller: Host<'_>, map, name, size, value, length| {
            status(
                field(&mut caller, (name, size), (value, length)).and_then(|(name, value)| {
                    caller.data_mut().headers(map)?.insert(name, value);
                    Ok(())
                }),
            )
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_remove_header_map_value",
        |mut caller: Host<'_>, map, name, size| {
            status(split(&mut caller).and_then(|(memory, exchange)| {
                exchange.headers(map)?.remove(text(memory, name, size)?);
                Ok(())
            }))
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_buffer_bytes",
        |_: u32, _: u32, _: u32, _: u32, _: u32| NOT_FOUND,
    )?;
    linker.func_wrap("wasi_snapshot_preview1", "environ_get", |_: u32, _: u32| OK)?;
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "environ_sizes_get",
        |mut caller: Host<'_>, count, size| {
            status(
                write(&mut caller, count, &[0; 4]).and_then(|()| write(&mut caller, size, &[0; 4])),
            )
        },
    )?;
    Ok(())
}

type Host<'a> = Caller<'a, Exchange>;

fn get_header(
    mut caller: Host<'_>,
    map: u32,
    name: u32,
    size: u32,
    return_data: u32,
    return_size: u32,
) -> wasmtime::Result<u32, wasmtime::Error> {
    let found = split(&mut caller)
        .and_then(|(memory, exchange)| exchange.value(map, text(memory, name, size)?));
    let value = match found {
        Ok(value) => value,
        Err(status) => return Ok(status),
    };
    let Some(guest) = caller.data().guest.clone() else {
        return Ok(INVALID_MEMORY_ACCESS);
    };
    let length = u32::try_from(value.len())?;
    let data = guest.allocate.call(&mut caller, length)?;
    Ok(status(
        write(&mut caller, data, value.as_bytes())
            .and_then(|()| write(&mut caller, return_data, &data.to_le_bytes()))
            .and_then(|()| write(&mut caller, return_size, &length.to_le_bytes())),
    ))
}

fn log(caller: &mut Host<'_>, level: u32, message: u32, size: u32) -> Result<(), u32> {
    if level >= LOG_LEVEL {
        let (memory, _) = split(caller)?;
        eprintln!("{}", text(memory, message, size)?);
    }
    Ok(())
}

fn status(result: Result<(), u32>) -> u32 {
    result.err().unwrap_or(OK)
}

/// Returns the module's memory and the rest of the host's state.
fn split<'a>(caller: &'a mut Host<'_>) -> Result<(&'a [u8], &'a mut Exchange), u32> {
    let memory = caller
        .data()
        .guest
        .as_ref()
        .ok_or(INVALID_MEMORY_ACCESS)?
        .memory;
    let (bytes, exchange) = memory.data_and_store_mut(caller);
    Ok((bytes, exchange))
}

fn bytes(memory: &[u8], at: u32, size: u32) -> Result<&[u8], u32> {
    let (at, size) = (at as usize, size as usize);
    memory
        .get(at..at.saturating_add(size))
        .ok_or(INVALID_MEMORY_ACCESS)
}

fn text(memory: &[u8], at: u32, size: u32) -> Result<&str, u32> {
    str::from_utf8(bytes(memory, at, size)?).map_err(|_| BAD_ARGUMENT)
}

fn field(
    caller: &mut Host<'_>,
    name: (u32, u32),
    value: (u32, u32),
) -> Result<(HeaderName, HeaderValue), u32> {
    let (memory, _) = split(caller)?;
    let name = HeaderName::from_bytes(bytes(memory, name.0, name.1)?).map_err(|_| BAD_ARGUMENT)?;
    let value =
        HeaderValue::from_bytes(bytes(memory, value.0, value.1)?).map_err(|_| BAD_ARGUMENT)?;
    Ok((name, value))
}

fn write(caller: &mut Host<'_>, at: u32, data: &[u8]) -> Result<(), u32> {
    let memory = caller
        .data()
        .guest
        .as_ref()
        .ok_or(INVALID_MEMORY_ACCESS)?
        .memory;
    memory
        .write(caller, at as usize, data)
        .map_err(|_| INVALID_MEMORY_ACCESS)
}
