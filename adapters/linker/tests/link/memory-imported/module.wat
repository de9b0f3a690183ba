;; A module may leave its memory to the host.
(module
  (import "env" "memory" (memory 2 10))
  (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 8) "here")
)
