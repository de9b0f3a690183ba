(module
  (type (;0;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32) (result i32)))
  (type (;2;) (func (param i32)))
  (type (;3;) (func (param i64) (result i32)))
  (type (;4;) (func (param i32) (result i32)))
  (type (;5;) (func))
  (import "__main_module__" "wasi.fd_write" (func $first (;0;) (type 0)))
  (import "__main_module__" "env.proxy_log" (func $log (;1;) (type 1)))
  (import "__main_module__" "import 2: wasi.fd_write" (func $second (;2;) (type 0)))
  (import "__main_module__" "import 3: wasi.fd_write" (func $third (;3;) (type 0)))
  (import "__main_module__" "import 4: wasi.proc_exit" (func $exit (;4;) (type 2)))
  (import "__main_module__" "import 5: wasi.proc_exit" (func $exit2 (;5;) (type 2)))
  (import "__main_module__" "import 6: wasi.fd_write" (func $odd (;6;) (type 3)))
  (import "__main_module__" "import 7: env.nobody" (func (;7;) (type 4)))
  (import "__main_module__" "import 8: env.nobody" (func (;8;) (type 4)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy malloc" (func 10))
  (export "legacy proxy_on_tick" (func 11))
  (export "function 9" (func 9))
  (func (;9;) (type 5))
  (func (;10;) (type 4) (param i32) (result i32)
    i32.const 1024
  )
  (func (;11;) (type 2) (param i32)
    i32.const 1
    i32.const 0
    i32.const 0
    i32.const 0
    call $first
    drop
    i32.const 1
    i32.const 0
    i32.const 0
    i32.const 0
    call $second
    drop
    i32.const 1
    i32.const 0
    i32.const 0
    i32.const 0
    call $third
    drop
    i64.const 1
    call $odd
    drop
  )
)
