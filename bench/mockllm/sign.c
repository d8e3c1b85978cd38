/* SPDX-License-Identifier: MIT */
/* HMAC-SHA256 with a fixed key: nobody is kept out, only mistakes are found. */
#include "mockllm/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static const unsigned char KEY[] = "mockllm signs this";

/* About as long as the shortest real signatures, so that nobody cuts them unnoticed. */
#define COPIES 6

void mock_sign(struct bench_buf *out, struct bench_str realm, struct bench_str text)
{
    struct bench_buf input = {0};
    unsigned char bytes[COPIES * SHA256_DIGEST_LENGTH];
    bench_buf_str(&input, realm);
    BENCH_LIT(&input, "\n");
    bench_buf_str(&input, text);
    BENCH_LIT(&input, "\n0");
    for (size_t i = 0; i < COPIES; i++) {
        unsigned len = 0;
        input.ptr[input.head + input.len - 1] = (char)('0' + i);
        HMAC(EVP_sha256(), KEY, sizeof(KEY), (const unsigned char *)input.ptr + input.head,
             input.len, bytes + i * SHA256_DIGEST_LENGTH, &len);
    }
    bench_buf_base64(out, bytes, sizeof(bytes));
    bench_buf_fini(&input);
}

bool mock_sign_check(struct bench_str signature, struct bench_str realm, struct bench_str text)
{
    struct bench_buf wanted = {0};
    mock_sign(&wanted, realm, text);
    bool same = bench_str_eq(signature, bench_buf_view(&wanted));
    bench_buf_fini(&wanted);
    return same;
}

/* Brings base64 into one form: the usual alphabet without padding. */
static void normalize(struct bench_buf *out, struct bench_str base64)
{
    for (size_t i = 0; i < base64.len && base64.ptr[i] != '='; i++) {
        char c = base64.ptr[i];
        c = (char)(c == '-' ? '+' : (c == '_' ? '/' : c));
        bench_buf_add(out, &c, 1);
    }
}

bool mock_sign_check_bytes(struct bench_str signature, struct bench_str realm,
                           struct bench_str text)
{
    struct bench_buf made = {0};
    struct bench_buf wanted = {0};
    struct bench_buf given = {0};
    mock_sign(&made, realm, text);
    normalize(&wanted, bench_buf_view(&made));
    normalize(&given, signature);
    bool same = bench_str_eq(bench_buf_view(&given), bench_buf_view(&wanted));
    bench_buf_fini(&made);
    bench_buf_fini(&wanted);
    bench_buf_fini(&given);
    return same;
}
