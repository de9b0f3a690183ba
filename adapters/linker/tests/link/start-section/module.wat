;; AssemblyScript initializes in a start section, from which it may call host functions.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (start $start)
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func $start (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0))))
  (func (export "_start"))
)
