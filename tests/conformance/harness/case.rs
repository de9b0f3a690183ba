//! Cases: plugins with scripts, and the proxy that they run in.

use std::fs;
use std::path::PathBuf;

use proxy_wasi_test_support::{Failed, Kind, Proxy, ProxyBuilder, Reply, SCRIPTED_WIT};
use serde_json::{Map, Value, json};

use super::report::Report;
use super::script::Written;
use super::{Module, Peer, Upstream, embedder};

const PROXY_WASI: &str = env!("CARGO_BIN_EXE_proxy-wasi");

/// Where modules and what is compiled of them are kept between tests.
pub(super) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance")
}

/// A proxy with scripted plugins, to be run.
#[derive(Debug, Default)]
pub(crate) struct Case {
    config: Map<String, Value>,
    plugins: Vec<Map<String, Value>>,
    written: Vec<Written>,
    args: Vec<String>,
    embedded: bool,
}

/// The proxy of a case.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) proxy: Proxy,
    written: Vec<Written>,
    _directory: tempfile::TempDir,
}

impl Case {
    /// One plugin of a kind.
    pub(crate) fn new(kind: Kind, script: &str) -> Self {
        Self::default().and(kind, script)
    }

    /// One legacy module of ABI 0.2.1.
    pub(crate) fn legacy(script: &str) -> Self {
        Self::new(Kind::Legacy, script)
    }

    /// One legacy module of ABI 0.1.0.
    pub(crate) fn legacy_0_1_0(script: &str) -> Self {
        Self::of(&Module::of("0_1_0"), script)
    }

    /// One legacy module.
    pub(crate) fn of(module: &Module, script: &str) -> Self {
        Self::default().and_module(module, script)
    }

    /// One legacy module of a test's own, which runs no script.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let directory = directory().join("modules");
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join(format!("{:016x}.wasm", hasher.finish()));
        fs::write(&file, bytes).unwrap();
        Self::default().and_file(Kind::Legacy, file, "")
    }

    /// Another plugin, behind those so far on the request path. Its tag is its place.
    pub(crate) fn and(self, kind: Kind, script: &str) -> Self {
        match kind {
            Kind::Legacy => self.and_module(&Module::new(), script),
            Kind::Wit => self.and_file(kind, SCRIPTED_WIT.into(), script),
        }
    }

    /// Another legacy module.
    pub(crate) fn and_module(self, module: &Module, script: &str) -> Self {
        self.and_file(Kind::Legacy, module.file(), script)
    }

    fn and_file(mut self, kind: Kind, file: PathBuf, script: &str) -> Self {
        let tag = self.plugins.len().to_string();
        let written = Written::read(script, kind, &tag);
        let plugin = json!({
            "name": format!("plugin-{tag}"),
            "file": file,
            "root_id": format!("root-{tag}"),
            // Plugins of one module would share a VM otherwise.
            "vm_id": format!("vm-{tag}"),
            "configuration": written.script.to_string(),
        });
        let Value::Object(plugin) = plugin else {
            unreachable!("it is a map")
        };
        self.plugins.push(plugin);
        self.written.push(written);
        self
    }

    /// Sets a key of the configuration.
    pub(crate) fn config(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a key of the last plugin's configuration.
    pub(crate) fn plugin(mut self, key: &str, value: impl Into<Value>) -> Self {
        let plugin = self.plugins.last_mut().expect("there is a plugin");
        plugin.insert(key.to_owned(), value.into());
        self
    }

    /// Sends requests to this upstream, not to the built-in one.
    pub(crate) fn upstream(self, upstream: &Upstream) -> Self {
        self.config("upstream", upstream.url())
    }

    /// Names an upstream for callouts.
    pub(crate) fn cluster(self, name: &str, upstream: &Upstream) -> Self {
        self.config("clusters", json!([{ "name": name, "url": upstream.url() }]))
    }

    /// Adds a flag of the command line.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Runs in a host that has foreign functions of its own: see `embedder.rs`.
    pub(crate) fn embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// Starts the proxy.
    pub(crate) fn start(self) -> Running {
        self.try_start()
            .unwrap_or_else(|failed| panic!("the proxy did not start:\n{}", failed.stderr))
    }

    /// Starts the proxy, which may refuse.
    pub(crate) fn try_start(self) -> Result<Running, Failed> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yaml");
        let mut config = self.config;
        config.insert(
            "plugins".into(),
            self.plugins.into_iter().map(Value::Object).collect(),
        );
        // JSON is YAML.
        fs::write(&file, Value::Object(config).to_string()).unwrap();
        let cache = self::directory().join("cache");
        let builder = match self.embedded {
            true => ProxyBuilder::of(embedder::command()),
            false => ProxyBuilder::cached(PROXY_WASI, cache.clone()),
        };
        let builder = builder.arg("--config").arg(file);
        let builder = match self.embedded {
            true => builder.arg("--cache-dir").arg(cache),
            false => builder,
        };
        let proxy = builder.args(self.args).try_start()?;
        Ok(Running {
            proxy,
            written: self.written,
            _directory: directory,
        })
    }

    /// Starts the proxy, does what `exchange` says, stops it and checks all answers.
    pub(crate) fn run(self, exchange: impl FnOnce(&Running)) -> Report {
        let running = self.start();
        exchange(&running);
        running.end()
    }

    /// As [`run`](Self::run), but calls of the script may be left out.
    pub(crate) fn start_and(self, exchange: impl FnOnce(&Running)) -> Report {
        let running = self.start();
        exchange(&running);
        let (report, written) = running.stop();
        for written in &written {
            report.check_made(written);
        }
        report
    }

    /// Runs with one GET of `/`, whatever its answer.
    pub(crate) fn get(self) -> Report {
        self.run(|running| {
            running.get("/");
        })
    }
}

impl Running {
    /// A client whose test plays it.
    pub(crate) fn client(&self) -> Peer {
        Peer::connect(self.proxy.address())
    }

    /// A client that has sent a GET of `/`, and nothing more.
    pub(crate) fn client_of_get(&self) -> Peer {
        let mut client = self.client();
        client.send_head(&["GET / HTTP/1.1", "host: a"]);
        client
    }

    /// A client that has sent the head of a POST to `/`, and nothing of a body of so many bytes.
    pub(crate) fn client_of_post(&self, len: usize) -> Peer {
        let mut client = self.client();
        let length = format!("content-length: {len}");
        client.send_head(&["POST / HTTP/1.1", "host: a", &length]);
        client
    }

    /// A GET whose response ends behind its head, which has gone: the client learns that it is cut off.
    pub(crate) fn get_is_cut_off_behind_the_head(&self, upstream: &Upstream) {
        let mut client = self.client_of_get();
        let (mut peer, _) = upstream.accept();
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 4"]);
        assert!(client.head().starts_with("HTTP/1.1 200"));
        peer.send("body");
        assert_eq!(client.rest(), "");
    }

    /// A GET over HTTP/1.1.
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.proxy.get(path)
    }

    /// A POST over HTTP/1.1.
    pub(crate) fn post(&self, body: &str) -> Reply {
        self.proxy
            .client()
            .request("POST", "/", &[], body.to_owned())
    }

    /// Waits until a callback has come so many times, to the first plugin.
    pub(crate) fn wait_for(&self, callback: &str, count: usize) {
        self.wait_for_plugin("0", callback, count);
    }

    /// Waits until a callback has come so many times to a plugin.
    pub(crate) fn wait_for_plugin(&self, tag: &str, callback: &str, count: usize) {
        self.proxy
            .wait_for_lines(&format!("[[@{tag} {callback} "), count);
    }

    /// Stops the proxy, checks that all calls were answered as the scripts say, and returns what was reported.
    pub(crate) fn end(self) -> Report {
        let (report, written) = self.stop();
        for written in &written {
            report.check(written);
        }
        report
    }

    /// Stops the proxy and returns its whole log, whatever the scripts say: a VM that fails leaves calls out.
    pub(crate) fn log(self) -> String {
        self.stop().0.log
    }

    /// Stops the proxy.
    fn stop(self) -> (Report, Vec<Written>) {
        self.proxy.terminate();
        let ended = self.proxy.wait();
        (Report::read(ended.stderr), self.written)
    }
}
