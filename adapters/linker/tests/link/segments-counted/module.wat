;; With a count of segments, code refers to them by index: what moved leaves an empty passive segment behind.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_tick") (param i32)
    (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 4))
    (data.drop $passive)
    (data.drop $active))
  (data $active (i32.const 64) "active")
  (data $passive "passive")
  (data (i32.const 128) "also active")
)
