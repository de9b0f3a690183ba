(component
  (import "wasi:http/handler@0.3.0" (instance))
  (instance $nothing)
  (export "wasi:http/handler@0.3.0" (instance $nothing))
)
