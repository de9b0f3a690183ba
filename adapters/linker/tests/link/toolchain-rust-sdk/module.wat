;; The Rust SDK leaves its path and version in panic messages.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (data (i32.const 8) "/cargo/registry/src/index/proxy-wasm-0.2.4/src/dispatcher.rs")
  (@producers (language "Rust" "") (language "C11" "") (processed-by "clang" "21") (processed-by "rustc" "1.95.0"))
)
