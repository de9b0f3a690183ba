;; Under which name the memory is exported does not matter, nor whether it is.
(module
  (memory $unnamed (export "mem") (export "heap") 3 32768)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
)
