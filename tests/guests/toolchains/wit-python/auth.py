"""Asks the cluster `auth` about each request, in Python, as a component of a world of its own."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import http_callout, http_start_line, http_stream, types
from wit_world.imports.http_callout import CalloutRequest
from wit_world.imports.http_stream import LocalResponse
from wit_world.imports.plugin_types import DataAction, Direction, HeaderAction, Interest, TrailersAction

# The streams that wait, by callout.
waiting = {}


def answer(context, status):
    http_stream.send_local_response(context, LocalResponse(status, [], b"", None, "auth"))


class Lifecycle(exports.Lifecycle):
    def start(self, root, info, vm_configuration):
        pass

    def configure(self, root, configuration):
        return Interest.REQUEST_HEADERS | Interest.STREAM_END

    def on_done(self, root):
        return True

    def on_delete(self, root):
        pass


class HttpFilter(exports.HttpFilter):
    def on_request_headers(self, root, context, count, end_of_stream):
        path = http_start_line.get_path_with_query(context) or "/"
        request = CalloutRequest(
            "auth", types.Method_Get(), None, "auth.internal", path, [], b"", [], None
        )
        try:
            waiting[http_callout.send(root, request)] = context
        except Err:
            answer(context, 503)
        return HeaderAction.PAUSE

    def on_stream_end(self, root, context):
        # The client may leave before the answer comes.
        for id in [id for id, of in waiting.items() if of == context]:
            del waiting[id]
            http_callout.cancel(id)

    def on_request_body(self, root, context, size, end_of_stream):
        return DataAction.CONTINUE

    def on_request_trailers(self, root, context, count):
        return TrailersAction.CONTINUE

    def on_response_headers(self, root, context, count, end_of_stream):
        return HeaderAction.CONTINUE

    def on_response_body(self, root, context, size, end_of_stream):
        return DataAction.CONTINUE

    def on_response_trailers(self, root, context, count):
        return TrailersAction.CONTINUE


class HttpCalloutHandler(exports.HttpCalloutHandler):
    def on_response(self, root, id, outcome):
        context = waiting.pop(id, None)
        if context is None:
            return
        if isinstance(outcome, Err):
            answer(context, 503)
        elif http_callout.response_status(id) == 200:
            http_stream.resume(context, Direction.REQUEST)
        else:
            answer(context, 403)
