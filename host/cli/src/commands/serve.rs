//! `proxy-wasi serve`.

use std::io::{self, Write};
use std::path::Path;

use bytes::Bytes;
use proxy_wasi_runtime::config::{
    self, ClusterSettings, Config, PluginSettings, Setting, Settings,
};

use crate::args::{PluginArgs, ServeArgs};
use crate::exit::Failure;
use crate::logging;

pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = Config::resolve(settings(args)?)?;
    logging::init(config.log_level);
    proxy_wasi_runtime::run(config, |addresses| {
        let mut text = format!("listening on http://{}\n", addresses.listen);
        if let Some(admin) = addresses.admin {
            text += &format!("admin on http://{admin}\n");
        }
        // A closed standard output is no reason not to serve.
        let mut stdout = io::stdout();
        drop(
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        );
    })?;
    Ok(())
}

fn settings(mut args: ServeArgs) -> Result<Settings, Failure> {
    let plugins = std::mem::take(&mut args.plugins);
    let plugin = std::mem::take(&mut args.plugin);
    let Some(file) = args.config.take() else {
        return Ok(Settings {
            plugins: plugin_settings(plugins, plugin)?,
            ..top_level(args)?
        });
    };
    let refusal = match (plugins.first(), plugin.first_given()) {
        (Some(plugin), _) => Some(format!(
            "plugin `{plugin}` is given beside `--config`; list it under `plugins`"
        )),
        (None, Some(flag)) => Some(format!(
            "`{flag}` is given beside `--config`; set it under `plugins`"
        )),
        (None, None) => None,
    };
    match refusal {
        Some(refusal) => Err(Failure::Usage(format!("{refusal} in `{}`", file.display()))),
        None => Ok(Settings::read(&file)?.overridden_by(top_level(args)?)),
    }
}

/// The flags that mean the same as a top-level key.
fn top_level(args: ServeArgs) -> Result<Settings, Failure> {
    let flag = |flag, value: Option<String>| value.map(|value| Setting::flag(flag, value));
    let switch = |name, given: bool, value: &str| given.then(|| Setting::flag(name, value));
    Ok(Settings {
        listen: flag("--listen", args.listen),
        admin: flag("--admin", args.admin),
        workers: flag("--workers", args.workers),
        upstream: flag("--upstream", args.upstream),
        rewrite_host: switch("--rewrite-host", args.rewrite_host, "true"),
        access_log: switch("--no-access-log", args.no_access_log, "false"),
        log_level: flag("--log-level", args.log_level),
        cache: switch("--no-cache", args.no_cache, "false"),
        cache_dir: flag("--cache-dir", args.cache_dir),
        clusters: args
            .clusters
            .iter()
            .map(|cluster| cluster_settings(cluster))
            .collect::<Result<_, _>>()?,
        ..Settings::default()
    })
}

fn cluster_settings(text: &str) -> Result<ClusterSettings, Failure> {
    let (name, url) = text.split_once('=').ok_or_else(|| {
        Failure::Usage(format!(
            "`--cluster`: `{text}` has no `=`; give a name and a URL, such as `auth=http://127.0.0.1:9000`"
        ))
    })?;
    Ok(ClusterSettings {
        name: Setting::flag("--cluster", name),
        url: Setting::flag("--cluster", url),
        ca: None,
        server_name: None,
    })
}

fn plugin_settings(files: Vec<String>, args: PluginArgs) -> Result<Vec<PluginSettings>, Failure> {
    let mut plugins: Vec<_> = files
        .into_iter()
        .map(|file| PluginSettings::new(Setting::flag("PLUGIN", file)))
        .collect();
    match (plugins.as_mut_slice(), args.first_given()) {
        (_, None) => {}
        ([plugin], Some(_)) => apply(plugin, args)?,
        (_, Some(flag)) => {
            let count = plugins.len();
            let usage = format!(
                "`{flag}` is for one plugin, and there are {count}; configure each in a file for `--config`"
            );
            return Err(Failure::Usage(usage));
        }
    }
    Ok(plugins)
}

fn apply(plugin: &mut PluginSettings, args: PluginArgs) -> Result<(), Failure> {
    let flag = |flag, value: Option<String>| value.map(|value| Setting::flag(flag, value));
    plugin.name = flag("--name", args.name);
    plugin.root_id = flag("--root-id", args.root_id);
    plugin.vm_id = flag("--vm-id", args.vm_id);
    plugin.failure_policy = flag("--failure-policy", args.failure_policy);
    plugin.allow_callouts = flag("--callouts", args.callouts);
    plugin.on_headers_pause = flag("--on-headers-pause", args.on_headers_pause);
    plugin.service = flag("--service", args.service);
    for variable in args.env {
        let Some((name, value)) = variable.split_once('=') else {
            return Err(Failure::Usage(format!(
                "`--env`: `{variable}` has no value; give NAME=VALUE"
            )));
        };
        let value = Setting::flag("--env", value);
        plugin.environment.push((name.to_owned(), value));
    }
    plugin.configuration = text_or_file("--plugin-config", args.plugin_config)?;
    plugin.vm_configuration = text_or_file("--vm-config", args.vm_config)?;
    Ok(())
}

/// The text itself, or the content of the file that follows an `@`.
fn text_or_file(flag: &str, value: Option<String>) -> Result<Bytes, Failure> {
    let value = value.unwrap_or_default();
    let Some(path) = value.strip_prefix('@') else {
        return Ok(value.into());
    };
    let content = config::read_file(Path::new(path));
    content.map(Bytes::from).map_err(|error| {
        Failure::Usage(format!(
            "`{flag}`: cannot read `{path}`: {error}; give the path of a file behind the `@`"
        ))
    })
}
