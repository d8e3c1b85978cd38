/* SPDX-License-Identifier: MIT */
/* llm/notes - the list, and the header field it becomes. */
#include "llm/notes.h"

#include "base/buf.h"

#define WARNING_MAX_BYTES 4096 /* clients and proxies take fields of 8 KiB */

void gw_notes_init(struct gw_notes *notes, struct gw_arena *arena, bool drops_params,
                   struct gw_error *error)
{
    notes->arena = arena;
    notes->drops_params = drops_params;
    notes->count = 0;
    notes->left_out = 0;
    notes->error = error;
}

void gw_notes_add(struct gw_notes *notes, enum gw_note_kind kind, struct gw_str param,
                  struct gw_str text)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->entries[i].kind == kind && gw_str_eq(notes->entries[i].param, param)) {
            return;
        }
    }
    if (notes->count == GW_NOTES_MAX) {
        notes->left_out++;
        return;
    }
    notes->entries[notes->count++] = (struct gw_note){.kind = kind, .param = param, .text = text};
}

static void set_error(struct gw_notes *notes, struct gw_str param, struct gw_str code,
                      struct gw_str message)
{
    *notes->error = (struct gw_error){
        .class = GW_ERROR_CLIENT, .status = 400, .code = code, .param = param, .message = message};
}

enum gw_err gw_notes_refuse(struct gw_notes *notes, struct gw_str param, struct gw_str text)
{
    if (notes->drops_params) {
        gw_notes_add(notes, GW_NOTE_DROPPED, param, text);
        return GW_OK;
    }
    gw_notes_add(notes, GW_NOTE_REFUSED, param, text);
    set_error(notes, param, GW_STR("unsupported_parameter"),
              gw_arena_printf(notes->arena,
                              "'" GW_STR_FMT "' cannot be used with this model: " GW_STR_FMT
                              " Leave it out, or set drop_params on the deployment to send the "
                              "request without it.",
                              GW_STR_ARG(param), GW_STR_ARG(text)));
    return GW_ERR_INVALID;
}

enum gw_err gw_notes_invalid(struct gw_notes *notes, struct gw_str param, struct gw_str text)
{
    gw_notes_add(notes, GW_NOTE_REFUSED, param, text);
    set_error(notes, param, GW_STR("invalid_request_error"), text);
    return GW_ERR_INVALID;
}

static void append_printable(struct gw_buf *line, struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        (void)gw_buf_append_byte(line, byte >= ' ' && byte < 0x7f ? (char)byte : '?');
    }
}

struct gw_str gw_notes_warning(const struct gw_notes *notes)
{
    struct gw_buf line;
    gw_buf_init(&line, WARNING_MAX_BYTES);
    for (size_t i = 0; i < notes->count; i++) {
        const struct gw_note *note = &notes->entries[i];
        if (note->kind != GW_NOTE_CHANGED && note->kind != GW_NOTE_DROPPED) {
            continue;
        }
        (void)gw_buf_append(&line, line.len > 0 ? GW_STR("; ") : GW_STR(""));
        append_printable(&line, note->param);
        (void)gw_buf_append(&line, note->kind == GW_NOTE_CHANGED ? GW_STR(": changed, ")
                                                                 : GW_STR(": dropped, "));
        append_printable(&line, note->text);
    }
    struct gw_str warning =
        line.len > 0 ? gw_arena_try_dup(notes->arena, gw_buf_str(&line)) : gw_str(NULL, 0);
    gw_buf_fini(&line);
    return warning;
}

const char *gw_note_kind_name(enum gw_note_kind kind)
{
    static const char *const names[] = {"mapped", "changed", "dropped", "refused"};
    return names[kind];
}
