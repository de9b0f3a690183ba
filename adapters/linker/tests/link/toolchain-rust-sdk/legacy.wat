(module
  (type (;0;) (func))
  (type (;1;) (func (param i32) (result i32)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy malloc" (func 1))
  (export "function 0" (func 0))
  (func (;0;) (type 0))
  (func (;1;) (type 1) (param i32) (result i32)
    i32.const 1024
  )
  (@producers
    (language "Rust" "")
    (language "C11" "")
    (processed-by "clang" "21")
    (processed-by "rustc" "1.95.0")
  )
)
