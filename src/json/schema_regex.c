/* SPDX-License-Identifier: MIT */
/* json/schema_regex - PCRE2 with our allocator and tight limits, fed by the translator. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "json/schema_regex.h"

#include <pcre2.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "json/schema_pattern.h"

/*
 * Steps of PCRE2 per match. Its own limit is 10,000,000, about a second. Patterns of schemas look
 * at names and URLs and need some hundred steps; 100,000, some ten milliseconds, is beyond all of
 * them. A pattern that looks at each byte of a long text a few times is no attack.
 */
#define EASY_STEPS          2000
#define EASY_STEPS_PER_BYTE 4
#define HARD_STEPS          100000
#define HARD_STEPS_PER_BYTE 16
#define MAX_TEXT            (4u * 1024 * 1024) /* longer texts get no more steps */
#define MATCH_DEPTH         10000
#define MATCH_HEAP_KIB      1024                                /* working memory of one match */
#define TRANSLATED_BYTES    (16u * GW_SCHEMA_PATTERN_MAX_BYTES) /* \s becomes 40 bytes */

struct gw_schema_regex {
    pcre2_code *code;
};

struct gw_schema_matcher {
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static void *allocate(PCRE2_SIZE size, void *user)
{
    (void)user;
    return gw_try_alloc(size);
}

static void release(void *block, void *user)
{
    (void)user;
    gw_free(block);
}

static pcre2_code *compile(struct gw_str pattern, const char **why)
{
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    pcre2_compile_context *context = memory != NULL ? pcre2_compile_context_create(memory) : NULL;
    pcre2_code *code = NULL;
    int error = 0;
    if (context != NULL) {
        PCRE2_SIZE offset = 0;
        uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                           PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C;
        code =
            pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &error, &offset, context);
    }
    *why = context == NULL || error == PCRE2_ERROR_HEAP_FAILED ? NULL : "not understood";
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    return code;
}

static enum gw_err translate_and_compile(struct gw_str pattern, pcre2_code **code, const char **why)
{
    if (pattern.len > GW_SCHEMA_PATTERN_MAX_BYTES) {
        *why = "too long";
        return GW_ERR_INVALID;
    }
    struct gw_buf translated;
    gw_buf_init(&translated, TRANSLATED_BYTES);
    *why = NULL;
    enum gw_err err = gw_schema_pattern_translate(pattern, &translated, why);
    if (err == GW_OK) {
        *code = compile(translated.len > 0 ? gw_buf_str(&translated) : GW_STR(""), why);
        if (*code == NULL) {
            err = *why == NULL ? GW_ERR_NOMEM : GW_ERR_INVALID;
        }
    }
    gw_buf_fini(&translated);
    return err;
}

enum gw_err gw_schema_regex_create(struct gw_str pattern, struct gw_schema_regex **out,
                                   const char **why)
{
    pcre2_code *code = NULL;
    enum gw_err err = translate_and_compile(pattern, &code, why);
    if (err != GW_OK) {
        return err;
    }
    *out = gw_alloc(sizeof(**out));
    (*out)->code = code;
    return GW_OK;
}

void gw_schema_regex_destroy(struct gw_schema_regex **regex)
{
    if (*regex == NULL) {
        return;
    }
    pcre2_code_free((*regex)->code);
    gw_free(*regex);
    *regex = NULL;
}

bool gw_schema_regex_is_valid(struct gw_str pattern)
{
    pcre2_code *code = NULL;
    const char *why = NULL;
    enum gw_err err = translate_and_compile(pattern, &code, &why);
    pcre2_code_free(code);
    return err == GW_OK;
}

static struct gw_schema_matcher *create_matcher(void)
{
    struct gw_schema_matcher *matcher = gw_zalloc(sizeof(*matcher));
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    if (memory != NULL) {
        matcher->limits = pcre2_match_context_create(memory);
        matcher->data = pcre2_match_data_create(1, memory);
    }
    pcre2_general_context_free(memory);
    if (matcher->limits == NULL || matcher->data == NULL) {
        gw_schema_matcher_destroy(&matcher);
        return NULL;
    }
    pcre2_set_depth_limit(matcher->limits, MATCH_DEPTH);
    pcre2_set_heap_limit(matcher->limits, MATCH_HEAP_KIB);
    return matcher;
}

void gw_schema_matcher_destroy(struct gw_schema_matcher **matcher)
{
    if (*matcher == NULL) {
        return;
    }
    pcre2_match_data_free((*matcher)->data);
    pcre2_match_context_free((*matcher)->limits);
    gw_free(*matcher);
    *matcher = NULL;
}

enum gw_schema_match gw_schema_regex_match(const struct gw_schema_regex *regex, struct gw_str text,
                                           enum gw_schema_effort effort,
                                           struct gw_schema_matcher **matcher)
{
    if (*matcher == NULL) {
        *matcher = create_matcher();
    }
    if (*matcher == NULL) {
        return GW_SCHEMA_MATCH_TOO_HARD;
    }
    const char *subject = text.len > 0 ? text.ptr : "";
    size_t len = text.len < MAX_TEXT ? text.len : MAX_TEXT;
    size_t steps = effort == GW_SCHEMA_EASY ? EASY_STEPS + EASY_STEPS_PER_BYTE * len
                                            : HARD_STEPS + HARD_STEPS_PER_BYTE * len;
    pcre2_set_match_limit((*matcher)->limits, (uint32_t)steps);
    int result = pcre2_match(regex->code, (PCRE2_SPTR)subject, text.len, 0, 0, (*matcher)->data,
                             (*matcher)->limits);
    if (result >= 0) {
        return GW_SCHEMA_MATCH_YES;
    }
    return result == PCRE2_ERROR_NOMATCH ? GW_SCHEMA_MATCH_NO : GW_SCHEMA_MATCH_TOO_HARD;
}
