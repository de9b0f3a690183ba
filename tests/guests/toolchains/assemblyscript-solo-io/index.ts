// The plugin of the toolchain tests, in AssemblyScript with @solo-io/proxy-runtime.

export * from "@solo-io/proxy-runtime/proxy";
import {
  Context,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  HeaderPair,
  LogLevelValues,
  RootContext,
  log,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@solo-io/proxy-runtime";
import { BufferTypeValues, get_buffer_bytes } from "@solo-io/proxy-runtime/runtime";

// This SDK only reads bodies; the host can do more.
// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: usize): u32;

// Over bytes, because `replaceAll` of this compiler's strings loses the end of the text.
function replaceAll(text: ArrayBuffer, what: ArrayBuffer, by: ArrayBuffer): ArrayBuffer {
  const out = new ArrayBuffer(text.byteLength * (by.byteLength + 1));
  let size = 0;
  let at = 0;
  while (at < text.byteLength) {
    const here = changetype<usize>(text) + at;
    const left = text.byteLength - at;
    if (left >= what.byteLength && memory.compare(here, changetype<usize>(what), what.byteLength) == 0) {
      memory.copy(changetype<usize>(out) + size, changetype<usize>(by), by.byteLength);
      size += by.byteLength;
      at += what.byteLength;
    } else {
      store<u8>(changetype<usize>(out) + size, load<u8>(here));
      size += 1;
      at += 1;
    }
  }
  return out.slice(0, size);
}

class Root extends RootContext {
  configuration: string = "";

  // The SDK's own passes the configuration's size where the host expects a pointer.
  onConfigure(size: u32): bool {
    this.configuration = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, size));
    log(LogLevelValues.info, "configured: " + this.configuration);
    return true;
  }

  createContext(context_id: u32): Context {
    return new Stream(context_id, this);
  }
}

class Stream extends Context {
  configuration: string;
  // Of the request's body.
  bytes: u32 = 0;

  constructor(context_id: u32, root: Root) {
    super(context_id, root);
    this.configuration = root.configuration;
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    const path = headers.get(":path");
    log(LogLevelValues.info, "request: " + path + " from " + headers.get("x-who"));
    if (path == "/deny") {
      const denied = new HeaderPair(String.UTF8.encode("x-denied-by"), String.UTF8.encode("toolchain"));
      send_local_response(403, "denied", String.UTF8.encode("denied\n"), [denied], GrpcStatusValues.InvalidCode);
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
    const edited = replaceAll(body, String.UTF8.encode("cat"), String.UTF8.encode(this.configuration));
    const data = changetype<usize>(edited);
    proxy_set_buffer_bytes(BufferTypeValues.HttpRequestBody, 0, size as u32, data, edited.byteLength);
    return FilterDataStatusValues.Continue;
  }

  onResponseHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.replace("x-configured", this.configuration);
    stream_context.headers.response.remove("x-remove");
    return FilterHeadersStatusValues.Continue;
  }

  onLog(): void {
    log(LogLevelValues.info, "bytes: " + this.bytes.toString());
  }
}

registerRootContext((context_id: u32) => new Root(context_id), "toolchain");
