;; What lies close together moves as one segment: here the first three, in any order. An empty segment vanishes.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 1040) "third")
  (data (i32.const 1024) "first")
  (data (i32.const 1032) "second")
  (data (i32.const 9000) "far away")
  (data (i32.const 20000) "")
)
