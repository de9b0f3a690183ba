// The plugin of the toolchain tests, in C, as a component.

#include "http_filter_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef http_filter_plugin_string_t string;
typedef http_filter_plugin_list_u8_t bytes;
typedef proxy_wasm_plugin_http_headers_field_value_t value;

#define REQUEST PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_MAP_REQUEST_HEADERS
#define RESPONSE PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_MAP_RESPONSE_HEADERS
#define REQUEST_BODY PROXY_WASM_PLUGIN_PLUGIN_TYPES_DIRECTION_REQUEST

static string text(const char *s) { return (string){(uint8_t *)s, strlen(s)}; }
static value value_of(const char *s) { return (value){(uint8_t *)s, strlen(s)}; }

// The configuration of each root context.
typedef struct configuration {
  uint64_t root;
  value shown;
  struct configuration *next;
} configuration;
static configuration *configurations;

// The size of each stream's request body.
typedef struct stream {
  uint64_t context;
  size_t bytes;
  struct stream *next;
} stream;
static stream *streams;

static value configuration_of(uint64_t root) {
  for (configuration *at = configurations; at != NULL; at = at->next)
    if (at->root == root) return at->shown;
  return (value){0};
}

static void log_line(const char *line) {
  string category = text(""), message = text(line);
  wasi_logging_logging_log(WASI_LOGGING_LOGGING_LEVEL_INFO, &category, &message);
}

bool exports_proxy_wasm_plugin_lifecycle_start(uint64_t root, exports_proxy_wasm_plugin_lifecycle_plugin_info_t *info,
                                               bytes *vm_configuration, string *error) {
  exports_proxy_wasm_plugin_lifecycle_plugin_info_free(info);
  http_filter_plugin_list_u8_free(vm_configuration);
  return true;
}

bool exports_proxy_wasm_plugin_lifecycle_configure(uint64_t root, bytes *given,
                                                   exports_proxy_wasm_plugin_lifecycle_interest_t *interest,
                                                   string *error) {
  configuration *made = malloc(sizeof *made);
  if (made == NULL) {
    http_filter_plugin_string_dup(error, "out of memory");
    http_filter_plugin_list_u8_free(given);
    return false;
  }
  *made = (configuration){root, {given->ptr, given->len}, configurations};  // takes the bytes over
  configurations = made;
  char line[256];
  snprintf(line, sizeof line, "configured: %.*s", (int)given->len, (const char *)given->ptr);
  log_line(line);
  *interest = PROXY_WASM_PLUGIN_PLUGIN_TYPES_INTEREST_REQUEST_HEADERS |
              PROXY_WASM_PLUGIN_PLUGIN_TYPES_INTEREST_REQUEST_BODY |
              PROXY_WASM_PLUGIN_PLUGIN_TYPES_INTEREST_RESPONSE_HEADERS |
              PROXY_WASM_PLUGIN_PLUGIN_TYPES_INTEREST_STREAM_END;
  return true;
}

bool exports_proxy_wasm_plugin_lifecycle_on_done(uint64_t root) { return true; }

void exports_proxy_wasm_plugin_lifecycle_on_delete(uint64_t root) {
  for (configuration **at = &configurations; *at != NULL; at = &(*at)->next) {
    if ((*at)->root != root) continue;
    configuration *gone = *at;
    *at = gone->next;
    proxy_wasm_plugin_http_headers_field_value_free(&gone->shown);
    free(gone);
    return;
  }
}

// Copies the first value of a request header; empty if there is none.
static void copy_header(uint64_t context, const char *name, char *into, size_t size) {
  string field = text(name);
  proxy_wasm_plugin_http_headers_option_field_value_t found;
  proxy_wasm_plugin_http_headers_header_error_t error;
  into[0] = 0;
  if (!proxy_wasm_plugin_http_headers_get(context, REQUEST, &field, &found, &error)) return;
  if (found.is_some) snprintf(into, size, "%.*s", (int)found.val.len, (const char *)found.val.ptr);
  proxy_wasm_plugin_http_headers_option_field_value_free(&found);
}

static void copy_path(uint64_t context, char *into, size_t size) {
  http_filter_plugin_option_string_t path;
  proxy_wasm_plugin_http_start_line_header_error_t error;
  into[0] = 0;
  if (!proxy_wasm_plugin_http_start_line_get_path_with_query(context, &path, &error)) return;
  if (path.is_some) snprintf(into, size, "%.*s", (int)path.val.len, (const char *)path.val.ptr);
  http_filter_plugin_option_string_free(&path);
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_request_headers(uint64_t root, uint64_t context, uint32_t count,
                                                                 bool end_of_stream) {
  char path[128], who[64], line[256];
  copy_path(context, path, sizeof path);
  copy_header(context, "x-who", who, sizeof who);
  snprintf(line, sizeof line, "request: %s from %s", path, who);
  log_line(line);

  if (strcmp(path, "/deny") == 0) {
    proxy_wasm_plugin_plugin_types_tuple2_field_name_field_value_t header = {text("x-denied-by"), value_of("toolchain")};
    proxy_wasm_plugin_http_stream_local_response_t response = {
        .status = 403,
        .headers = {&header, 1},
        .body = {(uint8_t *)"denied\n", 7},
        .details = text("denied"),
    };
    proxy_wasm_plugin_http_stream_local_response_error_t refused;
    proxy_wasm_plugin_http_stream_send_local_response(context, &response, &refused);
    return PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_ACTION_PAUSE;
  }

  string name = text("x-plugin"), length = text("content-length");
  value by = value_of("toolchain");
  proxy_wasm_plugin_http_headers_header_error_t error;
  proxy_wasm_plugin_http_headers_append(context, REQUEST, &name, &by, &error);
  proxy_wasm_plugin_http_headers_remove(context, REQUEST, &length, &error);
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_ACTION_CONTINUE;
}

static void remember_size(uint64_t context, size_t size) {
  stream *made = malloc(sizeof *made);
  if (made == NULL) return;
  *made = (stream){context, size, streams};
  streams = made;
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_request_body(uint64_t root, uint64_t context, uint32_t size,
                                                              bool end_of_stream) {
  if (!end_of_stream) return PROXY_WASM_PLUGIN_PLUGIN_TYPES_DATA_ACTION_PAUSE_AND_BUFFER;
  bytes body;
  proxy_wasm_plugin_http_body_body_error_t error;
  if (!proxy_wasm_plugin_http_body_read(context, REQUEST_BODY, 0, size, &body, &error))
    return PROXY_WASM_PLUGIN_PLUGIN_TYPES_DATA_ACTION_CONTINUE;
  remember_size(context, body.len);
  value word = configuration_of(root);
  bytes edited = {malloc(body.len * (word.len + 1) + 1), 0};
  for (size_t at = 0; edited.ptr != NULL && at < body.len;) {
    if (body.len - at >= 3 && memcmp(body.ptr + at, "cat", 3) == 0) {
      memcpy(edited.ptr + edited.len, word.ptr, word.len);
      edited.len += word.len;
      at += 3;
    } else {
      edited.ptr[edited.len++] = body.ptr[at++];
    }
  }
  if (edited.ptr != NULL) proxy_wasm_plugin_http_body_splice(context, REQUEST_BODY, 0, size, &edited, &error);
  free(edited.ptr);
  http_filter_plugin_list_u8_free(&body);
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_DATA_ACTION_CONTINUE;
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_response_headers(uint64_t root, uint64_t context, uint32_t count,
                                                                  bool end_of_stream) {
  string configured = text("x-configured"), secret = text("x-remove");
  value shown = configuration_of(root);
  proxy_wasm_plugin_http_headers_header_error_t error;
  proxy_wasm_plugin_http_headers_set(context, RESPONSE, &configured, &shown, &error);
  proxy_wasm_plugin_http_headers_remove(context, RESPONSE, &secret, &error);
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_ACTION_CONTINUE;
}

void exports_proxy_wasm_plugin_http_filter_on_stream_end(uint64_t root, uint64_t context) {
  size_t size = 0;
  for (stream **at = &streams; *at != NULL; at = &(*at)->next) {
    if ((*at)->context != context) continue;
    stream *gone = *at;
    *at = gone->next;
    size = gone->bytes;
    free(gone);
    break;
  }
  char line[64];
  snprintf(line, sizeof line, "bytes: %zu", size);
  log_line(line);
}

// Without interest these are never called, but a component must have them.
uint8_t exports_proxy_wasm_plugin_http_filter_on_request_trailers(uint64_t root, uint64_t context, uint32_t count) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_TRAILERS_ACTION_CONTINUE;
}
uint8_t exports_proxy_wasm_plugin_http_filter_on_response_body(uint64_t root, uint64_t context, uint32_t size,
                                                               bool end_of_stream) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_DATA_ACTION_CONTINUE;
}
uint8_t exports_proxy_wasm_plugin_http_filter_on_response_trailers(uint64_t root, uint64_t context, uint32_t count) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_TRAILERS_ACTION_CONTINUE;
}
