/* SPDX-License-Identifier: MIT */
/* What an HTTP/1 exchange makes of answers, good and bad, and when its connection is used again. */
#include "upstream_fixture.h"

/* ---- answers, whole and cut ---- */

enum then {
    THEN_WAIT, /* the connection stays */
    THEN_CLOSE,
    THEN_RESET,
};

struct answer_case {
    const char *name;
    const char *method;
    const char *answer;
    enum then then;
    /* expected */
    unsigned status; /* 0: no response is reported */
    const char *body;
    bool fails;
    enum gw_exchange_phase phase;
    enum gw_err err;
    bool stays; /* the connection is used again */
};

#define GOOD(what, how, text, next, code, content, reused)                                         \
    {                                                                                              \
        .name = (what), .method = (how), .answer = (text), .then = (next), .status = (code),       \
        .body = (content), .stays = (reused)                                                       \
    }
/* What came before the fault is delivered. */
#define BAD_BODY(what, text, next, content, why)                                                   \
    {                                                                                              \
        .name = (what), .method = "GET", .answer = (text), .then = (next), .status = 200,          \
        .body = (content), .fails = true, .phase = GW_PHASE_BODY, .err = (why)                     \
    }
#define BAD_HEAD(what, text, next, where, why)                                                     \
    {                                                                                              \
        .name = (what), .method = "GET", .answer = (text), .then = (next), .fails = true,          \
        .phase = (where), .err = (why)                                                             \
    }

static const struct answer_case answer_cases[] = {
    GOOD("length", "GET", ANSWER_OK, THEN_WAIT, 200, "hello", true),
    GOOD("empty", "GET", OK_HEAD "content-length: 0\r\n\r\n", THEN_WAIT, 200, "", true),
    GOOD("chunked", "GET",
         OK_HEAD "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", THEN_WAIT,
         200, "hello", true),
    GOOD("trailers", "GET",
         OK_HEAD "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n", THEN_WAIT,
         200, "hello", true),
    GOOD("until close", "GET", OK_HEAD "\r\nhello", THEN_CLOSE, 200, "hello", false),
    GOOD("empty until close", "GET", OK_HEAD "\r\n", THEN_CLOSE, 200, "", false),
    GOOD("connection: close", "GET", OK_HEAD "connection: close\r\ncontent-length: 2\r\n\r\nok",
         THEN_WAIT, 200, "ok", false),
    GOOD("HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", THEN_WAIT, 200, "ok",
         false),
    GOOD("HTTP/1.0 keep-alive", "GET",
         "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", THEN_WAIT, 200,
         "ok", true),
    GOOD("HEAD", "HEAD", OK_HEAD "content-length: 1000\r\n\r\n", THEN_WAIT, 200, "", true),
    GOOD("HEAD chunked", "HEAD", OK_HEAD "transfer-encoding: chunked\r\n\r\n", THEN_WAIT, 200, "",
         true),
    GOOD("204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", THEN_WAIT, 204, "", true),
    GOOD("304", "GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", THEN_WAIT, 304, "",
         true),
    GOOD("100 before", "GET", "HTTP/1.1 100 Continue\r\n\r\n" ANSWER_OK, THEN_WAIT, 200, "hello",
         true),
    GOOD("103 before", "GET",
         "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
         "HTTP/1.1 103 Early Hints\r\n\r\n" ANSWER_OK,
         THEN_WAIT, 200, "hello", true),
    GOOD("provider's error", "GET",
         "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}",
         THEN_WAIT, 429, "{}", true),
    GOOD("stray bytes behind", "GET", ANSWER_OK "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
         THEN_WAIT, 200, "hello", false),
    GOOD("stray CR LF behind", "GET", ANSWER_OK "\r\n", THEN_WAIT, 200, "hello", false),
    GOOD("longer than announced", "GET", OK_HEAD "content-length: 2\r\n\r\nhello", THEN_WAIT, 200,
         "he", false),
    BAD_HEAD("closed at once", "", THEN_CLOSE, GW_PHASE_FIRST_BYTE, GW_ERR_EOF),
    BAD_HEAD("reset at once", "", THEN_RESET, GW_PHASE_FIRST_BYTE, GW_ERR_RESET),
    BAD_HEAD("closed in the head", "HTTP/1.1 200 O", THEN_CLOSE, GW_PHASE_HEAD, GW_ERR_EOF),
    BAD_HEAD("reset in the head", "HTTP/1.1 200 O", THEN_RESET, GW_PHASE_HEAD, GW_ERR_RESET),
    BAD_HEAD("closed after an interim response", "HTTP/1.1 100 Continue\r\n\r\n", THEN_CLOSE,
             GW_PHASE_HEAD, GW_ERR_EOF),
    BAD_BODY("closed in the body", OK_HEAD "content-length: 10\r\n\r\nhello", THEN_CLOSE, "hello",
             GW_ERR_EOF),
    BAD_BODY("reset in the body", OK_HEAD "content-length: 10\r\n\r\nhello", THEN_RESET, "hello",
             GW_ERR_RESET),
    BAD_BODY("closed behind the head", OK_HEAD "content-length: 10\r\n\r\n", THEN_CLOSE, "",
             GW_ERR_EOF),
    BAD_BODY("chunked without an end", OK_HEAD "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
             THEN_CLOSE, "hello", GW_ERR_EOF),
    BAD_BODY("half a chunk", OK_HEAD "transfer-encoding: chunked\r\n\r\n5\r\nhel", THEN_CLOSE,
             "hel", GW_ERR_EOF),
    BAD_BODY("bad chunk size", OK_HEAD "transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n",
             THEN_WAIT, "", GW_ERR_PROTOCOL),
    BAD_BODY("reset while the end is not known", OK_HEAD "\r\nhello", THEN_RESET, "hello",
             GW_ERR_RESET),
    BAD_HEAD("garbage", "this is not HTTP at all\r\n\r\n", THEN_WAIT, GW_PHASE_HEAD,
             GW_ERR_PROTOCOL),
    BAD_HEAD("binary garbage", "\x16\x03\x01\x02", THEN_WAIT, GW_PHASE_HEAD, GW_ERR_PROTOCOL),
    BAD_HEAD("garbage that begins well", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", THEN_WAIT,
             GW_PHASE_HEAD, GW_ERR_PROTOCOL),
    BAD_HEAD("two lengths", OK_HEAD "content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
             THEN_WAIT, GW_PHASE_HEAD, GW_ERR_PROTOCOL),
    BAD_HEAD("length and chunked",
             OK_HEAD "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", THEN_WAIT,
             GW_PHASE_HEAD, GW_ERR_PROTOCOL),
    BAD_HEAD("101", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", THEN_WAIT,
             GW_PHASE_HEAD, GW_ERR_PROTOCOL),
    BAD_HEAD("no version", "200 OK\r\n\r\n", THEN_WAIT, GW_PHASE_HEAD, GW_ERR_PROTOCOL),
};

static const struct answer_case *current;

static void finish_answer(struct peer *peer)
{
    switch (current->then) {
    case THEN_WAIT:
        break;
    case THEN_CLOSE:
        peer_close(peer);
        break;
    case THEN_RESET:
        /* What was sent must have arrived, or the reset would overtake it. */
        peer_reset(peer);
        break;
    }
}

static void serve_case(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, current->answer);
    if (current->then != THEN_RESET || current->answer[0] == '\0') {
        finish_answer(peer);
    }
}

/* The bytes before a reset are seen first: the reset comes when the client has read them. */
static bool has_read_all(struct world *world, void *arg)
{
    (void)arg;
    return counter(&gw_upstream_counters(world->upstream)->received_bytes_total) >=
           strlen(current->answer);
}

static void check_case(const struct answer_case *row, const struct client *client)
{
    if (!row->fails) {
        assert_ended(client, row->status, row->body);
        return;
    }
    assert_failed(client, row->phase, row->err);
    assert_false(client->is_stale);
    assert_int_equal(client->responses, row->status != 0 ? 1 : 0);
    const char *body = row->body == NULL ? "" : row->body;
    assert_int_equal(client->body.len, strlen(body));
    if (client->body.len > 0) {
        assert_memory_equal(client->body.ptr, body, client->body.len);
    }
}

static void run_case(struct world *world, const struct answer_case *row)
{
    current = row;
    world->serve = serve_case;
    struct client client;
    client_init(&client, world);
    struct gw_exchange_request request = make_request(world);
    request.method = gw_str_from_c(row->method);
    client_start_with(&client, &request);
    if (row->then == THEN_RESET && row->answer[0] != '\0') {
        world_run(world, has_read_all, NULL);
        peer_reset(&world->peers[world->peer_count - 1]);
    }
    client_run(&client);
    check_case(row, &client);
    world_run(world, all_idle, NULL);
    const struct gw_upstream_counters *counters = gw_upstream_counters(world->upstream);
    assert_int_equal(counter(&counters->open), row->stays ? 1 : 0);
    client_fini(&client);
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(answer_cases); i++) {
        print_message("  %s\n", answer_cases[i].name);
        struct world world;
        world_init(&world);
        run_case(&world, &answer_cases[i]);
        world_fini(&world);
    }
}

/* Each answer again, in two parts, at every place; the second leaves when the first was read. */

static size_t split_at;
static struct peer *split_peer;

static void serve_first_part(struct peer *peer, struct gw_str request)
{
    (void)request;
    split_peer = peer;
    peer_send_bytes(peer, gw_str(current->answer, split_at));
}

static bool has_read_first(struct world *world, void *arg)
{
    uint64_t before = *(uint64_t *)arg;
    return counter(&gw_upstream_counters(world->upstream)->received_bytes_total) >=
           before + split_at;
}

static void run_split(struct world *world, const struct answer_case *row)
{
    current = row;
    world->serve = serve_first_part;
    uint64_t before = counter(&gw_upstream_counters(world->upstream)->received_bytes_total);
    struct client client;
    client_init(&client, world);
    struct gw_exchange_request request = make_request(world);
    request.method = gw_str_from_c(row->method);
    client_start_with(&client, &request);
    world_run(world, has_read_first, &before);
    if (client.errors + client.ends == 0) {
        peer_send_bytes(split_peer, gw_str_skip(gw_str_from_c(row->answer), split_at));
        if (row->then == THEN_CLOSE) {
            peer_close(split_peer);
        }
    }
    client_run(&client);
    check_case(row, &client);
    client_fini(&client);
    world_run(world, all_idle, NULL);
    world_settle(world);
}

static void test_answers_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(answer_cases); i++) {
        const struct answer_case *row = &answer_cases[i];
        if (row->then == THEN_RESET) {
            continue;
        }
        struct world world;
        world_init(&world);
        for (split_at = 1; split_at < strlen(row->answer); split_at++) {
            if (world.peer_count == MAX_PEERS) {
                world_fini(&world);
                world_init(&world);
            }
            run_split(&world, row);
        }
        world_fini(&world);
    }
}

/* ---- requests ---- */

static void test_request_on_the_wire(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    const struct gw_header headers[] = {
        {GW_STR("content-type"), GW_STR("application/json"), GW_HEADER_CONTENT_TYPE},
        {GW_STR("x-own"), GW_STR("1"), GW_HEADER_OTHER},
    };
    const struct gw_str runs[] = {GW_STR("{\"a\":"), GW_STR(""), GW_STR("1"), GW_STR("}")};
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.target = GW_STR("/v1/chat/completions?x=1");
    request.headers = headers;
    request.header_count = GW_ARRAY_LEN(headers);
    request.body_runs = runs;
    request.body_run_count = GW_ARRAY_LEN(runs);
    for (int i = 0; i < 2; i++) { /* on a new connection, and on the same again */
        struct client client;
        client_init(&client, &world);
        client_start_with(&client, &request);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        assert_int_equal(client.timings.is_reused, i == 1);
        assert_int_equal(client.timings.connected_at_ns != 0, i == 0);
        assert_true(client.timings.started_at_ns > 0);
        assert_true(client.timings.sent_at_ns >= client.timings.started_at_ns);
        assert_true(client.timings.first_byte_at_ns >= client.timings.sent_at_ns);
        assert_string_equal(client.fields.ptr, "content-type: text/plain\ncontent-length: 5\n");
        char want[512];
        (void)snprintf(want, sizeof(want),
                       "POST /v1/chat/completions?x=1 HTTP/1.1\r\nhost: %s\r\n"
                       "content-type: application/json\r\nx-own: 1\r\ncontent-length: 7\r\n\r\n"
                       "{\"a\":1}",
                       world.host_header);
        assert_string_equal(world.last_request, want);
        client_fini(&client);
        world_run(&world, all_idle, NULL);
    }
    const struct gw_upstream_counters *counters = gw_upstream_counters(world.upstream);
    assert_int_equal(world.peer_count, 1);
    assert_int_equal(counter(&counters->connects_total), 1);
    assert_int_equal(counter(&counters->reused_total), 1);
    assert_int_equal(counter(&counters->connect_failures_total), 0);
    assert_int_equal(counter(&counters->idle), 1);
    assert_int_equal(counter(&counters->received_bytes_total), 2 * strlen(ANSWER_OK));
    assert_int_equal(counter(&counters->sent_bytes_total), 2 * strlen(world.last_request));
    world_fini(&world);
}

/* A body that no socket takes at once, in runs of odd sizes. */
static void test_large_body_in_runs(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    enum { SIZE = 6 * 1024 * 1024, RUNS = 40 };
    char *body = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        body[i] = (char)('a' + i % 23);
    }
    struct gw_str runs[RUNS];
    size_t at = 0;
    for (size_t i = 0; i < RUNS; i++) {
        size_t len = i == RUNS - 1 ? SIZE - at : (i * 7919 * 13) % (SIZE / RUNS);
        runs[i] = gw_str(body + at, len);
        at += len;
    }
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.body_runs = runs;
    request.body_run_count = RUNS;
    struct client client;
    client_init(&client, &world);
    client_start_with(&client, &request);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    assert_int_equal(world.requests, 1);
    assert_true(counter(&gw_upstream_counters(world.upstream)->sent_bytes_total) > SIZE);
    client_fini(&client);
    world_run(&world, all_idle, NULL);
    assert_int_equal(counter(&gw_upstream_counters(world.upstream)->idle), 1);
    world_fini(&world);
    free(body);
}

/* ---- streamed bodies ---- */

struct upload {
    struct client client;
    size_t total;
    size_t written;
    size_t most_waiting;
    bool is_chunked;
};

static char upload_piece[10007];

static void upload_more(struct client *client)
{
    struct upload *upload = GW_CONTAINER_OF(client, struct upload, client);
    while (client->exchange != NULL && upload->written < upload->total &&
           gw_exchange_can_write(client->exchange)) {
        size_t left = upload->total - upload->written;
        size_t len = left < sizeof(upload_piece) ? left : sizeof(upload_piece);
        assert_int_equal(gw_exchange_write(client->exchange, gw_str(upload_piece, len)), GW_OK);
        upload->written += len;
        size_t waiting = gw_chunkq_len(&client->exchange->queue);
        upload->most_waiting = waiting > upload->most_waiting ? waiting : upload->most_waiting;
    }
    if (client->exchange != NULL && upload->written == upload->total) {
        upload->total = SIZE_MAX; /* once */
        assert_int_equal(gw_exchange_end_body(client->exchange), GW_OK);
    }
}

static void test_streamed_body(void **state)
{
    (void)state;
    memset(upload_piece, 'u', sizeof(upload_piece));
    const size_t sizes[] = {0, 1, 10007, 5 * 1024 * 1024};
    for (int chunked = 0; chunked < 2; chunked++) {
        struct world world;
        world_init(&world);
        world.serve = serve_answer;
        world.answer = ANSWER_OK;
        for (size_t i = 0; i < GW_ARRAY_LEN(sizes); i++) {
            struct upload upload = {.total = sizes[i]};
            client_init(&upload.client, &world);
            upload.client.at_writable = upload_more;
            struct gw_exchange_request request = make_request(&world);
            request.method = GW_STR("POST");
            request.is_streamed = true;
            request.content_length = chunked != 0 ? GW_LENGTH_UNKNOWN : sizes[i];
            client_start_with(&upload.client, &request);
            upload_more(&upload.client);
            client_run(&upload.client);
            assert_ended(&upload.client, 200, "hello");
            assert_int_equal(upload.written, sizes[i]);
            assert_true(upload.most_waiting < GW_UPSTREAM_HIGH_WATER + 2 * sizeof(upload_piece));
            if (sizes[i] > GW_UPSTREAM_HIGH_WATER) {
                assert_true(upload.client.writables > 0);
            }
            client_fini(&upload.client);
            world_run(&world, all_idle, NULL);
            assert_int_equal(world.requests, i + 1);
        }
        assert_int_equal(world.peer_count, 1);
        world_fini(&world);
    }
}

static void test_chunks_on_the_wire(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    for (int i = 0; i < 2; i++) {
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.method = GW_STR("PUT");
        request.is_streamed = true;
        request.content_length = GW_LENGTH_UNKNOWN;
        client_start_with(&client, &request);
        /* The first time before the connection stands, the second time straight to the socket. */
        assert_int_equal(gw_exchange_write(client.exchange, GW_STR("0123456789")), GW_OK);
        assert_int_equal(gw_exchange_write(client.exchange, GW_STR("")), GW_OK);
        assert_int_equal(gw_exchange_write(client.exchange, GW_STR("abcdefgh")), GW_OK);
        assert_int_equal(gw_exchange_end_body(client.exchange), GW_OK);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        const char *chunks = i == 0 ? "12\r\n0123456789abcdefgh\r\n0\r\n\r\n"
                                    : "a\r\n0123456789\r\n8\r\nabcdefgh\r\n0\r\n\r\n";
        char want[512];
        (void)snprintf(want, sizeof(want),
                       "PUT / HTTP/1.1\r\nhost: %s\r\ntransfer-encoding: chunked\r\n\r\n%s",
                       world.host_header, chunks);
        assert_string_equal(world.last_request, want);
        client_fini(&client);
        world_run(&world, all_idle, NULL);
    }
    world_fini(&world);
}

static void test_streamed_length_is_kept(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.is_streamed = true;
    request.content_length = 4;
    client_start_with(&client, &request);
    assert_int_equal(gw_exchange_write(client.exchange, GW_STR("abc")), GW_OK);
    assert_int_equal(gw_exchange_end_body(client.exchange), GW_ERR_INVALID);
    assert_int_equal(gw_exchange_write(client.exchange, GW_STR("de")), GW_ERR_OVERFLOW);
    client_fini(&client);
    world_fini(&world);
}

/* ---- a response before the request is complete ---- */

static void answer_early(struct peer *peer)
{
    if (peer->requests == 0 && head_length(gw_buf_str(&peer->in)) > 0) {
        peer->requests++;
        peer_send(peer, peer->world->answer);
    }
}

static void test_early_response(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.at_read = answer_early;
    world.answer = "HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nno!!";
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.is_streamed = true;
    request.content_length = 1000000;
    client_start_with(&client, &request);
    assert_int_equal(gw_exchange_write(client.exchange, GW_STR("begin")), GW_OK);
    client_run(&client);
    assert_ended(&client, 413, "no!!");
    client_fini(&client);
    world_run(&world, none_open, NULL); /* it cannot be used again */
    world_fini(&world);
}

/* The peer answers, stops reading and closes while we send: the answer still counts. */
static void answer_and_close(struct peer *peer)
{
    if (peer->requests == 0 && head_length(gw_buf_str(&peer->in)) > 0) {
        peer->requests++;
        peer_send(peer, peer->world->answer);
        gw_stream_set_reading(peer->stream, false);
        gw_stream_shutdown_write(peer->stream);
    }
}

static void test_early_response_and_close(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.at_read = answer_and_close;
    world.answer = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nkey?";
    memset(upload_piece, 'u', sizeof(upload_piece));
    struct upload upload = {.total = 64u * 1024 * 1024};
    client_init(&upload.client, &world);
    upload.client.at_writable = upload_more;
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.is_streamed = true;
    request.content_length = upload.total;
    client_start_with(&upload.client, &request);
    upload_more(&upload.client);
    client_run(&upload.client);
    assert_ended(&upload.client, 401, "key?");
    client_fini(&upload.client);
    world_run(&world, none_open, NULL);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_answers_split),
        cmocka_unit_test(test_request_on_the_wire),
        cmocka_unit_test(test_large_body_in_runs),
        cmocka_unit_test(test_streamed_body),
        cmocka_unit_test(test_chunks_on_the_wire),
        cmocka_unit_test(test_streamed_length_is_kept),
        cmocka_unit_test(test_early_response),
        cmocka_unit_test(test_early_response_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
