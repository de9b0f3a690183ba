//! `http-headers` and `flat-headers`.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmList, WasmStr};

use crate::vm::access::{HeaderError, HeaderMap};
use crate::vm::bindings::proxy_wasm::plugin::flat_headers;
use crate::vm::state::VmState;
use crate::vm::streams::StreamEntry;

impl VmState {
    #[inline]
    pub(super) fn headers_of(&self, context: u64) -> Result<&StreamEntry, HeaderError> {
        self.stream(context).ok_or(HeaderError::UnknownStream)
    }
}

/// Links `http-headers` by hand: names and values are read where they lie in the guest's memory, while generated
/// bindings would copy each into a `String` or `Vec` first. These are the hostcalls that most requests make.
///
/// # Errors
///
/// The interface is linked already.
pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    let mut interface = linker.instance("proxy-wasm:plugin/http-headers@0.1.0")?;
    interface.func_wrap("get", |store: Caller<'_>, args: Named| {
        on_field(&store, args, |stream, of, name| {
            stream.access.field(stream.filter, of, name)
        })
    })?;
    interface.func_wrap("get-all", |store: Caller<'_>, args: Named| {
        on_field(&store, args, |stream, of, name| {
            stream.access.field_values(stream.filter, of, name)
        })
    })?;
    interface.func_wrap("append", |store: Caller<'_>, args: NamedValue| {
        on_value(&store, args, |stream, of, name, value| {
            stream.access.append_field(stream.filter, of, name, value)
        })
    })?;
    interface.func_wrap("set", |store: Caller<'_>, args: NamedValue| {
        on_value(&store, args, |stream, of, name, value| {
            stream.access.set_field(stream.filter, of, name, value)
        })
    })?;
    interface.func_wrap("remove", |store: Caller<'_>, args: Named| {
        on_field(&store, args, |stream, of, name| {
            stream.access.remove_field(stream.filter, of, name)
        })
    })?;
    interface.func_wrap(
        "entries",
        |store: Caller<'_>, (context, of): (u64, HeaderMap)| {
            on_map(&store, context, |stream| {
                stream.access.fields(stream.filter, of)
            })
        },
    )?;
    interface.func_wrap(
        "count",
        |store: Caller<'_>, (context, of): (u64, HeaderMap)| {
            on_map(&store, context, |stream| {
                stream.access.field_count(stream.filter, of)
            })
        },
    )?;
    interface.func_wrap(
        "set-entries",
        |store: Caller<'_>, (context, of, entries): (u64, HeaderMap, Vec<(String, Vec<u8>)>)| {
            on_map(&store, context, |stream| {
                stream.access.set_fields(stream.filter, of, &entries)
            })
        },
    )
}

type Caller<'a> = StoreContextMut<'a, VmState>;
type Named = (u64, HeaderMap, WasmStr);
type NamedValue = (u64, HeaderMap, WasmStr, WasmList<u8>);
/// What a hostcall returns: its one result, unless the arguments are no proper canonical ABI values, which traps.
type Answer<R> = wasmtime::Result<(Result<R, HeaderError>,)>;

#[inline]
fn on_map<R>(
    store: &Caller<'_>,
    context: u64,
    act: impl FnOnce(&StreamEntry) -> Result<R, HeaderError>,
) -> Answer<R> {
    Ok((store.data().headers_of(context).and_then(act),))
}

#[inline]
fn on_field<R>(
    store: &Caller<'_>,
    (context, of, name): Named,
    act: impl FnOnce(&StreamEntry, HeaderMap, &str) -> Result<R, HeaderError>,
) -> Answer<R> {
    let name = name.to_str(store)?;
    on_map(store, context, |stream| act(stream, of, &name))
}

#[inline]
fn on_value<R>(
    store: &Caller<'_>,
    (context, of, name, value): NamedValue,
    act: impl FnOnce(&StreamEntry, HeaderMap, &str, &[u8]) -> Result<R, HeaderError>,
) -> Answer<R> {
    let value = value.as_le_slice(store);
    on_field(store, (context, of, name), |stream, of, name| {
        act(stream, of, name, value)
    })
}

impl flat_headers::Host for VmState {
    fn entries(&mut self, context: u64, of: HeaderMap) -> Result<Vec<u8>, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.flat_fields(stream.filter, of)
    }

    fn byte_size(&mut self, context: u64, of: HeaderMap) -> Result<u32, HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.fields_byte_size(stream.filter, of)
    }

    fn set_entries(
        &mut self,
        context: u64,
        of: HeaderMap,
        entries: Vec<u8>,
    ) -> Result<(), HeaderError> {
        let stream = self.headers_of(context)?;
        stream.access.set_flat_fields(stream.filter, of, &entries)
    }
}
