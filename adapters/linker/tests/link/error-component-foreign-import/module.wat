(component
  (import "wasi:clocks/monotonic-clock@0.2.9" (instance))
  (import "acme:cache/store@1.0.0" (instance))
  (instance $nothing)
  (export "proxy-wasm:plugin/lifecycle@0.1.0" (instance $nothing))
  (export "proxy-wasm:plugin/http-filter@0.1.0" (instance $nothing))
)
