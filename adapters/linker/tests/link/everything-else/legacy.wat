(module
  (type $unary (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32)))
  (type (;2;) (func))
  (import "__main_module__" "env.proxy_get_log_level" (func $imported (;0;) (type $unary)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (table $table (;0;) 4 8 funcref)
  (table $other (;1;) 1 externref)
  (tag $tag (;0;) (type 1) (param i32))
  (global $counter (;0;) (mut i32) i32.const 3)
  (global $function (;1;) funcref ref.func $double)
  (export "legacy malloc" (func 2))
  (export "legacy proxy_on_done" (func 4))
  (export "function 1" (func 1))
  (elem $table (;0;) (i32.const 0) func $imported $double)
  (elem (;1;) declare func $double)
  (elem $passive (;2;) func $double)
  (func (;1;) (type 2))
  (func (;2;) (type $unary) (param i32) (result i32)
    i32.const 1024
  )
  (func $double (;3;) (type $unary) (param i32) (result i32)
    local.get 0
    i32.const 2
    i32.mul
  )
  (func (;4;) (type $unary) (param i32) (result i32)
    i32.const 0
    i32.const 8
    i32.const 8
    memory.copy
    i32.const 0
    i32.const 8
    i32.const 8
    memory.fill
    i32.const 1
    memory.grow
    drop
    i32.const 2
    ref.func $double
    table.set $table
    block $caught (result i32)
      try_table (catch $tag $caught) ;; label = @2
        i32.const 5
        throw $tag
      end
      unreachable
    end
    i32.const 1
    call_indirect (type $unary)
  )
)
