/* SPDX-License-Identifier: MIT */
/* config/load and snapshot: files, includes, .env, references, and all or nothing. */
#include "load_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static char directory[64];

static int enter(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "/tmp/gw-config-test.XXXXXX");
    return mkdtemp(directory) == NULL || chdir(directory) != 0 ? -1 : 0;
}

static int leave(void **state)
{
    static const char *const files[] = {"config.yaml", "gatewire.yaml", "a.yaml",    "b.yaml",
                                        ".env",        "other.env",     "sub/c.yaml"};
    fixture_reset();
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(files); i++) {
        (void)unlink(files[i]);
    }
    (void)rmdir("sub");
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static enum gw_err load_file(const char *path, const char *dotenv)
{
    fixture_reset();
    const struct gw_config_source source = {.path = path, .dotenv_path = dotenv};
    enum gw_err err = gw_config_load(&source, &snapshot, &report);
    has_report = true;
    assert_int_equal(err == GW_OK, snapshot != NULL);
    return err;
}

static void assert_loads(const char *path, const char *dotenv)
{
    if (load_file(path, dotenv) != GW_OK) {
        print_report();
        fail_msg("not loaded");
    }
}

static void the_usual_files_are_looked_for(void **state)
{
    (void)state;
    assert_loads(NULL, NULL);
    assert_int_equal(snapshot->source_path.len, 0);
    put("config.yaml", "server: {port: 1}\n");
    assert_loads(NULL, NULL);
    assert_text(snapshot->source_path, "config.yaml");
    assert_int_equal(snapshot->listen.api_port, 1);
    put("gatewire.yaml", "server: {port: 2}\n");
    assert_loads(NULL, NULL);
    assert_int_equal(snapshot->listen.api_port, 2);
    assert_loads("config.yaml", NULL);
    assert_int_equal(snapshot->listen.api_port, 1);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    assert_int_equal(load_file("nowhere.yaml", NULL), GW_ERR_NOT_FOUND);
    assert_int_equal(report.error_count, 1);
    assert_text(report.issues[0].file, "nowhere.yaml");
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_int_equal(load_file("sub", NULL), GW_ERR_INVALID);
    assert_int_equal(report.error_count, 1);
    assert_int_equal(load_file(NULL, "no.env"), GW_ERR_NOT_FOUND);
    assert_text(report.issues[0].file, "no.env");
}

static void dotenv_is_read(void **state)
{
    (void)state;
    put(".env", "OPENAI_API_KEY=sk-dot\nGW_TEST_PORT=1234\nnonsense\n");
    put("config.yaml", "server: {port: '${GW_TEST_PORT}'}\n");
    assert_loads(NULL, NULL);
    assert_int_equal(snapshot->listen.api_port, 1234);
    assert_true(
        gw_secret_eq(gw_deployment_secret(deployment_of("gpt-4o", 0), 0), GW_STR("sk-dot")));
    assert_int_equal(report.count, 1);
    assert_text(report.issues[0].file, ".env");
    assert_int_equal(report.issues[0].line, 3);
    put("other.env", "GW_TEST_PORT=77\n");
    assert_loads(NULL, "other.env");
    assert_int_equal(snapshot->listen.api_port, 77);
    assert_int_equal(setenv("GW_TEST_PORT", "99", 1), 0);
    assert_loads(NULL, NULL);
    assert_int_equal(snapshot->listen.api_port, 99);
    assert_int_equal(unsetenv("GW_TEST_PORT"), 0);
}

static void included_files_are_merged(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    put("config.yaml", "include: [a.yaml, sub/c.yaml]\n"
                       "server: {port: 10}\n"
                       "model_list:\n"
                       "- {model_name: m0, litellm_params: {model: gatewire/demo}}\n");
    put("a.yaml", "model_list:\n"
                  "- {model_name: m1, litellm_params: {model: gatewire/demo}}\n"
                  "server: {port: 11, idle_timeout: 3s}\n"
                  "include: b.yaml\n");
    put("sub/c.yaml", "model_list:\n"
                      "- model_name: m2\n"
                      "  litellm_params: {model: openai_like/x, api_base: nothing}\n"
                      "general_settings: {master_key: k}\n");
    assert_int_equal(load_file("config.yaml", NULL), GW_ERR_INVALID);
    assert_int_equal(report.error_count, 1);
    assert_finding(true, 3, "model_list[2].litellm_params.api_base", "expected an address");
    bool is_named = false;
    for (size_t i = 0; i < report.count; i++) {
        is_named = is_named || gw_str_has_suffix(report.issues[i].file, GW_STR("sub/c.yaml"));
    }
    assert_true(is_named);
    put("sub/c.yaml", "model_list:\n- {model_name: m2, litellm_params: {model: gatewire/demo}}\n"
                      "general_settings: {master_key: k}\n");
    assert_loads("config.yaml", NULL);
    assert_int_equal(deployments_of("m0") + deployments_of("m1") + deployments_of("m2"), 3);
    assert_int_equal(snapshot->listen.api_port, 10);
    assert_int_equal(snapshot->downstream.idle_timeout_ms, 3000);
    assert_false(snapshot->access.is_open);
    assert_int_equal(report.count, 2);
    assert_finding(false, 3, "", "is set in config.yaml too, line 2");
    assert_finding(false, 4, "", "include in an included file");
    put("config.yaml", "include: missing.yaml\n");
    assert_int_equal(load_file("config.yaml", NULL), GW_ERR_INVALID);
    assert_finding(true, 1, "", "cannot read the file \"missing.yaml\"");
    put("config.yaml", "include: a.yaml\n");
    put("a.yaml", "a: [\n");
    assert_int_equal(load_file("config.yaml", NULL), GW_ERR_INVALID);
    assert_text(report.issues[0].file, "a.yaml");
}

static void variables_of_the_file_are_set_first(void **state)
{
    (void)state;
    static const char *const environment[] = {"A=process", NULL};
    assert_good("general_settings: {master_key: os.environ/A}\n"
                "environment_variables: {A: file, B: '${A}2', C: 5}\n",
                environment, 0);
    assert_true(gw_secret_eq(snapshot->access.keys[0], GW_STR("file")));
}

static void all_errors_are_told_at_once_in_order(void **state)
{
    (void)state;
    assert_int_equal(load("model_list:\n"
                          "- {model_name: m, litellm_params: {model: openai_like/x}}\n"
                          "server: {port: x, workers: y}\n"
                          "upstream:\n"
                          "  idle_timeout: z\n"
                          "logging: {level: q}\n"
                          "cors: 5\n",
                          NULL),
                     GW_ERR_INVALID);
    assert_int_equal(report.error_count, 6);
    for (size_t i = 1; i < report.count; i++) {
        assert_true(report.issues[i - 1].line <= report.issues[i].line);
    }
}

static void a_long_report_says_that_there_is_more(void **state)
{
    (void)state;
    char *yaml = gw_alloc(20000);
    size_t len = 0;
    for (unsigned i = 0; i < 600; i++) {
        len += (size_t)snprintf(yaml + len, 20000 - len, "unknown_%u: 1\n", i);
    }
    assert_int_equal(load(yaml, NULL), GW_OK);
    assert_int_equal(report.count, 501);
    assert_finding(false, 0, "", "there is more to say");
    gw_free(yaml);
}

static void a_snapshot_lives_until_its_last_owner_goes(void **state)
{
    (void)state;
    assert_good("general_settings: {master_key: k}\n", NULL, 0);
    struct gw_snapshot *second = gw_snapshot_acquire(snapshot);
    gw_snapshot_release(&snapshot);
    assert_null(snapshot);
    assert_true(gw_secret_eq(second->access.keys[0], GW_STR("k")));
    gw_snapshot_release(&second);
    assert_null(second);
    gw_snapshot_release(&second);
}

static void every_prefix_of_a_file_ends_well(void **state)
{
    (void)state;
    static const char yaml[] =
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: openai/x, api_key: \"${K:-d}\"}}\n"
        "server: {port: 80, tls: {cert_file: a}}\n"
        "model_aliases: {b: [a, a]}\n";
    for (size_t len = 0; len < sizeof(yaml); len++) {
        char *copy = gw_strndup(yaml, len);
        (void)load(copy, NULL);
        gw_free(copy);
    }
}

/* Every allocation fails once: nothing is lost, nothing half-built comes out. */
static void no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const environment[] = {"OPENAI_API_KEY=a", "OPENAI_API_KEY_2=b",
                                              "HTTPS_PROXY=http://u:p@h:1", NULL};
    static const char *const files[] = {
        "",
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: openai/x, extra_headers: {a: b}, rpm: 1}}\n"
        "- {model_name: b, deployments: [a, c]}\n"
        "deployments: {c: {model: openai_like/y, api_base: 'http://h', api_key: k}}\n"
        "model_aliases: {d: a, e: [a, b]}\n"
        "general_settings: {master_key: '${K:-k}'}\n"
        "cors: {allowed_origins: [a, b]}\n"
        "unknown: 1\n",
        "router: {strategy: random, fallbacks: {gpt-4o: [gpt-4], gpt-4: [gpt-4o]}, mirror: b,\n"
        "  auto: {low: b, medium: b, high: b, rules: [{contains: X, tier: low}]},\n"
        "  default_fallbacks: [b, gpt-4]}\n"
        "model_groups: {b: {hedge: true, fallbacks: [gpt-4]}}\n"
        "model_list:\n"
        "- {model_name: 'gpt-*', litellm_params: {model: 'openai/gpt-*', tags: [a, b]}}\n"
        "- {model_name: b, litellm_params: {model: openai/b, api_keys: [k, l], num_retries: 1}}\n",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(files); i++) {
        enum gw_err err = GW_ERR_NOMEM;
        for (uint64_t nth = 1; err != GW_OK; nth++) {
            fixture_reset();
            const struct gw_config_input input = {.text = gw_str_from_c(files[i]),
                                                  .path = GW_STR("t.yaml"),
                                                  .environment = environment};
            gw_alloc_fail_at(nth);
            err = gw_config_load_text(&input, &snapshot, &report);
            gw_alloc_fail_at(0);
            has_report = true;
            assert_int_equal(err == GW_OK, snapshot != NULL);
            assert_true(nth < 100000);
        }
        assert_int_equal(report.error_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_usual_files_are_looked_for, enter, leave),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_read_are_named, enter, leave),
        cmocka_unit_test_setup_teardown(dotenv_is_read, enter, leave),
        cmocka_unit_test_setup_teardown(included_files_are_merged, enter, leave),
        cmocka_unit_test_teardown(variables_of_the_file_are_set_first, fixture_teardown),
        cmocka_unit_test_teardown(all_errors_are_told_at_once_in_order, fixture_teardown),
        cmocka_unit_test_teardown(a_long_report_says_that_there_is_more, fixture_teardown),
        cmocka_unit_test_teardown(a_snapshot_lives_until_its_last_owner_goes, fixture_teardown),
        cmocka_unit_test_teardown(every_prefix_of_a_file_ends_well, fixture_teardown),
        cmocka_unit_test_teardown(no_memory_leaves_nothing_behind, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
