;; wit-component gives these names a meaning in libraries too; here they lose it. What is no function goes away.
(module
  (memory (export "memory") 1)
  (table (export "__indirect_function_table") 1 funcref)
  (global (export "__heap_base") i32 (i32.const 1024))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i64))
  (func (export "_initialize"))
  (func (export "start") (param i64))
  (func (export "cabi_post_start"))
  (func (export "__wasm_call_ctors"))
  (func (export "proxy_on_tick") (param i32))
)
