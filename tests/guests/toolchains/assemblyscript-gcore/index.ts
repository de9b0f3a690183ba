// The plugin of the toolchain tests, in AssemblyScript with @gcoredev/proxy-wasm-sdk-as.

export * from "@gcoredev/proxy-wasm-sdk-as/assembly/proxy";
import {
  BufferTypeValues,
  Context,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  LogLevelValues,
  RootContext,
  get_buffer_bytes,
  log,
  makeHeaderPair,
  registerRootContext,
  send_http_response,
  set_buffer_bytes,
  stream_context,
} from "@gcoredev/proxy-wasm-sdk-as/assembly";
import { proxy_on_delete as on_stream_delete, proxy_on_done as on_stream_done } from "@gcoredev/proxy-wasm-sdk-as/assembly/proxy";

let root: u32 = 0;

// The SDK's own two abort for the root context, which it does not keep among its contexts.
export function proxy_on_done(context: u32): u32 {
  return context == root ? 1 : on_stream_done(context);
}
export function proxy_on_delete(context: u32): void {
  if (context != root) on_stream_delete(context);
}

class Root extends RootContext {
  onConfigure(size: u32): bool {
    super.onConfigure(size);
    log(LogLevelValues.info, "configured: " + this.getConfiguration());
    return true;
  }

  createContext(context_id: u32): Context {
    return new Stream(context_id, this);
  }
}

class Stream extends Context {
  // Of the request's body.
  bytes: u32 = 0;

  constructor(context_id: u32, root: Root) {
    super(context_id, root);
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    const path = headers.get(":path");
    log(LogLevelValues.info, "request: " + path + " from " + headers.get("x-who"));
    if (path == "/deny") {
      send_http_response(403, "denied", String.UTF8.encode("denied\n"), [makeHeaderPair("x-denied-by", "toolchain")]);
      return FilterHeadersStatusValues.StopIteration;
    }
    headers.add("x-plugin", "toolchain");
    headers.remove("content-length");
    return FilterHeadersStatusValues.Continue;
  }

  onRequestBody(size: usize, end_of_stream: bool): FilterDataStatusValues {
    if (!end_of_stream) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = get_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32);
    this.bytes = body.byteLength;
    const text = String.UTF8.decode(body).replaceAll("cat", this.root_context.getConfiguration());
    set_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32, String.UTF8.encode(text));
    return FilterDataStatusValues.Continue;
  }

  onResponseHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    // Not `replace`, which this SDK says does nothing where the field is absent.
    stream_context.headers.response.add("x-configured", this.root_context.getConfiguration());
    stream_context.headers.response.remove("x-remove");
    return FilterHeadersStatusValues.Continue;
  }

  onLog(): void {
    log(LogLevelValues.info, "bytes: " + this.bytes.toString());
  }
}

registerRootContext((context_id: u32) => {
  root = context_id;
  return new Root(context_id);
}, "toolchain");
