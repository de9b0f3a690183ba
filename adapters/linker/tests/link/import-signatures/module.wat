;; Functions that everybody knows, with signatures that they do not have.
(module
  (import "env" "proxy_log" (func (param i64 i32 i32) (result i32)))
  (import "env" "proxy_get_log_level" (func (param i32)))
  (import "env" "proxy_grpc_call" (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_continue_request" (func (param i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
)
