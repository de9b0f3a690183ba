;; An export declares its function, so that code may take a reference to it: it must stay an export of some name.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func $referenced (export "cabi_realloc") (export "again"))
  (func (export "proxy_on_tick") (param i32) (drop (ref.func $referenced)))
)
