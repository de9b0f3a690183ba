//! Several plugins: order, shared VMs, both kinds mixed, the configuration file.

use std::fs;

use proxy_wasi_test_support::{Example, Kind};

use crate::{both_kinds, proxy, text};

both_kinds!(two_plugins_of_one_vm_have_their_own_roots);

#[test]
fn a_legacy_module_and_a_component_work_in_one_chain() {
    let proxy = proxy()
        .arg(Example::Headers.file(Kind::Legacy))
        .arg(Example::Headers.file(Kind::Wit))
        .start();
    let reply = proxy
        .client()
        .get("/", &[("user-agent", "tester"), ("x-request-id", "id")]);
    assert_eq!(
        reply.header("x-plugin").as_deref(),
        Some("headers, headers")
    );
    assert_eq!(reply.echoed("x-client"), ["tester id", "tester id"]);
}

#[test]
fn a_file_configures_a_chain_in_order() {
    let directory = std::env::temp_dir().join(format!("proxy-wasi-chain-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("chain.yaml");
    let yaml = format!(
        "listen: 127.0.0.1:1\nplugins:\n\
         - {{name: auth, file: {auth}, configuration: 'alice=wonderland'}}\n\
         - {{name: headers, file: {headers}}}\n",
        auth = text(&Example::Auth.file(Kind::Wit)),
        headers = text(&Example::Headers.file(Kind::Legacy)),
    );
    fs::write(&file, yaml).unwrap();
    // The flag for the address, which every proxy here gets, goes over the file's.
    let proxy = proxy().arg("--config").arg(&file).start();
    fs::remove_dir_all(&directory).unwrap();

    // The second plugin sees the request that the first one let pass, and its local response on the way back only
    // there: `auth` answers before `headers` is reached.
    let refused = proxy.get("/");
    assert_eq!(refused.status, 401);
    let passed = proxy
        .client()
        .get("/", &[("authorization", "Bearer wonderland")]);
    assert_eq!(passed.status, 200);
    assert_eq!(passed.echoed("x-user"), ["alice"]);
    assert_eq!(passed.echoed("x-client").len(), 1);
    assert_eq!(passed.header("x-plugin").as_deref(), Some("headers"));
}

fn two_plugins_of_one_vm_have_their_own_roots(kind: Kind) {
    let directory =
        std::env::temp_dir().join(format!("proxy-wasi-roots-{kind:?}-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("roots.yaml");
    let plugin = text(&Example::Config.file(kind)).to_owned();
    let yaml = format!(
        "plugins:\n\
         - {{name: first, root_id: one, vm_id: shared, file: {plugin}, configuration: 'first=1'}}\n\
         - {{name: second, root_id: two, vm_id: shared, file: {plugin}, configuration: 'second=2'}}\n"
    );
    fs::write(&file, yaml).unwrap();
    let proxy = proxy().arg("--config").arg(&file).start();
    fs::remove_dir_all(&directory).unwrap();
    for _ in 0..3 {
        let reply = proxy.get("/");
        assert_eq!(reply.header("x-config-first").as_deref(), Some("1"));
        assert_eq!(reply.header("x-config-second").as_deref(), Some("2"));
        // The response path is the reverse: the first plugin has the last word.
        assert_eq!(reply.header("x-plugin-name").as_deref(), Some("first"));
        assert_eq!(reply.header("x-plugin-root-id").as_deref(), Some("one"));
    }
}
