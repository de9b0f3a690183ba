// The plugin of the toolchain tests, in C++ with its standard library, over the ABI itself.

#include "../c/proxy_wasm.h"

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>

using namespace std::literals;

namespace {

// What a host call has returned: the plugin's to free.
class Returned {
public:
  ~Returned() { std::free(data_); }
  char **data() { return &data_; }
  size_t *size() { return &size_; }
  operator std::string_view() const { return {data_, size_}; }

private:
  char *data_ = nullptr;
  size_t size_ = 0;
};

class Stream {
public:
  explicit Stream(const std::string &configuration) : configuration_(configuration) {}

  int onRequestHeaders() {
    Returned path, who;
    getRequestHeader(":path", path);
    getRequestHeader("x-who", who);
    log("request: " + std::string(path) + " from " + std::string(who));
    if (path == "/deny"sv) {
      // One pair: number, sizes, then name and value with a zero byte each.
      const auto headers = "\1\0\0\0\13\0\0\0\11\0\0\0x-denied-by\0toolchain\0"sv;
      const auto body = "denied\n"sv;
      proxy_send_local_response(403, "", 0, body.data(), body.size(), headers.data(), headers.size(), -1);
      return PAUSE;
    }
    const auto name = "x-plugin"sv, value = "toolchain"sv, length = "content-length"sv;
    proxy_add_header_map_value(REQUEST_HEADERS, name.data(), name.size(), value.data(), value.size());
    proxy_remove_header_map_value(REQUEST_HEADERS, length.data(), length.size());
    return CONTINUE;
  }

  int onRequestBody(size_t size, bool end_of_stream) {
    if (!end_of_stream) return PAUSE;
    Returned body;
    proxy_get_buffer_bytes(REQUEST_BODY, 0, size, body.data(), body.size());
    const std::string_view whole = body;
    bytes_ = whole.size();
    std::string edited;
    for (size_t at = 0; at < whole.size();) {
      const size_t found = std::min(whole.find("cat", at), whole.size());
      edited.append(whole.substr(at, found - at));
      if (found < whole.size()) edited.append(configuration_);
      at = found + 3;
    }
    proxy_set_buffer_bytes(REQUEST_BODY, 0, size, edited.data(), edited.size());
    return CONTINUE;
  }

  int onResponseHeaders() {
    const auto added = "x-configured"sv, removed = "x-remove"sv;
    proxy_replace_header_map_value(RESPONSE_HEADERS, added.data(), added.size(), configuration_.data(),
                                   configuration_.size());
    proxy_remove_header_map_value(RESPONSE_HEADERS, removed.data(), removed.size());
    return CONTINUE;
  }

  // Through the standard library and WASI.
  void onLog() { std::cout << "bytes: " << bytes_ << std::endl; }

  static void log(const std::string &line) { proxy_log(LOG_INFO, line.data(), line.size()); }

private:
  static void getRequestHeader(std::string_view name, Returned &value) {
    proxy_get_header_map_value(REQUEST_HEADERS, name.data(), name.size(), value.data(), value.size());
  }

  const std::string &configuration_;
  // Of the request's body.
  size_t bytes_ = 0;
};

// Made by a static constructor, which runs only if the module is started as it should be.
std::map<uint32_t, std::unique_ptr<Stream>> streams;
std::string configuration = "(none)";

} // namespace

void *proxy_on_memory_allocate(size_t size) { return std::malloc(size); }

void proxy_abi_version_0_2_1() {}

void proxy_on_context_create(uint32_t context, uint32_t root) {
  if (root != 0) streams.emplace(context, std::make_unique<Stream>(configuration));
}

int proxy_on_vm_start(uint32_t, size_t) { return 1; }

int proxy_on_configure(uint32_t, size_t size) {
  Returned bytes;
  if (size > 0) proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, bytes.data(), bytes.size());
  configuration = std::string_view(bytes);
  Stream::log("configured: " + configuration);
  return 1;
}

int proxy_on_request_headers(uint32_t context, uint32_t, int) { return streams.at(context)->onRequestHeaders(); }

int proxy_on_request_body(uint32_t context, size_t size, int end_of_stream) {
  return streams.at(context)->onRequestBody(size, end_of_stream != 0);
}

int proxy_on_response_headers(uint32_t context, uint32_t, int) { return streams.at(context)->onResponseHeaders(); }

void proxy_on_log(uint32_t context) { streams.at(context)->onLog(); }

void proxy_on_delete(uint32_t context) { streams.erase(context); }
