(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32 i32) (result i32)))
  (import "__main_module__" "import 0: wasi.proc_exit" (func $exit (;0;) (type 0)))
  (import "__main_module__" "env.proxy_set_tick_period_milliseconds" (func $allocating (;1;) (type 1)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy _start" (func 4))
  (export "legacy malloc" (func 3))
  (export "legacy proxy_on_configure" (func 6))
  (export "legacy proxy_on_tick" (func 5))
  (export "function 2" (func 2))
  (func (;2;) (type 2))
  (func (;3;) (type 1) (param i32) (result i32)
    local.get 0
    call $exit
    unreachable
  )
  (func (;4;) (type 2)
    i32.const 0
    call $exit
  )
  (func (;5;) (type 0) (param i32)
    local.get 0
    call $exit
  )
  (func (;6;) (type 3) (param i32 i32) (result i32)
    local.get 1
    call $allocating
    drop
    unreachable
  )
)
