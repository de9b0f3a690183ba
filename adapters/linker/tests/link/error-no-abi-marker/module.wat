(module
  (memory (export "memory") 1)
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_tick") (param i32))
  ;; Not a function, so no marker.
  (global (export "proxy_abi_version_0_2_1") i32 (i32.const 0))
)
