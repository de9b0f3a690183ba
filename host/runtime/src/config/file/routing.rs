//! The keys `clusters` and `routes`.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Origins, Text};
use crate::config::{
    ClusterSettings, ConfigError, HeaderSettings, Problem, RouteSettings, Setting,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCluster {
    name: Text,
    url: Text,
    tls: Option<FileTls>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTls {
    ca: Text,
    server_name: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRoute {
    name: Text,
    r#match: Option<FileMatch>,
    cluster: Text,
    rewrite: Option<FileRewrite>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMatch {
    authority: Text,
    path_prefix: Text,
    headers: Option<Vec<Spanned<FileHeader>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHeader {
    name: Text,
    value: Text,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRewrite {
    path_prefix: Text,
    authority: Text,
}

pub(super) fn cluster_settings(
    cluster: Spanned<FileCluster>,
    at: usize,
    origins: &Origins,
) -> Result<ClusterSettings, ConfigError> {
    let origin = origins.of(&cluster, format!("clusters[{at}]"));
    let setting = |text, key| origins.setting(text, format!("clusters[{at}].{key}"));
    let missing = |problem| ConfigError::new(&origin, problem);
    let tls = cluster.value.tls.unwrap_or_default();
    Ok(ClusterSettings {
        name: setting(cluster.value.name, "name")
            .ok_or_else(|| missing(Problem::Missing("name", "what plugins and routes call it")))?,
        url: setting(cluster.value.url, "url").ok_or_else(|| {
            missing(Problem::Missing(
                "url",
                "where it is, such as `http://127.0.0.1:9000`",
            ))
        })?,
        ca: setting(tls.ca, "tls.ca"),
        server_name: setting(tls.server_name, "tls.server_name"),
    })
}

pub(super) fn route_settings(
    route: Spanned<FileRoute>,
    at: usize,
    origins: &Origins,
) -> Result<RouteSettings, ConfigError> {
    let origin = origins.of(&route, format!("routes[{at}]"));
    let setting = |text, key| origins.setting(text, format!("routes[{at}].{key}"));
    let matches = route.value.r#match.unwrap_or_default();
    let rewrite = route.value.rewrite.unwrap_or_default();
    let headers = matches.headers.into_iter().flatten().enumerate();
    Ok(RouteSettings {
        name: setting(route.value.name, "name"),
        authority: setting(matches.authority, "match.authority"),
        path_prefix: setting(matches.path_prefix, "match.path_prefix"),
        headers: headers
            .map(|(index, header)| {
                header_settings(
                    header,
                    &format!("routes[{at}].match.headers[{index}]"),
                    origins,
                )
            })
            .collect::<Result<_, _>>()?,
        cluster: setting(route.value.cluster, "cluster").ok_or_else(|| {
            ConfigError::new(
                &origin,
                Problem::Missing("cluster", "the name of one under `clusters`"),
            )
        })?,
        rewrite_path_prefix: setting(rewrite.path_prefix, "rewrite.path_prefix"),
        rewrite_authority: setting(rewrite.authority, "rewrite.authority"),
        origin,
    })
}

fn header_settings(
    header: Spanned<FileHeader>,
    key: &str,
    origins: &Origins,
) -> Result<HeaderSettings, ConfigError> {
    let origin = origins.of(&header, key.to_owned());
    let setting =
        |text, name| -> Option<Setting> { origins.setting(text, format!("{key}.{name}")) };
    Ok(HeaderSettings {
        name: setting(header.value.name, "name").ok_or_else(|| {
            ConfigError::new(&origin, Problem::Missing("name", "the header field's name"))
        })?,
        value: setting(header.value.value, "value"),
    })
}
