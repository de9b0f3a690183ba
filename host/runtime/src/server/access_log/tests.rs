use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use super::*;
use crate::server::DownstreamProtocol;

/// An output whose content can be looked at.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a worker with a log until `work` is done, and returns everything written.
fn logged<F: Future<Output = ()>>(work: impl FnOnce(AccessLog) -> F) -> String {
    let output = Output::default();
    let writer = AccessLogWriter::start(output.clone()).unwrap();
    let handle = writer.handle();
    on_worker(async { work(AccessLog::new(handle)).await });
    writer.finish().unwrap();
    output.text()
}

fn on_worker(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work);
}

fn record(target: &str, id: &[u8]) -> AccessRecord {
    let mut request = Request::get(target).body(()).unwrap();
    if !id.is_empty() {
        let id = HeaderValue::from_bytes(id).unwrap();
        request.headers_mut().insert(X_REQUEST_ID, id);
    }
    let connection = ConnectionInfo {
        id: 1,
        peer: "192.0.2.1:50412".parse().unwrap(),
        local: "192.0.2.2:80".parse().unwrap(),
        protocol: DownstreamProtocol::Http1,
    };
    AccessRecord::new(&request, &connection)
}

/// The line without time of day and duration.
fn stable(line: &str) -> String {
    let (_, line) = line.trim_end().split_once("Z] 192.0.2.1:50412 ").unwrap();
    let mut words: Vec<&str> = line.split(' ').collect();
    let duration = words
        .iter()
        .position(|word| word.contains('.') && word.parse::<f64>().is_ok());
    words.remove(duration.unwrap());
    words.join(" ")
}

#[test]
fn writes_a_line_per_request() {
    let text = logged(|log| async move {
        log.write(&AccessRecord {
            status: Some(StatusCode::CREATED),
            request_bytes: 3,
            response_bytes: 40,
            upstream: Some("origin".into()),
            ..record("http://a.test/x?y", b"id-1")
        });
        log.write(&record("/", b""));
    });
    let lines: Vec<String> = text.lines().map(stable).collect();
    assert_eq!(
        lines,
        [
            "\"GET /x?y HTTP/1.1\" 201 3 40 origin id-1",
            "\"GET / HTTP/1.1\" 0 0 0 - -",
        ]
    );
    assert!(text.starts_with("[20"), "{text}");
}

#[test]
fn a_value_cannot_pretend_to_be_more() {
    let table: [(&str, &[u8], &str); 4] = [
        ("/", b"a b", "\"GET / HTTP/1.1\" 0 0 0 - \"a b\""),
        ("/", b"a\"\\b", "\"GET / HTTP/1.1\" 0 0 0 - \"a\\\"\\\\b\""),
        (
            "/",
            b"\xff\tx",
            "\"GET / HTTP/1.1\" 0 0 0 - \"\\xff\\x09x\"",
        ),
        ("/%22\"x", b"", "\"GET /%22\\\"x HTTP/1.1\" 0 0 0 - -"),
    ];
    for (target, id, expected) in table {
        let text = logged(|log| async move { log.write(&record(target, id)) });
        assert_eq!(stable(&text), expected);
    }
}

#[test]
fn hands_over_while_running() {
    struct Reporting(Sender<Vec<u8>>);
    impl Write for Reporting {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (sender, receiver) = channel();
    let writer = AccessLogWriter::start(Reporting(sender)).unwrap();
    let handle = writer.handle();
    on_worker(async {
        let log = AccessLog::new(handle);
        log.write(&record("/", b"id"));
        // The log lives on, so what arrives was handed over by the clock.
        let line = tokio::task::spawn_blocking(move || receiver.recv().unwrap())
            .await
            .unwrap();
        assert!(line.ends_with(b" id\n"));
        drop(log);
    });
    writer.finish().unwrap();
}

#[test]
fn a_stuck_output_costs_lines_not_time() {
    struct Stuck(Receiver<()>);
    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Ends when the test drops the sender.
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (release, stuck) = channel();
    let writer = AccessLogWriter::start(Stuck(stuck)).unwrap();
    let handle = writer.handle();
    on_worker(async {
        let log = AccessLog::new(handle);
        let record = record("/", b"id");
        let lines_per_block = FLUSH_SIZE / 50;
        for _ in 0..(MAX_QUEUED_BLOCKS + 20) * lines_per_block {
            log.write(&record);
        }
        assert!(log.0.dropped.get() > 0);
        assert!(log.0.lines.borrow().len() <= MAX_BUFFERED + 200);
        drop(release);
    });
    writer.finish().unwrap();
}

#[test]
fn an_output_that_fails_costs_the_lines_of_that_time() {
    /// Has room again after the first block.
    struct Full(bool, Output);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match std::mem::take(&mut self.0) {
                true => Err(io::Error::other("disk full")),
                false => self.1.write(bytes),
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let output = Output::default();
    let writer = AccessLogWriter::start(Full(true, output.clone())).unwrap();
    let handle = writer.handle();
    on_worker(async {
        let log = AccessLog::new(handle);
        for id in [b"1", b"2", b"3"] {
            log.write(&record("/", id));
            log.0.hand_over();
        }
    });
    assert_eq!(writer.finish().unwrap_err().to_string(), "disk full");
    let ids: Vec<_> = output
        .text()
        .lines()
        .map(|line| line.chars().last())
        .collect();
    assert_eq!(ids, [Some('2'), Some('3')]);
}
