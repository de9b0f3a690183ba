//! The load generator: keep-alive HTTP/1.1 connections, each with one request under way at any time.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use wasmtime::ensure;
use wasmtime::error::Context;

use crate::cpu::ProcessClock;
use crate::message::ResponseHead;

/// Bytes read at once.
const BUFFER: usize = 256 * 1024;

/// What to send where, and how long.
#[derive(Clone, Debug)]
pub struct Load {
    /// The proxy's address.
    pub target: SocketAddr,
    /// The proxy's process, whose CPU time is counted.
    pub process: i32,
    /// The path to request.
    pub path: String,
    /// The number of connections.
    pub connections: usize,
    /// How long requests are made before counting begins.
    pub warm_up: Duration,
    /// How long requests are counted.
    pub duration: Duration,
    /// A header field that every connection's first response must have: proof that the plugin is at work.
    pub expected_field: Option<String>,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Report {
    /// Responses that arrived completely.
    pub requests: u64,
    /// Nanoseconds from the first to the last of them.
    pub wall_nanoseconds: u128,
    /// Nanoseconds of CPU time that the proxy used meanwhile.
    pub cpu_nanoseconds: u128,
}

impl Load {
    /// Makes requests for the time given and counts them.
    ///
    /// # Errors
    ///
    /// Fails on the first response that is not as expected, when a connection breaks and when the proxy ends.
    pub async fn run(self) -> wasmtime::Result<Report> {
        let clock = ProcessClock::of(self.process)
            .with_context(|| format!("no process {}", self.process))?;
        let completed = Rc::new(Cell::new(0));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            connections.spawn_local(request_for_ever(self.clone(), completed.clone()));
        }

        let measurement = async {
            sleep(self.warm_up).await;
            let (requests, cpu, start) = (completed.get(), clock.now()?, Instant::now());
            sleep(self.duration).await;
            Ok::<_, wasmtime::Error>(Report {
                requests: completed.get() - requests,
                wall_nanoseconds: start.elapsed().as_nanos(),
                cpu_nanoseconds: (clock.now()? - cpu).as_nanos(),
            })
        };
        tokio::select! {
            report = measurement => report,
            Some(ended) = connections.join_next() => Err(ended?),
        }
    }

    fn request(&self) -> Vec<u8> {
        let Self { path, target, .. } = self;
        format!(
            "GET {path} HTTP/1.1\r\n\
             host: {target}\r\n\
             user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
             accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
             accept-encoding: gzip, deflate, br, zstd\r\n\
             accept-language: en-US,en;q=0.5\r\n\
             cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n\
             x-forwarded-proto: https\r\n\
             x-request-id: 7d444840-9dc0-41d1-8245-5ffdce74fad2\r\n\
             \r\n"
        )
        .into_bytes()
    }
}

/// Returns why it could not go on.
async fn request_for_ever(load: Load, completed: Rc<Cell<u64>>) -> wasmtime::Error {
    let exchanges = async {
        let mut connection = Connection::open(load.target).await?;
        let request = load.request();
        connection
            .exchange(&request, load.expected_field.as_deref())
            .await?;
        loop {
            connection.exchange(&request, None).await?;
            completed.set(completed.get() + 1);
        }
    };
    let ended: wasmtime::Result<std::convert::Infallible> = exchanges.await;
    let Err(error) = ended;
    error
}

struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(target: SocketAddr) -> wasmtime::Result<Self> {
        let socket = TcpStream::connect(target)
            .await
            .with_context(|| format!("cannot connect to {target}"))?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            buffer: Vec::with_capacity(BUFFER),
        })
    }

    /// Makes one request and reads its response to the end.
    async fn exchange(
        &mut self,
        request: &[u8],
        expected_field: Option<&str>,
    ) -> wasmtime::Result<()> {
        self.socket.write_all(request).await?;
        self.buffer.clear();
        let message = loop {
            self.read().await?;
            if let Some(head) = ResponseHead::parse(&self.buffer)? {
                ensure!(head.status == 200, "unexpected response:\n{}", head.text);
                if let Some(name) = expected_field {
                    ensure!(
                        head.field(name).is_some(),
                        "no `{name}` in the response:\n{}",
                        head.text
                    );
                }
                break head.size + head.content_length;
            }
        };
        let mut received = self.buffer.len();
        while received < message {
            self.buffer.clear();
            self.read().await?;
            received += self.buffer.len();
        }
        ensure!(received == message, "{received} bytes instead of {message}");
        Ok(())
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.socket.read_buf(&mut self.buffer).await? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the proxy closed the connection",
            )),
            _ => Ok(()),
        }
    }
}
