;; An offset that is not one constant keeps its segment where it is, and those behind it, which might overwrite it.
(module
  (memory (export "memory") 1)
  (global $base i32 (i32.const 512))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 0) "moves")
  (data (global.get $base) "stays")
  (data (i32.add (i32.const 8) (i32.const 8)) "stays too")
  (data (i32.const 510) "stays behind it")
)
