(component
  (instance $nothing)
  (export "proxy-wasm:plugin/lifecycle" (instance $nothing))
  (export "proxy-wasm:plugin/http-filter" (instance $nothing))
)
