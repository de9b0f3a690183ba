(module
  (type (;0;) (func))
  (type (;1;) (func (param i32) (result i32)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (global $base (;0;) i32 i32.const 512)
  (export "legacy malloc" (func 1))
  (func (;0;) (type 0))
  (func (;1;) (type 1) (param i32) (result i32)
    i32.const 1024
  )
  (data (;0;) (global.get $base) "stays")
  (data (;1;) (offset i32.const 8 i32.const 8 i32.add) "stays too")
  (data (;2;) (i32.const 510) "stays behind it")
)
