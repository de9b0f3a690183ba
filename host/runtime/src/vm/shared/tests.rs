use std::cell::RefCell;
use std::time::Duration;

use super::*;
use crate::vm::PluginInfo;
use crate::vm::testing::{let_tasks_run, on_a_worker, vm_spec};

/// A legacy module that traps in its second tick.
const TRAPS: &str = r#"(module
    (memory (export "memory") 1)
    (global $ticks (mut i32) (i32.const 0))
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_tick") (param i32)
        (global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))
        (if (i32.eq (global.get $ticks) (i32.const 2)) (then unreachable))))"#;

/// The only root context.
const ROOT: u64 = 1;

struct Fixture {
    shared: Rc<SharedVm>,
    handle: VmHandle,
    failure: Rc<Notify>,
}

impl Fixture {
    fn new() -> Self {
        let spec = vm_spec(TRAPS);
        let info = Arc::new(PluginInfo::default());
        let failure = Rc::new(Notify::new());
        let shared = SharedVm::new(Vm::new(&spec, &info).unwrap(), Rc::clone(&failure));
        let root = shared.vm.borrow_mut().start_root(info, b"", b"").unwrap();
        assert_eq!(root.0, ROOT);
        shared.started(vec![root]);
        let handle = shared.vm.borrow().state().handle();
        Self {
            shared,
            handle,
            failure,
        }
    }

    /// Delivers a callback that only leaves a mark.
    fn mark(&self, marks: &Rc<RefCell<Vec<u8>>>, mark: u8) {
        let marks = Rc::clone(marks);
        self.handle.deliver(move |_| {
            marks.borrow_mut().push(mark);
            Ok(())
        });
    }

    /// Starts a task of the root context that never ends by itself. What is returned is alone when the task is gone.
    fn wait_for_ever(&self) -> Rc<()> {
        let held = Rc::new(());
        let task = Rc::clone(&held);
        let started = self
            .shared
            .vm
            .borrow_mut()
            .state_mut()
            .spawn(ROOT, async move {
                std::future::pending::<()>().await;
                drop(task);
            });
        assert!(started.is_some());
        held
    }
}

#[test]
fn a_callback_waits_only_for_one_that_runs() {
    on_a_worker(async {
        let fixture = Fixture::new();
        let marks = Rc::default();
        fixture.mark(&marks, 1);
        assert_eq!(*marks.borrow(), [1], "at once");
        let busy = fixture.shared.vm.borrow_mut();
        fixture.mark(&marks, 2);
        fixture.mark(&marks, 3);
        assert_eq!(*marks.borrow(), [1], "not inside of another one");
        drop(busy);
        let_tasks_run().await;
        assert_eq!(*marks.borrow(), [1, 2, 3], "in order");
    });
}

#[test]
fn a_trap_ends_everything_of_the_vm() {
    on_a_worker(async {
        let fixture = Fixture::new();
        let held = fixture.wait_for_ever();
        fixture.handle.deliver(|vm| vm.on_tick(ROOT));
        let_tasks_run().await;
        assert!(!fixture.shared.failed.get());
        assert_eq!(Rc::strong_count(&held), 2);

        fixture.handle.deliver(|vm| vm.on_tick(ROOT));
        assert!(fixture.shared.failed.get());
        // Whoever builds another one hears of it.
        fixture.failure.notified().await;
        let_tasks_run().await;
        assert_eq!(Rc::strong_count(&held), 1, "the task is gone");
        let marks = Rc::default();
        fixture.mark(&marks, 1);
        let_tasks_run().await;
        assert!(marks.borrow().is_empty());
    });
}

#[test]
fn a_root_context_that_was_deleted_hears_of_nothing() {
    on_a_worker(async {
        let fixture = Fixture::new();
        let held = fixture.wait_for_ever();
        fixture.handle.deliver(|vm| vm.delete_root(ROOT));
        let_tasks_run().await;
        assert_eq!(Rc::strong_count(&held), 1, "the task is gone");
        // The second would trap.
        for _ in 0..2 {
            fixture.handle.deliver(|vm| vm.on_tick(ROOT));
        }
        assert!(!fixture.shared.failed.get());
        assert!(fixture.shared.has_ended());
        let mut vm = fixture.shared.vm.borrow_mut();
        assert!(vm.state_mut().spawn(ROOT, async {}).is_none());
    });
}

#[test]
fn foreign_functions_learn_that_their_caller_is_gone() {
    use crate::foreign::{CallBackError, ForeignCaller};

    fn caller(fixture: &Fixture) -> ForeignCaller {
        let mut vm = fixture.shared.vm.borrow_mut();
        vm.state_mut()
            .root_mut(ROOT)
            .unwrap()
            .foreign_caller(|mut calls| async move { while calls.next().await.is_some() {} })
    }

    on_a_worker(async {
        for ends_by_trap in [true, false] {
            let fixture = Fixture::new();
            let (first, again) = (caller(&fixture), caller(&fixture));
            for caller in [&first, &again] {
                assert_eq!(caller.call_back(1, b"input"), Ok(()));
            }
            if ends_by_trap {
                for _ in 0..2 {
                    fixture.handle.deliver(|vm| vm.on_tick(ROOT));
                }
                assert!(fixture.shared.failed.get());
            } else {
                fixture.handle.deliver(|vm| vm.delete_root(ROOT));
            }
            let_tasks_run().await;
            for caller in [&first, &again] {
                assert_eq!(caller.call_back(1, b""), Err(CallBackError::Gone));
            }
        }
    });
}

#[test]
fn nothing_happens_without_the_vm() {
    on_a_worker(async {
        let fixture = Fixture::new();
        let held = fixture.wait_for_ever();
        let Fixture { shared, handle, .. } = fixture;
        drop(shared);
        let_tasks_run().await;
        assert_eq!(Rc::strong_count(&held), 1, "the task is gone");
        handle.deliver(|_| unreachable!("the VM is gone"));
    });
}

#[test]
fn a_root_context_ends_when_it_is_done() {
    on_a_worker(async {
        let fixture = Fixture::new();
        assert!(!fixture.shared.has_ended());
        let deadline = Instant::now() + Duration::from_secs(3600);
        fixture.shared.wait_for_streams(deadline).await;
        // The module has no `proxy_on_done`: it agrees.
        fixture.shared.end_roots();
        assert!(fixture.shared.has_ended());
        fixture.shared.wait_for_end(deadline).await;
    });
}
