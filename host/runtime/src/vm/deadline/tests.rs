use std::sync::Arc;

use super::*;
use crate::foreign::ForeignFunctions;
use crate::services::Services;
use crate::vm::testing::{on_a_worker, vm_spec};
use crate::vm::{PluginInfo, Trap, TrapCause, Vm};

const LIMIT: Duration = Duration::from_millis(95);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_callback_that_only_computes_is_looked_at_twice() {
    let mut deadline = Deadline::default();
    assert_eq!(deadline.look(LIMIT, ms(7_000)), Some(10));
    assert_eq!(deadline.look(LIMIT, ms(7_095)), None);
}

#[test]
fn waiting_for_a_turn_does_not_count() {
    let mut deadline = Deadline::default();
    assert_eq!(deadline.look(LIMIT, ms(7_000)), Some(10));
    // Ten epochs later it has had half of the time, and then even less of each epoch.
    assert_eq!(deadline.look(LIMIT, ms(7_050)), Some(5));
    assert_eq!(deadline.look(LIMIT, ms(7_060)), Some(4));
    assert_eq!(deadline.look(LIMIT, ms(7_094)), Some(1));
    assert_eq!(deadline.look(LIMIT, ms(7_096)), None);
}

/// A module that calls a foreign function with the name `f` in each tick, and computes a little before and after.
const CALLS: &str = r#"(module
    (import "env" "proxy_call_foreign_function"
        (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "f")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func $compute (local $left i32)
        (local.set $left (i32.const 1000))
        (loop $again
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
    (func (export "proxy_on_tick") (param i32)
        (call $compute)
        (drop (call $call (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 20)))
        (call $compute)
        (drop (call $call (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 20)))
        (call $compute)))"#;

/// Ticks once, with 50 ms for it.
fn tick(function: impl Fn() + Send + Sync + 'static) -> Result<(), Trap> {
    let mut functions = ForeignFunctions::none();
    functions.register("f", move |_| {
        function();
        Ok(Vec::new())
    });
    let mut spec = vm_spec(CALLS);
    spec.limits.callback_time = ms(50);
    spec.services = Services {
        foreign_functions: Arc::new(functions),
        ..Services::default()
    };
    let info = Arc::new(PluginInfo::default());
    let mut vm = Vm::new(&spec, &info).unwrap();
    let (root, _) = vm.start_root(info, b"", b"").unwrap();
    vm.on_tick(root)
}

#[test]
fn a_callback_whose_thread_does_not_run_goes_on() {
    on_a_worker(async {
        tick(|| {
            // The worker has no processor for six times as long as the callback may run.
            #[expect(clippy::disallowed_methods, reason = "time is to pass without work")]
            std::thread::sleep(ms(300));
        })
        .unwrap();
    });
}

#[test]
fn a_callback_whose_thread_runs_is_ended() {
    on_a_worker(async {
        let trap = tick(|| {
            let before = thread_time();
            while thread_time() - before < ms(300) {
                std::hint::spin_loop();
            }
        })
        .unwrap_err();
        assert_eq!(trap.cause(), TrapCause::Timeout);
    });
}
