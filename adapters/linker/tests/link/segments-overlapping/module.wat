;; Where segments overlap, the later one wins: these stay apart and in their order.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 100) "abcdef")
  (data (i32.const 102) "XY")
  (data (i32.const 90) "..........")
)
