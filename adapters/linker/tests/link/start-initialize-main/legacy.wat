(module
  (type (;0;) (func))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32) (result i32)))
  (type (;3;) (func (result i32)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy _initialize" (func 3))
  (export "legacy main" (func 4))
  (export "legacy malloc" (func 1))
  (export "function 0" (func 0))
  (export "function 2" (func 2))
  (export "function 5" (func 5))
  (func (;0;) (type 0))
  (func (;1;) (type 1) (param i32) (result i32)
    i32.const 1024
  )
  (func (;2;) (type 0)
    unreachable
  )
  (func (;3;) (type 0))
  (func (;4;) (type 2) (param i32 i32) (result i32)
    i32.const 7
  )
  (func (;5;) (type 3) (result i32)
    unreachable
  )
)
