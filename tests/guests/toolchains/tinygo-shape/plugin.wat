;; The plugin of the toolchain tests, in the shape of TinyGo's modules: TinyGo itself is in no package registry.
;;
;; As there: `_start` runs main, which registers the plugin and returns; memory for what host calls return comes from
;; `malloc`, whose collector asks WASI for the time, in the middle of a host call; output goes through `fd_write`.
;; Lines marked `;;0.2.0` make a module of ABI 0.2.0, those marked `;;0.1.0` one of ABI 0.1.0.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value"
    (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value"
    (func $add_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value"
    (func $replace_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove_header (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_buffer_bytes" (func $set_buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 2)

  ;; 0x000 results of host calls   0x100 texts   0x1000 sizes of bodies, by context   0x3000 lines   0x4000 heap
  (data (i32.const 0x100) "configured: ")
  (data (i32.const 0x110) "request: ")
  (data (i32.const 0x120) " from ")
  (data (i32.const 0x130) "bytes: ")
  (data (i32.const 0x140) ":path")
  (data (i32.const 0x150) "x-who")
  (data (i32.const 0x160) "/deny")
  (data (i32.const 0x170) "x-plugin")
  (data (i32.const 0x180) "toolchain")
  (data (i32.const 0x190) "content-length")
  (data (i32.const 0x1a0) "x-configured")
  (data (i32.const 0x1b0) "x-remove")
  (data (i32.const 0x1c0) "denied\n")
  (data (i32.const 0x1d0) "cat")
  (data (i32.const 0x200) "\01\00\00\00\0b\00\00\00\09\00\00\00x-denied-by\00toolchain\00")

  (global $started (mut i32) (i32.const 0))
  (global $collected (mut i64) (i64.const 0))
  (global $heap (mut i32) (i32.const 0x4000))
  (global $line (mut i32) (i32.const 0x3000))
  (global $configuration (mut i32) (i32.const 0))
  (global $configuration_size (mut i32) (i32.const 0))

  (func (export "proxy_abi_version_0_2_0")) ;;0.2.0
  ;;0.1.0 (func (export "proxy_abi_version_0_1_0"))

  (func (export "_start") (global.set $started (i32.const 1)))

  ;; Asks for the time before it hands out memory, and trusts the answer: a clock that stands still traps.
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (local $at i32)
    (if (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0x20)) (then unreachable))
    (if (i64.lt_u (i64.load (i32.const 0x20)) (global.get $collected)) (then unreachable))
    (global.set $collected (i64.load (i32.const 0x20)))
    (local.set $at (global.get $heap))
    (global.set $heap
      (i32.and (i32.add (i32.add (global.get $heap) (local.get $size)) (i32.const 15)) (i32.const -16)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
      (br_if $fits (i32.ne (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))) (i32.const -1)))
      unreachable)
    (local.get $at))

  ;; The size of a stream's body: of a thousand streams at a time, which is enough for tests.
  (func $bytes_of (param $context i32) (result i32)
    (i32.add (i32.const 0x1000) (i32.shl (i32.rem_u (local.get $context) (i32.const 1000)) (i32.const 2))))

  ;; Puts a text at the end of the line.
  (func $put (param $text i32) (param $size i32)
    (memory.copy (global.get $line) (local.get $text) (local.get $size))
    (global.set $line (i32.add (global.get $line) (local.get $size))))

  (func $put_number (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10))
      (then (call $put_number (i32.div_u (local.get $number) (i32.const 10)))))
    (i32.store8 (global.get $line) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
    (global.set $line (i32.add (global.get $line) (i32.const 1))))

  (func $end_line (result i32)
    (i32.sub (global.get $line) (i32.const 0x3000))
    (global.set $line (i32.const 0x3000)))

  (func $header (param $name i32) (param $size i32)
    (i64.store (i32.const 0) (i64.const 0))
    (drop (call $get_header (i32.const 0) (local.get $name) (local.get $size) (i32.const 0) (i32.const 4))))

  (func (export "proxy_on_context_create") (param $context i32) (param $root i32)
    (if (i32.eqz (global.get $started)) (then unreachable))
    (i32.store (call $bytes_of (local.get $context)) (i32.const 0)))

  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))

  (func (export "proxy_on_configure") (param $root i32) (param $size i32) (result i32)
    (drop (call $get_buffer (i32.const 7) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (global.set $configuration (i32.load (i32.const 0)))
    (global.set $configuration_size (i32.load (i32.const 4)))
    (call $put (i32.const 0x100) (i32.const 12))
    (call $put (global.get $configuration) (global.get $configuration_size))
    (drop (call $log (i32.const 2) (i32.const 0x3000) (call $end_line)))
    (i32.const 1))

  (func (export "proxy_on_request_headers") (param $context i32) (param $count i32)
    (param $end_of_stream i32) ;;0.2.0
    (result i32)
    (local $path i32) (local $path_size i32)
    (call $header (i32.const 0x140) (i32.const 5))
    (local.set $path (i32.load (i32.const 0)))
    (local.set $path_size (i32.load (i32.const 4)))
    (call $header (i32.const 0x150) (i32.const 5))
    (call $put (i32.const 0x110) (i32.const 9))
    (call $put (local.get $path) (local.get $path_size))
    (call $put (i32.const 0x120) (i32.const 6))
    (call $put (i32.load (i32.const 0)) (i32.load (i32.const 4)))
    (drop (call $log (i32.const 2) (i32.const 0x3000) (call $end_line)))
    (if (i32.and
          (i32.eq (local.get $path_size) (i32.const 5))
          (i32.eq (i32.load offset=1 (local.get $path)) (i32.load (i32.const 0x161))))
      (then
        (drop (call $respond (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0x1c0) (i32.const 7)
          (i32.const 0x200) (i32.const 34) (i32.const -1)))
        (return (i32.const 1))))
    (drop (call $add_header (i32.const 0) (i32.const 0x170) (i32.const 8) (i32.const 0x180) (i32.const 9)))
    (drop (call $remove_header (i32.const 0) (i32.const 0x190) (i32.const 14)))
    (i32.const 0))

  (func (export "proxy_on_request_body") (param $context i32) (param $size i32) (param $end_of_stream i32) (result i32)
    (local $at i32) (local $end i32) (local $out i32) (local $edited i32)
    (if (i32.eqz (local.get $end_of_stream)) (then (return (i32.const 1))))
    (i64.store (i32.const 0) (i64.const 0))
    (drop (call $get_buffer (i32.const 0) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (local.set $at (i32.load (i32.const 0)))
    (local.set $end (i32.add (local.get $at) (i32.load (i32.const 4))))
    (i32.store (call $bytes_of (local.get $context)) (i32.load (i32.const 4)))
    (local.set $edited
      (call $malloc (i32.mul (i32.load (i32.const 4)) (i32.add (global.get $configuration_size) (i32.const 1)))))
    (local.set $out (local.get $edited))
    (loop $bytes
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (if (i32.and
                (i32.le_u (i32.add (local.get $at) (i32.const 3)) (local.get $end))
                (i32.eqz (i32.and
                  (i32.xor (i32.load (local.get $at)) (i32.load (i32.const 0x1d0)))
                  (i32.const 0xffffff))))
            (then
              (memory.copy (local.get $out) (global.get $configuration) (global.get $configuration_size))
              (local.set $out (i32.add (local.get $out) (global.get $configuration_size)))
              (local.set $at (i32.add (local.get $at) (i32.const 3))))
            (else
              (i32.store8 (local.get $out) (i32.load8_u (local.get $at)))
              (local.set $out (i32.add (local.get $out) (i32.const 1)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))))
          (br $bytes))))
    (drop (call $set_buffer (i32.const 0) (i32.const 0) (local.get $size)
      (local.get $edited) (i32.sub (local.get $out) (local.get $edited))))
    (i32.const 0))

  (func (export "proxy_on_response_headers") (param $context i32) (param $count i32)
    (param $end_of_stream i32) ;;0.2.0
    (result i32)
    (drop (call $replace_header (i32.const 2) (i32.const 0x1a0) (i32.const 12)
      (global.get $configuration) (global.get $configuration_size)))
    (drop (call $remove_header (i32.const 2) (i32.const 0x1b0) (i32.const 8)))
    (i32.const 0))

  (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))

  ;; As `println` does: to standard output.
  (func (export "proxy_on_log") (param $context i32)
    (call $put (i32.const 0x130) (i32.const 7))
    (call $put_number (i32.load (call $bytes_of (local.get $context))))
    (i32.store8 (global.get $line) (i32.const 10))
    (global.set $line (i32.add (global.get $line) (i32.const 1)))
    (i32.store (i32.const 0x10) (i32.const 0x3000))
    (i32.store (i32.const 0x14) (call $end_line))
    (drop (call $fd_write (i32.const 1) (i32.const 0x10) (i32.const 1) (i32.const 0x18))))

  (func (export "proxy_on_delete") (param i32))

  (@producers (language "Go" "") (processed-by "TinyGo" "0.34.0"))
)
