;; `_start` runs if there is no `_initialize`; `main` is none of the host's business then, whatever it looks like.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "_start"))
  (func (export "main") (param i64))
)
