use std::cell::RefCell;

use super::http_filter::Guest as _;
use super::lifecycle::{Guest as _, PluginInfo};
use super::timer_handler::Guest as _;
use super::{grpc_callout_handler, http_callout_handler, *};
use crate::callout::{CalloutId, CalloutResponse};
use crate::error::{Error, Result};
use crate::exchange::Exchange;
use crate::log::Level;
use crate::plugin::HttpStream;
use crate::root::{CalloutOwner, Root};

thread_local! {
    static EVENTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn record(event: impl Into<String>) {
    EVENTS.with_borrow_mut(|events| events.push(event.into()));
}

fn events() -> Vec<String> {
    EVENTS.take()
}

/// Counts the callbacks of each stream, and records who was called with what.
struct Counting {
    name: String,
    streams: u32,
}

struct CountingStream {
    number: u32,
    callbacks: u32,
}

impl Plugin for Counting {
    type Stream = CountingStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS;

    fn configure(root: &Root, configuration: &[u8]) -> Result<Self> {
        if configuration == b"bad" {
            return Err("the configuration is bad".into());
        }
        Ok(Self {
            name: format!("{}:{}", root.root_id(), root.name()),
            streams: 0,
        })
    }

    fn stream(&mut self) -> CountingStream {
        self.streams += 1;
        CountingStream {
            number: self.streams,
            callbacks: 0,
        }
    }

    fn on_tick(&mut self, _root: &Root) -> Result<()> {
        record(format!("{} tick", self.name));
        Ok(())
    }

    fn on_callout_response(
        &mut self,
        _root: &Root,
        id: CalloutId,
        response: Result<CalloutResponse, ErrorCode>,
    ) -> Result<()> {
        record(format!("plugin: answer {} {}", id.0, response.is_ok()));
        Ok(())
    }

    fn on_done(&mut self, _root: &Root) -> bool {
        record("done");
        false
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        // Plugins that a test leaves behind go with its thread, maybe after the record.
        let _ = EVENTS.try_with(|events| events.borrow_mut().push("dropped".into()));
    }
}

impl CountingStream {
    fn called(&mut self) {
        self.callbacks += 1;
        record(format!(
            "stream {} callback {}",
            self.number, self.callbacks
        ));
    }
}

impl HttpStream for CountingStream {
    type Plugin = Counting;

    fn on_request_headers(
        &mut self,
        _plugin: &mut Counting,
        exchange: &Exchange<'_>,
        end_of_stream: bool,
    ) -> Result<HeaderAction> {
        self.called();
        // Streams are numbered by the tests as they like; these make a callout.
        if exchange.context >= 1 << 24 {
            let owner = CalloutOwner {
                stream: exchange.context,
                ends_with_message: true,
            };
            exchange
                .root
                .callouts
                .borrow_mut()
                .insert(exchange.context, owner);
        }
        Ok(if end_of_stream {
            HeaderAction::Pause
        } else {
            HeaderAction::Continue
        })
    }

    fn on_request_body(
        &mut self,
        _plugin: &mut Counting,
        _exchange: &Exchange<'_>,
        _size: u32,
        _end_of_stream: bool,
    ) -> Result<DataAction> {
        Err("no bodies, please".into())
    }

    fn on_stream_end(&mut self, _plugin: &mut Counting, _exchange: &Exchange<'_>) -> Result<()> {
        self.called();
        Ok(())
    }

    fn on_callout_response(
        &mut self,
        _plugin: &mut Counting,
        _exchange: &Exchange<'_>,
        id: CalloutId,
        response: Result<CalloutResponse, ErrorCode>,
    ) -> Result<()> {
        record(format!(
            "stream {}: answer {} {}",
            self.number,
            id.0,
            response.is_ok()
        ));
        Ok(())
    }

    fn on_grpc_event(
        &mut self,
        _plugin: &mut Counting,
        _exchange: &Exchange<'_>,
        id: CalloutId,
        event: GrpcEvent,
    ) -> Result<()> {
        record(format!("stream {}: {} {event:?}", self.number, id.0));
        Ok(())
    }

    fn on_error(&mut self, _plugin: &mut Counting, _exchange: &Exchange<'_>, error: Error) {
        record(format!("stream {}: {error}", self.number));
    }
}

/// Enters the plugin again from within a callback, as no host should.
struct Reentrant;

struct ReentrantStream;

impl Plugin for Reentrant {
    type Stream = ReentrantStream;

    const INTEREST: Interest = Interest::REQUEST_HEADERS;

    fn configure(_root: &Root, _configuration: &[u8]) -> Result<Self> {
        Ok(Self)
    }

    fn stream(&mut self) -> ReentrantStream {
        record("made");
        ReentrantStream
    }
}

impl HttpStream for ReentrantStream {
    type Plugin = Reentrant;

    fn on_request_headers(
        &mut self,
        _plugin: &mut Reentrant,
        exchange: &Exchange<'_>,
        _end_of_stream: bool,
    ) -> Result<HeaderAction> {
        Both::on_stream_end(exchange.root.id, exchange.context);
        Both::on_request_headers(exchange.root.id, exchange.context, 0, false);
        Ok(HeaderAction::Pause)
    }
}

struct BothPlugins;

impl Plugins for BothPlugins {
    fn start(start: Start) -> Result<Box<dyn Context>, String> {
        match start.root_id() {
            "counting" => Ok(context::<Counting>(start)),
            "reentrant" => Ok(context::<Reentrant>(start)),
            other => Err(format!("no `{other}`")),
        }
    }
}

type Both = Exports<BothPlugins>;

fn start(root: u64, root_id: &str) -> Result<(), String> {
    let info = PluginInfo {
        name: "test".into(),
        root_id: root_id.into(),
        vm_id: String::new(),
        // So that no message goes to the host, which there is none of here.
        log_level: Level::Critical,
    };
    Both::start(root, info, Vec::new())
}

fn started(root: u64, root_id: &str) -> Interest {
    start(root, root_id).unwrap();
    Both::configure(root, Vec::new()).unwrap()
}

#[test]
fn a_stream_keeps_its_state_until_it_ends() {
    assert_eq!(
        started(1, "counting"),
        Interest::REQUEST_HEADERS | Interest::STREAM_END
    );

    assert_eq!(
        Both::on_request_headers(1, 5, 0, false),
        HeaderAction::Continue
    );
    assert_eq!(Both::on_request_headers(1, 6, 0, true), HeaderAction::Pause);
    Both::on_stream_end(1, 5);
    Both::on_request_headers(1, 5, 0, false);

    assert_eq!(
        events(),
        [
            "stream 1 callback 1",
            "stream 2 callback 1",
            "stream 1 callback 2",
            "stream 3 callback 1"
        ]
    );
}

#[test]
fn a_stream_without_state_is_not_kept() {
    assert_eq!(started(1, "reentrant"), Interest::REQUEST_HEADERS);

    Both::on_request_headers(1, 5, 0, false);
    Both::on_request_headers(1, 5, 0, false);

    assert_eq!(events(), ["made", "made"]);
}

#[test]
fn entering_a_plugin_again_does_nothing() {
    started(1, "reentrant");

    assert_eq!(
        Both::on_request_headers(1, 5, 0, false),
        HeaderAction::Pause
    );
    assert_eq!(events(), ["made"]);
}

#[test]
fn root_contexts_are_kept_apart() {
    started(1, "reentrant");
    started(2, "counting");

    Both::on_tick(1);
    Both::on_tick(2);
    Both::on_tick(3);

    assert_eq!(events(), ["counting:test tick"]);
    assert_eq!(start(3, "other"), Err("no `other`".into()));
    assert_eq!(
        Both::configure(3, Vec::new()),
        Err("root context 3 has not been started".into())
    );
}

#[test]
fn a_plugin_that_refuses_its_configuration_sees_nothing() {
    start(1, "counting").unwrap();

    assert_eq!(
        Both::configure(1, b"bad".into()),
        Err("the configuration is bad".into())
    );
    assert_eq!(
        Both::on_request_headers(1, 5, 0, true),
        HeaderAction::Continue
    );
    assert!(Both::on_done(1));
    assert!(events().is_empty());
}

#[test]
fn a_plugin_ends_when_it_is_deleted() {
    started(1, "counting");

    assert!(!Both::on_done(1));
    Both::on_delete(1);
    Both::on_tick(1);

    assert_eq!(events(), ["done", "dropped"]);
}

#[test]
fn an_error_in_a_callback_is_the_streams_to_handle() {
    started(1, "counting");

    assert_eq!(Both::on_request_body(1, 5, 3, false), DataAction::Continue);
    assert_eq!(events(), ["stream 1: no bodies, please"]);
}

#[test]
fn an_answer_goes_to_whoever_asked() {
    const STREAM: u64 = 1 << 24;
    started(1, "counting");
    Both::on_request_headers(1, STREAM, 0, false);
    events();

    <Both as http_callout_handler::Guest>::on_response(1, STREAM, Ok(()));
    <Both as http_callout_handler::Guest>::on_response(
        1,
        STREAM,
        Err(ErrorCode::ConnectionTimeout),
    );

    // The second one is nobody's any more: the plugin's, as far as the SDK can tell.
    assert_eq!(
        events(),
        [
            format!("stream 1: answer {STREAM} true"),
            format!("plugin: answer {STREAM} false")
        ]
    );
}

#[test]
fn an_answer_for_a_stream_that_has_ended_is_dropped() {
    const STREAM: u64 = 1 << 24;
    started(1, "counting");
    Both::on_request_headers(1, STREAM, 0, false);
    Both::on_stream_end(1, STREAM);
    events();

    <Both as http_callout_handler::Guest>::on_response(1, STREAM, Ok(()));

    assert!(events().is_empty());
}

#[test]
fn a_unary_call_ends_with_its_message() {
    use grpc_callout_handler::Guest;
    const STREAM: u64 = 1 << 24;
    started(1, "counting");
    Both::on_request_headers(1, STREAM, 0, false);
    events();

    <Both as Guest>::on_message(1, STREAM, b"ok".into());
    <Both as Guest>::on_close(1, STREAM, 14, "late".into());

    assert_eq!(
        events(),
        [format!("stream 1: {STREAM} Message([111, 107])")]
    );
}
