;; What a nested component or module exports is not the component's.
(component
  (core module (import "env" "x" (func)) (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
    (data (i32.const 0) "data"))
  (component
    (core module (@producers (language "Rust" "") (processed-by "rustc" "1.95.0")))
    (instance $nothing)
    (export "proxy-wasm:plugin/lifecycle@0.1.0" (instance $nothing)))
  (@producers (processed-by "wit-component" "0.254.2"))
)
