//! `compose` writes what `serve` makes of a legacy module.

use std::fs;

use proxy_wasi_test_support::{Example, Kind};

use crate::{proxy, proxy_wasi, text};

#[test]
fn a_composed_component_behaves_like_its_module() {
    let directory = std::env::temp_dir().join(format!("proxy-wasi-compose-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let composed = directory.join("auth.wasm");
    let module = Example::Auth.file(Kind::Legacy);
    let output = proxy_wasi(&["compose", text(&module), "-o", text(&composed)]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let inspected = proxy_wasi(&["inspect", text(&composed)]);
    assert!(inspected.status.success());
    let inspected = String::from_utf8(inspected.stdout).unwrap();
    assert!(inspected.contains("component"), "{inspected}");

    for plugin in [module, composed] {
        let proxy = proxy()
            .arg(&plugin)
            .args(["--plugin-config", "alice=wonderland"])
            .start();
        assert_eq!(proxy.get("/").status, 401);
        let passed = proxy
            .client()
            .get("/", &[("authorization", "Bearer wonderland")]);
        assert_eq!(passed.echoed("x-user"), ["alice"]);
    }
    fs::remove_dir_all(&directory).unwrap();
}
