/* SPDX-License-Identifier: MIT */
/*
 * llm/notes - what a translation did to a request: mapped, dropped, refused. Nothing is lost
 * silently: drops reach the client as x-gatewire-warning, all of it is what `gatewire explain`
 * prints.
 *
 * Source:   DESIGN section 6
 * Shape:    a list in order of discovery; one entry per member, not per occurrence (a conversation
 *           with 100 images is one note).
 * Units:    none
 * Limits:   GW_NOTES_MAX entries; what is beyond is counted only.
 * Memory:   texts live in the arena given at init.
 * Threads:  not shared
 * Errors:   gw_notes_refuse()
 */
#ifndef GW_LLM_NOTES_H
#define GW_LLM_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "llm/error.h"

#define GW_NOTES_MAX 32 /* a header field of some KiB */

enum gw_note_kind {
    GW_NOTE_MAPPED,  /* expressed in other words; for explain only */
    GW_NOTE_CHANGED, /* expressed nearly: a value clamped, a tool choice weakened. A warning. */
    GW_NOTE_DROPPED, /* not sent. A warning. */
    GW_NOTE_REFUSED, /* the request ends with 400 */
};

struct gw_note {
    enum gw_note_kind kind;
    struct gw_str param; /* the member in the neutral request: "seed", "messages[].content[]" */
    struct gw_str text;  /* for people, one sentence without the member's value */
};

struct gw_notes {
    struct gw_arena *arena;
    bool drops_params; /* the deployment's drop_params: what would be refused is dropped */
    struct gw_note entries[GW_NOTES_MAX];
    size_t count;
    size_t left_out;
    struct gw_error *error; /* where a refusal goes */
};

/* Begins an empty list. */
void gw_notes_init(struct gw_notes *notes, struct gw_arena *arena, bool drops_params,
                   struct gw_error *error);

/* Notes; |param| and |text| are static or live in the arena. The same param and kind is noted
 * once. */
void gw_notes_add(struct gw_notes *notes, enum gw_note_kind kind, struct gw_str param,
                  struct gw_str text);

/*
 * What the target cannot do and whose loss changes the meaning. GW_OK: noted as dropped, because
 * the deployment says so; go on without it. GW_ERR_INVALID: *notes->error is a client error, status
 * 400, code "unsupported_parameter"; stop.
 */
GW_MUST_USE enum gw_err gw_notes_refuse(struct gw_notes *notes, struct gw_str param,
                                        struct gw_str text);

/* A request that is wrong in itself: always an error (status 400). Returns GW_ERR_INVALID. */
GW_MUST_USE enum gw_err gw_notes_invalid(struct gw_notes *notes, struct gw_str param,
                                         struct gw_str text);

/* "mapped", "changed", "dropped", "refused". */
const char *gw_note_kind_name(enum gw_note_kind kind);

/* The warnings in one line for a header field: "seed: dropped, ...; n: changed, ..."; empty when
 * there is none. Lives in the arena; bytes that no field may hold are replaced. */
struct gw_str gw_notes_warning(const struct gw_notes *notes);

#endif
