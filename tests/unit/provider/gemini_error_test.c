/* SPDX-License-Identifier: MIT */
/* provider/gemini_error - Google's errors explained (gemini.md section 7, vertex.md section 6). */
#include "gemini_fixture.h"

#define BODY(code, status, message, details)                                                       \
    "{\"error\":{\"code\":" #code ",\"message\":\"" message "\",\"status\":\"" status              \
    "\",\"details\":[" details "]}}"
#define RETRY(delay)                                                                               \
    "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"" delay "\"}"
#define QUOTA(id)                                                                                  \
    "{\"@type\":\"type.googleapis.com/"                                                            \
    "google.rpc.QuotaFailure\",\"violations\":[{\"quotaId\":\"" id "\"}]}"

static void check(unsigned status, const char *body, const char *expected)
{
    struct gemini_fixture f;
    struct gw_error error;
    fixture_init(&f, &gw_api_gemini);
    f.api->read_error(status, NULL, 0, gw_str_from_c(body), &f.arena, &error);
    struct gw_event event = {.type = GW_EVENT_ERROR, .error = &error};
    (void)trace_event(&f.trace, &event);
    assert_string_equal(fixture_text(&f.trace), expected);
    fixture_fini(&f);
}

static void test_client(void **state)
{
    (void)state;
    check(400, BODY(400, "INVALID_ARGUMENT", "Bad field.", ""),
          "error 400/400 retry 0  Bad field.\n");
    check(400,
          BODY(400, "INVALID_ARGUMENT",
               "The input token count (9) exceeds the maximum number of tokens allowed (8).", ""),
          "error 400/400 fallback retry 0 context_length_exceeded The input token count (9) "
          "exceeds the maximum number of tokens allowed (8).\n");
    check(404, BODY(404, "NOT_FOUND", "models/x is not found.", ""),
          "error 404/404 fallback retry 0 model_not_found models/x is not found.\n");
}

/* The core words these; Google's own text is for the log only. */
#define REFUSED(status) "error 502/" status " fallback retry 0 upstream_credential_refused \n"

static void test_credential(void **state)
{
    (void)state;
    check(400, BODY(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", ""),
          REFUSED("400"));
    check(400,
          BODY(400, "INVALID_ARGUMENT", "Odd.",
               "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"
               "\"API_KEY_INVALID\"}"),
          REFUSED("400"));
    check(403,
          BODY(403, "PERMISSION_DENIED", "Consumer 'api_key:AIzaSecret' has been suspended.", ""),
          REFUSED("403"));
    check(401, BODY(401, "UNAUTHENTICATED", "Expired.", ""), REFUSED("401"));
    check(400, BODY(400, "FAILED_PRECONDITION", "User location is not supported.", ""),
          "error 502/400 fallback retry 0 provider_precondition Google does not serve the "
          "gateway's account: its region or billing stands against it.\n");
    check(402, BODY(402, "RESOURCE_EXHAUSTED", "Prepaid.", ""),
          "error 502/402 fallback retry 0 upstream_billing_error The credit of the gateway's "
          "Google account is used up.\n");
}

#define LIMITED(retry, text)                                                                       \
    "error 429/429 retryable fallback retry " retry " rate_limit_exceeded " text "\n"
#define USED_UP(retry, text) "error 429/429 fallback retry " retry " insufficient_quota " text "\n"

static void test_limits(void **state)
{
    (void)state;
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "Slow.", RETRY("40s")), LIMITED("40", "Slow."));
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "Slow.", RETRY("40.020s")), LIMITED("41", "Slow."));
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "Please retry in 7.5s.", ""),
          LIMITED("8", "Please retry in 7.5s."));
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "No.", RETRY("x")), LIMITED("0", "No."));
    check(429,
          BODY(429, "RESOURCE_EXHAUSTED", "Slow.",
               QUOTA("GenerateRequestsPerDayPerProjectPerModel-FreeTier") "," RETRY("40s")),
          USED_UP("3600", "Slow."));
    check(429,
          BODY(429, "RESOURCE_EXHAUSTED", "Slow.", QUOTA("GenerateRequestsPerMinute-FreeTier")),
          LIMITED("0", "Slow."));
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "Metric x, limit: 0, model y", ""),
          USED_UP("3600", "Metric x, limit: 0, model y"));
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "Metric x, limit: 0", ""),
          USED_UP("3600", "Metric x, limit: 0"));
    check(429, BODY(429, "RESOURCE_EXHAUSTED", "Metric x, limit: 05", ""),
          LIMITED("0", "Metric x, limit: 05"));
}

static void test_passing(void **state)
{
    (void)state;
    check(503, "[" BODY(503, "UNAVAILABLE", "The model is overloaded.", "") "]",
          "error 503/503 retryable fallback retry 0  The model is overloaded.\n");
    check(499, BODY(499, "CANCELLED", "Gone.", ""),
          "error 499/499 retryable fallback retry 0  Gone.\n");
}

static void test_detail(void **state)
{
    (void)state;
    struct gemini_fixture f;
    struct gw_error error;
    fixture_init(&f, &gw_api_gemini);
    f.api->read_error(400, NULL, 0, GW_STR(BODY(400, "INVALID_ARGUMENT", "API key not valid.", "")),
                      &f.arena, &error);
    assert_true(error.is_credential);
    assert_true(gw_str_eq(error.detail, GW_STR("API key not valid.")));
    fixture_fini(&f);
}

static void test_unreadable(void **state)
{
    (void)state;
    check(500, "<html>", "error 500/500 retryable fallback retry 0  \n");
    check(503, "{\"error\":\"x\"}", "error 503/503 retryable fallback retry 0  \n");
    check(400, "", "error 400/400 retry 0  \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client), cmocka_unit_test(test_credential),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_passing),
        cmocka_unit_test(test_detail), cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
