/* SPDX-License-Identifier: MIT */
/* AWS' credentials: STS, the instance's metadata service, the container's endpoint. */
#include "mockllm/answer.h"
#include "mockllm/aws_sign.h"
#include "mockllm/exchange.h"
#include "mockllm/sign.h"
#include "mockllm/tokens.h"

/* Of the metadata service: six hours. */
#define MAX_SESSION_SECONDS 21600u

struct credentials {
    struct bench_buf id, secret, token, end;
};

static void make(const struct mock_exchange *exchange, struct credentials *credentials)
{
    int64_t end = mock_aws_now(exchange) + (int64_t)exchange->knobs.token_lifetime;
    *credentials = (struct credentials){0};
    mock_aws_make_credentials(exchange, end, &credentials->id, &credentials->secret,
                              &credentials->token);
    mock_aws_write_time(&credentials->end, end, false);
}

static void fini(struct credentials *credentials)
{
    bench_buf_fini(&credentials->id);
    bench_buf_fini(&credentials->secret);
    bench_buf_fini(&credentials->token);
    bench_buf_fini(&credentials->end);
}

static void answer_sts_error(struct mock_exchange *exchange, unsigned status, const char *code,
                             const char *message)
{
    bench_buf_printf(mock_answer_begin(exchange, status, BENCH_STR("text/xml")),
                     "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
                     "<Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>"
                     "<RequestId>6f1d1b9e</RequestId></ErrorResponse>",
                     code, message);
    mock_answer_end(exchange);
}

static void answer_sts(struct mock_exchange *exchange, const char *action)
{
    struct credentials made;
    make(exchange, &made);
    bench_buf_printf(
        mock_answer_begin(exchange, 200, BENCH_STR("text/xml")),
        "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>"
        "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/mock/s</Arn>"
        "<AssumedRoleId>AROAMOCK:s</AssumedRoleId></AssumedRoleUser><Credentials>"
        "<AccessKeyId>" BENCH_STR_FMT "</AccessKeyId><SecretAccessKey>" BENCH_STR_FMT
        "</SecretAccessKey><SessionToken>" BENCH_STR_FMT "</SessionToken><Expiration>" BENCH_STR_FMT
        "</Expiration></Credentials></%sResult><ResponseMetadata>"
        "<RequestId>6f1d1b9e</RequestId></ResponseMetadata></%sResponse>",
        action, action, BENCH_STR_ARG(bench_buf_view(&made.id)),
        BENCH_STR_ARG(bench_buf_view(&made.secret)), BENCH_STR_ARG(bench_buf_view(&made.token)),
        BENCH_STR_ARG(bench_buf_view(&made.end)), action, action);
    mock_answer_end(exchange);
    fini(&made);
}

static bool has_field(struct bench_str body, const char *name)
{
    struct bench_buf value = {0};
    mock_vendor_form(body, name, &value);
    bool found = value.len > 0;
    bench_buf_fini(&value);
    return found;
}

void mock_tokens_sts(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_str body = bench_buf_view(&exchange->request.body);
    struct bench_buf action = {0};
    struct mock_aws_refusal refusal = {0};
    mock_vendor_form(body, "Action", &action);
    bool web = bench_str_eq(bench_buf_view(&action), BENCH_STR("AssumeRoleWithWebIdentity"));
    bool signed_one = bench_str_eq(bench_buf_view(&action), BENCH_STR("AssumeRole"));
    bench_buf_fini(&action);
    if (!web && !signed_one) {
        answer_sts_error(exchange, 400, "InvalidAction", "Could not find the operation.");
    } else if (!has_field(body, "RoleArn") || !has_field(body, "RoleSessionName")) {
        answer_sts_error(exchange, 400, "ValidationError",
                         "RoleArn and RoleSessionName must not be null.");
    } else if (web && !has_field(body, "WebIdentityToken")) {
        answer_sts_error(exchange, 400, "InvalidIdentityToken",
                         "The ID Token provided is not a valid JWT.");
    } else if (signed_one && !mock_aws_check(exchange, "sts", &refusal)) {
        answer_sts_error(exchange, 403, refusal.type, refusal.message);
    } else {
        answer_sts(exchange, web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    }
}

void mock_tokens_imds_session(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    struct bench_str ttl = mock_vendor_header(exchange, "x-aws-ec2-metadata-token-ttl-seconds");
    uint64_t seconds = 0;
    if (!bench_str_u64(ttl, &seconds) || seconds == 0 || seconds > MAX_SESSION_SECONDS) {
        mock_vendor_fail(exchange, 400, "");
        return;
    }
    struct bench_buf *out = mock_answer_begin(exchange, 200, BENCH_STR("text/plain"));
    mock_sign(out, BENCH_STR("imds"), BENCH_STR(""));
    mock_answer_header(exchange, BENCH_STR("x-aws-ec2-metadata-token-ttl-seconds"), ttl);
    mock_answer_end(exchange);
}

/* Version 2 of the service takes no request without a session. */
static bool has_session(struct mock_exchange *exchange)
{
    struct bench_str token = mock_vendor_header(exchange, "x-aws-ec2-metadata-token");
    if (mock_sign_check(token, BENCH_STR("imds"), BENCH_STR(""))) {
        return true;
    }
    mock_vendor_fail(exchange, 401, "");
    return false;
}

void mock_tokens_imds_role(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    if (has_session(exchange)) {
        BENCH_LIT(mock_answer_begin(exchange, 200, BENCH_STR("text/plain")), "mock-role");
        mock_answer_end(exchange);
    }
}

static void answer_json(struct mock_exchange *exchange, bool imds)
{
    struct credentials made;
    make(exchange, &made);
    struct bench_buf *out = mock_answer_json(exchange);
    bench_buf_str(out, imds ? BENCH_STR("{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\","
                                        "\"LastUpdated\":\"2026-11-21T05:30:00Z\",")
                            : BENCH_STR("{\"RoleArn\":\"arn:aws:iam::123456789012:role/mock\","));
    bench_buf_printf(
        out,
        "\"AccessKeyId\":\"" BENCH_STR_FMT "\",\"SecretAccessKey\":\"" BENCH_STR_FMT
        "\",\"Token\":\"" BENCH_STR_FMT "\",\"Expiration\":\"" BENCH_STR_FMT "\"}",
        BENCH_STR_ARG(bench_buf_view(&made.id)), BENCH_STR_ARG(bench_buf_view(&made.secret)),
        BENCH_STR_ARG(bench_buf_view(&made.token)), BENCH_STR_ARG(bench_buf_view(&made.end)));
    mock_answer_end(exchange);
    fini(&made);
}

void mock_tokens_imds(struct mock_exchange *exchange, const struct bench_str *ids)
{
    if (!has_session(exchange)) {
        return;
    }
    if (bench_str_eq(ids[0], BENCH_STR("mock-role"))) {
        answer_json(exchange, true);
    } else {
        mock_vendor_fail(exchange, 404, "");
    }
}

void mock_tokens_container(struct mock_exchange *exchange, const struct bench_str *ids)
{
    /* /v2/credentials/locked asks for what AWS_CONTAINER_AUTHORIZATION_TOKEN brings. */
    bool locked = bench_str_eq(ids[0], BENCH_STR("locked"));
    if (locked && mock_vendor_header(exchange, "authorization").len == 0) {
        mock_vendor_fail(exchange, 401, "");
        return;
    }
    answer_json(exchange, false);
}
