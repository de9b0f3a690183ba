(component
  (instance $nothing)
  (export "proxy-wasm:plugin/lifecycle@0.1.0" (instance $nothing))
  (export "proxy-wasm:plugin/http-filter@1.0.0" (instance $nothing))
)
