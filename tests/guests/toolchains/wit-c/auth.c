// Asks the cluster `auth` about each request, in C, as a component of a world of its own.

#include "auth_plugin.h"

#include <stdlib.h>
#include <string.h>

typedef auth_plugin_string_t string;
typedef auth_plugin_list_u8_t bytes;

// The streams that wait, by callout.
typedef struct waiting {
  uint64_t callout, context;
  struct waiting *next;
} waiting;
static waiting *all_waiting;

static string text(const char *s) { return (string){(uint8_t *)s, strlen(s)}; }

// Takes the first that waits for a callout, or (callout 0) of a stream; the caller frees it.
static waiting *take(uint64_t callout, uint64_t context) {
  for (waiting **at = &all_waiting; *at != NULL; at = &(*at)->next) {
    if (callout != 0 ? (*at)->callout != callout : (*at)->context != context) continue;
    waiting *taken = *at;
    *at = taken->next;
    return taken;
  }
  return NULL;
}

static void answer(uint64_t context, uint16_t status) {
  proxy_wasm_plugin_http_stream_local_response_t response = {.status = status, .details = text("auth")};
  proxy_wasm_plugin_http_stream_local_response_error_t error;
  proxy_wasm_plugin_http_stream_send_local_response(context, &response, &error);
}

bool exports_proxy_wasm_plugin_lifecycle_start(uint64_t root, exports_proxy_wasm_plugin_lifecycle_plugin_info_t *info,
                                               bytes *vm_configuration, string *error) {
  exports_proxy_wasm_plugin_lifecycle_plugin_info_free(info);
  auth_plugin_list_u8_free(vm_configuration);
  return true;
}

bool exports_proxy_wasm_plugin_lifecycle_configure(uint64_t root, bytes *configuration,
                                                   exports_proxy_wasm_plugin_lifecycle_interest_t *interest,
                                                   string *error) {
  auth_plugin_list_u8_free(configuration);
  *interest = PROXY_WASM_PLUGIN_PLUGIN_TYPES_INTEREST_REQUEST_HEADERS |
              PROXY_WASM_PLUGIN_PLUGIN_TYPES_INTEREST_STREAM_END;
  return true;
}

bool exports_proxy_wasm_plugin_lifecycle_on_done(uint64_t root) { return true; }

void exports_proxy_wasm_plugin_lifecycle_on_delete(uint64_t root) {}

uint8_t exports_proxy_wasm_plugin_http_filter_on_request_headers(uint64_t root, uint64_t context, uint32_t count,
                                                                 bool end_of_stream) {
  auth_plugin_option_string_t path = {0};
  proxy_wasm_plugin_http_start_line_header_error_t header_error;
  bool has_path = proxy_wasm_plugin_http_start_line_get_path_with_query(context, &path, &header_error) && path.is_some;
  proxy_wasm_plugin_http_callout_callout_request_t request = {
      .cluster = text("auth"),
      .method = {.tag = WASI_HTTP_TYPES_METHOD_GET},
      .authority = text("auth.internal"),
      .path_with_query = has_path ? path.val : text("/"),
  };
  proxy_wasm_plugin_http_callout_callout_error_t refused;
  waiting *made = malloc(sizeof *made);
  if (made != NULL && proxy_wasm_plugin_http_callout_send(root, &request, &made->callout, &refused)) {
    made->context = context;
    made->next = all_waiting;
    all_waiting = made;
  } else {
    free(made);
    answer(context, 503);
  }
  auth_plugin_option_string_free(&path);
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_ACTION_PAUSE;
}

void exports_proxy_wasm_plugin_http_callout_handler_on_response(
    uint64_t root, uint64_t id, exports_proxy_wasm_plugin_http_callout_handler_result_void_error_code_t *outcome) {
  waiting *of = take(id, 0);
  uint16_t status;
  if (of == NULL) {
    // The stream is over.
  } else if (outcome->is_err || !proxy_wasm_plugin_http_callout_response_status(id, &status)) {
    answer(of->context, 503);
  } else if (status == 200) {
    proxy_wasm_plugin_http_stream_resume(of->context, PROXY_WASM_PLUGIN_PLUGIN_TYPES_DIRECTION_REQUEST);
  } else {
    answer(of->context, 403);
  }
  free(of);
  exports_proxy_wasm_plugin_http_callout_handler_result_void_error_code_free(outcome);
}

// The client may leave before the answer comes.
void exports_proxy_wasm_plugin_http_filter_on_stream_end(uint64_t root, uint64_t context) {
  waiting *of = take(0, context);
  if (of != NULL) proxy_wasm_plugin_http_callout_cancel(of->callout);
  free(of);
}

// Without interest these are never called, but a component must have them.

uint8_t exports_proxy_wasm_plugin_http_filter_on_request_body(uint64_t root, uint64_t context, uint32_t size,
                                                              bool end_of_stream) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_DATA_ACTION_CONTINUE;
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_request_trailers(uint64_t root, uint64_t context, uint32_t count) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_TRAILERS_ACTION_CONTINUE;
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_response_headers(uint64_t root, uint64_t context, uint32_t count,
                                                                  bool end_of_stream) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_HEADER_ACTION_CONTINUE;
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_response_body(uint64_t root, uint64_t context, uint32_t size,
                                                               bool end_of_stream) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_DATA_ACTION_CONTINUE;
}

uint8_t exports_proxy_wasm_plugin_http_filter_on_response_trailers(uint64_t root, uint64_t context, uint32_t count) {
  return PROXY_WASM_PLUGIN_PLUGIN_TYPES_TRAILERS_ACTION_CONTINUE;
}
