/* SPDX-License-Identifier: MIT */
/*
 * net/stream_tls - what only TLS has: verification and its texts, ALPN, resumption, cut
 * connections, peers that speak something else.
 */
#include "net_fixture.h"

#include <fcntl.h>
#include <openssl/err.h>

#include "cert_maker.h"
#include "net/stream_int.h"
#include "net/tls_int.h"

static struct cert_maker maker;
static struct cert_files good; /* localhost, 127.0.0.1, ::1 */

/* ---- set-up ---- */

static struct gw_tls_server *make_server(const struct cert_files *files)
{
    char memory[2048];
    struct gw_arena arena;
    struct gw_str message;
    struct gw_tls_server *tls = NULL;
    gw_arena_init(&arena, memory, sizeof(memory), 1024, 1024);
    assert_int_equal(gw_tls_server_create(&(struct gw_tls_server_opts){.cert_file = files->cert,
                                                                       .key_file = files->key},
                                          &arena, &tls, &message),
                     GW_OK);
    gw_arena_fini(&arena);
    return tls;
}

static struct gw_tls_client *make_client(const char *ca_file, bool insecure)
{
    char memory[2048];
    struct gw_arena arena;
    struct gw_str message;
    struct gw_tls_client *tls = NULL;
    gw_arena_init(&arena, memory, sizeof(memory), 1024, 1024);
    assert_int_equal(
        gw_tls_client_create(&(struct gw_tls_client_opts){.ca_file = ca_file, .insecure = insecure},
                             &arena, &tls, &message),
        GW_OK);
    gw_arena_fini(&arena);
    return tls;
}

static int make_net(void **state)
{
    struct net *net = gw_zalloc(sizeof(*net));
    net_init(net);
    net->server_tls = make_server(&good);
    net->client_tls.tls = make_client(maker.ca_file, false);
    net->client_tls.server_name = GW_STR("localhost");
    *state = net;
    return 0;
}

static int drop_net(void **state)
{
    struct net *net = *state;
    net_fini(net);
    gw_tls_server_release(&net->server_tls);
    gw_tls_client_release(&net->client_tls.tls);
    gw_tls_session_store_destroy(&net->client_tls.sessions);
    gw_free(net);
    return 0;
}

static void use_server(struct net *net, const struct cert_files *files)
{
    gw_tls_server_release(&net->server_tls);
    net->server_tls = make_server(files);
}

static void use_client(struct net *net, const char *ca_file, bool insecure)
{
    gw_tls_client_release(&net->client_tls.tls);
    net->client_tls.tls = make_client(ca_file, insecure);
}

/* Connects, expects both ends to open, and moves a byte each way (which brings the tickets). */
static void connect_well(struct net *net)
{
    end_again(&net->client);
    end_again(&net->server);
    net_connect(net);
    net_run(net, both_open);
    end_write(&net->client, "a", 1);
    end_write(&net->server, "b", 1);
    net_run(net, both_received_all);
}

/* Connects and expects the client to refuse, with |text| in its reason. */
static void connect_badly(struct net *net, const char *text)
{
    end_again(&net->client);
    end_again(&net->server);
    net_connect(net);
    net_run(net, both_ended);
    assert_int_equal(net->client.opens, 0);
    assert_int_equal(net->client.err, GW_ERR_TLS);
    if (strstr(net->client.detail, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, net->client.detail);
    }
    /* TLS 1.3 lets a server believe it is open until the client's alert comes. */
    assert_true(net->server.err == GW_ERR_TLS || net->server.err == GW_ERR_RESET);
}

/* ---- verification ---- */

static void verifies_names(void **state)
{
    struct net *net = *state;
    static const struct {
        const char *san;
        const char *asked;
        const char *refusal; /* NULL: accepted */
    } cases[] = {
        {"DNS:api.test", "api.test", NULL},
        {"DNS:api.test", "API.Test", NULL},
        {"DNS:api.test", "api.test.", NULL},
        {"DNS:other.test,DNS:api.test", "api.test", NULL},
        {"DNS:*.api.test", "v1.api.test", NULL},
        {"DNS:*.api.test", "a.b.api.test", "hostname mismatch: asked for a.b.api.test"},
        {"DNS:*.api.test", "api.test", "hostname mismatch: asked for api.test"},
        {"DNS:*.test", "api.test", "hostname mismatch: asked for api.test"},
        {"DNS:v*.api.test", "v1.api.test", "hostname mismatch: asked for v1.api.test"},
        {"DNS:api.test", "evil.test",
         "hostname mismatch: asked for evil.test, the certificate is for api.test"},
        {"DNS:a.test,DNS:b.test,DNS:c.test,DNS:d.test,DNS:e.test,DNS:f.test", "evil.test",
         "for a.test, b.test, c.test, d.test and 2 more"},
        {"IP:127.0.0.1", "127.0.0.1", NULL},
        {"IP:127.0.0.1", "127.0.0.2",
         "address mismatch: asked for 127.0.0.2, the certificate is for 127.0.0.1"},
        {"IP:::1", "::1", NULL},
        {"DNS:127.0.0.1", "127.0.0.1", "address mismatch: asked for 127.0.0.1"},
        {"URI:https://api.test", "api.test", "hostname mismatch"},
        {"email:root@api.test", "api.test", "hostname mismatch"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "name-%zu", i);
        struct cert_files files = maker_make(
            &maker, &(struct cert_wish){.name = name, .cn = "names", .san = cases[i].san});
        use_server(net, &files);
        net->client_tls.server_name = gw_str_from_c(cases[i].asked);
        if (cases[i].refusal == NULL) {
            connect_well(net);
        } else {
            connect_badly(net, cases[i].refusal);
        }
    }
}

static void tells_why_a_certificate_is_refused(void **state)
{
    struct net *net = *state;
    struct cert_wish wish = {
        .name = "expired", .cn = "old", .san = "DNS:localhost", .begins_s = -7200, .ends_s = -3600};
    struct cert_files files = maker_make(&maker, &wish);
    use_server(net, &files);
    connect_badly(net, "certificate has expired (subject CN=old, expired 20");

    wish = (struct cert_wish){
        .name = "early", .cn = "young", .san = "DNS:localhost", .begins_s = 3600, .ends_s = 7200};
    files = maker_make(&maker, &wish);
    use_server(net, &files);
    connect_badly(net, "certificate is not valid yet (subject CN=young, valid from 20");

    wish = (struct cert_wish){
        .name = "self", .cn = "me", .san = "DNS:localhost", .is_self_signed = true};
    files = maker_make(&maker, &wish);
    use_server(net, &files);
    connect_badly(net, "self-signed certificate (subject CN=me)");

    wish = (struct cert_wish){.name = "nosan", .cn = "elsewhere"};
    files = maker_make(&maker, &wish);
    use_server(net, &files);
    connect_badly(net, "the certificate carries no names (subject CN=elsewhere)");

    /* Signed by an authority that this client does not know. */
    use_server(net, &good);
    use_client(net, files.cert, false);
    connect_badly(net, "issuer is not trusted");
    /* The system's authorities do not know it either. */
    use_client(net, NULL, false);
    connect_badly(net, "issuer is not trusted");
}

static void assert_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        assert_true(*text >= 0x20 && *text < 0x7f);
    }
}

static void shows_no_control_characters_of_a_certificate(void **state)
{
    struct net *net = *state;
    struct cert_files files = maker_make(
        &maker, &(struct cert_wish){.name = "evil", .cn = "x", .san = "DNS:evil\x1b[2J\x80.test"});
    use_server(net, &files);
    connect_badly(net, "the certificate is for evil?[2J?.test");
    assert_printable(net->client.detail);
    files = maker_make(&maker, &(struct cert_wish){.name = "evil2", .cn = "evil\n\x1b[2J"});
    use_server(net, &files);
    connect_badly(net, "subject CN=evil");
    assert_printable(net->client.detail);
}

static void verifies_nothing_when_told_so(void **state)
{
    struct net *net = *state;
    struct cert_files files = maker_make(&maker, &(struct cert_wish){.name = "anything",
                                                                     .cn = "x",
                                                                     .begins_s = -7200,
                                                                     .ends_s = -3600,
                                                                     .is_self_signed = true});
    use_server(net, &files);
    use_client(net, NULL, true);
    net->client_tls.server_name = GW_STR("whatever.test");
    connect_well(net);
    net->client_tls.server_name = GW_STR("");
    connect_well(net);
}

static void refuses_impossible_names(void **state)
{
    struct net *net = *state;
    char longest[255];
    memset(longest, 'a', sizeof(longest));
    struct gw_tls_client *tls = net->client_tls.tls;
    net->client_tls.tls = NULL; /* plain at first */
    gw_tls_server_release(&net->server_tls);
    net_connect(net);
    net_run(net, both_open);
    struct gw_stream_tls_opts opts = {.tls = tls};
    const struct gw_str names[] = {gw_str(longest, 254), GW_STR(""), GW_STR("."), GW_STR("a\0b")};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        opts.server_name = names[i];
        assert_int_equal(gw_stream_start_tls(net->client.stream, &opts), GW_ERR_INVALID);
        assert_false(gw_stream_is_tls(net->client.stream));
    }
    opts.server_name = GW_STR("localhost");
    gw_alloc_fail_at(1);
    assert_int_equal(gw_stream_start_tls(net->client.stream, &opts), GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    /* It is a plain stream still. */
    end_write(&net->client, "plain", 5);
    net_run(net, server_received_all);
    assert_received(&net->server, "plain", 5);
    net->client_tls.tls = tls;
}

/* ---- ALPN, versions ---- */

static void agrees_on_h2_only_when_offered(void **state)
{
    struct net *net = *state;
    net->client_tls.offer_h2 = true;
    connect_well(net);
    assert_true(net->client.was_h2);
    assert_true(net->server.was_h2);
    net->client_tls.offer_h2 = false;
    connect_well(net);
    assert_false(net->client.was_h2);
    assert_false(net->server.was_h2);
}

static void refuses_old_versions(void **state)
{
    struct net *net = *state;
    SSL_CTX *ctx = gw_tls_client_ctx(net->client_tls.tls);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    connect_badly(net, "the peer refuses");
    assert_int_equal(net->server.err, GW_ERR_TLS);
    assert_string_equal(net->server.detail, "the peer offers no version of TLS above 1.1");
}

static void refuses_weak_ciphers(void **state)
{
    struct net *net = *state;
    SSL_CTX *ctx = gw_tls_client_ctx(net->client_tls.tls);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-SHA"), 1);
    connect_badly(net, "no common cipher");
    assert_int_equal(net->server.err, GW_ERR_TLS);
    assert_string_equal(net->server.detail, "no shared cipher");
}

/* ---- resumption ---- */

static void resumes(struct net *net, int version)
{
    SSL_CTX_set_max_proto_version(gw_tls_server_ctx(net->server_tls), version);
    net->client_tls.sessions = gw_tls_session_store_create();
    connect_well(net);
    assert_false(net->client.was_resumed);
    for (int i = 0; i < 5; i++) {
        connect_well(net);
        assert_true(net->client.was_resumed);
        assert_true(net->server.was_resumed);
    }
    /* Cutting a connection does not spoil its session. */
    gw_stream_reset(&net->client.stream);
    net_run(net, server_ended);
    connect_well(net);
    assert_true(net->client.was_resumed);
    /* What was verified by one context says nothing to another. */
    use_client(net, maker.ca_file, false);
    connect_well(net);
    assert_false(net->client.was_resumed);
    connect_well(net);
    assert_true(net->client.was_resumed);
    /* A server that forgot everything gets a full handshake. */
    use_server(net, &good);
    connect_well(net);
    assert_false(net->client.was_resumed);
    connect_well(net);
    assert_true(net->client.was_resumed);
}

static void resumes_tls12(void **state)
{
    resumes(*state, TLS1_2_VERSION);
}

static void resumes_tls13(void **state)
{
    resumes(*state, TLS1_3_VERSION);
}

static void resumes_without_tickets(void **state)
{
    struct net *net = *state;
    SSL_CTX_set_options(gw_tls_client_ctx(net->client_tls.tls), SSL_OP_NO_TICKET);
    SSL_CTX_set_max_proto_version(gw_tls_client_ctx(net->client_tls.tls), TLS1_2_VERSION);
    net->client_tls.sessions = gw_tls_session_store_create();
    connect_well(net);
    connect_well(net);
    assert_true(net->client.was_resumed);
}

static void resumes_only_with_a_store(void **state)
{
    struct net *net = *state;
    connect_well(net);
    connect_well(net);
    assert_false(net->client.was_resumed);
}

static void uses_a_tls13_ticket_once(void **state)
{
    struct net *net = *state;
    struct gw_tls_session_store *store = gw_tls_session_store_create();
    uint64_t trust_id = gw_tls_client_trust_id(net->client_tls.tls);
    net->client_tls.sessions = store;
    for (int i = 0; i < 2 * GW_TLS_SESSIONS_MAX; i++) {
        connect_well(net);
    }
    assert_null(gw_tls_session_store_take(store, trust_id + 1));
    SSL_SESSION *seen[GW_TLS_SESSIONS_MAX];
    size_t count = 0;
    SSL_SESSION *session = NULL;
    while ((session = gw_tls_session_store_take(store, trust_id)) != NULL) {
        assert_true(count < GW_TLS_SESSIONS_MAX);
        for (size_t i = 0; i < count; i++) {
            assert_ptr_not_equal(seen[i], session);
        }
        seen[count++] = session;
    }
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        SSL_SESSION_free(seen[i]);
    }
}

static void forgets_sessions_that_are_too_old(void **state)
{
    struct net *net = *state;
    struct gw_tls_session_store *store = gw_tls_session_store_create();
    uint64_t trust_id = gw_tls_client_trust_id(net->client_tls.tls);
    net->client_tls.sessions = store;
    connect_well(net);
    connect_well(net);
    SSL_SESSION *session = gw_tls_session_store_take(store, trust_id);
    assert_non_null(session);
    SSL_SESSION_set_time(session,
                         SSL_SESSION_get_time(session) - SSL_SESSION_get_timeout(session) - 1);
    struct gw_tls_peer peer = {.sessions = store, .trust_id = trust_id};
    SSL *ssl = SSL_new(gw_tls_client_ctx(net->client_tls.tls));
    SSL_set_app_data(ssl, &peer);
    assert_int_equal(gw_tls_on_new_session(ssl, session), 1);
    SSL_SESSION *next = gw_tls_session_store_take(store, trust_id);
    assert_ptr_not_equal(next, session);
    SSL_SESSION_free(next);
    SSL_free(ssl);
}

/* ---- ends ---- */

static void tells_a_cut_from_an_end(void **state)
{
    struct net *net = *state;
    for (int paused = 0; paused <= 1; paused++) {
        connect_well(net);
        gw_stream_set_reading(net->server.stream, paused == 0);
        net_settle(net);
        /* FIN without close_notify: what somebody on the path can fake. */
        assert_int_equal(shutdown(net->client.stream->fd, SHUT_WR), 0);
        net_run(net, server_ended);
        assert_int_equal(net->server.err, GW_ERR_RESET);
        assert_string_equal(net->server.detail, "the peer cut the connection");
    }
}

static void delivers_what_came_before_a_cut(void **state)
{
    struct net *net = *state;
    connect_well(net);
    end_write(&net->client, "before", 6);
    assert_int_equal(shutdown(net->client.stream->fd, SHUT_WR), 0);
    net_run(net, server_ended);
    assert_received(&net->server, "abefore", 7);
    assert_int_equal(net->server.err, GW_ERR_RESET);
}

/* A socket of the test's own, connected to the listener. */
static int connect_raw(const struct net *net)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, &net->address.u.any, net->address.len), 0);
    return fd;
}

static void takes_a_port_check_for_what_it_is(void **state)
{
    struct net *net = *state;
    (void)close(connect_raw(net));
    net_run(net, server_ended);
    assert_int_equal(net->server.err, GW_ERR_EOF);
    assert_string_equal(net->server.detail, "closed before the TLS handshake began");
}

static void refuses_what_is_no_tls(void **state)
{
    struct net *net = *state;
    static const struct {
        const char *bytes;
        enum gw_err err;
        const char *text;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", GW_ERR_TLS,
         "the client sent plain HTTP to a TLS port"},
        {"CONNECT x:443 HTTP/1.1\r\n\r\n", GW_ERR_TLS,
         "the client sent a plain proxy request to a TLS port"},
        {"SSH-2.0-OpenSSH_9.2\r\n", GW_ERR_TLS,
         "unsupported protocol: the peer speaks no TLS on this port"},
        {"\x16\x03", GW_ERR_RESET, "the peer cut the connection during the TLS handshake"},
        {"\x16\x03\x01\x02", GW_ERR_RESET, "the peer cut the connection during the TLS handshake"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        end_again(&net->server);
        int fd = connect_raw(net);
        size_t len = strlen(cases[i].bytes);
        assert_int_equal(send(fd, cases[i].bytes, len, MSG_NOSIGNAL), len);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        net_run(net, server_ended);
        assert_int_equal(net->server.opens, 0);
        assert_int_equal(net->server.err, cases[i].err);
        assert_string_equal(net->server.detail, cases[i].text);
        (void)close(fd);
    }
}

static void answer_plainly(struct end *end)
{
    end_write(end, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
}

static void hang_up(struct end *end)
{
    gw_stream_close(&end->stream);
}

static void tells_a_server_that_speaks_no_tls(void **state)
{
    struct net *net = *state;
    gw_tls_server_release(&net->server_tls);
    net->server.at_read = answer_plainly;
    net_connect(net);
    net_run(net, client_ended);
    assert_int_equal(net->client.err, GW_ERR_TLS);
    assert_string_equal(net->client.detail,
                        "unsupported protocol: the peer speaks no TLS on this port");
    end_again(&net->client);
    end_again(&net->server);
    net->server.at_read = hang_up;
    net_connect(net);
    net_run(net, client_ended);
    assert_int_equal(net->client.err, GW_ERR_RESET);
    assert_string_equal(net->client.detail, "the peer cut the connection during the TLS handshake");
}

/* ---- records ---- */

static void push_records(struct end *end, const char *bytes, size_t record, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        end_write(end, bytes + i * record, record);
        assert_int_equal(end->write_err, GW_OK);
    }
    end->out_len = record * count;
    end->out_at = end->out_len;
}

static void switch_off(struct end *end)
{
    gw_stream_set_reading(end->stream, false);
}

static bool server_read_something(struct net *net)
{
    return net->server.reads > 0;
}

/* Records that OpenSSL fetched with the one that was delivered: epoll tells nothing of them. */
static void delivers_held_records_later(void **state)
{
    struct net *net = *state;
    char *bytes = make_bytes(200000, 1);
    connect_well(net);
    gw_buf_reset(&net->server.received);
    net->server.reads = 0;
    net->server.at_read = switch_off;
    gw_stream_set_reading(net->server.stream, false);
    push_records(&net->client, bytes, 1000, 150);
    size_t rounds = 0;
    while (net->server.received.len < 150000) {
        net->server.reads = 0;
        gw_stream_set_reading(net->server.stream, true);
        assert_int_equal(net->server.reads, 0);
        net_run(net, server_read_something);
        net_settle(net);
        assert_int_equal(net->server.reads, 1);
        rounds++;
    }
    assert_true(rounds >= 3);
    assert_received(&net->server, bytes, 150000);
    gw_free(bytes);
}

static void notices_the_end_behind_held_records(void **state)
{
    struct net *net = *state;
    char *bytes = make_bytes(100000, 2);
    connect_well(net);
    gw_buf_reset(&net->server.received);
    net->server.at_read = switch_off;
    net->server.reads = 0;
    gw_stream_set_reading(net->server.stream, false);
    push_records(&net->client, bytes, 1000, 100);
    gw_stream_close(&net->client.stream);
    net_settle(net);
    assert_int_equal(net->server.ends, 0);
    while (net->server.ends == 0) {
        net->server.reads = 0;
        gw_stream_set_reading(net->server.stream, true);
        net_settle(net);
        assert_true(net->server.reads <= 1);
    }
    assert_received(&net->server, bytes, 100000);
    assert_int_equal(net->server.err, GW_ERR_EOF);
    gw_free(bytes);
}

/* Every byte of the handshake is a wake-up of its own. */
static void handshakes_byte_by_byte(void **state)
{
    struct net *net = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    int raw = connect_raw(net);
    assert_int_equal(fcntl(raw, F_SETFL, O_NONBLOCK), 0);
    SSL *ssl = SSL_new(gw_tls_client_ctx(net->client_tls.tls));
    struct gw_tls_peer peer = {0};
    SSL_set_app_data(ssl, &peer);
    assert_int_equal(SSL_set_fd(ssl, pair[0]), 1);
    assert_int_equal(SSL_set1_host(ssl, "localhost"), 1);
    SSL_set_connect_state(ssl);
    bool sent = false;
    while (net->server.received.len < 5) {
        char byte = 0;
        if (SSL_do_handshake(ssl) == 1 && !sent) {
            sent = SSL_write(ssl, "hello", 5) == 5;
        }
        /* One byte towards the server, everything back. */
        if (recv(pair[1], &byte, 1, 0) == 1) {
            assert_int_equal(send(raw, &byte, 1, MSG_NOSIGNAL), 1);
        }
        net_settle(net);
        char back[4096];
        ssize_t n = recv(raw, back, sizeof(back), 0);
        if (n > 0) {
            assert_int_equal(send(pair[1], back, (size_t)n, MSG_NOSIGNAL), n);
        }
        assert_int_equal(net->server.ends, 0);
    }
    assert_received(&net->server, "hello", 5);
    assert_int_equal(net->server.opens, 1);
    ERR_clear_error();
    SSL_free(ssl);
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(raw);
}

static void answers_key_updates(void **state)
{
    struct net *net = *state;
    char *bytes = make_bytes(300000, 3);
    connect_well(net);
    gw_buf_reset(&net->server.received);
    gw_buf_reset(&net->client.received);
    assert_int_equal(
        SSL_key_update(gw_stream_tls_ssl(net->client.stream), SSL_KEY_UPDATE_REQUESTED), 1);
    end_write(&net->client, bytes, 300000);
    end_write(&net->server, bytes, 300000);
    net_run(net, both_received_all);
    assert_received(&net->server, bytes, 300000);
    assert_received(&net->client, bytes, 300000);
    gw_free(bytes);
}

static void refuses_renegotiation(void **state)
{
    struct net *net = *state;
    SSL_CTX *ctx = gw_tls_client_ctx(net->client_tls.tls);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
    connect_well(net);
    SSL *ssl = gw_stream_tls_ssl(net->client.stream);
    assert_int_equal(SSL_renegotiate(ssl), 1);
    (void)SSL_do_handshake(ssl);
    net_run(net, client_ended);
    assert_int_equal(net->client.err, GW_ERR_TLS); /* told "no renegotiation" */
}

static int set_up(void **state)
{
    (void)state;
    maker_init(&maker);
    good = maker_make(&maker, &(struct cert_wish){.name = "good",
                                                  .cn = "good",
                                                  .san = "DNS:localhost,IP:127.0.0.1,IP:::1"});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    maker_fini(&maker);
    return 0;
}

#define WITH_NET(test) cmocka_unit_test_setup_teardown(test, make_net, drop_net)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NET(verifies_names),
        WITH_NET(tells_why_a_certificate_is_refused),
        WITH_NET(shows_no_control_characters_of_a_certificate),
        WITH_NET(verifies_nothing_when_told_so),
        WITH_NET(refuses_impossible_names),
        WITH_NET(agrees_on_h2_only_when_offered),
        WITH_NET(refuses_old_versions),
        WITH_NET(refuses_weak_ciphers),
        WITH_NET(resumes_tls12),
        WITH_NET(resumes_tls13),
        WITH_NET(resumes_without_tickets),
        WITH_NET(resumes_only_with_a_store),
        WITH_NET(uses_a_tls13_ticket_once),
        WITH_NET(forgets_sessions_that_are_too_old),
        WITH_NET(tells_a_cut_from_an_end),
        WITH_NET(delivers_what_came_before_a_cut),
        WITH_NET(takes_a_port_check_for_what_it_is),
        WITH_NET(refuses_what_is_no_tls),
        WITH_NET(tells_a_server_that_speaks_no_tls),
        WITH_NET(delivers_held_records_later),
        WITH_NET(notices_the_end_behind_held_records),
        WITH_NET(handshakes_byte_by_byte),
        WITH_NET(answers_key_updates),
        WITH_NET(refuses_renegotiation),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
