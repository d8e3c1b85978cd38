/* SPDX-License-Identifier: MIT */
/*
 * Signs the requests on stdin and prints their Authorization fields, a line each, so that
 * tests/tools/test_sigv4.py can compare them with another signer's. Every value is "length:bytes";
 * a request is the members below in their order, then the fields' number, names and values, and the
 * body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/sigv4.h"

#define MAX_INPUT_BYTES (64u << 20)

static struct gw_str take(struct gw_str *rest)
{
    size_t colon = gw_str_find_byte(*rest, ':');
    uint64_t len = 0;
    if (gw_parse_u64(gw_str(rest->ptr, colon), &len) != GW_OK || len > rest->len - colon - 1) {
        fprintf(stderr, "not a value\n");
        exit(2);
    }
    struct gw_str value = gw_str(rest->ptr + colon + 1, (size_t)len);
    *rest = gw_str_skip(*rest, colon + 1 + (size_t)len);
    return value;
}

static size_t take_number(struct gw_str *rest)
{
    uint64_t number = 0;
    if (gw_parse_u64(take(rest), &number) != GW_OK) {
        fprintf(stderr, "not a number\n");
        exit(2);
    }
    return (size_t)number;
}

static void sign_next(struct gw_str *rest)
{
    struct gw_sigv4_request request = {0};
    struct gw_str *const members[] = {
        &request.access_key, &request.secret_key, &request.session_token, &request.region,
        &request.service,    &request.method,     &request.target,        &request.host};
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        *members[i] = take(rest);
    }
    request.now_ms = take_number(rest);
    struct gw_header fields[64];
    request.fields = fields;
    request.field_count = take_number(rest) % GW_ARRAY_LEN(fields);
    for (size_t i = 0; i < request.field_count; i++) {
        fields[i].name = take(rest);
        fields[i].value = take(rest);
    }
    struct gw_str body = take(rest);
    request.body_runs = &body;
    request.body_run_count = 1;
    struct gw_arena arena;
    struct gw_sigv4_fields signed_fields;
    gw_arena_init(&arena, NULL, 0, 4096, 1u << 20);
    enum gw_err err = gw_sigv4_sign(&request, &arena, &signed_fields);
    if (err == GW_OK) {
        printf(GW_STR_FMT "\n", GW_STR_ARG(signed_fields.authorization));
    } else {
        printf("%s\n", gw_err_name(err));
    }
    gw_arena_fini(&arena);
}

int main(void)
{
    char *input = malloc(MAX_INPUT_BYTES);
    if (input == NULL) {
        return 2;
    }
    struct gw_str rest = gw_str(input, fread(input, 1, MAX_INPUT_BYTES, stdin));
    while (rest.len > 0) {
        sign_next(&rest);
    }
    free(input);
    return 0;
}
