(component
  (instance $nothing)
  (export "proxy-wasm:plugin/lifecycle@0.2.0" (instance $nothing))
  (export "proxy-wasm:plugin/http-filter@0.2.0" (instance $nothing))
)
