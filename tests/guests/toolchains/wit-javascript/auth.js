// Asks the cluster `auth` about each request, in JavaScript, as a component of a world of its own.

import { send, cancel, responseStatus } from 'proxy-wasm:plugin/http-callout@0.1.0';
import { getPathWithQuery } from 'proxy-wasm:plugin/http-start-line@0.1.0';
import { resume, sendLocalResponse } from 'proxy-wasm:plugin/http-stream@0.1.0';

// The streams that wait, by callout.
const waiting = new Map();

export const lifecycle = {
  start() {},
  configure: () => ({ requestHeaders: true, streamEnd: true }),
  onDone: () => true,
  onDelete() {},
};

const nothing = new Uint8Array();
const answer = (context, status) =>
  sendLocalResponse(context, { status, headers: [], body: nothing, details: 'auth' });

export const httpFilter = {
  onRequestHeaders(root, context) {
    const request = {
      cluster: 'auth',
      method: { tag: 'get' },
      authority: 'auth.internal',
      pathWithQuery: getPathWithQuery(context) ?? '/',
      headers: [],
      body: nothing,
      trailers: [],
    };
    try {
      waiting.set(send(root, request), context);
    } catch {
      answer(context, 503);
    }
    return 'pause';
  },
  // The client may leave before the answer comes.
  onStreamEnd(root, context) {
    for (const [id, of] of waiting) {
      if (of !== context) continue;
      waiting.delete(id);
      cancel(id);
    }
  },
  onRequestBody: () => 'continue',
  onRequestTrailers: () => 'continue',
  onResponseHeaders: () => 'continue',
  onResponseBody: () => 'continue',
  onResponseTrailers: () => 'continue',
};

export const httpCalloutHandler = {
  onResponse(root, id, outcome) {
    const context = waiting.get(id);
    if (context == null || !waiting.delete(id)) return;
    if (outcome.tag === 'err') answer(context, 503);
    else if (responseStatus(id) === 200) resume(context, 'request');
    else answer(context, 403);
  },
};
