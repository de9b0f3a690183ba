;; After `_initialize` comes `main`; neither `__main_void` nor `_start` runs then.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "_start") (unreachable))
  (func (export "_initialize"))
  (func (export "main") (param i32 i32) (result i32) (i32.const 7))
  (func (export "__main_void") (result i32) (unreachable))
)
