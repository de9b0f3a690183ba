use std::path::Path;
use std::time::Duration;

use super::*;

fn config(text: &str) -> Config {
    Config::resolve(Settings::parse(Path::new("etc/proxy.yaml"), text).unwrap()).unwrap()
}

fn error(text: &str) -> String {
    let settings = Settings::parse(Path::new("proxy.yaml"), text);
    settings.and_then(Config::resolve).unwrap_err().to_string()
}

/// The configuration of the only plugin.
fn handed_over(configuration: &str) -> Bytes {
    config(&format!(
        "plugins:\n- file: a.wasm\n  configuration: {configuration}"
    ))
    .plugins[0]
        .configuration
        .clone()
}

#[test]
fn every_key_of_a_file_arrives() {
    let config = config(
        "
        listen: '[::1]:9090'
        admin: 127.0.0.1:9901
        workers: 3
        clusters:
        - {name: auth, url: 'https://auth.example', tls: {server_name: other.example}}
        - {name: web, url: 'h2c://[::1]:9000'}
        routes:
        - name: new
          match: {authority: '*.Example', path_prefix: /new/, headers: [{name: X-A, value: b}]}
          cluster: auth
          rewrite: {path_prefix: /, authority: 'web:80'}
        - {cluster: web}
        rewrite_host: true
        access_log: false
        log_level: debug
        cache_dir: cache
        limits: {request_buffer: 64KiB, response_buffer: 3, vm_memory: 2 GiB, callback_time: 250ms, start_time: 4s,
          callouts: 5, callout_response: 6}
        timeouts: {header_read: 1s, connect: 2s, response: 3s, idle: 1h, drain_grace: 5s}
        restarts: {first_wait: 10ms, longest_wait: 20ms, healthy_after: 30ms, failures: 7}
        plugins:
        - name: first
          file: a.wasm
          root_id: root
          vm_id: vm
          configuration: plugin text
          vm_configuration: {a: [1, two, null]}
          env: {LEVEL: 3, COLOUR: red, EMPTY: ''}
          failure_policy: open
          recovery: never
          on_headers_pause: stop_iteration
          service: once
          callouts: {allow: any}
        ",
    );
    assert_eq!(config.listen, "[::1]:9090".parse().unwrap());
    assert_eq!(config.admin, Some("127.0.0.1:9901".parse().unwrap()));
    assert_eq!(config.workers.get(), 3);
    let [auth, web] = config.clusters.as_slice() else {
        panic!("{:?}", config.clusters);
    };
    assert_eq!((auth.name.as_str(), auth.url.port()), ("auth", 443));
    assert_eq!(auth.url.protocol(), UpstreamProtocol::Https);
    assert_eq!(auth.tls.server_name, "other.example".try_into().ok());
    assert_eq!(web.url.protocol(), UpstreamProtocol::H2c);
    assert_eq!((web.url.host(), web.url.port()), ("::1", 9000));
    let new = RouteConfig {
        name: "new".to_owned(),
        matches: RouteMatch {
            authority: Some(AuthorityMatch::Suffix(".example".to_owned())),
            path_prefix: Some("/new".to_owned()),
            headers: vec![HeaderMatch {
                name: "x-a".parse().unwrap(),
                value: "b".parse().ok(),
            }],
        },
        cluster: Some("auth".to_owned()),
        rewrite: Rewrite {
            path_prefix: Some(String::new()),
            authority: "web:80".parse().ok(),
        },
    };
    assert_eq!(config.routes[0], new);
    assert!(config.routes[1].matches.is_catch_all());
    assert_eq!(config.routes[1].cluster.as_deref(), Some("web"));
    assert!(config.rewrite_host);
    assert!(!config.access_log);
    assert_eq!(config.log_level, LogLevel::Debug);
    assert_eq!(config.cache, CacheLocation::Directory("etc/cache".into()));
    let limits = Limits {
        request_buffer: 64 * 1024,
        response_buffer: 3,
        vm_memory: 2 << 30,
        callback_time: Duration::from_millis(250),
        start_time: Duration::from_secs(4),
        callouts: 5,
        callout_response: 6,
    };
    assert_eq!(config.limits, limits);
    let timeouts = Timeouts {
        header_read: Duration::from_secs(1),
        connect: Duration::from_secs(2),
        response: Duration::from_secs(3),
        idle: Duration::from_secs(3600),
        drain_grace: Duration::from_secs(5),
    };
    assert_eq!(config.timeouts, timeouts);
    let restarts = Restarts {
        first_wait: Duration::from_millis(10),
        longest_wait: Duration::from_millis(20),
        healthy_after: Duration::from_millis(30),
        failures: 7,
    };
    assert_eq!(config.restarts, restarts);
    let plugin = PluginConfig {
        name: "first".to_owned(),
        file: "etc/a.wasm".into(),
        root_id: "root".to_owned(),
        vm_id: "vm".to_owned(),
        configuration: Bytes::from_static(b"plugin text"),
        vm_configuration: Bytes::from_static(br#"{"a":[1,"two",null]}"#),
        environment: [("COLOUR", "red"), ("EMPTY", ""), ("LEVEL", "3")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        failure_policy: FailurePolicy::Open,
        recovery: Recovery::Never,
        on_headers_pause: OnHeadersPause::StopIteration,
        service: Some(Service::Once),
        allow_callouts: AllowCallouts::Any,
    };
    assert_eq!(*config.plugins[0], plugin);
}

#[test]
fn a_file_that_says_nothing_gives_the_defaults() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "limits:\ntimeouts:\nplugins:\nlisten: ~\n",
    ] {
        let config = config(text);
        assert_eq!(config.listen, DEFAULT_LISTEN);
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.timeouts, Timeouts::default());
        assert_eq!(config.cache, CacheLocation::User);
        assert!(
            config.access_log
                && !config.rewrite_host
                && config.clusters.is_empty()
                && config.admin.is_none()
                && config.plugins.is_empty()
        );
        assert_eq!(config.routes.len(), 1);
        assert_eq!(config.routes[0].cluster, None);
    }
}

#[test]
fn configuration_is_text_or_json() {
    assert_eq!(handed_over("hello"), "hello");
    assert_eq!(handed_over("''"), "");
    assert_eq!(handed_over("'42'"), "42");
    assert_eq!(handed_over("42"), "42");
    assert_eq!(handed_over("true"), "true");
    // YAML 1.2: Norway is a text.
    assert_eq!(
        handed_over("{country: no, on: 1.5}"),
        r#"{"country":"no","on":1.5}"#
    );
    assert_eq!(handed_over("|\n    a\n    b\n"), "a\nb\n");
    assert_eq!(handed_over("~"), "");
}

#[test]
fn failure_policies_have_envoys_names_too() {
    let policies = [
        ("closed", FailurePolicy::Closed, Recovery::Restart),
        ("open", FailurePolicy::Open, Recovery::Restart),
        ("FAIL_CLOSED", FailurePolicy::Closed, Recovery::Never),
        ("FAIL_OPEN", FailurePolicy::Open, Recovery::Never),
        ("FAIL_RELOAD", FailurePolicy::Closed, Recovery::Restart),
        // What is said about recovery itself comes first.
        (
            "FAIL_OPEN, recovery: restart",
            FailurePolicy::Open,
            Recovery::Restart,
        ),
        (
            "open, recovery: never",
            FailurePolicy::Open,
            Recovery::Never,
        ),
    ];
    for (text, policy, recovery) in policies {
        let config = config(&format!(
            "plugins: [{{file: a.wasm, failure_policy: {text}}}]"
        ));
        let plugin = &config.plugins[0];
        assert_eq!(
            (plugin.failure_policy, plugin.recovery),
            (policy, recovery),
            "{text}"
        );
    }
    let error = error("plugins: [{file: a.wasm, failure_policy: fail_open}]");
    assert!(error.ends_with("or `FAIL_RELOAD`"), "{error}");
}

#[test]
fn variables_are_what_wasi_can_carry() {
    for (variable, problem) in [
        ("'': x", "cannot be an environment variable"),
        ("A=B: x", "`A=B` cannot be an environment variable"),
        (r#""A\0": x"#, r"`A\0` cannot be an environment variable"),
        (r#"A: "\0""#, "`A` cannot be an environment variable"),
        ("{A: 1, A: 2}", "it is given twice"),
    ] {
        let variables = match variable {
            list if list.starts_with('{') => list.to_owned(),
            one => format!("{{{one}}}"),
        };
        let error = error(&format!("plugins: [{{file: a.wasm, env: {variables}}}]"));
        assert!(error.contains(problem), "{variable}: {error}");
    }
    let mut plugin = PluginSettings::new(Setting::flag("PLUGIN", "a.wasm"));
    let variable = ("A".to_owned(), Setting::flag("--env", "1"));
    plugin.environment = vec![variable.clone(), variable];
    let settings = Settings {
        plugins: vec![plugin],
        ..Settings::default()
    };
    let error = Config::resolve(settings).unwrap_err().to_string();
    assert_eq!(
        error,
        "`--env`: the environment variable `A` is given twice; keep one"
    );
}

#[test]
fn names_come_from_files_and_are_unique() {
    let names = |text: &str| -> Vec<String> {
        config(text)
            .plugins
            .iter()
            .map(|plugin| plugin.name.clone())
            .collect()
    };
    let plugins = "plugins: [{file: x/auth.wasm}, {file: auth.wasm}, {file: c.wasm, name: auth-2}, {file: auth}]";
    assert_eq!(names(plugins), ["auth", "auth-3", "auth-2", "auth-4"]);
    assert_eq!(names("plugins: [{file: ..}]"), ["plugin"]);
}

#[test]
fn flags_override_top_level_values() {
    let file = Settings::parse(
        Path::new("proxy.yaml"),
        "listen: 1.2.3.4:5\nworkers: 3\ncache: false",
    )
    .unwrap();
    let flags = Settings {
        listen: Some(Setting::flag("--listen", "127.0.0.1:0")),
        cache_dir: Some(Setting::flag("--cache-dir", "cache")),
        ..Settings::default()
    };
    let config = Config::resolve(file.overridden_by(flags)).unwrap();
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.workers.get(), 3);
    assert_eq!(config.cache, CacheLocation::Directory("cache".into()));
}

/// `--cache-dir` is relative to where the command was typed, not to the file.
#[test]
fn a_directory_given_by_flag_is_not_the_files() {
    let file = Settings::parse(Path::new("etc/proxy.yaml"), "plugins: [{file: a.wasm}]").unwrap();
    let flags = Settings {
        cache_dir: Some(Setting::flag("--cache-dir", "cache")),
        ..Settings::default()
    };
    let config = Config::resolve(file.overridden_by(flags)).unwrap();
    assert_eq!(config.cache, CacheLocation::Directory("cache".into()));
    assert_eq!(config.plugins[0].file, Path::new("etc/a.wasm"));
}

#[test]
fn errors_point_at_the_line_of_the_key() {
    let text = "plugins:\n- file: a.wasm\n  # vm_ids: no\n  name: x\n  vm_ids: y\n";
    assert!(
        error(text).starts_with("`proxy.yaml` line 5: unknown key `vm_ids`"),
        "{}",
        error(text)
    );
    let text = "limits:\n  vm_memory:\n    - 1\n";
    assert!(
        error(text).starts_with("`proxy.yaml` line 3: `limits.vm_memory`: "),
        "{}",
        error(text)
    );
    let text = "limits:\n  vm_memory: 1MiB\n  callback_time: soon\n";
    assert!(
        error(text).starts_with("`proxy.yaml` line 3: `limits.callback_time`: `soon` "),
        "{}",
        error(text)
    );
}

#[test]
fn an_upstream_is_a_cluster_and_a_route() {
    for (upstream, clusters, routed) in [
        ("http://b", &["a", UPSTREAM_CLUSTER][..], UPSTREAM_CLUSTER),
        ("a", &["a"], "a"),
    ] {
        let config = config(&format!(
            "clusters: [{{name: a, url: 'http://a'}}]\nupstream: {upstream}"
        ));
        let names: Vec<_> = config
            .clusters
            .iter()
            .map(|cluster| &*cluster.name)
            .collect();
        assert_eq!(names, clusters);
        assert_eq!(config.routes.len(), 1);
        assert_eq!(config.routes[0].cluster.as_deref(), Some(routed));
    }
}

#[test]
fn flags_replace_clusters_and_routes() {
    let file = Settings::parse(
        Path::new("proxy.yaml"),
        "clusters: [{name: a, url: 'http://a'}, {name: b, url: 'http://b'}]\nroutes: [{cluster: a}]",
    )
    .unwrap();
    let flags = Settings {
        upstream: Some(Setting::flag("--upstream", "c")),
        clusters: ["b", "c"]
            .map(|name| ClusterSettings {
                name: Setting::flag("--cluster", name),
                url: Setting::flag("--cluster", "http://flag"),
                ca: None,
                server_name: None,
            })
            .to_vec(),
        ..Settings::default()
    };
    let config = Config::resolve(file.overridden_by(flags)).unwrap();
    let hosts: Vec<_> = config
        .clusters
        .iter()
        .map(|cluster| (&*cluster.name, cluster.url.host()))
        .collect();
    assert_eq!(hosts, [("a", "a"), ("b", "flag"), ("c", "flag")]);
    assert_eq!(config.routes.len(), 1);
    assert_eq!(config.routes[0].cluster.as_deref(), Some("c"));
}

#[test]
fn upstreams() {
    let parse = |text: &str| {
        UpstreamUrl::parse(text).map(|url| (url.host().to_owned(), url.port(), url.to_string()))
    };
    let is = |host: &str, port, url: &str| Ok((host.to_owned(), port, url.to_owned()));
    assert_eq!(
        parse("http://example.com"),
        is("example.com", 80, "http://example.com")
    );
    assert_eq!(
        parse("HTTPS://example.com/"),
        is("example.com", 443, "https://example.com")
    );
    assert_eq!(
        parse("http://example.com:8080/"),
        is("example.com", 8080, "http://example.com:8080")
    );
    assert_eq!(parse("h2c://[::1]:1"), is("::1", 1, "h2c://[::1]:1"));
    for wrong in [
        "",
        "http:",
        "http://:80",
        "http://a:0",
        "http://a:",
        "http://a?b",
        "http://a#b",
        "a b",
        "http://[::1",
        "grpc://a",
        "a:80",
        "//a",
        "http://user@a",
        "http://a:70000",
        "http://a/b",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
