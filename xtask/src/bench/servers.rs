//! How the proxies under test are started.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::artifacts::Artifacts;
use super::process::{Cores, Process};
use super::row::{Row, Server};

/// Starts servers, all with the same upstream.
#[derive(Debug)]
pub(super) struct Servers<'a> {
    artifacts: &'a Artifacts,
    cores: Cores,
    upstream: Process,
}

impl<'a> Servers<'a> {
    /// Starts the upstream.
    pub(super) fn new(artifacts: &'a Artifacts, cores: Cores) -> anyhow::Result<Self> {
        let upstream = Process::start(
            cores.load(artifacts.program("origin")),
            &artifacts.scratch()?.join("origin.log"),
        )?;
        Ok(Self {
            artifacts,
            cores,
            upstream,
        })
    }

    /// Starts the server of a row.
    pub(super) fn start(&self, row: Row) -> anyhow::Result<Process> {
        let log = self.artifacts.scratch()?.join("server.log");
        match row.server() {
            Server::Bare => Process::start(self.with_endpoint(self.command("bare-proxy", 1)), &log),
            Server::ReferenceHost(guest) => {
                let mut command = self.command("reference-host", 1);
                command.arg(self.artifacts.guest(guest));
                Process::start(self.with_endpoint(command), &log)
            }
            Server::ProxyWasi {
                plugin,
                workers,
                log_level,
            } => {
                let mut command = self.serve(workers)?;
                command.args(["--log-level", log_level]);
                match plugin {
                    Some(guest) => {
                        let configuration = guest.configuration();
                        command
                            .arg(self.artifacts.guest(guest))
                            .args(configuration.iter().flat_map(|it| ["--plugin-config", it]))
                    }
                    None => command.arg("--config").arg(self.no_plugins()?),
                };
                Process::start(command, &log)
            }
            Server::Nginx => self.start_nginx(&log),
        }
    }

    /// Starts `proxy-wasi serve --config FILE` with one worker.
    pub(super) fn start_configured(&self, file: &Path) -> anyhow::Result<Process> {
        let mut command = self.serve(1)?;
        command.arg("--config").arg(file);
        Process::start(command, &self.artifacts.scratch()?.join("server.log"))
    }

    fn serve(&self, workers: usize) -> anyhow::Result<Command> {
        let mut command = self.command("proxy-wasi", workers);
        command.arg("serve");
        let mut command = self.with_endpoint(command);
        let scratch = self.artifacts.scratch()?;
        command
            .args(["--workers", &workers.to_string(), "--no-access-log"])
            .arg("--cache-dir")
            .arg(scratch.join("cache"));
        Ok(command)
    }

    /// Writes a configuration without plugins: a command line names at least one.
    fn no_plugins(&self) -> anyhow::Result<PathBuf> {
        let file = self.artifacts.scratch()?.join("no-plugins.yaml");
        std::fs::write(&file, "plugins: []\n")
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(file)
    }

    fn command(&self, program: &str, workers: usize) -> Command {
        self.cores.server(self.artifacts.program(program), workers)
    }

    fn with_endpoint(&self, mut command: Command) -> Command {
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(["--upstream", &format!("http://{}", self.upstream.address())]);
        command
    }

    fn start_nginx(&self, log: &Path) -> anyhow::Result<Process> {
        let scratch = self.artifacts.scratch()?;
        let upstream = self.upstream.address();
        // nginx cannot choose a port and tell which: take one that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = scratch.join("nginx.conf");
        let settings = format!(
            "daemon off; master_process off; pid nginx.pid; error_log nginx.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\n\
               client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;\n\
               uwsgi_temp_path temp; scgi_temp_path temp;\n\
               access_log off; keepalive_requests 1000000000; tcp_nodelay on;\n\
               upstream origin {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}\n\
               server {{\n\
                 listen {address};\n\
                 location / {{\n\
                   proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header connection \"\";\n\
                 }}\n\
               }}\n\
             }}\n"
        );
        std::fs::write(&file, settings)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        let mut command = self.cores.server("nginx", 1);
        command.arg("-p").arg(&scratch).arg("-c").arg(&file);
        Process::start_silent(command, address, log)
    }
}
