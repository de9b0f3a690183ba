(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func))
  (type (;2;) (func (param i32) (result i32)))
  (import "__main_module__" "env.emscripten_notify_memory_growth" (func (;0;) (type 0)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy malloc" (func 2))
  (export "function 1" (func 1))
  (func (;1;) (type 1))
  (func (;2;) (type 2) (param i32) (result i32)
    i32.const 1024
  )
  (@producers
    (processed-by "clang" "19.0.0")
  )
)
