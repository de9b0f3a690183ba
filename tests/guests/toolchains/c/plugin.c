// The plugin of the toolchain tests, in C with libc, over the ABI itself.

#include "proxy_wasm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *data;
  size_t size;
} text;

static text configuration;

// Of a stream's request body, by context.
typedef struct stream {
  struct stream *next;
  uint32_t context;
  size_t bytes;
} stream;

static stream *streams;

static text literal(const char *of) { return (text){(char *)of, strlen(of)}; }

static text request_header(const char *name) {
  text value = {0};
  proxy_get_header_map_value(REQUEST_HEADERS, name, strlen(name), &value.data, &value.size);
  return value;
}

static stream *stream_of(uint32_t context) {
  for (stream *at = streams; at != NULL; at = at->next)
    if (at->context == context) return at;
  abort();
}

// Puts `with` in the place of each `what`.
static text replace(text in, text what, text with) {
  text out = {malloc(in.size * (with.size + 1) + 1), 0};
  for (size_t at = 0; at < in.size;) {
    if (in.size - at >= what.size && memcmp(in.data + at, what.data, what.size) == 0) {
      memcpy(out.data + out.size, with.data, with.size);
      out.size += with.size;
      at += what.size;
    } else {
      out.data[out.size++] = in.data[at++];
    }
  }
  return out;
}

void *proxy_on_memory_allocate(size_t size) { return malloc(size); }

void proxy_abi_version_0_2_1(void) {}

void proxy_on_context_create(uint32_t context, uint32_t root) {
  if (root == 0) return;
  stream *made = malloc(sizeof *made);
  *made = (stream){.next = streams, .context = context};
  streams = made;
}

int proxy_on_vm_start(uint32_t root, size_t configuration_size) {
  // Hosts do not pass for a terminal: libc would keep lines until it has many.
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  return 1;
}

int proxy_on_configure(uint32_t root, size_t configuration_size) {
  if (configuration_size > 0)
    proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, configuration_size, &configuration.data, &configuration.size);
  // Through libc and WASI, like the line at the end.
  printf("configured: %.*s\n", (int)configuration.size, configuration.data);
  return 1;
}

int proxy_on_request_headers(uint32_t context, uint32_t count, int end_of_stream) {
  text path = request_header(":path"), who = request_header("x-who");
  char line[256];
  int length = snprintf(line, sizeof line, "request: %.*s from %.*s", (int)path.size, path.data, (int)who.size, who.data);
  proxy_log(LOG_INFO, line, length < (int)sizeof line ? length : sizeof line - 1);
  int denied = path.size == 5 && memcmp(path.data, "/deny", 5) == 0;
  free(path.data);
  free(who.data);
  if (denied) {
    // One pair: number, sizes, then name and value with a zero byte each.
    const char headers[] = "\1\0\0\0\13\0\0\0\11\0\0\0x-denied-by\0toolchain";
    proxy_send_local_response(403, "", 0, "denied\n", 7, headers, sizeof headers, -1);
    return PAUSE;
  }
  proxy_add_header_map_value(REQUEST_HEADERS, "x-plugin", 8, "toolchain", 9);
  proxy_remove_header_map_value(REQUEST_HEADERS, "content-length", 14);
  return CONTINUE;
}

int proxy_on_request_body(uint32_t context, size_t size, int end_of_stream) {
  if (!end_of_stream) return PAUSE;
  text body = {0};
  if (size == 0 || proxy_get_buffer_bytes(REQUEST_BODY, 0, size, &body.data, &body.size) != 0) return CONTINUE;
  stream_of(context)->bytes = body.size;
  text edited = replace(body, literal("cat"), configuration);
  proxy_set_buffer_bytes(REQUEST_BODY, 0, size, edited.data, edited.size);
  free(body.data);
  free(edited.data);
  return CONTINUE;
}

int proxy_on_response_headers(uint32_t context, uint32_t count, int end_of_stream) {
  proxy_replace_header_map_value(RESPONSE_HEADERS, "x-configured", 12, configuration.data, configuration.size);
  proxy_remove_header_map_value(RESPONSE_HEADERS, "x-remove", 8);
  return CONTINUE;
}

void proxy_on_log(uint32_t context) { printf("bytes: %zu\n", stream_of(context)->bytes); }

void proxy_on_delete(uint32_t context) {
  for (stream **at = &streams; *at != NULL; at = &(*at)->next) {
    if ((*at)->context != context) continue;
    stream *gone = *at;
    *at = gone->next;
    free(gone);
    return;
  }
}
