/* SPDX-License-Identifier: MIT */
/*
 * The published test suite of JSON Schema, read in place from
 * $GW_SHARED/data/json-schema-test-suite. All required tests of draft 2020-12 pass; the optional
 * ones that do not are listed below with the reason. Skipped with a word where the suite is not
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <yyjson.h>

#include "json/schema.h"

#define MAX_REMOTES 200
#define PATH_BYTES  4096

/*
 * Optional tests that fail: by file, and by what their group and test begin with. A row without a
 * test stands for what is not supported as a whole; some of its tests pass all the same. A row with
 * a test must fail, or it has to go.
 */
static const struct {
    const char *file;
    const char *group;
    const char *test;
    const char *why;
} known_failures[] = {
    {"optional/cross-draft.json", "refs to historic drafts", "first item not a string",
     "only draft 2020-12 is supported; other drafts are refused"},
    {"optional/dependencies-compatibility.json", NULL, NULL,
     "\"dependencies\" is no keyword of this draft; \"dependentRequired\" and \"dependentSchemas\" "
     "are"},
    {"optional/format/ecmascript-regex.json", "ECMA 262 lookbehind", "a variable-width lookbehind",
     "PCRE2 10.42 has no lookbehind of variable width"},
    {"optional/format/hostname.json", "validation of A-label", NULL,
     "an A-label must decode; what it decodes to would need the tables of IDNA 2008"},
    {"optional/format/idn-email.json", NULL, NULL, "not asserted"},
    {"optional/format/idn-hostname.json", NULL, NULL,
     "not asserted: needs the tables of IDNA 2008"},
    {"optional/format/iri.json", NULL, NULL, "not asserted"},
    {"optional/format/iri-reference.json", NULL, NULL, "not asserted"},
    {"optional/format/uri-template.json", NULL, NULL, "not asserted"},
};

struct suite {
    char root[1000];
    struct gw_schema_document remotes[MAX_REMOTES];
    yyjson_doc *docs[MAX_REMOTES];
    char *uris[MAX_REMOTES];
    size_t remote_count;
    size_t passed;
    size_t failed;
    size_t excused;
    struct gw_arena arena;
};

static yyjson_doc *read_file(const char *path)
{
    yyjson_read_err err = {0};
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, &err);
    if (doc == NULL) {
        fail_msg("%s: %s", path, err.msg);
    }
    return doc;
}

static bool has_suffix(const char *text, const char *suffix)
{
    return gw_str_has_suffix(gw_str_from_c(text), gw_str_from_c(suffix));
}

/* Loads every file below |folder| as the document that the suite's web server would give for it. */
static void load_remotes(struct suite *suite, const char *folder, const char *uri)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[PATH_BYTES];
        char below[PATH_BYTES];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%.3000s/%.255s", folder, entry->d_name);
        snprintf(below, sizeof(below), "%.3000s/%.255s", uri, entry->d_name);
        if (entry->d_type == DT_DIR) {
            load_remotes(suite, path, below);
        } else if (has_suffix(entry->d_name, ".json")) {
            size_t at = suite->remote_count++;
            assert_true(at < MAX_REMOTES);
            suite->docs[at] = read_file(path);
            suite->uris[at] = strdup(below);
            suite->remotes[at] =
                (struct gw_schema_document){.uri = gw_str_from_c(suite->uris[at]),
                                            .root = yyjson_doc_get_root(suite->docs[at])};
        }
    }
    closedir(dir);
}

static int set_up(void **state)
{
    const char *shared = getenv("GW_SHARED");
    struct suite *suite = calloc(1, sizeof(*suite));
    assert_non_null(suite);
    *state = suite;
    snprintf(suite->root, sizeof(suite->root), "%s/data/json-schema-test-suite",
             shared != NULL ? shared : ".");
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/remotes", suite->root);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        printf("the JSON Schema test suite is not at %s: skipped\n", suite->root);
        suite->root[0] = '\0';
        return 0;
    }
    closedir(dir);
    load_remotes(suite, path, "http://localhost:1234");
    gw_arena_init(&suite->arena, NULL, 0, 65536, 64u << 20);
    return 0;
}

static int tear_down(void **state)
{
    struct suite *suite = *state;
    for (size_t i = 0; i < suite->remote_count; i++) {
        yyjson_doc_free(suite->docs[i]);
        free(suite->uris[i]);
    }
    gw_arena_fini(&suite->arena);
    free(suite);
    return 0;
}

static bool begins(const char *text, const char *start)
{
    return start == NULL || strncmp(text, start, strlen(start)) == 0;
}

enum standing {
    MUST_PASS,
    MAY_FAIL,
    MUST_FAIL,
};

static enum standing standing_of(const char *file, const char *group, const char *test)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(known_failures); i++) {
        if (strcmp(file, known_failures[i].file) == 0 && begins(group, known_failures[i].group) &&
            begins(test, known_failures[i].test)) {
            return known_failures[i].test != NULL ? MUST_FAIL : MAY_FAIL;
        }
    }
    return MUST_PASS;
}

static void count(struct suite *suite, bool is_right, const char *file, const char *group,
                  const char *test, const char *what)
{
    enum standing standing = standing_of(file, group, test);
    if (is_right && standing != MUST_FAIL) {
        suite->passed++;
    } else if (!is_right && standing != MUST_PASS) {
        suite->excused++;
    } else {
        suite->failed++;
        printf("%s: %s: %s: %s\n", file, group, test, is_right ? "passes, but is listed" : what);
    }
}

/* The verdict and the report must say the same. */
static bool check_both_ways(struct suite *suite, const struct gw_schema *schema,
                            yyjson_val *instance, struct gw_schema_report *report)
{
    bool verdict = gw_schema_check(schema, instance, NULL, NULL);
    bool reported = gw_schema_check(schema, instance, &suite->arena, report);
    assert_int_equal(verdict, reported);
    assert_int_equal(verdict, report->total_count == 0);
    for (size_t i = 0; i < report->count; i++) {
        assert_true(report->errors[i].message.len > 0);
        assert_non_null(report->errors[i].instance);
    }
    return verdict;
}

static void run_group(struct suite *suite, const char *file, yyjson_val *group, bool assert_format)
{
    static struct gw_schema_report report;
    const char *name = yyjson_get_str(yyjson_obj_get(group, "description"));
    struct gw_schema_opts opts = {.documents = suite->remotes,
                                  .document_count = suite->remote_count,
                                  .assert_format = assert_format};
    struct gw_schema *schema = NULL;
    struct gw_str message = GW_STR("");
    enum gw_err err =
        gw_schema_create(yyjson_obj_get(group, "schema"), &opts, &suite->arena, &schema, &message);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *test = NULL;
    yyjson_arr_foreach(yyjson_obj_get(group, "tests"), index, max, test)
    {
        const char *words = yyjson_get_str(yyjson_obj_get(test, "description"));
        bool expected = yyjson_get_bool(yyjson_obj_get(test, "valid"));
        if (err != GW_OK) {
            char text[300];
            snprintf(text, sizeof(text), "not compiled: %.*s", (int)message.len, message.ptr);
            count(suite, false, file, name, words, text);
            continue;
        }
        bool verdict = check_both_ways(suite, schema, yyjson_obj_get(test, "data"), &report);
        count(suite, verdict == expected, file, name, words,
              expected ? "should be valid" : "should be invalid");
    }
    gw_schema_destroy(&schema);
    gw_arena_fini(&suite->arena);
}

static void run_file(struct suite *suite, const char *file, bool assert_format)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/tests/draft2020-12/%s", suite->root, file);
    yyjson_doc *doc = read_file(path);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *group = NULL;
    yyjson_arr_foreach(yyjson_doc_get_root(doc), index, max, group)
    {
        run_group(suite, file, group, assert_format);
    }
    yyjson_doc_free(doc);
}

static void run_folder(struct suite *suite, const char *folder, bool assert_format)
{
    char path[PATH_BYTES];
    struct dirent **entries = NULL;
    if (suite->root[0] == '\0') {
        skip();
    }
    snprintf(path, sizeof(path), "%s/tests/draft2020-12/%s", suite->root, folder);
    int found = scandir(path, &entries, NULL, alphasort);
    assert_true(found > 0);
    suite->passed = 0;
    suite->failed = 0;
    suite->excused = 0;
    for (int i = 0; i < found; i++) {
        if (has_suffix(entries[i]->d_name, ".json")) {
            char file[300];
            snprintf(file, sizeof(file), "%.30s%.255s", folder, entries[i]->d_name);
            run_file(suite, file, assert_format);
        }
        free(entries[i]);
    }
    free(entries);
    printf("%s: %zu passed, %zu failed, %zu known to fail\n",
           folder[0] == '\0' ? "required" : folder, suite->passed, suite->failed, suite->excused);
    assert_int_equal(suite->failed, 0);
    assert_true(suite->passed > 0);
}

static void test_required(void **state)
{
    run_folder(*state, "", false);
}

static void test_optional(void **state)
{
    run_folder(*state, "optional/", false);
}

static void test_formats(void **state)
{
    run_folder(*state, "optional/format/", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_optional),
        cmocka_unit_test(test_formats),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
