;; The last byte of the memory, and an address with the sign bit set.
(module
  (memory (export "memory") 65536)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const -1) "!")
  (data (i32.const 0x80000000) "middle")
)
