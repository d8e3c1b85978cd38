/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_config_yaml - YAML becomes a document: refused with an error in the report, or
 * complete, with a line for every value that is a line of the text.
 */
#include <string.h>

#include "config/document_int.h"
#include "fuzz_target.h"

static const char *const environment[] = {"SET=value", "EMPTY=", "OTHER=${SET}", NULL};

static unsigned count_lines(struct gw_str text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n' || text.ptr[i] == '\r' ? 1 : 0;
        /* YAML 1.1 also counts NEL, LS and PS. */
        lines += text.ptr[i] == '\xc2' || text.ptr[i] == '\xe2' || text.ptr[i] == '\x85' ? 1 : 0;
    }
    return lines;
}

static void check_document(const struct gw_config_document *document, struct gw_str text,
                           struct gw_arena *arena)
{
    yyjson_val *root = yyjson_doc_get_root(document->json);
    unsigned lines = count_lines(text);
    FUZZ_CHECK(yyjson_is_obj(root));
    FUZZ_CHECK(gw_config_index_end(document, root) == document->count);
    for (size_t i = 0; i < document->count; i++) {
        FUZZ_CHECK(document->positions[i].line >= 1 && document->positions[i].line <= lines);
    }
    size_t step = document->count / 16 + 1; /* paths of some: each costs a search from the root */
    for (size_t i = 0; i < document->count; i += step) {
        struct gw_config_place place = gw_config_place_of(document, root + i, arena);
        FUZZ_CHECK(place.line == document->positions[i].line);
        FUZZ_CHECK(i == 0 || place.key_path.ptr != NULL);
    }
    for (size_t i = 0; i < document->unresolved_count; i++) {
        FUZZ_CHECK(document->unresolved[i].index < document->count);
        FUZZ_CHECK(yyjson_is_str(root + document->unresolved[i].index));
    }
    size_t len = 0;
    char *json = yyjson_write_opts(document->json, 0, &gw_config_json_allocator, &len, NULL);
    FUZZ_CHECK(json != NULL);
    gw_config_json_allocator.free(NULL, json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_str text = gw_str((const char *)bytes, size);
    struct gw_arena arena;
    struct gw_config_report report;
    struct gw_environment env;
    struct gw_config_document document = {.files = {GW_STR("f")}, .file_count = 1};
    const struct gw_yaml_node *root = NULL;
    gw_arena_init(&arena, NULL, 0, 64u << 10, 512u << 20);
    gw_report_init(&report);
    gw_environment_init(&env, &arena, environment);
    /* The same bytes are also a .env: its lines may only warn. */
    FUZZ_CHECK(size > GW_DOTENV_MAX_BYTES ||
               gw_environment_add_dotenv(&env, text, GW_STR(".env"), &report) == GW_OK);
    FUZZ_CHECK(report.error_count == 0);
    enum gw_err err = gw_yaml_parse(text, GW_STR("f"), 0, &arena, &report, &root);
    FUZZ_CHECK((err == GW_OK) == (report.error_count == 0));
    if (err == GW_OK) {
        err = gw_config_document_init(&document, root, &env, &arena);
        FUZZ_CHECK(err == GW_OK || err == GW_ERR_TOO_LARGE || err == GW_ERR_TOO_DEEP);
        if (err == GW_OK) {
            check_document(&document, text, &arena);
        }
    }
    gw_config_document_fini(&document);
    gw_config_report_fini(&report);
    gw_arena_fini(&arena);
    return 0;
}
