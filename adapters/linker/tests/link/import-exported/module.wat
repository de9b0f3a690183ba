;; Callback and allocator may themselves be imports.
(module
  (import "env" "proxy_get_log_level" (func $level (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (export "malloc" (func $level))
  (export "proxy_on_done" (func $level))
)
