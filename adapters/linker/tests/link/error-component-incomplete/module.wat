(component
  (instance $nothing)
  (export "proxy-wasm:plugin/lifecycle@0.1.0" (instance $nothing))
)
