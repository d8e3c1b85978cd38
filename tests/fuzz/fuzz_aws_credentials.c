/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_aws_credentials - whatever stands in AWS's files and answers: it is read or refused,
 * and what was read stands in what was given.
 *
 * The first byte of the input chooses what the rest is: a file, an answer of a container, of STS,
 * an error of STS, a time, or a role's name from instance metadata.
 */
#include <string.h>

#include "fuzz_target.h"
#include "provider/aws_credentials.h"

static bool is_within(struct gw_str part, struct gw_str text)
{
    return part.len == 0 || (part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len);
}

static void check_profile(struct gw_str text, bool is_config)
{
    struct gw_aws_profile profile = {0};
    enum gw_err err = gw_aws_read_profile(text, GW_STR("default"), is_config, &profile);
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_NOT_FOUND || err == GW_ERR_TOO_LARGE);
    FUZZ_CHECK(is_within(profile.keys.access, text) && is_within(profile.keys.secret, text));
    FUZZ_CHECK(is_within(profile.role_arn, text) && is_within(profile.region, text));
    err = gw_aws_read_profile(text, GW_STR("dev"), is_config, &profile);
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_NOT_FOUND || err == GW_ERR_TOO_LARGE);
    FUZZ_CHECK(is_within(profile.keys.session, text) && is_within(profile.source_profile, text));
}

static void check_keys(enum gw_err err, const struct gw_aws_keys *keys)
{
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_PROTOCOL || err == GW_ERR_TOO_LARGE);
    FUZZ_CHECK(err != GW_OK || (keys->access.len > 0 && keys->secret.len > 0));
}

/* What a peer says must not end a line of a request's head. */
static void check_request(enum gw_err err, const struct gw_aws_request *request)
{
    FUZZ_CHECK(err == GW_OK || err == GW_ERR_INVALID || err == GW_ERR_TOO_LARGE);
    if (err != GW_OK) {
        return;
    }
    FUZZ_CHECK(request->field_count <= GW_AWS_MAX_FIELDS);
    FUZZ_CHECK(memchr(request->url.ptr, '\n', request->url.len) == NULL);
    FUZZ_CHECK(memchr(request->url.ptr, ' ', request->url.len) == NULL);
    for (size_t i = 0; i < request->field_count; i++) {
        struct gw_str value = request->fields[i].value;
        FUZZ_CHECK(value.len == 0 || memchr(value.ptr, '\n', value.len) == NULL);
    }
}

static void check_requests(struct gw_str text, struct gw_arena *arena)
{
    static const struct gw_str base = GW_STR_INIT("http://169.254.169.254");
    struct gw_aws_request request = {0};
    struct gw_aws_role role = {.role_arn = text, .session_name = text, .external_id = text};
    struct gw_aws_keys keys = {.access = GW_STR("AKIDEXAMPLE"), .secret = GW_STR("secret")};
    check_request(gw_aws_imds_keys_request(base, GW_STR("token"), text, arena, &request), &request);
    check_request(gw_aws_imds_role_request(base, text, arena, &request), &request);
    check_request(gw_aws_container_request(text, GW_STR(""), text, arena, &request), &request);
    check_request(gw_aws_container_request(GW_STR(""), text, text, arena, &request), &request);
    check_request(gw_aws_web_identity_request(&role, text, arena, &request), &request);
    check_request(
        gw_aws_assume_role_request(&role, &keys, UINT64_C(1795255200000), arena, &request),
        &request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_arena arena;
    struct gw_aws_keys keys = {0};
    uint64_t ms = 0;
    if (size == 0) {
        return 0;
    }
    struct gw_str text = gw_str((const char *)bytes + 1, size - 1);
    gw_arena_init(&arena, NULL, 0, 4096, 16u << 20);
    switch (bytes[0] % 7) {
    case 0:
    case 1:
        check_profile(text, bytes[0] % 7 == 1);
        break;
    case 2:
        check_keys(gw_aws_read_keys(text, &arena, &keys), &keys);
        break;
    case 3:
        check_keys(gw_aws_read_sts(text, &arena, &keys), &keys);
        break;
    case 4:
        (void)gw_aws_sts_error(text, &arena);
        break;
    case 5:
        (void)!gw_aws_parse_time(text, &ms);
        break;
    default:
        check_requests(text, &arena);
        break;
    }
    gw_arena_fini(&arena);
    return 0;
}
