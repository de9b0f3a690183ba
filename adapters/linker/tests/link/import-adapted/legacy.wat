(module
  (type (;0;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i32 i32) (result i32)))
  (type (;5;) (func (param i32)))
  (import "__main_module__" "import 0: env.proxy_grpc_call" (func $call (;0;) (type 0)))
  (import "__main_module__" "import 1: env.proxy_grpc_stream" (func $stream (;1;) (type 1)))
  (import "__main_module__" "import 2: env.proxy_continue_request" (func $continue (;2;) (type 2)))
  (import "__main_module__" "import 3: env.proxy_continue_response" (func (;3;) (type 2)))
  (import "__main_module__" "import 4: env.proxy_clear_route_cache" (func (;4;) (type 2)))
  (import "__main_module__" "legacy_memory" (memory (;0;) 1))
  (export "legacy malloc" (func 6))
  (export "legacy proxy_on_configure" (func 8))
  (export "legacy proxy_on_request_headers" (func 7))
  (export "legacy proxy_on_tick" (func 9))
  (export "function 5" (func 5))
  (func (;5;) (type 2))
  (func (;6;) (type 3) (param i32) (result i32)
    i32.const 1024
  )
  (func (;7;) (type 4) (param i32 i32) (result i32)
    i32.const 100
    i32.const 101
    i32.const 102
    i32.const 103
    i32.const 104
    i32.const 105
    i32.const 106
    i32.const 107
    i32.const 108
    i32.const 109
    call $call
  )
  (func (;8;) (type 4) (param i32 i32) (result i32)
    i32.const 200
    i32.const 201
    i32.const 202
    i32.const 203
    i32.const 204
    i32.const 205
    i32.const 206
    call $stream
  )
  (func (;9;) (type 5) (param i32)
    call $continue
  )
)
