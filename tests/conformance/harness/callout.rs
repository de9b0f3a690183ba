//! HTTP callouts: the call of scripts, the cluster that is called, and what it answers.

use proxy_wasi_test_support::Kind;

use super::{Case, Peer, Upstream};

/// The call of a script that only needs one.
pub(crate) const CALL: &str =
    "http_call('auth', pairs(':method' 'GET' ':path' '/' ':authority' 'a'), '', '', 0, u32) => 0";

impl Case {
    /// One plugin, whose callouts to the cluster `auth` go to an upstream that the test plays.
    pub(crate) fn calling(kind: Kind, script: &str, auth: &Upstream) -> Self {
        Self::new(kind, script).cluster("auth", auth)
    }
}

impl Upstream {
    /// Takes a call and answers it.
    pub(crate) fn answer(&self) {
        let (mut peer, _) = self.accept();
        peer.answer("ok");
    }

    /// Takes a call and answers it in part: the connection is lost within the body.
    pub(crate) fn answer_in_part(&self) {
        let (mut peer, _) = self.accept();
        peer.send_head(&["HTTP/1.1 200 OK", "content-length: 9"]);
        peer.send("ok");
    }

    /// Takes a call, answers it without a body and closes the connection.
    pub(crate) fn answer_and_close(&self) {
        let (peer, _) = self.accept();
        peer.answer_and_close();
    }
}

impl Peer {
    /// Answers with a status of 200 and this body.
    pub(crate) fn answer(&mut self, body: &str) {
        let length = format!("content-length: {}", body.len());
        self.send_head(&["HTTP/1.1 200 OK", &length]);
        self.send(body);
    }

    /// Answers with a status of 200 and no body, and closes the connection.
    pub(crate) fn answer_and_close(mut self) {
        self.send_head(&["HTTP/1.1 200 OK", "content-length: 0", "connection: close"]);
        self.close();
    }
}
