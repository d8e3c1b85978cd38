/* SPDX-License-Identifier: MIT */
/* net/resolver - with a system that answers when the test says so, and once with the real one. */
#include "net/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/resolver_int.h"

#define REFRESH_MS 60000
#define CALLS_MAX  512

/* ---- the fake system: keeps the look-ups until the test answers ---- */

struct call {
    uv_getaddrinfo_t *request;
    uv_getaddrinfo_cb on_done;
    char host[256];
};

static struct call calls[CALLS_MAX];
static size_t call_count;
static size_t freed_count;
static int start_result;

static int fake_start(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_done,
                      const char *host, const char *service, const struct addrinfo *hints)
{
    assert_non_null(loop);
    assert_null(service);
    assert_int_equal(hints->ai_socktype, SOCK_STREAM);
    if (start_result != 0) {
        return start_result;
    }
    assert_true(call_count < CALLS_MAX);
    struct call *call = &calls[call_count++];
    *call = (struct call){.request = request, .on_done = on_done};
    (void)snprintf(call->host, sizeof(call->host), "%s", host);
    /* What uv_cancel() looks at. */
    request->type = UV_UNKNOWN_REQ;
    return 0;
}

static void fake_free(struct addrinfo *answer)
{
    if (answer != NULL) {
        freed_count++;
    }
}

static const struct gw_resolver_system fake_system = {
    .start = fake_start,
    .free_answer = fake_free,
};

/* Ends the |nth| look-up with the literals given, NULL last. */
static void reply(size_t nth, const char *first, ...)
{
    struct addrinfo list[32];
    struct gw_address addresses[32];
    size_t count = 0;
    va_list args;
    va_start(args, first);
    for (const char *text = first; text != NULL; text = va_arg(args, const char *)) {
        assert_int_equal(gw_address_from_literal(gw_str_from_c(text), 0, &addresses[count]), GW_OK);
        list[count] = (struct addrinfo){
            .ai_family = addresses[count].u.any.sa_family,
            .ai_addrlen = addresses[count].len,
            .ai_addr = &addresses[count].u.any,
        };
        if (count > 0) {
            list[count - 1].ai_next = &list[count];
        }
        count++;
    }
    va_end(args);
    assert_true(nth < call_count);
    calls[nth].on_done(calls[nth].request, 0, count == 0 ? NULL : list);
}

static void reply_failure(size_t nth, int status)
{
    assert_true(nth < call_count);
    calls[nth].on_done(calls[nth].request, status, NULL);
}

/* ---- who asks ---- */

struct asker {
    struct gw_resolver_query *query;
    unsigned answers;
    enum gw_err err;
    char text[1024]; /* the addresses, separated by spaces */
    char detail[256];
    bool done;
    void (*at_answer)(struct asker *asker);
    struct gw_resolver **resolver;
    struct asker *other;
};

static void on_answer(void *user, enum gw_err err, const struct gw_address *addresses, size_t count,
                      struct gw_str detail)
{
    struct asker *asker = user;
    asker->answers++;
    asker->query = NULL;
    asker->err = err;
    asker->text[0] = '\0';
    assert_true(err == GW_OK ? count > 0 : count == 0);
    for (size_t i = 0; i < count; i++) {
        char text[GW_ADDRESS_TEXT_BYTES];
        size_t len = strlen(asker->text);
        gw_address_format(&addresses[i], text);
        (void)snprintf(asker->text + len, sizeof(asker->text) - len, "%s%s", i == 0 ? "" : " ",
                       text);
    }
    (void)snprintf(asker->detail, sizeof(asker->detail), GW_STR_FMT, GW_STR_ARG(detail));
    asker->done = true;
    if (asker->at_answer != NULL) {
        asker->at_answer(asker);
    }
}

static void ask(struct gw_resolver *resolver, const char *host, uint16_t port, struct asker *asker)
{
    assert_int_equal(
        gw_resolver_lookup(resolver, gw_str_from_c(host), port, on_answer, asker, &asker->query),
        GW_OK);
}

static void assert_answer(const struct asker *asker, unsigned answers, const char *text)
{
    assert_int_equal(asker->answers, answers);
    assert_null(asker->query);
    assert_int_equal(asker->err, GW_OK);
    assert_string_equal(asker->text, text);
}

/* ---- set-up ---- */

struct fixture {
    struct gw_loop *loop;
    struct gw_resolver *resolver;
    bool is_expired;
    struct gw_timer timer;
};

static int make_with(void **state, uint64_t refresh_ms)
{
    struct fixture *fixture = gw_zalloc(sizeof(*fixture));
    call_count = 0;
    freed_count = 0;
    start_result = 0;
    assert_int_equal(gw_loop_create(&fixture->loop), GW_OK);
    fixture->resolver = gw_resolver_create(fixture->loop, refresh_ms);
    gw_resolver_set_system(fixture->resolver, &fake_system);
    gw_log_set_level(GW_LOG_ERROR);
    *state = fixture;
    return 0;
}

static int make(void **state)
{
    return make_with(state, REFRESH_MS);
}

/* Every answer is due for a refresh at once. */
static int make_impatient(void **state)
{
    return make_with(state, 0);
}

static int drop(void **state)
{
    struct fixture *fixture = *state;
    gw_resolver_destroy(&fixture->resolver);
    gw_loop_destroy(&fixture->loop);
    gw_log_set_level(GW_LOG_INFO);
    gw_free(fixture);
    return 0;
}

static void on_expire(struct gw_timer *timer)
{
    GW_CONTAINER_OF(timer, struct fixture, timer)->is_expired = true;
}

/* Lets the loop's clock go on by |ms|. */
static void pass_time(struct fixture *fixture, uint64_t ms)
{
    fixture->is_expired = false;
    gw_timer_init(&fixture->timer, fixture->loop, on_expire);
    gw_timer_set_at(&fixture->timer, gw_loop_now_ms(fixture->loop) + ms);
    gw_loop_run_until(fixture->loop, &fixture->is_expired, 10000);
    assert_true(fixture->is_expired);
}

/* ---- tests ---- */

static void answers_literals_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    ask(fixture->resolver, "127.0.0.1", 80, &asker);
    assert_answer(&asker, 1, "127.0.0.1:80");
    ask(fixture->resolver, "::1", 443, &asker);
    assert_answer(&asker, 2, "[::1]:443");
    assert_int_equal(call_count, 0);
}

static void asks_the_system_once_for_many(void **state)
{
    struct fixture *fixture = *state;
    struct asker askers[3] = {{0}};
    struct asker stranger = {0};
    for (uint16_t i = 0; i < 3; i++) {
        ask(fixture->resolver, "api.test", (uint16_t)(80 + i), &askers[i]);
        assert_int_equal(askers[i].answers, 0);
        assert_non_null(askers[i].query);
    }
    ask(fixture->resolver, "other.test", 1, &stranger);
    assert_int_equal(call_count, 2);
    assert_string_equal(calls[0].host, "api.test");
    reply(0, "10.0.0.1", "2001:db8::1", NULL);
    assert_int_equal(freed_count, 1);
    assert_answer(&askers[0], 1, "10.0.0.1:80 [2001:db8::1]:80");
    assert_answer(&askers[1], 1, "10.0.0.1:81 [2001:db8::1]:81");
    assert_answer(&askers[2], 1, "10.0.0.1:82 [2001:db8::1]:82");
    assert_int_equal(stranger.answers, 0);
    /* From now on it is known. */
    ask(fixture->resolver, "api.test", 9, &askers[0]);
    assert_answer(&askers[0], 2, "10.0.0.1:9 [2001:db8::1]:9");
    assert_int_equal(call_count, 2);
    reply(1, "10.9.9.9", NULL);
    assert_answer(&stranger, 1, "10.9.9.9:1");
}

static void keeps_at_most_so_many_addresses(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    ask(fixture->resolver, "api.test", 1, &asker);
    reply(0, "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7",
          "10.0.0.8", "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14",
          "10.0.0.15", "10.0.0.16", "10.0.0.17", "10.0.0.18", NULL);
    assert_non_null(strstr(asker.text, " 10.0.0.16:1"));
    assert_null(strstr(asker.text, "10.0.0.17"));
}

static void cancels(void **state)
{
    struct fixture *fixture = *state;
    struct asker askers[3] = {{0}};
    for (size_t i = 0; i < 3; i++) {
        ask(fixture->resolver, "api.test", 1, &askers[i]);
    }
    gw_resolver_cancel(&askers[1].query);
    assert_null(askers[1].query);
    gw_resolver_cancel(&askers[1].query); /* NULL-safe */
    reply(0, "10.0.0.1", NULL);
    assert_int_equal(askers[0].answers, 1);
    assert_int_equal(askers[1].answers, 0);
    assert_int_equal(askers[2].answers, 1);
}

static void gives_the_old_answer_and_refreshes_behind(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    ask(fixture->resolver, "api.test", 1, &asker);
    reply(0, "10.0.0.1", NULL);
    assert_answer(&asker, 1, "10.0.0.1:1");
    /* Due at once (refresh_ms is 0): the old answer, and one look-up behind it. */
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_answer(&asker, 2, "10.0.0.1:1");
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_answer(&asker, 3, "10.0.0.1:1");
    assert_int_equal(call_count, 2);
    reply(1, "10.0.0.2", NULL); /* the name has moved */
    assert_int_equal(asker.answers, 3);
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_answer(&asker, 4, "10.0.0.2:1");
    /* A refresh that fails, and one that finds nothing, keep what is known. */
    reply_failure(2, UV_EAI_AGAIN);
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_answer(&asker, 5, "10.0.0.2:1");
    reply(3, NULL);
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_answer(&asker, 6, "10.0.0.2:1");
    reply(4, "10.0.0.3", NULL);
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_answer(&asker, 7, "10.0.0.3:1");
    reply(5, "10.0.0.3", NULL);
}

static void refreshes_when_the_time_has_come(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    gw_resolver_destroy(&fixture->resolver);
    fixture->resolver = gw_resolver_create(fixture->loop, 30);
    gw_resolver_set_system(fixture->resolver, &fake_system);
    ask(fixture->resolver, "api.test", 1, &asker);
    reply(0, "10.0.0.1", NULL);
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_int_equal(call_count, 1);
    pass_time(fixture, 40);
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_int_equal(call_count, 2);
    assert_answer(&asker, 3, "10.0.0.1:1");
    reply(1, "10.0.0.2", NULL);
}

static void keeps_a_failure_for_a_second(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    ask(fixture->resolver, "gone.test", 1, &asker);
    reply_failure(0, UV_EAI_NONAME);
    assert_int_equal(asker.answers, 1);
    assert_int_equal(asker.err, GW_ERR_DNS);
    assert_string_equal(asker.detail, uv_strerror(UV_EAI_NONAME));
    ask(fixture->resolver, "gone.test", 1, &asker);
    assert_int_equal(asker.answers, 2);
    assert_int_equal(asker.err, GW_ERR_DNS);
    assert_int_equal(call_count, 1);
    pass_time(fixture, 1050);
    ask(fixture->resolver, "gone.test", 1, &asker);
    assert_int_equal(call_count, 2);
    assert_int_equal(asker.answers, 2);
    reply(1, "10.0.0.1", NULL);
    assert_answer(&asker, 3, "10.0.0.1:1");
}

static void tells_an_empty_answer(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    ask(fixture->resolver, "empty.test", 1, &asker);
    reply(0, NULL);
    assert_int_equal(asker.err, GW_ERR_DNS);
    assert_string_equal(asker.detail, uv_strerror(UV_EAI_NODATA));
}

static void tells_what_the_system_refuses_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    start_result = UV_EINVAL;
    ask(fixture->resolver, "x--\xff.test", 1, &asker);
    assert_int_equal(asker.answers, 1);
    assert_int_equal(asker.err, GW_ERR_DNS);
    assert_null(asker.query);
}

static void refuses_impossible_names(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    char longest[254];
    memset(longest, 'a', sizeof(longest));
    struct gw_resolver *resolver = fixture->resolver;
    assert_int_equal(
        gw_resolver_lookup(resolver, gw_str(longest, 254), 1, on_answer, &asker, &asker.query),
        GW_ERR_TOO_LARGE);
    assert_int_equal(gw_resolver_lookup(resolver, GW_STR(""), 1, on_answer, &asker, &asker.query),
                     GW_ERR_INVALID);
    assert_int_equal(
        gw_resolver_lookup(resolver, GW_STR("a\0b"), 1, on_answer, &asker, &asker.query),
        GW_ERR_INVALID);
    assert_int_equal(call_count, 0);
    assert_int_equal(
        gw_resolver_lookup(resolver, gw_str(longest, 253), 1, on_answer, &asker, &asker.query),
        GW_OK);
    assert_int_equal(strlen(calls[0].host), 253);
    reply(0, "10.0.0.1", NULL);
    assert_answer(&asker, 1, "10.0.0.1:1");
}

static void pushes_out_what_was_not_used(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    char host[32];
    for (size_t i = 0; i < GW_RESOLVER_MAX_NAMES; i++) {
        (void)snprintf(host, sizeof(host), "h%zu.test", i);
        ask(fixture->resolver, host, 1, &asker);
        reply(i, "10.0.0.1", NULL);
    }
    ask(fixture->resolver, "h0.test", 1, &asker); /* used again: not the oldest any more */
    ask(fixture->resolver, "new.test", 1, &asker);
    assert_int_equal(call_count, GW_RESOLVER_MAX_NAMES + 1);
    reply(GW_RESOLVER_MAX_NAMES, "10.0.0.1", NULL);
    ask(fixture->resolver, "h0.test", 1, &asker);
    assert_int_equal(call_count, GW_RESOLVER_MAX_NAMES + 1);
    ask(fixture->resolver, "h1.test", 1, &asker);
    assert_int_equal(call_count, GW_RESOLVER_MAX_NAMES + 2);
    reply(GW_RESOLVER_MAX_NAMES + 1, "10.0.0.1", NULL);
}

static void refuses_when_every_name_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct asker askers[GW_RESOLVER_MAX_NAMES + 1] = {{0}};
    char host[32];
    for (size_t i = 0; i < GW_RESOLVER_MAX_NAMES; i++) {
        (void)snprintf(host, sizeof(host), "h%zu.test", i);
        ask(fixture->resolver, host, 1, &askers[i]);
    }
    struct asker *last = &askers[GW_RESOLVER_MAX_NAMES];
    assert_int_equal(
        gw_resolver_lookup(fixture->resolver, GW_STR("one.more"), 1, on_answer, last, &last->query),
        GW_ERR_NOMEM);
    for (size_t i = 0; i < GW_RESOLVER_MAX_NAMES; i++) {
        reply(i, "10.0.0.1", NULL);
        assert_int_equal(askers[i].answers, 1);
    }
}

static void reports_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    for (uint64_t nth = 1; nth <= 2; nth++) {
        gw_alloc_fail_at(nth);
        assert_int_equal(gw_resolver_lookup(fixture->resolver, GW_STR("api.test"), 1, on_answer,
                                            &asker, &asker.query),
                         GW_ERR_NOMEM);
        gw_alloc_fail_at(0);
        assert_null(asker.query);
    }
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_int_equal(call_count, 1); /* the second failure came behind the start */
    reply(0, "10.0.0.1", NULL);
    assert_answer(&asker, 1, "10.0.0.1:1");
}

static void ask_again(struct asker *asker)
{
    asker->at_answer = NULL;
    ask(*asker->resolver, "api.test", 2, asker);
}

static void cancel_other(struct asker *asker)
{
    gw_resolver_cancel(&asker->other->query);
}

static void destroy_resolver(struct asker *asker)
{
    gw_resolver_destroy(asker->resolver);
}

static void allows_everything_inside_the_answer(void **state)
{
    struct fixture *fixture = *state;
    struct asker askers[3] = {{0}};
    for (size_t i = 0; i < 3; i++) {
        ask(fixture->resolver, "api.test", 1, &askers[i]);
    }
    askers[0].at_answer = ask_again;
    askers[0].resolver = &fixture->resolver;
    askers[1].at_answer = cancel_other;
    askers[1].other = &askers[2];
    reply(0, "10.0.0.1", NULL);
    assert_answer(&askers[0], 2, "10.0.0.1:2");
    assert_int_equal(askers[1].answers, 1);
    assert_int_equal(askers[2].answers, 0);
}

static void may_go_inside_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct asker askers[2] = {{0}};
    ask(fixture->resolver, "api.test", 1, &askers[0]);
    ask(fixture->resolver, "api.test", 1, &askers[1]);
    askers[0].at_answer = destroy_resolver;
    askers[0].resolver = &fixture->resolver;
    reply(0, "10.0.0.1", NULL);
    assert_int_equal(askers[0].answers, 1);
    assert_int_equal(askers[1].answers, 0);
    assert_null(fixture->resolver);
    /* The same with an answer that comes at once, while a refresh runs. */
    fixture->resolver = gw_resolver_create(fixture->loop, 0);
    gw_resolver_set_system(fixture->resolver, &fake_system);
    struct asker asker = {0};
    ask(fixture->resolver, "api.test", 1, &asker);
    reply(1, "10.0.0.1", NULL);
    asker.at_answer = destroy_resolver;
    asker.resolver = &fixture->resolver;
    ask(fixture->resolver, "api.test", 1, &asker);
    assert_int_equal(asker.answers, 2);
    reply(2, "10.0.0.2", NULL); /* ends in the background, and frees */
    assert_int_equal(asker.answers, 2);
}

static void may_go_before_the_system_answers(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    ask(fixture->resolver, "api.test", 1, &asker);
    gw_resolver_destroy(&fixture->resolver);
    gw_resolver_destroy(&fixture->resolver); /* NULL-safe */
    reply(0, "10.0.0.1", NULL);
    assert_int_equal(asker.answers, 0);
}

static void asks_the_real_system(void **state)
{
    struct fixture *fixture = *state;
    struct asker asker = {0};
    gw_resolver_destroy(&fixture->resolver);
    fixture->resolver = gw_resolver_create(fixture->loop, REFRESH_MS);
    ask(fixture->resolver, "localhost", 8080, &asker);
    assert_int_equal(asker.answers, 0);
    gw_loop_run_until(fixture->loop, &asker.done, 20000);
    assert_int_equal(asker.answers, 1);
    assert_int_equal(asker.err, GW_OK);
    assert_true(strstr(asker.text, "127.0.0.1:8080") != NULL ||
                strstr(asker.text, "[::1]:8080") != NULL);
    /* And goes while the real system works (on what getaddrinfo(3) takes for 127.0.0.1). */
    ask(fixture->resolver, "127.1", 1, &asker);
    gw_resolver_destroy(&fixture->resolver);
    assert_int_equal(asker.answers, 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(answers_literals_at_once),
        WITH(asks_the_system_once_for_many),
        WITH(keeps_at_most_so_many_addresses),
        WITH(cancels),
        cmocka_unit_test_setup_teardown(gives_the_old_answer_and_refreshes_behind, make_impatient,
                                        drop),
        WITH(refreshes_when_the_time_has_come),
        WITH(keeps_a_failure_for_a_second),
        WITH(tells_an_empty_answer),
        WITH(tells_what_the_system_refuses_at_once),
        WITH(refuses_impossible_names),
        WITH(pushes_out_what_was_not_used),
        WITH(refuses_when_every_name_is_busy),
        WITH(reports_no_memory),
        WITH(allows_everything_inside_the_answer),
        WITH(may_go_inside_an_answer),
        WITH(may_go_before_the_system_answers),
        WITH(asks_the_real_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
