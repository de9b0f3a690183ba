//! Properties (ABI reference 4.4).

use proxy_wasi_test_support::Kind;

use crate::harness::{Case, both_kinds};

both_kinds!(later_plugins_read_what_is_set);

/// Later plugins of the chain do; a name that was set twice has its last value.
fn later_plugins_read_what_is_set(kind: Kind) {
    let first = "request_headers:
        legacy get_property('mine', out) => 1
        wit get_property('mine', out) => not-found
        set_property('mine', 'one')
        set_property('mine', 'two')";
    let second = "request_headers:
            get_property('mine', out) => 0 'two' | 0 bytes 'two'
        log:
            get_property('mine', out) => 0 'two' | 0 bytes 'two'";
    Case::new(kind, first).and(kind, second).get();
}

#[test]
fn statuses() {
    let script = "configure:
            get_property('plugin_name', out) => 0 'plugin-0'
            get_property('plugin_vm_id', out) => 0 'vm-0'
            get_property('nobody\\0knows', out) => 1 unwritten
            get_property('request\\0path', out) => 1 unwritten
            set_property('mine', 'value') => 1
        request_headers:
            get_property('plugin_name', out) => 0 'plugin-0'
            get_property('nobody\\0knows', out) => 1 unwritten
            get_property('response\\0code', out) => 1 unwritten";
    Case::legacy(script).get();
}
