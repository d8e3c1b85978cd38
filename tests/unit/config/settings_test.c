/* SPDX-License-Identifier: MIT */
/* config/settings, build_server, build_access: single values from file and environment. */
#include "config/schema_check_int.h"

#include "load_fixture.h"

static void defaults_hold_without_a_file(void **state)
{
    (void)state;
    assert_good("", NULL, 0);
    assert_text(snapshot->listen.host, "127.0.0.1");
    assert_true(snapshot->listen.host_is_default);
    assert_int_equal(snapshot->listen.api_port, 8080);
    assert_int_equal(snapshot->listen.admin_port, 8081);
    assert_int_equal(snapshot->listen.metrics_port, 9090);
    assert_int_equal(snapshot->listen.grpc_port, 50051);
    assert_true(snapshot->listen.admin_enabled);
    assert_true(snapshot->listen.metrics_enabled);
    assert_true(snapshot->listen.workers >= 1);
    assert_int_equal(snapshot->downstream.max_header_bytes, 65536);
    assert_int_equal(snapshot->downstream.max_body_bytes, 104857600);
    assert_int_equal(snapshot->downstream.header_timeout_ms, 30000);
    assert_int_equal(snapshot->downstream.drain_grace_ms, 30000);
    assert_text(snapshot->downstream.cors_allowed_origins, "");
    assert_int_equal(snapshot->upstream.max_idle_per_origin, 512);
    assert_int_equal(snapshot->upstream.idle_timeout_ms, 60000);
    assert_int_equal(snapshot->upstream.dns_refresh_ms, 30000);
    assert_true(snapshot->access.is_open);
    assert_int_equal(snapshot->access.key_count, 0);
    assert_int_equal(snapshot->log.level, GW_LOG_INFO);
    assert_text(snapshot->log.access_log, "-");
    assert_null(snapshot->tls);
    const struct gw_deployment *demo = deployment_of("gatewire/demo", 0);
    assert_int_equal(demo->provider->kind, GW_PROVIDER_BUILTIN);
    assert_null(demo->origin);
    assert_int_equal(demo->timeouts.connect_ms, 5000);
    assert_int_equal(demo->timeouts.tls_ms, 10000);
    assert_int_equal(demo->timeouts.first_byte_ms, 600000);
    assert_int_equal(demo->timeouts.stream_first_byte_ms, 600000);
    assert_int_equal(demo->timeouts.idle_ms, 300000);
    assert_int_equal(demo->timeouts.total_ms, 0);
    assert_int_equal(demo->timeouts.stream_total_ms, 0);
}

static void the_file_sets_how_clients_are_treated(void **state)
{
    (void)state;
    assert_good("server:\n"
                "  workers: 3\n"
                "  host: '::1'\n"
                "  port: '0'\n" /* quoted numbers are numbers */
                "  admin_port: off\n"
                "  metrics_port: 9191\n"
                "  grpc_port: 1\n"
                "  max_header_size: 32k\n"
                "  max_body_size: 2097152\n"
                "  max_connections: 10\n"
                "  header_timeout: 1.5\n"
                "  body_timeout: 250ms\n"
                "  write_timeout: 1m30s\n"
                "  idle_timeout: 10\n"
                "  graceful_shutdown: 5s\n"
                "  allowed_hosts: [gw.example.com, '*']\n"
                "cors: {allowed_origins: ['https://a', 'https://b']}\n"
                "logging: {level: WARNING, access_log: false}\n",
                NULL, 0);
    assert_int_equal(snapshot->listen.workers, 3);
    assert_text(snapshot->listen.host, "::1");
    assert_false(snapshot->listen.host_is_default);
    assert_int_equal(snapshot->listen.api_port, 0);
    assert_false(snapshot->listen.admin_enabled);
    assert_int_equal(snapshot->listen.metrics_port, 9191);
    assert_int_equal(snapshot->downstream.max_header_bytes, 32768);
    assert_int_equal(snapshot->downstream.max_body_bytes, 2097152);
    assert_int_equal(snapshot->downstream.max_connections_per_worker, 10);
    assert_int_equal(snapshot->downstream.header_timeout_ms, 1500);
    assert_int_equal(snapshot->downstream.body_timeout_ms, 250);
    assert_int_equal(snapshot->downstream.write_timeout_ms, 90000);
    assert_int_equal(snapshot->downstream.idle_timeout_ms, 10000);
    assert_int_equal(snapshot->downstream.drain_grace_ms, 5000);
    assert_text(snapshot->downstream.cors_allowed_origins, "https://a, https://b");
    assert_text(snapshot->access.allowed_hosts, "gw.example.com, *");
    assert_int_equal(snapshot->log.level, GW_LOG_WARN);
    assert_text(snapshot->log.access_log, "");
}

static void the_file_sets_how_vendors_are_reached(void **state)
{
    (void)state;
    assert_good("upstream:\n"
                "  connect_timeout: 1s\n"
                "  tls_timeout: 2s\n"
                "  first_byte_timeout: 3s\n"
                "  stream_first_byte_timeout: 4s\n"
                "  idle_timeout: 5s\n"
                "  request_timeout: 6s\n"
                "  stream_request_timeout: 7s\n"
                "  max_idle_connections: 0\n"
                "  keepalive_idle: 8s\n"
                "  dns_refresh: 9s\n",
                NULL, 0);
    assert_int_equal(snapshot->upstream.max_idle_per_origin, 0);
    assert_int_equal(snapshot->upstream.idle_timeout_ms, 8000);
    assert_int_equal(snapshot->upstream.dns_refresh_ms, 9000);
    const struct gw_upstream_timeouts *timeouts = &deployment_of("gatewire/demo", 0)->timeouts;
    assert_int_equal(timeouts->connect_ms, 1000);
    assert_int_equal(timeouts->tls_ms, 2000);
    assert_int_equal(timeouts->first_byte_ms, 3000);
    assert_int_equal(timeouts->stream_first_byte_ms, 4000);
    assert_int_equal(timeouts->idle_ms, 5000);
    assert_int_equal(timeouts->total_ms, 6000);
    assert_int_equal(timeouts->stream_total_ms, 7000);
}

static void a_deployment_sets_how_it_is_reached(void **state)
{
    (void)state;
    assert_good("upstream: {connect_timeout: 1s, tls_timeout: 1s, first_byte_timeout: 1s, "
                "idle_timeout: 1s}\n"
                "model_list:\n"
                "- model_name: a\n"
                "  litellm_params:\n"
                "    model: openai/a\n"
                "    api_base: https://host.example/v1\n"
                "    api_key: k\n"
                "    connect_timeout: 2s\n"
                "    tls_timeout: 3s\n"
                "    first_byte_timeout: 4s\n"
                "    idle_timeout: 5s\n"
                "    timeout: 6s\n"
                "    stream_request_timeout: 7s\n",
                NULL, 0);
    const struct gw_upstream_timeouts *timeouts = &deployment_of("a", 0)->timeouts;
    assert_int_equal(timeouts->connect_ms, 2000);
    assert_int_equal(timeouts->tls_ms, 3000);
    assert_int_equal(timeouts->first_byte_ms, 4000);
    assert_int_equal(timeouts->stream_first_byte_ms, 4000);
    assert_int_equal(timeouts->idle_ms, 5000);
    assert_int_equal(timeouts->total_ms, 6000);
    assert_int_equal(timeouts->stream_total_ms, 7000);
}

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    static const char *const environment[] = {
        "PORT=1001",
        "SERVER_PORT=1002",
        "ADMIN_PORT=1003",
        "METRICS_PORT=off",
        "GRPC_PORT=1005",
        "SERVER_HOST=0.0.0.0",
        "WORKERS=2",
        "SERVER_IDLE_TIMEOUT=60",
        "SERVER_READ_TIMEOUT=15",
        "REQUEST_TIMEOUT=30.0",
        "CONNECT_TIMEOUT=5.0",
        "LOG_LEVEL=DEBUG",
        "CORS_ALLOWED_ORIGINS=https://a,https://b",
        "API_KEY='quoted'",
        "ACCESS_LOG=/tmp/a.log",
        NULL,
    };
    assert_good("server: {port: 8080, host: 127.0.0.1, workers: 7, idle_timeout: 9}\n", environment,
                0);
    assert_int_equal(snapshot->listen.api_port, 1002);
    assert_int_equal(snapshot->listen.admin_port, 1003);
    assert_false(snapshot->listen.metrics_enabled);
    assert_int_equal(snapshot->listen.grpc_port, 1005);
    assert_text(snapshot->listen.host, "0.0.0.0");
    assert_int_equal(snapshot->listen.workers, 2);
    assert_int_equal(snapshot->downstream.idle_timeout_ms, 60000);
    assert_int_equal(snapshot->downstream.header_timeout_ms, 15000);
    assert_int_equal(deployment_of("gatewire/demo", 0)->timeouts.total_ms, 30000);
    assert_int_equal(deployment_of("gatewire/demo", 0)->timeouts.connect_ms, 5000);
    assert_int_equal(snapshot->log.level, GW_LOG_DEBUG);
    assert_text(snapshot->log.access_log, "/tmp/a.log");
    assert_text(snapshot->downstream.cors_allowed_origins, "https://a,https://b");
    assert_true(gw_secret_eq(snapshot->access.keys[0], GW_STR("quoted")));
}

static void a_reference_is_typed_by_the_key(void **state)
{
    (void)state;
    static const char *const environment[] = {"P=1234", "T=30", "KEY=0123", NULL};
    assert_good("server: {port: '${P}', idle_timeout: '${T}', workers: '${W:-4}'}\n"
                "general_settings: {master_key: os.environ/KEY}\n",
                environment, 0);
    assert_int_equal(snapshot->listen.api_port, 1234);
    assert_int_equal(snapshot->downstream.idle_timeout_ms, 30000);
    assert_int_equal(snapshot->listen.workers, 4);
    assert_true(gw_secret_eq(snapshot->access.keys[0], GW_STR("0123")));
    assert_bad("server: {port: '${NONE}'}\n", environment, 1, "server.port",
               "NONE is not set; set it, or write ${NONE:-default}");
    assert_bad("a: 1\nserver: {tls: {cert_file: 'os.environ/NONE'}}\n", environment, 2,
               "server.tls.cert_file", "NONE is not set");
    /* What nothing depends on may lack its variable. */
    assert_good("general_settings: {database_url: os.environ/NONE}\n", environment, 1);
}

static void litellms_names_are_known(void **state)
{
    (void)state;
    assert_int_equal(load("litellm_settings: {request_timeout: 600}\n"
                          "router_settings: {stream_timeout: 20}\n",
                          NULL),
                     GW_OK);
    assert_int_equal(deployment_of("gatewire/demo", 0)->timeouts.total_ms, 600000);
    assert_int_equal(deployment_of("gatewire/demo", 0)->timeouts.stream_first_byte_ms, 20000);
    assert_int_equal(load("litellm_settings: {request_timeout: 600}\n"
                          "router_settings: {timeout: 20}\n",
                          NULL),
                     GW_OK);
    assert_int_equal(deployment_of("gatewire/demo", 0)->timeouts.total_ms, 20000);
}

static void wrong_values_name_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *path;
        const char *words;
    } cases[] = {
        {"server: {port: 65536}", "server.port", "a port number from 0 to 65535, found 65536"},
        {"server: {port: -1}", "server.port", "found -1"},
        {"server: {port: 80.5}", "server.port", "found 80.5"},
        {"server: {port: http}", "server.port", "found \"http\""},
        {"server: {port: [80]}", "server.port", "found a list"},
        {"server: {port: {a: 1}}", "server.port", "found a map"},
        {"server: {port: true}", "server.port", "found true"},
        {"server: {workers: 257}", "server.workers", "a whole number or auto from 0 to 256"},
        {"server: {max_body_size: 10x}", "server.max_body_size", "a size such as 64k"},
        {"server: {max_body_size: 1}", "server.max_body_size", "from 1024 bytes"},
        {"server: {idle_timeout: 0}", "server.idle_timeout", "a duration such as 30s"},
        {"server: {idle_timeout: 1e30}", "server.idle_timeout", "a duration such as 30s"},
        {"server: {idle_timeout: never}", "server.idle_timeout", "found \"never\""},
        {"server: {host: example.com}", "server.host", "expected an IP address"},
        {"server: {allowed_hosts: [a.example, 'b.example:80']}", "server.allowed_hosts",
         "without scheme and port"},
        {"server: {allowed_hosts: 'https://a.example'}", "server.allowed_hosts",
         "host names such as"},
        {"server: [1]", "server", "expected a map"},
        {"upstream: {insecure: 2}", "upstream.insecure", "true or false"},
        {"upstream: {http2: 3}", "upstream.http2", "found 3"},
        {"upstream: {http2: maybe}", "upstream.http2", "auto, off or prior"},
        {"cors: {allowed_origins: [1]}", "cors.allowed_origins[0]", "a text, found 1"},
        {"cors: {allowed_origins: 1}", "cors.allowed_origins", "a text or a list of texts"},
        {"logging: {level: loud}", "logging.level", "error, warn, info or debug"},
        {"include: 5", "include", "expected a text or a list"},
        {"environment_variables: [1]", "environment_variables", "a map of"},
        {"model_aliases: [a]", "model_aliases", "a map of \"alias: model\""},
        {"server: {tls: {cert_file: /x}}", "server.tls.cert_file", "key_file is missing"},
        {"server: {tls: {cert_file: /no/cert, key_file: /no/key}}", "server.tls.cert_file",
         "/no/cert"},
        {"server: {port: 9090}", "server.port", "port 9090 is wanted for two listeners"},
        {"auth: {require_auth: true}", "auth.require_auth", "nobody could get in"},
        {"auth: {master_key: 'a b'}", "auth.master_key", "blank or control character"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        assert_bad(cases[i].yaml, NULL, 1, cases[i].path, cases[i].words);
    }
}

static void wrong_variables_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *variable;
        const char *name;
        const char *words;
    } cases[] = {
        {"PORT=http", "PORT", "environment variable PORT: expected a port number"},
        {"SERVER_HOST=my.host", "SERVER_HOST", "expected an IP address"},
        {"REQUEST_TIMEOUT=x", "REQUEST_TIMEOUT", "found \"x\""},
        {"REQUIRE_AUTH=maybe", "REQUIRE_AUTH", "true or false"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        const char *const environment[] = {cases[i].variable, NULL};
        assert_bad("", environment, 0, cases[i].name, cases[i].words);
    }
    /* Other programs' variables must not stop us. */
    static const char *const foreign[] = {"HOST=my-machine", "LOG_LEVEL=trace", "PORT=", NULL};
    assert_good("server: {host: 127.0.0.2}\n", foreign, 2);
    assert_text(snapshot->listen.host, "127.0.0.2");
    assert_int_equal(snapshot->log.level, GW_LOG_INFO);
}

static void the_first_key_closes_the_gateway(void **state)
{
    (void)state;
    static const char *const variables[] = {"API_KEY=a", "LITELLM_MASTER_KEY=sk-1",
                                            "PLLM_MASTER_KEY=c", "MASTER_KEY=d"};
    for (size_t i = 0; i < GW_ARRAY_LEN(variables); i++) {
        const char *const environment[] = {variables[i], NULL};
        assert_good("", environment, 0);
        assert_false(snapshot->access.is_open);
        assert_text(snapshot->listen.host, "0.0.0.0");
        assert_text(snapshot->downstream.cors_allowed_origins, "*");
    }
    const char *const both[] = {"API_KEY=one", "MASTER_KEY=two", NULL};
    assert_good("general_settings: {master_key: three}\nauth: {master_key: one}\n", both, 0);
    assert_int_equal(snapshot->access.key_count, 3);
    assert_good("general_settings: {master_key: ''}\n", NULL, 1);
    assert_true(snapshot->access.is_open);
    assert_finding(false, 1, "general_settings.master_key", "closes nothing");
    assert_good("server: {host: 0.0.0.0}\n", NULL, 1);
    assert_finding(false, 1, "server.host", "everybody who reaches it");
}

static void unknown_keys_are_warned_about(void **state)
{
    (void)state;
    assert_good("servr: {port: 1}\n"
                "server: {prot: 1, TLS: {}}\n"
                "nothing_like_it: {a: b}\n"
                "model_list:\n"
                "- {model_name: m, litellm_params: {model: gatewire/demo, api_bse: x}}\n",
                NULL, 5);
    assert_finding(false, 1, "servr", "did you mean \"server\"");
    assert_finding(false, 2, "server.prot", "did you mean \"port\"");
    assert_finding(false, 3, "nothing_like_it", "unknown key, ignored");
    assert_finding(false, 5, "model_list[0].litellm_params.api_bse", "did you mean \"api_base\"");
}

static void keys_for_later_are_told_once(void **state)
{
    (void)state;
    assert_good("router: {failover_timeout_multiple: 2}\n"
                "cache: {ttl: 1h}\n"
                "model_list:\n"
                "- {model_name: a, litellm_params: {model: gatewire/demo, temperature: 1}}\n"
                "- {model_name: b, litellm_params: {model: gatewire/demo, temperature: 2}}\n",
                NULL, 3);
    assert_finding(false, 1, "router.failover_timeout_multiple", "not used by this version");
    assert_finding(false, 4, "model_list[0].litellm_params.temperature", "in 1 other places");
}

static void empty_keys_say_nothing(void **state)
{
    (void)state;
    assert_good("server:\nmodel_list:\nupstream: {proxy: }\ngeneral_settings:\n  master_key:\n"
                "litellm_settings: {request_timeout: ~}\nunknown:\n",
                NULL, 0);
    assert_true(snapshot->access.is_open);
}

/* schema.json and the table of settings must tell the same story. */
static yyjson_val *follow(yyjson_val *root, yyjson_val *at)
{
    struct gw_str ref = gw_str_from_c(yyjson_get_str(yyjson_obj_get(at, "$ref")));
    struct gw_str name = gw_str_skip(ref, sizeof("#/$defs/") - 1);
    bool has_own = yyjson_obj_get(at, "properties") != NULL;
    return has_own || name.len == 0
               ? at
               : yyjson_obj_getn(yyjson_obj_get(root, "$defs"), name.ptr, name.len);
}

static yyjson_val *schema_at(yyjson_doc *schema, const char *path)
{
    yyjson_val *root = yyjson_doc_get_root(schema);
    yyjson_val *at = root;
    struct gw_str rest = gw_str_from_c(path);
    struct gw_str name = {0};
    while (at != NULL && gw_str_split(&rest, '.', &name)) {
        yyjson_val *properties = yyjson_obj_get(follow(root, at), "properties");
        at = yyjson_obj_getn(properties, name.ptr, name.len);
    }
    return at;
}

static void assert_default(const struct gw_setting_row *row, yyjson_val *schema)
{
    yyjson_val *value = yyjson_obj_get(schema, "default");
    uint64_t number = 0;
    struct gw_str text = gw_str(yyjson_get_str(value), yyjson_get_len(value));
    unsigned scale = row->kind == GW_SETTING_KIND_TENTHS   ? 10
                     : row->kind == GW_SETTING_KIND_FACTOR ? 100
                                                           : 1;
    bool is_number = row->kind == GW_SETTING_KIND_DURATION ? false : yyjson_is_num(value);
    assert_non_null(value);
    if (row->kind == GW_SETTING_KIND_TEXT || row->kind == GW_SETTING_KIND_TEXT_OR_OFF) {
        return; /* what the text means is told where it is read */
    }
    if (yyjson_is_bool(value)) {
        number = yyjson_is_true(value) ? 1 : 0;
    } else if (is_number) {
        number = (uint64_t)(yyjson_get_num(value) * scale + 0.5);
    } else if (yyjson_is_uint(value)) {
        number = yyjson_get_uint(value);
    } else if (row->kind == GW_SETTING_KIND_DURATION) {
        assert_int_equal(gw_parse_duration_ms(text, &number), GW_OK);
    } else if (row->kind == GW_SETTING_KIND_SIZE) {
        assert_int_equal(gw_parse_size(text, &number), GW_OK);
    }
    assert_int_equal(number, row->fallback);
}

static void the_schema_knows_every_setting(void **state)
{
    (void)state;
    yyjson_doc *schema = gw_config_schema_document();
    assert_non_null(schema);
    for (size_t i = 0; gw_setting_row_at(i) != NULL; i++) {
        const struct gw_setting_row *row = gw_setting_row_at(i);
        struct gw_str rest = gw_str_from_c(row->names);
        struct gw_str name = {0};
        bool is_first = true;
        while (gw_str_split(&rest, ' ', &name)) {
            char path[128];
            (void)snprintf(path, sizeof(path), GW_STR_FMT, GW_STR_ARG(name));
            yyjson_val *found = schema_at(schema, path);
            if (found == NULL || yyjson_obj_get(found, "description") == NULL) {
                fail_msg("schema.json does not describe %s", path);
            }
            if (is_first) {
                assert_default(row, found);
            }
            is_first = false;
        }
        struct gw_str variables = gw_str_from_c(row->env);
        struct gw_str text = gw_config_schema_text();
        while (gw_str_split(&variables, ' ', &name)) {
            if (name.len > 0 && gw_str_find(text, name) == text.len) {
                fail_msg("schema.json does not name the variable %.*s", GW_STR_ARG(name));
            }
        }
    }
    yyjson_doc_free(schema);
}

/* Whatever has a meaning in this version is described, and has a default (null: none). */
static void assert_described(yyjson_val *node, const char *where)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_val *properties = yyjson_obj_get(node, "properties");
    if (properties == NULL) { /* yyjson's loop steps from a NULL object */
        return;
    }
    yyjson_obj_foreach(properties, index, max, key, value)
    {
        bool is_later = yyjson_equals_str(yyjson_obj_get(value, "$ref"), "#/$defs/later");
        bool is_section = yyjson_obj_get(value, "properties") != NULL;
        bool has_text = yyjson_obj_get(value, "description") != NULL ||
                        yyjson_equals_str(yyjson_obj_get(value, "$ref"), "#/$defs/params");
        bool has_default = is_section || yyjson_obj_get(value, "default") != NULL ||
                           yyjson_equals_str(yyjson_obj_get(value, "$ref"), "#/$defs/params");
        if (!is_later && (!has_text || !has_default)) {
            fail_msg("%s.%s has no %s", where, yyjson_get_str(key),
                     has_text ? "default" : "description");
        }
        assert_described(value, yyjson_get_str(key));
    }
}

static void every_key_is_described(void **state)
{
    (void)state;
    yyjson_doc *schema = gw_config_schema_document();
    yyjson_val *root = yyjson_doc_get_root(schema);
    assert_described(root, "");
    yyjson_val *defs = yyjson_obj_get(root, "$defs");
    assert_described(yyjson_obj_get(defs, "params"), "params");
    static const char *const parts[] = {"model",
                                        "group",
                                        "breaker",
                                        "concurrency",
                                        "retry",
                                        "hedge",
                                        "limits",
                                        "queue",
                                        "mirror",
                                        "slow_stream",
                                        "auto",
                                        "health_check",
                                        "retries_by_error",
                                        "failures_by_error",
                                        "retry_policy",
                                        "allowed_fails_policy"};
    for (size_t i = 0; i < GW_ARRAY_LEN(parts); i++) {
        assert_non_null(yyjson_obj_get(defs, parts[i]));
        assert_described(yyjson_obj_get(defs, parts[i]), parts[i]);
    }
    yyjson_doc_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults_hold_without_a_file, fixture_teardown),
        cmocka_unit_test_teardown(the_file_sets_how_clients_are_treated, fixture_teardown),
        cmocka_unit_test_teardown(the_file_sets_how_vendors_are_reached, fixture_teardown),
        cmocka_unit_test_teardown(a_deployment_sets_how_it_is_reached, fixture_teardown),
        cmocka_unit_test_teardown(the_environment_wins_over_the_file, fixture_teardown),
        cmocka_unit_test_teardown(a_reference_is_typed_by_the_key, fixture_teardown),
        cmocka_unit_test_teardown(litellms_names_are_known, fixture_teardown),
        cmocka_unit_test_teardown(wrong_values_name_what_was_expected, fixture_teardown),
        cmocka_unit_test_teardown(wrong_variables_are_named, fixture_teardown),
        cmocka_unit_test_teardown(the_first_key_closes_the_gateway, fixture_teardown),
        cmocka_unit_test_teardown(unknown_keys_are_warned_about, fixture_teardown),
        cmocka_unit_test_teardown(keys_for_later_are_told_once, fixture_teardown),
        cmocka_unit_test_teardown(empty_keys_say_nothing, fixture_teardown),
        cmocka_unit_test(the_schema_knows_every_setting),
        cmocka_unit_test(every_key_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
