/* SPDX-License-Identifier: MIT */
/* provider/responses_foreign - leaves out of a verbatim body what OpenAI cannot read. */
#include "provider/responses_foreign.h"

#include "base/buf.h"
#include "json/scan.h"
#include "json/write.h"

#define SEAL "\"gatewire."

struct sifting {
    struct gw_buf out;
    bool has_foreign;
};

/* Is it a reasoning item whose encrypted content this gateway made? */
static bool is_foreign(struct gw_str item)
{
    struct gw_json_member type;
    struct gw_json_member content;
    return gw_json_find(item, GW_STR("type"), &type) &&
           gw_str_eq(type.value, GW_STR("\"reasoning\"")) &&
           gw_json_find(item, GW_STR("encrypted_content"), &content) &&
           gw_str_has_prefix(content.value, GW_STR(SEAL));
}

static gw_json_on_member_fn sift;
static enum gw_err sift(void *user, const struct gw_json_member *item)
{
    struct sifting *sifting = user;
    if (item->type == GW_JSON_OBJECT && is_foreign(item->value)) {
        sifting->has_foreign = true;
        return GW_OK;
    }
    gw_json_write_next(&sifting->out);
    return gw_buf_append(&sifting->out, item->value);
}

enum gw_err gw_responses_drop_foreign(struct gw_arena *arena, struct gw_str body,
                                      struct gw_json_splice *splice)
{
    struct gw_json_member input;
    if (gw_str_find(body, GW_STR(SEAL)) == body.len ||
        !gw_json_find(body, GW_STR("input"), &input) || input.type != GW_JSON_ARRAY) {
        return GW_OK;
    }
    struct sifting sifting = {.has_foreign = false};
    gw_buf_init(&sifting.out, input.value.len + 2);
    (void)gw_buf_append_byte(&sifting.out, '[');
    enum gw_err err = gw_json_each(input.value, sift, &sifting);
    (void)gw_buf_append_byte(&sifting.out, ']');
    if (err == GW_OK && sifting.has_foreign) {
        struct gw_str kept = gw_arena_try_dup(arena, gw_buf_str(&sifting.out));
        err = kept.ptr == NULL || sifting.out.err != GW_OK
                  ? GW_ERR_NOMEM
                  : gw_json_splice_replace(splice, input.value, kept);
    }
    gw_buf_fini(&sifting.out);
    return err;
}
