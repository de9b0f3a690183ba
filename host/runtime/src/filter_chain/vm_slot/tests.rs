use std::time::Duration;

use super::*;
use crate::metrics::PluginCounters;
use crate::vm::testing::{let_tasks_run, on_a_worker, vm_spec};

/// A module that traps in each tick.
const TRAPS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_tick") (param i32) unreachable))"#;

/// Started once, it traps in each further start: shared data outlives the VM.
const STARTS_ONCE: &str = r#"(module
    (import "env" "proxy_get_shared_data"
        (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_shared_data"
        (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "key")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
        (if (i32.eqz (call $get (i32.const 0) (i32.const 3) (i32.const 16) (i32.const 20) (i32.const 24)))
            (then unreachable))
        (drop (call $set (i32.const 0) (i32.const 3) (i32.const 0) (i32.const 3) (i32.const 0)))
        (i32.const 1))
    (func (export "proxy_on_tick") (param i32) unreachable))"#;

const ROOT: u64 = 1;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Waits of 0, 10, 20 and 20 ms, and then none.
fn impatient() -> Restarts {
    Restarts {
        first_wait: ms(10),
        longest_wait: ms(20),
        failures: 5,
        ..Restarts::default()
    }
}

struct Fixture {
    slot: Rc<VmSlot>,
    counters: Arc<PluginCounters>,
    started: Instant,
}

impl Fixture {
    fn new(module: &str, recovery: Recovery, restarts: Restarts) -> Self {
        let info = Arc::new(PluginInfo::default());
        let counters = Arc::clone(&info.counters);
        let root = RootSpec {
            info,
            configuration: bytes::Bytes::new(),
        };
        let slot = VmSlot::start(vm_spec(module), vec![root], recovery, restarts).unwrap();
        Self {
            slot,
            counters,
            started: Instant::now(),
        }
    }

    /// Fails the running VM.
    fn fail(&self) {
        let vm = self.slot.vm().expect("a VM runs");
        let handle = vm.vm.borrow().state().handle();
        handle.deliver(|vm| vm.on_tick(ROOT));
        assert!(vm.failed.get());
    }

    /// Waits for a running VM, which nobody asks for, and returns how long it took.
    async fn wait_for_vm(&self) -> Duration {
        let started = Instant::now();
        while self
            .slot
            .running
            .borrow()
            .as_ref()
            .is_none_or(|vm| vm.failed.get())
        {
            tokio::time::sleep(ms(1)).await;
        }
        started.elapsed()
    }

    fn given_up(&self) -> bool {
        self.counters.crash_loops() == 1
    }
}

#[test]
fn a_vm_is_built_again_until_it_is_given_up() {
    on_a_worker(async {
        let fixture = Fixture::new(TRAPS, Recovery::Restart, impatient());
        for (failure, wait) in [0, 10, 20, 20].into_iter().enumerate() {
            fixture.fail();
            let took = fixture.wait_for_vm().await;
            assert!(took >= ms(wait), "failure {failure}: {took:?}");
            assert!(!fixture.given_up());
        }
        assert_eq!(fixture.counters.restarts(), 4);
        fixture.fail();
        let_tasks_run().await;
        assert!(fixture.given_up());
        assert!(fixture.slot.vm().is_none());
        assert_eq!(fixture.slot.retry_at(), None);
        // Nothing waits for its time any more.
        assert!(fixture.slot.vm().is_none());
        assert_eq!(fixture.counters.restarts(), 4);
        assert_eq!(fixture.counters.crash_loops(), 1);
    });
}

#[test]
fn the_first_time_it_is_built_for_the_stream_that_needs_it() {
    on_a_worker(async {
        let patient = Restarts {
            first_wait: Duration::from_secs(3600),
            longest_wait: Duration::from_secs(3600),
            ..impatient()
        };
        let fixture = Fixture::new(TRAPS, Recovery::Restart, patient);
        fixture.fail();
        assert!(fixture.slot.vm().is_some(), "at once");
        fixture.fail();
        assert!(fixture.slot.vm().is_none(), "not before its time");
        let at = fixture.slot.retry_at().unwrap();
        assert!(at >= fixture.started + patient.first_wait);
        assert_eq!(fixture.counters.restarts(), 1);
    });
}

#[test]
fn starts_that_fail_are_failures() {
    on_a_worker(async {
        let fixture = Fixture::new(STARTS_ONCE, Recovery::Restart, impatient());
        fixture.fail();
        while !fixture.given_up() {
            tokio::time::sleep(ms(1)).await;
        }
        // 0, 10, 20 and 20 ms.
        assert!(fixture.started.elapsed() >= ms(50));
        assert_eq!(fixture.counters.start_failures(), 4);
        assert_eq!(fixture.counters.restarts(), 0);
        assert!(fixture.slot.vm().is_none());
    });
}

#[test]
fn a_vm_that_ran_for_long_enough_fails_for_the_first_time_again() {
    on_a_worker(async {
        let forgiving = Restarts {
            healthy_after: Duration::ZERO,
            first_wait: Duration::from_secs(3600),
            longest_wait: Duration::from_secs(3600),
            ..impatient()
        };
        let fixture = Fixture::new(TRAPS, Recovery::Restart, forgiving);
        for _ in 0..12 {
            fixture.fail();
        }
        assert!(fixture.slot.vm().is_some());
        assert_eq!(fixture.counters.restarts(), 12);
        assert!(!fixture.given_up());
    });
}

#[test]
fn never_is_never() {
    on_a_worker(async {
        let fixture = Fixture::new(TRAPS, Recovery::Never, impatient());
        fixture.fail();
        let_tasks_run().await;
        assert!(fixture.slot.vm().is_none());
        assert_eq!(fixture.slot.retry_at(), None);
        assert_eq!(fixture.counters.restarts(), 0);
        assert!(!fixture.given_up(), "that is what was asked for");
    });
}
