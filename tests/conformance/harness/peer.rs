//! Clients and upstreams that a test plays itself, byte by byte, in HTTP/1.1.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long a peer waits for bytes. Never reached by a test that passes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The other end of one of the proxy's connections.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: BufReader<TcpStream>,
}

/// An upstream whose connections a test accepts.
#[derive(Debug)]
pub(crate) struct Upstream {
    listener: TcpListener,
}

impl Upstream {
    pub(crate) fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    /// Accepts a connection and reads the head of a request on it.
    pub(crate) fn accept(&self) -> (Peer, String) {
        let (stream, _) = self.listener.accept().unwrap();
        let mut peer = Peer::new(stream);
        let head = peer.head();
        (peer, head)
    }

    /// Whether nobody has connected.
    pub(crate) fn is_untouched(&self) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        let accepted = self.listener.accept();
        self.listener.set_nonblocking(false).unwrap();
        accepted.is_err()
    }
}

impl Peer {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends lines, the last of which ends a head.
    pub(crate) fn send_head(&mut self, lines: &[&str]) {
        let mut text = lines.join("\r\n");
        text.push_str("\r\n\r\n");
        self.send(&text);
    }

    /// Answers with a head alone.
    pub(crate) fn send_no_content(&mut self) {
        self.send_head(&["HTTP/1.1 204 No Content"]);
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Sends a chunk of a body; an empty one ends it.
    pub(crate) fn chunk(&mut self, text: &str) {
        self.send(&format!("{:x}\r\n{text}\r\n", text.len()));
    }

    /// Ends a chunked body with trailers.
    pub(crate) fn trailers(&mut self, lines: &[&str]) {
        self.send("0\r\n");
        self.send_head(lines);
    }

    /// Reads a head, without its last line end.
    pub(crate) fn head(&mut self) -> String {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).unwrap();
            if read == 0 || line == "\r\n" {
                return head;
            }
            head.push_str(&line);
        }
    }

    /// Reads so many bytes of a body.
    pub(crate) fn read(&mut self, len: usize) -> String {
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Reads a chunk of a body. None is its end, whose trailers are to be read as a head.
    pub(crate) fn read_chunk(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let len = usize::from_str_radix(line.trim_end(), 16)
            .unwrap_or_else(|error| panic!("`{line}` is no chunk: {error}"));
        if len == 0 {
            return None;
        }
        let chunk = self.read(len);
        assert_eq!(self.read(2), "\r\n");
        Some(chunk)
    }

    /// Reads chunks until the body ends, and its trailers.
    pub(crate) fn chunked_body(&mut self) -> (String, String) {
        let mut body = String::new();
        while let Some(chunk) = self.read_chunk() {
            body.push_str(&chunk);
        }
        (body, self.head())
    }

    /// Whether nothing has come that has not been read.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.stream.get_ref().set_nonblocking(true).unwrap();
        let silent = self.stream.fill_buf().is_err();
        self.stream.get_ref().set_nonblocking(false).unwrap();
        silent
    }

    /// Reads until the other end closes the connection, however it does.
    pub(crate) fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset is an end like any other; what came before it is kept.
        let _ = self.stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn close(self) {
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
    }
}
