// The plugin of the toolchain tests, in JavaScript, as a component.

import { log } from 'wasi:logging/logging@0.1.0-draft';
import * as body from 'proxy-wasm:plugin/http-body@0.1.0';
import * as headers from 'proxy-wasm:plugin/http-headers@0.1.0';
import { getPathWithQuery } from 'proxy-wasm:plugin/http-start-line@0.1.0';
import { sendLocalResponse } from 'proxy-wasm:plugin/http-stream@0.1.0';
import { decode, encode } from './text.js';

// By root context.
const configurations = new Map();
// The size of the request's body, by stream context.
const sizes = new Map();

const info = (line) => log('info', '', line);

export const lifecycle = {
  start(root, info, vmConfiguration) {},
  configure(root, configuration) {
    configurations.set(root, configuration);
    info(`configured: ${decode(configuration)}`);
    return { requestHeaders: true, requestBody: true, responseHeaders: true, streamEnd: true };
  },
  onDone(root) {
    return true;
  },
  onDelete(root) {
    configurations.delete(root);
  },
};

function requestHeader(context, name) {
  const value = headers.get(context, 'request-headers', name);
  return value == null ? '' : decode(value);
}

export const httpFilter = {
  onRequestHeaders(root, context, count, endOfStream) {
    const path = getPathWithQuery(context) ?? '';
    info(`request: ${path} from ${requestHeader(context, 'x-who')}`);
    if (path === '/deny') {
      sendLocalResponse(context, {
        status: 403,
        headers: [['x-denied-by', encode('toolchain')]],
        body: encode('denied\n'),
        details: 'denied',
      });
      return 'pause';
    }
    headers.append(context, 'request-headers', 'x-plugin', encode('toolchain'));
    headers.remove(context, 'request-headers', 'content-length');
    return 'continue';
  },
  onRequestBody(root, context, size, endOfStream) {
    if (!endOfStream) return 'pause-and-buffer';
    const whole = body.read(context, 'request', 0, size);
    sizes.set(context, whole.length);
    const edited = decode(whole).replaceAll('cat', decode(configurations.get(root)));
    body.splice(context, 'request', 0, size, encode(edited));
    return 'continue';
  },
  onResponseHeaders(root, context, count, endOfStream) {
    headers.set(context, 'response-headers', 'x-configured', configurations.get(root));
    headers.remove(context, 'response-headers', 'x-remove');
    return 'continue';
  },
  onStreamEnd(root, context) {
    info(`bytes: ${sizes.get(context) ?? 0}`);
    sizes.delete(context);
  },
  // Without interest these are never called, but a component must have them.
  onRequestTrailers: () => 'continue',
  onResponseBody: () => 'continue',
  onResponseTrailers: () => 'continue',
};
