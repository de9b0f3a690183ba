use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::*;
use crate::state::metrics::MemoryMetrics;

fn lines(host: &HostMetrics, custom: &dyn MetricStore, part: &str) -> Vec<String> {
    text(host, custom)
        .unwrap()
        .lines()
        .filter(|line| line.contains(part))
        .map(str::to_owned)
        .collect()
}

fn custom(store: &dyn MetricStore) -> Vec<String> {
    lines(&HostMetrics::default(), store, CUSTOM_PREFIX)
        .into_iter()
        .filter(|line| !line.starts_with("# HELP"))
        .collect()
}

#[test]
fn workers_are_added_up() {
    let host = HostMetrics::default();
    for millis in [1, 30] {
        let worker = host.add_worker();
        worker.request_began();
        worker.request_ended(Some(StatusCode::OK), Duration::from_millis(millis));
        worker.request_began();
        worker.upstream_failed(UpstreamFailureCause::Connect);
    }
    let text = text(&host, &MemoryMetrics::default()).unwrap();
    for line in [
        "proxy_wasi_workers 2",
        "# TYPE proxy_wasi_requests_total counter",
        "proxy_wasi_requests_total{status=\"2xx\"} 2",
        "proxy_wasi_requests_total{status=\"none\"} 0",
        "proxy_wasi_requests_active 2",
        "proxy_wasi_request_duration_seconds_bucket{le=\"0.0005\"} 0",
        "proxy_wasi_request_duration_seconds_bucket{le=\"0.001\"} 1",
        "proxy_wasi_request_duration_seconds_bucket{le=\"0.05\"} 2",
        "proxy_wasi_request_duration_seconds_bucket{le=\"+Inf\"} 2",
        "proxy_wasi_request_duration_seconds_sum 0.031",
        "proxy_wasi_request_duration_seconds_count 2",
        "proxy_wasi_upstream_failures_total{cause=\"connect\"} 2",
        "proxy_wasi_upstream_failures_total{cause=\"reset\"} 0",
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "no `{line}` in\n{text}"
        );
    }
    // Without plugins there is nothing to say about them.
    assert!(!text.contains("_plugin_"), "{text}");
}

#[test]
fn plugins_are_shown_by_name() {
    let host = HostMetrics::default();
    for name in ["auth", "say \"hi\"\\\n"] {
        host.add_plugin(&Arc::new(PluginInfo {
            name: name.to_owned(),
            ..PluginInfo::default()
        }));
    }
    let plugins = host.plugins();
    plugins[0].counters.trapped(TrapCause::Timeout);
    plugins[1].counters.restarted();
    plugins[1]
        .counters
        .callout_ended(CalloutKind::Http, CalloutResult::Timeout);
    let text = text(&host, &MemoryMetrics::default()).unwrap();
    for line in [
        "proxy_wasi_plugin_traps_total{plugin=\"auth\",cause=\"timeout\"} 1",
        "proxy_wasi_plugin_traps_total{plugin=\"auth\",cause=\"unreachable\"} 0",
        "proxy_wasi_plugin_restarts_total{plugin=\"auth\"} 0",
        "proxy_wasi_plugin_restarts_total{plugin=\"say \\\"hi\\\"\\\\\\n\"} 1",
        "proxy_wasi_callouts_total{plugin=\"say \\\"hi\\\"\\\\\\n\",kind=\"http\",result=\"timeout\"} 1",
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "no `{line}` in\n{text}"
        );
    }
    assert_eq!(text.matches("proxy_wasi_callouts_total{").count(), 1);
}

#[test]
fn names_of_plugins_become_valid() {
    let store = MemoryMetrics::default();
    store.counter("auth.denied-total").unwrap().add(3);
    // Envoy's tags stay in the name.
    store
        .gauge("istio_build_reporter=.=source.;.;tag=.=1.2.;.;")
        .unwrap()
        .set(1);
    store.counter("größe\n# HELP x").unwrap().add(1);
    assert_eq!(
        custom(&store),
        [
            "# TYPE wasmcustom_auth_denied_total counter",
            "wasmcustom_auth_denied_total 3",
            "# TYPE wasmcustom_gr__e___HELP_x counter",
            "wasmcustom_gr__e___HELP_x 1",
            "# TYPE wasmcustom_istio_build_reporter___source____tag___1_2____ gauge",
            "wasmcustom_istio_build_reporter___source____tag___1_2____ 1",
        ]
    );
    let help = lines(&HostMetrics::default(), &store, "# HELP wasmcustom_auth");
    assert_eq!(
        help,
        ["# HELP wasmcustom_auth_denied_total Defined by a plugin: auth.denied-total"]
    );
    // A line break of a plugin begins no line.
    let hostile = lines(&HostMetrics::default(), &store, "HELP x");
    assert_eq!(hostile.len(), 1, "{hostile:?}");
}

/// The grammar of Prometheus' text format, as far as it is used: each family once, with its help and its type in front of
/// its samples, and each sample once.
fn assert_readable(text: &str) {
    let is_name = |name: &str| {
        let mut chars = name.chars();
        chars
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    };
    let (mut families, mut samples) = (HashSet::new(), HashSet::new());
    let mut family = "";
    let mut helped = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = help.split_once(' ').expect("it says something").0;
            assert!(is_name(helped), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, helped, "help stands in front");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(families.insert(name), "{name} comes twice");
            family = name;
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(samples.insert(series), "{series} comes twice");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            assert!(is_name(name), "{line}");
            let suffix = name
                .strip_prefix(family)
                .unwrap_or_else(|| panic!("{line} is not of {family}"));
            assert!(
                ["", "_bucket", "_count", "_sum"].contains(&suffix),
                "{line}"
            );
            let mut rest = labels;
            while rest != "}" {
                let (label, value) = rest.split_once("=\"").expect("a label has a value");
                assert!(is_name(label), "{line}");
                let end = value
                    .char_indices()
                    .scan(false, |escaped, (at, c)| {
                        let ends = c == '"' && !*escaped;
                        *escaped = c == '\\' && !*escaped;
                        Some((at, ends))
                    })
                    .find_map(|(at, ends)| ends.then_some(at))
                    .expect("a value ends");
                rest = &value[end + 1..];
                rest = rest.strip_prefix(',').unwrap_or(rest);
            }
        }
    }
    assert!(!families.is_empty());
}

#[test]
fn whatever_plugins_say_is_readable() {
    let hostile = [
        "plain",
        "a.b",
        "a_b",
        "a\"b",
        "a\\",
        "a\nwasmcustom_a_b 7",
        "a\r\n# TYPE x counter",
        "{le=\"1\"} 2",
        " ",
        "9",
        "\u{e9}\u{0}\u{2028}",
        "a_b_count",
        "a_b_bucket",
        "plain_histogram",
    ];
    let store = MemoryMetrics::default();
    let host = HostMetrics::default();
    host.add_worker();
    for name in hostile {
        store.counter(name).unwrap().add(1);
        store.gauge(name).unwrap().set(2);
        store.histogram(name).unwrap().observe(3);
        host.add_plugin(&Arc::new(PluginInfo {
            name: name.to_owned(),
            ..PluginInfo::default()
        }));
    }
    for plugin in host.plugins().iter() {
        let counters = &plugin.counters;
        counters.callout_ended(CalloutKind::Http, CalloutResult::Failed);
    }
    assert_readable(&text(&host, &store).unwrap());
}

#[test]
fn names_that_become_the_same_keep_their_own_in_a_label() {
    let store = MemoryMetrics::default();
    store.counter("a.b").unwrap().add(1);
    store.counter("a_b").unwrap().add(2);
    store.counter("a\"b").unwrap().add(3);
    assert_eq!(
        custom(&store),
        [
            "# TYPE wasmcustom_a_b counter",
            "wasmcustom_a_b{name=\"a\\\"b\"} 3",
            "wasmcustom_a_b{name=\"a.b\"} 1",
            "wasmcustom_a_b{name=\"a_b\"} 2",
        ]
    );
}

#[test]
fn types_under_one_name_get_suffixes() {
    let store = MemoryMetrics::default();
    store.gauge("x").unwrap().set(2);
    store.histogram("x").unwrap().observe(1);
    store.counter("x").unwrap().add(1);
    store.counter("x_gauge").unwrap().add(5);
    store.counter("y_count").unwrap().add(6);
    store.histogram("y").unwrap().observe(1);
    let types: Vec<_> = custom(&store)
        .into_iter()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    assert_eq!(
        types,
        [
            "# TYPE wasmcustom_x counter",
            "# TYPE wasmcustom_x_gauge counter",
            "# TYPE wasmcustom_x_gauge_2 gauge",
            "# TYPE wasmcustom_x_histogram histogram",
            "# TYPE wasmcustom_y_count counter",
            "# TYPE wasmcustom_y_histogram histogram",
        ]
    );
}

#[test]
fn histograms_of_plugins_have_envoys_buckets() {
    let store = MemoryMetrics::default();
    let histogram = store.histogram("h").unwrap();
    for sample in [0, 3, 3_700_000] {
        histogram.observe(sample);
    }
    let lines = custom(&store);
    assert_eq!(lines.len(), 1 + 19 + 1 + 2);
    for line in [
        "wasmcustom_h_bucket{le=\"0.5\"} 1",
        "wasmcustom_h_bucket{le=\"1\"} 1",
        "wasmcustom_h_bucket{le=\"5\"} 2",
        "wasmcustom_h_bucket{le=\"3600000\"} 2",
        "wasmcustom_h_bucket{le=\"+Inf\"} 3",
        "wasmcustom_h_sum 3700003",
        "wasmcustom_h_count 3",
    ] {
        assert!(
            lines.iter().any(|one| one == line),
            "no `{line}` in {lines:?}"
        );
    }
}
