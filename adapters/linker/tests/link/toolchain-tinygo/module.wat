(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (@producers (language "Go" "") (processed-by "clang" "15") (processed-by "TinyGo" "0.34.0"))
)
