(module
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func))
  (import "__main_module__" "env.proxy_get_log_level" (func $level (;0;) (type 0)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy malloc" (func $level))
  (export "legacy proxy_on_done" (func $level))
  (func (;1;) (type 1))
)
