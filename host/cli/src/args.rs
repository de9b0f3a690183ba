//! What can be typed, and its help.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::exit::Failure;

#[derive(Debug, Parser)]
#[command(
    name = "proxy-wasi",
    version,
    about = "Runs proxy plugins as WebAssembly components",
    after_help = "Exit codes: 0 success, 1 failure, 2 wrong usage or configuration",
    disable_help_subcommand = true
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve HTTP through plugins, as a reverse proxy
    Serve(Box<ServeArgs>),
    /// Turn a legacy module into a component that `serve` runs as it runs the module
    Compose(ComposeArgs),
    /// Say what a WebAssembly file is and whether `serve` runs it
    Inspect(InspectArgs),
}

/// Flags of `serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints `listening on http://ADDRESS` on standard output once it takes requests, and with --admin a second line, `admin on http://ADDRESS`; everything else goes to \
standard error. SIGINT or SIGTERM lets requests end that have begun."
)]
pub(crate) struct ServeArgs {
    /// Plugins, in the order of the request path: legacy Proxy-Wasm modules or components, told apart by content.
    /// Beside `--config`, list them in the file instead
    #[arg(value_name = "PLUGIN", required_unless_present = "config")]
    pub(crate) plugins: Vec<String>,

    /// Configuration file in YAML. Flags given beside it override its top-level values
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<String>,

    /// Address of the admin endpoint, with metrics at `/metrics`; port 0 takes a free one [default: none]
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) admin: Option<String>,

    /// Where to send requests: http://HOST[:PORT], https://HOST[:PORT], h2c://HOST[:PORT] for HTTP/2 without TLS, or the
    /// name of a cluster. Beside `--config` it takes the place of the file's routes. Without any, a built-in upstream
    /// answers with the request it got, as JSON
    #[arg(long, value_name = "URL|CLUSTER")]
    pub(crate) upstream: Option<String>,

    /// Where plugins can send requests of their own, and the name they know it by. Can be given several times
    #[arg(long = "cluster", value_name = "NAME=URL")]
    pub(crate) clusters: Vec<String>,

    /// Give the upstream its own name as `host`, not what the client sent
    #[arg(long)]
    pub(crate) rewrite_host: bool,

    /// Threads that serve requests, each with its own VMs [default: number of cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) workers: Option<String>,

    /// Least severe messages to log: trace, debug, info, warn, error or off [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,

    /// Log no line for each request
    #[arg(long)]
    pub(crate) no_access_log: bool,

    /// Directory for compiled plugins [default: `proxy-wasi` in the user's cache directory]
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<String>,

    /// Compile plugins at each start
    #[arg(long)]
    pub(crate) no_cache: bool,

    #[command(
        flatten,
        next_help_heading = "Options of the plugin (for several plugins, use --config)"
    )]
    pub(crate) plugin: PluginArgs,
}

/// Flags for exactly one plugin.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PluginArgs {
    /// Configuration that the plugin gets: a text, or @FILE for the content of a file [default: empty]
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(crate) plugin_config: Option<String>,

    /// Configuration that the plugin's VM gets: a text, or @FILE [default: empty]
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(crate) vm_config: Option<String>,

    /// Environment variable that the plugin sees; may be given again for others [default: none]
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,

    /// Which of the plugins in the code to run [default: empty]
    #[arg(long, value_name = "ID")]
    pub(crate) root_id: Option<String>,

    /// Name in logs and metrics [default: the file's name without extension]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Scope of shared data and queues, and of sharing a VM [default: empty]
    #[arg(long, value_name = "ID")]
    pub(crate) vm_id: Option<String>,

    /// While the plugin has no healthy VM, answer 503 (closed) or go on without it (open); Envoy's names are known too
    /// [default: closed]
    #[arg(long, value_name = "POLICY")]
    pub(crate) failure_policy: Option<String>,

    /// Where the plugin's own requests may go: to clusters only, or also to any host:port (any) [default: clusters]
    #[arg(long, value_name = "WHERE")]
    pub(crate) callouts: Option<String>,

    /// What waits while the plugin pauses in a headers callback: all of the message (stop_all), or the headers only, and
    /// body callbacks go on (stop_iteration) [default: stop_all]
    #[arg(long, value_name = "WHAT")]
    pub(crate) on_headers_pause: Option<String>,

    /// Run the plugin beside the filter chain, without requests: in each worker (each_worker) or in one (once)
    /// [default: it is a filter]
    #[arg(long, value_name = "WHERE")]
    pub(crate) service: Option<String>,
}

impl PluginArgs {
    /// The first of these flags that was given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let flags = [
            ("--plugin-config", &self.plugin_config),
            ("--vm-config", &self.vm_config),
            ("--root-id", &self.root_id),
            ("--name", &self.name),
            ("--vm-id", &self.vm_id),
            ("--failure-policy", &self.failure_policy),
            ("--callouts", &self.callouts),
            ("--on-headers-pause", &self.on_headers_pause),
            ("--service", &self.service),
        ];
        flags
            .into_iter()
            .find(|(_, value)| value.is_some())
            .map(|(flag, _)| flag)
            .or_else(|| (!self.env.is_empty()).then_some("--env"))
    }
}

/// Flags of `compose`.
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeArgs {
    /// Legacy module: core WebAssembly for Proxy-Wasm ABI 0.1.0, 0.2.0 or 0.2.1
    #[arg(value_name = "LEGACY")]
    pub(crate) legacy: PathBuf,

    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
}

/// Flags of `inspect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The exit code is 0 for every WebAssembly file, whether `serve` runs it or not"
)]
pub(crate) struct InspectArgs {
    /// Legacy module or component
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Reads the command line. Help and version are printed here.
pub(crate) fn parse() -> Result<Command, Failure> {
    let error = match Args::try_parse() {
        Ok(args) => return Ok(args.command),
        Err(error) => error,
    };
    let kind = error.kind();
    Err(
        if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            Failure::Help(error)
        } else if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            Failure::Usage("no command was given; see `proxy-wasi --help`".to_owned())
        } else {
            Failure::Usage(one_line(&error))
        },
    )
}

/// Clap's text in one line: without the usage, with the way to the help.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string().replace('\'', "`");
    let mut said = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("Usage: ") || line.starts_with("For more information") {
            continue;
        }
        if !said.is_empty() {
            // A colon announces a list.
            said += if said.ends_with(':') {
                " "
            } else if said.contains(": ") {
                ", "
            } else {
                "; "
            };
        }
        said += line
            .trim_start_matches("error: ")
            .trim_start_matches("tip: ");
    }
    let first = std::env::args_os().nth(1).unwrap_or_default();
    let help = match Args::command().find_subcommand(first.to_string_lossy().as_ref()) {
        Some(command) => format!("proxy-wasi {} --help", command.get_name()),
        None => "proxy-wasi --help".to_owned(),
    };
    format!("{said}; see `{help}`")
}
