(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 8) "dep\09github.com/proxy-wasm/proxy-wasm-go-sdk\09v0.0.0-20250212164326-ab4161dcf924\09h1:x")
  (@producers (language "Go" "go1.26.8") (processed-by "Go cmd/compile" "go1.26.8"))
)
