;; A plugin; another tool has added an export of its own.
(component
  (import "proxy-wasm:plugin/timer@0.1.0" (instance))
  (import "wasi:logging/logging@0.1.0-draft" (instance))
  (import "wasi:cli/environment@0.2.9" (instance))
  (instance $nothing)
  (export "proxy-wasm:plugin/lifecycle@0.1.0" (instance $nothing))
  (export "proxy-wasm:plugin/http-filter@0.1.7" (instance $nothing))
  (export "proxy-wasm:plugin/timer-handler@0.1.0" (instance $nothing))
  (export "exports" (instance $nothing))
)
