/* SPDX-License-Identifier: MIT */
/* control/token_http - one easy handle per call, on one multi handle. */
#include "control/token_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/url.h"

#define CONNECT_TIMEOUT_MS        5000L
#define INSIDE_CONNECT_TIMEOUT_MS 1000L /* one hop, or nobody is there */

struct gw_token_http {
    CURLM *multi;
};

struct gw_token_call {
    struct gw_token_http *http;
    CURL *easy;
    struct curl_slist *fields;
    struct gw_buf body;
    bool is_inside;
    bool is_blocked; /* the address was one that may not be asked */
    bool is_google_metadata;
    CURLcode result;
    void *user;
};

struct gw_token_http *gw_token_http_create(void)
{
    /* Counted inside libcurl, and nobody else in this process uses it. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NULL;
    }
    struct gw_token_http *http = gw_zalloc(sizeof(*http));
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        gw_token_http_destroy(&http);
    }
    return http;
}

void gw_token_http_destroy(struct gw_token_http **http)
{
    if (*http == NULL) {
        return;
    }
    (void)curl_multi_cleanup((*http)->multi);
    curl_global_cleanup();
    gw_free(*http);
    *http = NULL;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct gw_token_call *call = user;
    size_t len = size * count; /* libcurl says that |size| is 1 */
    return gw_buf_append(&call->body, gw_str(bytes, len)) == GW_OK ? len : 0;
}

static size_t on_field(char *bytes, size_t size, size_t count, void *user)
{
    struct gw_token_call *call = user;
    struct gw_str line = gw_str_trim(gw_str(bytes, size * count));
    size_t colon = gw_str_find_byte(line, ':');
    if (colon < line.len && gw_str_eq_nocase(gw_str(line.ptr, colon), GW_STR("metadata-flavor")) &&
        gw_str_eq_nocase(gw_str_trim(gw_str_skip(line, colon + 1)), GW_STR("Google"))) {
        call->is_google_metadata = true;
    }
    return size * count;
}

static bool is_link_local(struct gw_str address)
{
    return gw_str_has_prefix(address, GW_STR("169.254.")) ||
           gw_str_has_prefix(address, GW_STR("fe80:")) ||
           gw_str_has_prefix(address, GW_STR("fd00:ec2:"));
}

/* Looks at the address that a name has led to, before anything is sent. */
static int on_connected(void *user, char *address, char *local, int port, int local_port)
{
    struct gw_token_call *call = user;
    (void)local;
    (void)port;
    (void)local_port;
    call->is_blocked = !call->is_inside && is_link_local(gw_str_from_c(address));
    return call->is_blocked ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool is_loopback(struct gw_str host)
{
    return gw_str_eq(host, GW_STR("127.0.0.1")) || gw_str_eq(host, GW_STR("::1")) ||
           gw_str_eq_nocase(host, GW_STR("localhost"));
}

static bool may_be_asked(const struct gw_token_request *request)
{
    struct gw_url url;
    const char *why = NULL;
    if (gw_url_parse(request->url, &url, &why) != GW_OK || url.is_unix) {
        return false;
    }
    return request->is_inside ||
           ((url.is_tls || is_loopback(url.host)) && !is_link_local(url.host));
}

static enum gw_err add_fields(struct gw_token_call *call, const struct gw_token_request *request)
{
    char line[GW_TOKEN_MAX_BYTES + 256];
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < request->field_count && err == GW_OK; i++) {
        const struct gw_header *field = &request->fields[i];
        if (field->name.len + field->value.len + 3 > sizeof(line)) {
            return GW_ERR_INVALID;
        }
        (void)snprintf(line, sizeof(line), GW_STR_FMT ": " GW_STR_FMT, GW_STR_ARG(field->name),
                       GW_STR_ARG(field->value));
        struct curl_slist *fields = curl_slist_append(call->fields, line);
        call->fields = fields != NULL ? fields : call->fields;
        err = fields == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    explicit_bzero(line, sizeof(line));
    return err;
}

static void set_way(CURL *easy, const struct gw_token_request *request,
                    const struct gw_token_spec *spec)
{
    struct gw_str proxy = spec->fields[GW_TOKEN_FIELD_PROXY];
    struct gw_str ca_file = spec->fields[GW_TOKEN_FIELD_CA_FILE];
    if (request->is_inside || gw_str_eq_nocase(proxy, GW_STR("off"))) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    } else if (proxy.len > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, proxy.ptr);
    }
    if (ca_file.len > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.ptr);
    }
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, spec->is_insecure ? 0L : 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, spec->is_insecure ? 0L : 2L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           request->is_inside ? INSIDE_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                           request->is_inside ? (long)GW_TOKEN_HTTP_INSIDE_TIMEOUT_MS
                                              : (long)GW_TOKEN_HTTP_TIMEOUT_MS);
}

/* libcurl copies all texts but the body, which is set with its size and copied too. */
static enum gw_err set_request(struct gw_token_call *call, const struct gw_token_request *request)
{
    char url[8192];
    char method[8];
    if (request->url.len >= sizeof(url) || request->method.len >= sizeof(method)) {
        return GW_ERR_INVALID;
    }
    (void)snprintf(url, sizeof(url), GW_STR_FMT, GW_STR_ARG(request->url));
    (void)snprintf(method, sizeof(method), GW_STR_FMT, GW_STR_ARG(request->method));
    CURL *easy = call->easy;
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    if (request->body.len > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.ptr) != CURLE_OK) {
            return GW_ERR_NOMEM;
        }
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return add_fields(call, request);
}

static void set_callbacks(struct gw_token_call *call)
{
    CURL *easy = call->easy;
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "gatewire");
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->fields);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
}

enum gw_err gw_token_call_create(struct gw_token_http *http, const struct gw_token_request *request,
                                 const struct gw_token_spec *spec, void *user,
                                 struct gw_token_call **out)
{
    if (!may_be_asked(request)) {
        return GW_ERR_INVALID;
    }
    struct gw_token_call *call = gw_zalloc(sizeof(*call));
    call->http = http;
    call->user = user;
    call->is_inside = request->is_inside;
    gw_buf_init(&call->body, GW_TOKEN_ANSWER_BYTES);
    call->easy = curl_easy_init();
    enum gw_err err = call->easy == NULL ? GW_ERR_NOMEM : set_request(call, request);
    if (err == GW_OK) {
        set_way(call->easy, request, spec);
        set_callbacks(call);
        err = curl_multi_add_handle(http->multi, call->easy) == CURLM_OK ? GW_OK : GW_ERR_NOMEM;
    }
    if (err != GW_OK) {
        gw_token_call_destroy(&call);
        return err;
    }
    *out = call;
    return GW_OK;
}

void gw_token_call_destroy(struct gw_token_call **call)
{
    struct gw_token_call *old = *call;
    *call = NULL;
    if (old == NULL) {
        return;
    }
    if (old->easy != NULL) {
        (void)curl_multi_remove_handle(old->http->multi, old->easy);
        curl_easy_cleanup(old->easy);
    }
    for (struct curl_slist *field = old->fields; field != NULL; field = field->next) {
        explicit_bzero(field->data, strlen(field->data));
    }
    curl_slist_free_all(old->fields);
    if (old->body.ptr != NULL) {
        explicit_bzero(old->body.ptr, old->body.len);
    }
    gw_buf_fini(&old->body);
    gw_free(old);
}

void gw_token_http_wait(struct gw_token_http *http, int wake_fd, int timeout_ms)
{
    int running = 0;
    struct curl_waitfd wake = {.fd = wake_fd, .events = CURL_WAIT_POLLIN};
    (void)curl_multi_perform(http->multi, &running);
    (void)curl_multi_poll(http->multi, &wake, 1, timeout_ms, NULL);
    (void)curl_multi_perform(http->multi, &running);
}

struct gw_token_call *gw_token_http_next_done(struct gw_token_http *http, void **user)
{
    int left = 0;
    CURLMsg *message = curl_multi_info_read(http->multi, &left);
    while (message != NULL && message->msg != CURLMSG_DONE) {
        message = curl_multi_info_read(http->multi, &left);
    }
    if (message == NULL) {
        return NULL;
    }
    char *private = NULL;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    struct gw_token_call *call = (void *)private;
    call->result = message->data.result;
    *user = call->user;
    return call;
}

static enum gw_err error_of(const struct gw_token_call *call)
{
    switch (call->result) {
    case CURLE_OPERATION_TIMEDOUT:
        return GW_ERR_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return GW_ERR_DNS;
    case CURLE_COULDNT_CONNECT:
        return GW_ERR_REFUSED;
    case CURLE_WRITE_ERROR:
        return GW_ERR_TOO_LARGE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return GW_ERR_TLS;
    default:
        return GW_ERR_IO;
    }
}

enum gw_err gw_token_call_answer(const struct gw_token_call *call, struct gw_token_answer *answer,
                                 const char **why)
{
    long status = 0;
    if (call->result != CURLE_OK) {
        *why = call->is_blocked ? "the address is link-local, where credentials of machines are"
                                : curl_easy_strerror(call->result);
        return call->is_blocked ? GW_ERR_INVALID : error_of(call);
    }
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    *answer = (struct gw_token_answer){.status = status > 0 ? (unsigned)status : 0,
                                       .body = gw_buf_str(&call->body),
                                       .is_google_metadata = call->is_google_metadata};
    return GW_OK;
}
