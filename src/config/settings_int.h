/* SPDX-License-Identifier: MIT */
/*
 * config/settings_int - the settings that are one value each: names, kinds, ranges, defaults.
 *
 * Source:   DESIGN section 8; shared/reference/compat.md 1.2, 2.2, 6.1, 6.10 and section 9 for the
 *           names that users of other gateways have in their files and environments.
 * Shape:    GW_SETTING_MAP(XX) lists each once; enum, reading, checking and the tests against
 *           schema.json are made from it. Several names are tried in turn; the environment wins
 *           over the file.
 * Units:    milliseconds and bytes
 * Limits:   the ranges in the table
 * Memory:   texts are views into the document or the environment.
 * Threads:  not shared
 * Errors:   in the report.
 */
#ifndef GW_CONFIG_SETTINGS_INT_H
#define GW_CONFIG_SETTINGS_INT_H

#include "config/document_int.h"
#include "config/router_settings_int.h"

enum gw_setting_kind {
    GW_SETTING_KIND_COUNT,
    GW_SETTING_KIND_AUTO_COUNT, /* a count, or "auto", which is 0 */
    GW_SETTING_KIND_PORT,
    GW_SETTING_KIND_PORT_OR_OFF,
    GW_SETTING_KIND_SIZE,
    GW_SETTING_KIND_DURATION,
    GW_SETTING_KIND_PERCENT, /* whole: 20 or "20%" */
    GW_SETTING_KIND_TENTHS,  /* a percentage with one decimal, times ten: 2.5 is 25 */
    GW_SETTING_KIND_FACTOR,  /* with two decimals, times a hundred: 1.5 is 150 */
    GW_SETTING_KIND_BOOL,
    GW_SETTING_KIND_TEXT,
    GW_SETTING_KIND_TEXT_OR_OFF, /* false and "off": off; true: set, without text */
    GW_SETTING_KIND_TEXT_LIST,   /* a text, or a list of texts, which are joined by ", " */
    GW_SETTING_KIND_SECRET,      /* a text that no message shows */
    GW_SETTING_KIND_SECRET_OR_OFF,
};

#define GW_SECOND_MS 1000ull
#define GW_HOUR_MS   (3600 * GW_SECOND_MS)
#define GW_DAY_MS    (24 * GW_HOUR_MS)

/* XX(id, kind, names in the file, names in the environment, smallest, largest, default) */
#define GW_SETTING_MAP(XX)                                                                         \
    XX(WORKERS, AUTO_COUNT, "server.workers", "GATEWIRE_WORKERS WORKERS", 0, 256, 0)               \
    XX(HOST, TEXT, "server.host", "SERVER_HOST HOST", 0, 0, 0)                                     \
    XX(PORT, PORT, "server.port", "SERVER_PORT PORT", 0, 65535, 8080)                              \
    XX(ADMIN_PORT, PORT_OR_OFF, "server.admin_port", "ADMIN_PORT", 0, 65535, 8081)                 \
    XX(METRICS_PORT, PORT_OR_OFF, "server.metrics_port", "METRICS_PORT", 0, 65535, 9090)           \
    XX(GRPC_PORT, PORT_OR_OFF, "server.grpc_port", "GRPC_PORT", 0, 65535, 50051)                   \
    /* curl, browsers and vendors' SDKs stay below 16k; nginx's and Node's limits are near that */ \
    XX(MAX_HEADER, SIZE, "server.max_header_size", "", 1024, 1u << 20, 64u << 10)                  \
    XX(MAX_BODY, SIZE, "server.max_body_size", "", 1024, 16ull << 30, 100u << 20)                  \
    XX(MAX_CONNECTIONS, COUNT, "server.max_connections", "", 1, 1000000, 16384)                    \
    XX(HEADER_TIMEOUT, DURATION, "server.header_timeout server.read_timeout",                      \
       "SERVER_READ_TIMEOUT", 1, GW_HOUR_MS, 30 * GW_SECOND_MS)                                    \
    XX(BODY_TIMEOUT, DURATION, "server.body_timeout", "", 1, GW_HOUR_MS, 60 * GW_SECOND_MS)        \
    XX(WRITE_TIMEOUT, DURATION, "server.write_timeout", "SERVER_WRITE_TIMEOUT", 1, GW_HOUR_MS,     \
       60 * GW_SECOND_MS)                                                                          \
    XX(IDLE_TIMEOUT, DURATION, "server.idle_timeout", "SERVER_IDLE_TIMEOUT", 1, GW_DAY_MS,         \
       75 * GW_SECOND_MS)                                                                          \
    XX(DRAIN_GRACE, DURATION, "server.drain_grace server.graceful_shutdown", "", 0, GW_DAY_MS,     \
       30 * GW_SECOND_MS)                                                                          \
    XX(ALLOWED_HOSTS, TEXT_LIST, "server.allowed_hosts", "SERVER_ALLOWED_HOSTS", 0, 0, 0)          \
    XX(TLS_CERT, TEXT, "server.tls.cert_file", "SSL_CERTFILE_PATH", 0, 0, 0)                       \
    XX(TLS_KEY, TEXT, "server.tls.key_file", "SSL_KEYFILE_PATH", 0, 0, 0)                          \
    XX(CORS_ORIGINS, TEXT_LIST, "cors.allowed_origins", "CORS_ALLOWED_ORIGINS", 0, 0, 0)           \
    XX(CONNECT_TIMEOUT, DURATION, "upstream.connect_timeout", "CONNECT_TIMEOUT", 1, GW_HOUR_MS,    \
       5 * GW_SECOND_MS)                                                                           \
    XX(TLS_TIMEOUT, DURATION, "upstream.tls_timeout", "", 1, GW_HOUR_MS, 10 * GW_SECOND_MS)        \
    XX(FIRST_BYTE_TIMEOUT, DURATION, "upstream.first_byte_timeout", "", 1, GW_DAY_MS,              \
       600 * GW_SECOND_MS)                                                                         \
    XX(STREAM_FIRST_BYTE, DURATION,                                                                \
       "upstream.stream_first_byte_timeout router_settings.stream_timeout", "", 0, GW_DAY_MS, 0)   \
    XX(CHUNK_TIMEOUT, DURATION, "upstream.idle_timeout", "", 1, GW_DAY_MS, 300 * GW_SECOND_MS)     \
    XX(REQUEST_TIMEOUT, DURATION,                                                                  \
       "upstream.request_timeout router_settings.timeout litellm_settings.request_timeout "        \
       "router.default_timeout",                                                                   \
       "REQUEST_TIMEOUT", 0, GW_DAY_MS, 0)                                                         \
    XX(STREAM_TOTAL, DURATION, "upstream.stream_request_timeout", "", 0, GW_DAY_MS, 0)             \
    XX(POOL_SIZE, COUNT, "upstream.max_idle_connections", "", 0, 65536, 512)                       \
    XX(POOL_IDLE, DURATION, "upstream.keepalive_idle", "", 1, GW_DAY_MS, 60 * GW_SECOND_MS)        \
    XX(DNS_REFRESH, DURATION, "upstream.dns_refresh", "", GW_SECOND_MS, GW_DAY_MS,                 \
       30 * GW_SECOND_MS)                                                                          \
    XX(CA_FILE, TEXT, "upstream.ca_file", "", 0, 0, 0)                                             \
    XX(INSECURE, BOOL, "upstream.insecure", "", 0, 1, 0)                                           \
    XX(SSL_VERIFY, TEXT_OR_OFF, "litellm_settings.ssl_verify", "SSL_VERIFY", 0, 0, 0)              \
    XX(HTTP2, TEXT_OR_OFF, "upstream.http2", "", 0, 0, 0)                                          \
    XX(PROXY, SECRET_OR_OFF, "upstream.proxy", "", 0, 0, 0)                                        \
    XX(DROP_PARAMS, BOOL, "upstream.drop_params litellm_settings.drop_params", "", 0, 1, 0)        \
    XX(LOG_LEVEL, TEXT, "logging.level", "LOG_LEVEL", 0, 0, 0)                                     \
    XX(ACCESS_LOG, TEXT_OR_OFF, "logging.access_log", "ACCESS_LOG", 0, 0, 0)                       \
    XX(REQUIRE_AUTH, BOOL, "auth.require_auth", "REQUIRE_AUTH PLLM_REQUIRE_AUTH", 0, 1, 0)         \
    GW_ROUTER_SETTING_MAP(XX)

enum gw_setting_id {
#define XX(id, kind, names, env, min, max, fallback) GW_SETTING_##id,
    GW_SETTING_MAP(XX)
#undef XX
        GW_SETTING_ID_COUNT,
};

struct gw_setting_value {
    bool is_set;
    bool is_off;          /* "off", or false, where the kind allows it */
    uint64_t number;      /* of all kinds but texts; the default when it is not set */
    struct gw_str text;   /* of texts */
    yyjson_val *value;    /* where the file says so, or NULL */
    struct gw_str source; /* name of the variable that says so, or empty */
};

struct gw_settings {
    struct gw_setting_value values[GW_SETTING_ID_COUNT];
};

/* What is needed to say something about a value. */
struct gw_config_context {
    const struct gw_config_document *document;
    const struct gw_environment *env;
    struct gw_config_report *report;
    struct gw_arena *scratch; /* lives as long as the loading */
};

/* How one setting is read. */
struct gw_setting_row {
    const char *names;
    const char *env;
    enum gw_setting_kind kind;
    uint64_t min;
    uint64_t max;
    uint64_t fallback;
};

/* Row number |index| of the table, for what is checked against it; NULL behind the last. */
const struct gw_setting_row *gw_setting_row_at(size_t index);

/* The value at |path| ("retry.delay") in |map|, which may be NULL; NULL when there is none. Of a
 * section that is written as one value ("hedge: true", "mirror: model") its .enabled or .model. */
yyjson_val *gw_setting_at(yyjson_val *map, struct gw_str path);

/* Reads all settings. Errors: GW_ERR_NOMEM; what is wrong with values is in the report. */
GW_MUST_USE enum gw_err gw_settings_read(const struct gw_config_context *context,
                                         struct gw_settings *settings);

/*
 * Reads |value| as |kind| in [min, max]; on failure the report says what was expected.
 *
 * Errors: GW_ERR_INVALID (reported), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_setting_read_value(const struct gw_config_context *context,
                                              yyjson_val *value, const struct gw_setting_row *row,
                                              struct gw_setting_value *out);

/* Adds an error or a warning about |value|. */
GW_PRINTF(4, 5)
void gw_config_complain(const struct gw_config_context *context, bool is_error, yyjson_val *value,
                        const char *format, ...);

/* Adds an error or a warning about a variable of the environment. */
GW_PRINTF(4, 5)
void gw_config_complain_env(const struct gw_config_context *context, bool is_error,
                            struct gw_str name, const char *format, ...);

/* Adds an error or a warning about what a setting was given as, in the file or in the environment.
 */
GW_PRINTF(4, 5)
void gw_config_complain_setting(const struct gw_config_context *context, bool is_error,
                                const struct gw_setting_value *setting, const char *format, ...);

/* Adds the error that a reference in |value| cannot be resolved. */
void gw_config_complain_unresolved(const struct gw_config_context *context, yyjson_val *value,
                                   const struct gw_config_unresolved *unresolved);

/* What stands there, for "found ...": the type, and the text where it can be no secret. */
struct gw_str gw_config_describe(const struct gw_config_context *context, yyjson_val *value);

#endif
