//! What the plugins do that ask the cluster `auth`; the README of tests/guests/toolchains says it in words.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use bytes::Bytes;
use http::Response;
use proxy_wasi_test_support::{Origin, Proxy, ProxyBuilder};

use crate::behaviour::ends_well;

/// Whether a plugin is one of them.
pub(crate) fn is_one(plugin: &Path) -> bool {
    plugin
        .file_stem()
        .is_some_and(|name| name.to_string_lossy().ends_with("-auth"))
}

/// Serves the plugin and makes all kinds of requests.
pub(crate) fn check(plugin: &Path, cache: &Path) {
    let (asked, is_asked) = sync_channel(1);
    let (let_answer, may_answer) = sync_channel::<()>(1);
    let may_answer: Mutex<Receiver<()>> = Mutex::new(may_answer);
    let auth = Origin::start(move |request| {
        if request.path == "/slow" {
            asked.send(()).unwrap();
            may_answer.lock().unwrap().recv().unwrap();
        }
        let status = if request.path == "/deny" { 401 } else { 200 };
        Response::builder()
            .status(status)
            .body(Bytes::new())
            .unwrap()
    });
    let proxy = serve(plugin, cache, &auth.url());

    for client in [proxy.client(), proxy.http2()] {
        assert_eq!(client.get("/page", &[]).status, 200);
        assert_eq!(client.get("/deny", &[]).status, 403);
    }
    let reply = proxy.client().request("POST", "/page", &[], "body");
    assert_eq!(reply.echo()["body"]["text"], "body");

    // Whoever leaves before the answer does no harm.
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client
        .write_all(b"GET /slow HTTP/1.1\r\nhost: example\r\n\r\n")
        .unwrap();
    is_asked.recv().unwrap();
    drop(client);
    proxy.wait_for_log(&["ended unanswered while the plugin held the request"]);
    let_answer.send(()).unwrap();
    assert_eq!(proxy.get("/page").status, 200);
    ends_well(proxy);

    // Nobody listens on port 1.
    let proxy = serve(plugin, cache, "http://127.0.0.1:1");
    assert_eq!(proxy.get("/page").status, 503);
    ends_well(proxy);
}

fn serve(plugin: &Path, cache: &Path, auth: &str) -> Proxy {
    ProxyBuilder::cached(env!("CARGO_BIN_EXE_proxy-wasi"), cache)
        .arg(plugin)
        .args(["--cluster", &format!("auth={auth}")])
        .start()
}
