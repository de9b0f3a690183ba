//! The life of the VM and of its root contexts (ABI reference 1.3 and 5.2).

use proxy_wasi_abi::callback::callback_index;

use super::{Exit, Shim, call_root, try_call};
use crate::active::Phase;
use crate::bindings::exports::proxy_wasm::plugin::lifecycle::{Guest, PluginInfo};
use crate::bindings::proxy_wasm::plugin::plugin_types::{Interest, RootContext};
use crate::bridge;
use crate::contexts::{self, Context};
use crate::log;

impl Guest for Shim {
    /// Runs the module's start functions, for the first root context of the VM. What needs the configuration waits
    /// for it: 0.1.0 modules and C++ ones read it while their root context is created.
    fn start(root: RootContext, info: PluginInfo, vm_configuration: Vec<u8>) -> Result<(), String> {
        let first = contexts::with(|contexts| {
            let first = !contexts.has_roots();
            contexts.set_vm_configuration(vm_configuration);
            contexts.add_root(root, info.name, info.root_id, info.vm_id);
            first
        });
        log::set_lowest(info.log_level);
        if !first {
            return Ok(());
        }
        match try_call(Context::Vm, Phase::Ordinary, || bridge::start()) {
            // A command module exits when its `main` returns.
            Ok(()) | Err(Exit(0)) => Ok(()),
            Err(exit) => Err(exit.text("_start")),
        }
    }

    fn configure(root: RootContext, configuration: Vec<u8>) -> Result<Interest, String> {
        let created = contexts::with(|contexts| {
            let vm_configuration = contexts.vm_configuration().len();
            let configuration_size = configuration.len();
            contexts.root_mut(root)?.configuration = configuration;
            let (context, new) = contexts.create_root(root)?;
            Some((
                context,
                new,
                size(vm_configuration),
                size(configuration_size),
            ))
        });
        let (context, new, vm_configuration, configuration) =
            created.ok_or("the root context was not started")?;
        let id = context.id();
        if new {
            run(
                context,
                Phase::Configuration,
                "proxy_on_context_create",
                || {
                    bridge::proxy_on_context_create(id, 0);
                    true
                },
            )?;
            run(context, Phase::Ordinary, "proxy_on_vm_start", || {
                bridge::proxy_on_vm_start(id, vm_configuration) != 0
            })?;
        }
        run(context, Phase::Configuration, "proxy_on_configure", || {
            bridge::proxy_on_configure(id, configuration) != 0
        })?;
        Ok(interest(bridge::callbacks()))
    }

    fn on_done(root: RootContext) -> bool {
        call_root(root, "proxy_on_done", |id| bridge::proxy_on_done(id)) != Some(0)
    }

    fn on_delete(root: RootContext) {
        call_root(root, "proxy_on_delete", |id| bridge::proxy_on_delete(id));
        contexts::with(|contexts| contexts.remove_root(root));
    }
}

/// Runs a start callback. False and an exit refuse the plugin.
fn run(
    context: Context,
    phase: Phase,
    name: &str,
    callback: impl FnOnce() -> bool,
) -> Result<(), String> {
    match try_call(context, phase, callback) {
        Ok(true) => Ok(()),
        Ok(false) => Err(["`", name, "` returned false"].concat()),
        Err(exit) => Err(exit.text(name)),
    }
}

/// A configuration's size as the ABI carries it.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What a module with these callbacks wants of a stream.
fn interest(callbacks: u64) -> Interest {
    let exports = |name| callback_index(name).is_some_and(|index| callbacks >> index & 1 == 1);
    let streams = [
        ("proxy_on_request_headers", Interest::REQUEST_HEADERS),
        ("proxy_on_request_body", Interest::REQUEST_BODY),
        ("proxy_on_request_trailers", Interest::REQUEST_TRAILERS),
        ("proxy_on_response_headers", Interest::RESPONSE_HEADERS),
        ("proxy_on_response_body", Interest::RESPONSE_BODY),
        ("proxy_on_response_trailers", Interest::RESPONSE_TRAILERS),
    ];
    let mut interest = Interest::empty();
    for (name, flag) in streams {
        if exports(name) {
            interest = interest | flag;
        }
    }
    if exports("proxy_on_context_create") {
        // Stream contexts are created right before their request's headers, also for who does not read those.
        interest = interest | Interest::REQUEST_HEADERS;
    }
    let ends = ["proxy_on_done", "proxy_on_log", "proxy_on_delete"];
    if interest.bits() != 0 || ends.into_iter().any(exports) {
        // Who hears of streams must also hear that they end: the shim forgets them then.
        interest = interest | Interest::STREAM_END;
    }
    interest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interest_of(names: &[&str]) -> u8 {
        let mask = names
            .iter()
            .map(|name| 1 << callback_index(name).unwrap())
            .sum();
        interest(mask).bits()
    }

    #[test]
    fn interest_follows_exports() {
        assert_eq!(interest_of(&[]), 0);
        assert_eq!(
            interest_of(&["proxy_on_vm_start", "proxy_on_configure", "proxy_on_tick"]),
            0
        );
        let end = Interest::STREAM_END.bits();
        assert_eq!(interest_of(&["proxy_on_log"]), end);
        assert_eq!(
            interest_of(&["proxy_on_response_headers"]),
            Interest::RESPONSE_HEADERS.bits() | end
        );
        assert_eq!(
            interest_of(&["proxy_on_context_create", "proxy_on_response_body"]),
            Interest::REQUEST_HEADERS.bits() | Interest::RESPONSE_BODY.bits() | end
        );
    }
}
