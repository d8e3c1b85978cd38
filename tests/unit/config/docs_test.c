/* SPDX-License-Identifier: MIT */
/* docs/configuration.md, docs/examples and .env.example: what they say is so. */
#include "base/buf.h"
#include "config/schema_check_int.h"

#include "load_fixture.h"

#include <stdlib.h>

/* Meson says where tests/data is; a test that is run by hand is run in the top folder. */
static struct gw_buf read_doc(const char *path)
{
    const char *data = getenv("GW_TEST_DATA");
    const char *end = data == NULL ? NULL : strstr(data, "/tests/data");
    char full[4096];
    struct gw_buf text;
    (void)snprintf(full, sizeof(full), "%.*s%s%s", end == NULL ? 0 : (int)(end - data),
                   end == NULL ? "" : data, end == NULL ? "" : "/", path);
    if (gw_config_read_file(full, 1u << 20, &text) != GW_OK ||
        gw_buf_append_byte(&text, '\0') != GW_OK) {
        fail_msg("cannot read %s", full);
    }
    return text;
}

static const char *const environment[] = {
    "OPENAI_API_KEY=a",     "OPENAI_API_KEY_EAST=b",
    "OPENROUTER_API_KEY=c", "GROQ_API_KEY=d",
    "GATEWAY_KEY=e",        "LITELLM_MASTER_KEY=f",
    "GATEWIRE_WORKERS=1",   "ANTHROPIC_API_KEY=g",
    "GEMINI_API_KEY=h",     NULL,
};

static void examples_load_without_a_warning(void **state)
{
    (void)state;
    static const char *const names[] = {"minimal", "litellm", "local"};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "docs/examples/%s.yaml", names[i]);
        struct gw_buf text = read_doc(path);
        assert_good(text.ptr, environment, 0);
        gw_buf_fini(&text);
    }
    /* This one has a certificate that only an installation has; nothing else may be wrong with it.
     */
    struct gw_buf text = read_doc("docs/examples/production.yaml");
    assert_int_equal(load(text.ptr, environment), GW_ERR_INVALID);
    assert_finding(true, 7, "server.tls.cert_file", "/etc/gatewire/tls/fullchain.pem");
    if (report.count != 1) {
        print_report();
        fail_msg("more than the certificate");
    }
    gw_buf_fini(&text);
}

/* The name behind the last dot stands in the page, as code. */
static void assert_told(const struct gw_buf *page, struct gw_str name)
{
    struct gw_str text = gw_buf_str(page);
    char code[128];
    (void)snprintf(code, sizeof(code), GW_STR_FMT, GW_STR_ARG(name));
    if (gw_str_find(text, gw_str_from_c(code)) == text.len) {
        fail_msg("docs/configuration.md does not name %s", code);
    }
}

static struct gw_str last_part(struct gw_str name)
{
    struct gw_str part = {0};
    struct gw_str last = {0};
    while (gw_str_split(&name, '.', &part)) {
        last = part;
    }
    return last;
}

static void the_page_names_every_setting_and_variable(void **state)
{
    (void)state;
    struct gw_buf page = read_doc("docs/configuration.md");
    for (size_t i = 0; gw_setting_row_at(i) != NULL; i++) {
        struct gw_str names = gw_str_from_c(gw_setting_row_at(i)->names);
        struct gw_str variables = gw_str_from_c(gw_setting_row_at(i)->env);
        struct gw_str name = {0};
        while (gw_str_split(&names, ' ', &name)) {
            assert_told(&page, last_part(name));
        }
        while (gw_str_split(&variables, ' ', &name)) {
            assert_told(&page, name);
        }
    }
    for (size_t i = 0; gw_provider_at(i) != NULL; i++) {
        assert_told(&page, gw_provider_at(i)->name);
    }
    gw_buf_fini(&page);
}

/* With every line made active the example is a good .env. */
static void the_example_of_dotenv_is_good(void **state)
{
    (void)state;
    struct gw_buf text = read_doc(".env.example");
    char *line = text.ptr;
    while (line != NULL && *line != '\0') {
        if (line[0] == '#' && line[1] >= 'A' && line[1] <= 'Z') {
            line[0] = ' ';
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    fixture_reset();
    const struct gw_config_input input = {.dotenv = gw_str(text.ptr, text.len - 1),
                                          .dotenv_path = GW_STR(".env.example")};
    enum gw_err err = gw_config_load_text(&input, &snapshot, &report);
    has_report = true;
    if (err != GW_OK || report.count != 0) {
        print_report();
        fail_msg(".env.example has mistakes");
    }
    assert_false(snapshot->access.is_open);
    assert_text(snapshot->listen.host, "0.0.0.0");
    assert_true(snapshot->found_count >= 12);
    gw_buf_fini(&text);
}

static const char models[] =
    "model_list:\n"
    "- {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o}}\n"
    "- {model_name: gpt-4o-mini, litellm_params: {model: openai/gpt-4o-mini}}\n"
    "- {model_name: claude-sonnet-4-5, litellm_params: {model: anthropic/claude-sonnet-4-5}}\n"
    "- {model_name: gemini-2.5-pro, litellm_params: {model: gemini/gemini-2.5-pro}}\n";

/* Each block of YAML, with models where it has none. */
static void the_examples_of_routing_load(void **state)
{
    (void)state;
    static const struct gw_str fence = GW_STR_INIT("```");
    struct gw_buf page = read_doc("docs/routing.md");
    struct gw_str rest = gw_buf_str(&page);
    size_t count = 0;
    for (;;) {
        size_t begin = gw_str_find(rest, GW_STR("```yaml\n"));
        if (begin == rest.len) {
            break;
        }
        rest = gw_str_skip(rest, begin + sizeof("```yaml\n") - 1);
        struct gw_str block = gw_str(rest.ptr, gw_str_find(rest, fence));
        bool has_models = gw_str_find(block, GW_STR("model_list:")) < block.len;
        char yaml[4096];
        (void)snprintf(yaml, sizeof(yaml), GW_STR_FMT "%s", GW_STR_ARG(block),
                       has_models ? "" : models);
        assert_good(yaml, environment, 0);
        rest = gw_str_skip(rest, block.len + fence.len);
        count++;
    }
    assert_in_range(count, 12, 100);
    gw_buf_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(examples_load_without_a_warning, fixture_teardown),
        cmocka_unit_test(the_page_names_every_setting_and_variable),
        cmocka_unit_test_teardown(the_example_of_dotenv_is_good, fixture_teardown),
        cmocka_unit_test_teardown(the_examples_of_routing_load, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
