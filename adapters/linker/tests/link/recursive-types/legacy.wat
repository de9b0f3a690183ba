(module
  (rec
    (type $list (;0;) (struct (field (ref null $list))))
    (type $visit (;1;) (func (param (ref null $list))))
  )
  (type $open (;2;) (sub (func (param i32))))
  (type (;3;) (func))
  (type (;4;) (func (param i32) (result i32)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy malloc" (func 1))
  (export "function 0" (func 0))
  (func (;0;) (type 3))
  (func (;1;) (type 4) (param i32) (result i32)
    i32.const 1024
  )
  (func (;2;) (type $visit) (param (ref null $list)))
  (func (;3;) (type $open) (param i32))
)
