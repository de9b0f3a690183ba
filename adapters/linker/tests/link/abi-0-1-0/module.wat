;; The headers callbacks of ABI 0.1.0 have two parameters, and nobody looks for the foreign function callback, here
;; one with a signature that it never had.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_1_0"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_request_headers") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_response_headers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_foreign_function") (param i64))
)
