(component
  (import "wasi:http/types@0.2.0" (instance))
  (instance $nothing)
  (export "wasi:http/incoming-handler@0.2.0" (instance $nothing))
)
