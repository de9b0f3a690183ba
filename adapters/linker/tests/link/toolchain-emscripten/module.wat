(module
  (import "env" "emscripten_notify_memory_growth" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (@producers (processed-by "clang" "19.0.0"))
)
