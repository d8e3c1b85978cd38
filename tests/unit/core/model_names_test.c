/* SPDX-License-Identifier: MIT */
/* core/model_names: patterns are replaced by what is known to match them. */
#include "core/model_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "llm/model_facts.h"
#include "provider/provider.h"

#define MAX_NAMES 200

struct fixture {
    struct gw_arena arena;
    struct gw_catalog *catalog;
    char names[MAX_NAMES][GW_MODEL_NAME_MAX];
    size_t count;
};

static void begin(struct fixture *f)
{
    gw_arena_init(&f->arena, NULL, 0, 4096, 1u << 20);
    f->catalog = gw_catalog_create(&f->arena);
    f->count = 0;
    assert_non_null(f->catalog);
}

static void add(struct fixture *f, const char *group, const char *provider, const char *upstream)
{
    struct gw_deployment *deployment = gw_arena_try_alloc(&f->arena, sizeof(*deployment));
    assert_non_null(deployment);
    *deployment = (struct gw_deployment){.provider = gw_provider_find(gw_str_from_c(provider)),
                                         .provider_name = gw_str_from_c(provider),
                                         .upstream_model = gw_str_from_c(upstream)};
    assert_non_null(deployment->provider);
    assert_int_equal(gw_catalog_add(f->catalog, gw_str_from_c(group), deployment), GW_OK);
}

static void list(struct fixture *f)
{
    struct gw_model_names names;
    struct gw_str name;
    struct gw_str suffix;
    const struct gw_model_group *group = NULL;
    gw_model_names_init(&names, f->catalog);
    while (gw_model_names_next(&names, &name, &group)) {
        assert_true(f->count < MAX_NAMES && name.len < GW_MODEL_NAME_MAX);
        memcpy(f->names[f->count], name.ptr, name.len);
        f->names[f->count][name.len] = '\0';
        f->count++;
        assert_ptr_equal(gw_catalog_find(f->catalog, name, &suffix), group);
    }
    assert_false(gw_model_names_next(&names, &name, &group));
}

static size_t count_of(const struct fixture *f, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        count += strcmp(f->names[i], name) == 0 ? 1 : 0;
    }
    return count;
}

/* How many models of |provider| begin and end so. */
static size_t known(const char *provider, const char *front, const char *end)
{
    struct gw_str of;
    struct gw_str model;
    size_t count = 0;
    for (size_t i = 0; gw_model_facts_at(i, &of, &model); i++) {
        count += gw_str_eq(of, gw_str_from_c(provider)) &&
                         gw_str_has_prefix(model, gw_str_from_c(front)) &&
                         gw_str_has_suffix(model, gw_str_from_c(end))
                     ? 1
                     : 0;
    }
    return count;
}

static void plain_names_stay(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add(&f, "b", "openai", "gpt-4.1");
    add(&f, "a", "anthropic", "claude-sonnet-5-5");
    add(&f, "b", "groq", "x");
    list(&f);
    assert_int_equal(f.count, 2);
    assert_string_equal(f.names[0], "b");
    assert_string_equal(f.names[1], "a");
    gw_arena_fini(&f.arena);
}

static void patterns_become_known_models(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add(&f, "openai/*", "openai", "");
    add(&f, "gpt-*", "openai", "gpt-*");
    add(&f, "gpt-4.1", "openai", "gpt-4.1");
    list(&f);
    size_t all = known("openai", "", "");
    size_t of_gpt = known("openai", "gpt-", "");
    assert_true(all > of_gpt && of_gpt > 10);
    /* gpt-4.1 is the exact group's. */
    assert_int_equal(f.count, all + of_gpt - 1 + 1);
    assert_int_equal(count_of(&f, "openai/gpt-4.1"), 1);
    assert_int_equal(count_of(&f, "openai/o3"), 1);
    assert_int_equal(count_of(&f, "gpt-4.1"), 1);
    assert_int_equal(count_of(&f, "gpt-4o"), 1);
    assert_int_equal(count_of(&f, "o3"), 0);
    assert_int_equal(count_of(&f, "openai/*") + count_of(&f, "gpt-*"), 0);
    gw_arena_fini(&f.arena);
}

static void the_star_may_stand_inside(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add(&f, "best-*", "anthropic", "claude-*-5-5");
    list(&f);
    assert_int_equal(f.count, known("anthropic", "claude-", "-5-5"));
    assert_int_equal(count_of(&f, "best-sonnet"), 1);
    gw_arena_fini(&f.arena);
}

static void what_nothing_is_known_of_stays(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add(&f, "ollama/*", "ollama", "");
    add(&f, "azure/*", "azure", "");
    add(&f, "any/*", "openai", "gpt-4.1");
    add(&f, "*", "openai_like", "");
    list(&f);
    assert_int_equal(f.count, 4);
    assert_string_equal(f.names[0], "ollama/*");
    assert_string_equal(f.names[1], "azure/*");
    assert_string_equal(f.names[2], "any/*");
    assert_string_equal(f.names[3], "*");
    gw_arena_fini(&f.arena);
}

static void nothing(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    list(&f);
    assert_int_equal(f.count, 0);
    gw_arena_fini(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_stay),
        cmocka_unit_test(patterns_become_known_models),
        cmocka_unit_test(the_star_may_stand_inside),
        cmocka_unit_test(what_nothing_is_known_of_stays),
        cmocka_unit_test(nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
