;; A segment outside the initial memory traps at instantiation, as it would without linking.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 65530) "fits..")
  (data (i32.const 65531) "does not fit")
  (data (i32.const -1) "")
)
