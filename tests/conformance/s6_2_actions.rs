//! What callbacks return (ABI reference 2.3, 6.2, 6.3), and what becomes of a held stream.

mod buffers;
mod pauses;
mod results;

use crate::harness::Running;

/// The head of a request whose body ends in trailers.
const CHUNKED: [&str; 5] = [
    "POST / HTTP/1.1",
    "host: a",
    "transfer-encoding: chunked",
    "te: trailers",
    "trailer: x-trailer, x-added",
];

/// Requests behind the first stream: the last of so many resumes that one. They are answered at once.
fn resumed_by(last: u32, of: u32) -> String {
    let answer = "send_local_response(200, '', 'nudged', '', -1)
            return(1)";
    let mut script = String::new();
    for context in 3..last + 2 {
        script.push_str(&format!(
            "request_headers@{context}:
                {}
                {answer}\n",
            if context == last + 1 {
                format!(
                    "set_effective_context(2)
                    continue_stream({of})
                    set_effective_context({context})"
                )
            } else {
                String::new()
            }
        ));
    }
    script
}

/// Another request, on a connection of its own: what was sent before it has arrived.
fn nudge(running: &Running) {
    assert_eq!(running.get("/nudge").text(), "nudged");
}
