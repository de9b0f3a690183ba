"""The plugin of the toolchain tests, in Python, as a component."""

from wit_world import exports
from wit_world.imports import http_body, http_headers, http_start_line, http_stream
from wit_world.imports.http_stream import LocalResponse
from wit_world.imports.logging import Level, log
from wit_world.imports.plugin_types import DataAction, Direction, HeaderAction, HeaderMap, Interest, TrailersAction

# By root context.
configurations: dict[int, bytes] = {}
# The size of the request's body, by stream context.
sizes: dict[int, int] = {}


class Lifecycle(exports.Lifecycle):
    def start(self, root, info, vm_configuration):
        pass

    def configure(self, root, configuration):
        configurations[root] = configuration
        log(Level.INFO, "", f"configured: {configuration.decode()}")
        return Interest.REQUEST_HEADERS | Interest.REQUEST_BODY | Interest.RESPONSE_HEADERS | Interest.STREAM_END

    def on_done(self, root):
        return True

    def on_delete(self, root):
        configurations.pop(root, None)


class HttpFilter(exports.HttpFilter):
    def on_request_headers(self, root, context, count, end_of_stream):
        path = http_start_line.get_path_with_query(context) or ""
        who = http_headers.get(context, HeaderMap.REQUEST_HEADERS, "x-who") or b""
        log(Level.INFO, "", f"request: {path} from {who.decode()}")
        if path == "/deny":
            headers = [("x-denied-by", b"toolchain")]
            denied = LocalResponse(403, headers, b"denied\n", grpc_status=None, details="denied")
            http_stream.send_local_response(context, denied)
            return HeaderAction.PAUSE
        http_headers.append(context, HeaderMap.REQUEST_HEADERS, "x-plugin", b"toolchain")
        http_headers.remove(context, HeaderMap.REQUEST_HEADERS, "content-length")
        return HeaderAction.CONTINUE

    def on_request_body(self, root, context, size, end_of_stream):
        if not end_of_stream:
            return DataAction.PAUSE_AND_BUFFER
        body = http_body.read(context, Direction.REQUEST, 0, size)
        sizes[context] = len(body)
        http_body.splice(context, Direction.REQUEST, 0, size, body.replace(b"cat", configurations[root]))
        return DataAction.CONTINUE

    def on_response_headers(self, root, context, count, end_of_stream):
        http_headers.set(context, HeaderMap.RESPONSE_HEADERS, "x-configured", configurations[root])
        http_headers.remove(context, HeaderMap.RESPONSE_HEADERS, "x-remove")
        return HeaderAction.CONTINUE

    def on_stream_end(self, root, context):
        # Standard output is the plugin's log as well.
        print(f"bytes: {sizes.pop(context, 0)}", flush=True)

    # Without interest these are never called, but a component must have them.

    def on_request_trailers(self, root, context, count):
        return TrailersAction.CONTINUE

    def on_response_body(self, root, context, size, end_of_stream):
        return DataAction.CONTINUE

    def on_response_trailers(self, root, context, count):
        return TrailersAction.CONTINUE
