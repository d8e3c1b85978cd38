/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_int - what the files of OpenAI's Responses dialect share: the neutral request
 * on its way in (responses_chat.c, responses_items.c, responses_tools.c), the answer on its way out
 * (responses_stream.c, responses_output.c, responses_object.c). Only dialect/ includes this.
 *
 * Source:   shared/providers/inbound.md part C; openai.md section 4 read backwards
 * Shape:    the neutral request carries two notes for the way back: "_echo", the members that a
 *           response repeats, and "_namespaces", {flat name: {"namespace","name"}}.
 * Units:    none
 * Limits:   GW_RESPONSES_MAX_TOOLS
 * Memory:   see the functions
 * Threads:  its request's thread only
 * Errors:   see the functions
 */
#ifndef GW_DIALECT_RESPONSES_INT_H
#define GW_DIALECT_RESPONSES_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "llm/event.h"
#include "llm/notes.h"

/* ---- the way in ---- */

#define GW_RESPONSES_MAX_TOOLS                                                                     \
    2048 /* vendors take 128; each is compared with all before it, so there must be some end */
#define GW_RESPONSES_FLAT_NAME 64 /* what chat completions take as a function's name */

/* An assistant's message while its items come in. */
struct gw_responses_assistant {
    struct gw_buf parts;     /* of the content, as an array's elements */
    struct gw_buf text;      /* the only text there is, while there is one only */
    struct gw_buf refusal;   /* JSON string */
    struct gw_buf reasoning; /* its text */
    struct gw_buf items;     /* reasoning items, as an array's elements */
    struct gw_buf blocks;    /* thinking blocks, as an array's elements */
    struct gw_buf calls;     /* tool calls, as an array's elements */
    struct gw_buf signature; /* Google's, of the call that comes next */
    unsigned part_count;
    bool is_open;
};

/* A neutral request while it is written. */
struct gw_responses_chat {
    struct gw_notes *notes;
    struct gw_buf messages;   /* elements */
    struct gw_buf tools;      /* elements */
    struct gw_buf namespaces; /* members */
    struct gw_buf seen;       /* hashes of the tools' names, 8 bytes each */
    struct gw_responses_assistant assistant;
};

/* Writes the messages of "instructions" and "input". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_responses_write_messages(struct gw_responses_chat *chat,
                                                    yyjson_val *root);

/* Writes one item that is no message and no reasoning; false when it is of no known kind. */
bool gw_responses_write_call(struct gw_responses_chat *chat, yyjson_val *item, struct gw_str type);

/* Begins the assistant's message, or goes on with the open one; it ends with the flush. */
struct gw_responses_assistant *gw_responses_assistant(struct gw_responses_chat *chat);

/* Writes the open assistant's message, if any. */
void gw_responses_flush(struct gw_responses_chat *chat);

/* Appends |content| (a string or parts) as the neutral request has it. */
void gw_responses_write_content(yyjson_val *content, struct gw_buf *out);

/* Adds tools, of the request or of an item. Errors: GW_ERR_INVALID (too many). */
GW_MUST_USE enum gw_err gw_responses_add_tools(struct gw_responses_chat *chat, yyjson_val *tools);

/* Writes "tools", "tool_choice" and "parallel_tool_calls" as members of |out|. */
void gw_responses_write_tools(struct gw_responses_chat *chat, yyjson_val *root, struct gw_buf *out);

/* The name under which a namespace's tool is shown to the model: "ns__name", cut to what chat
 * completions take; |text| keeps it. Without a namespace the name itself. */
struct gw_str gw_responses_flat_name(struct gw_str name_space, struct gw_str name,
                                     char text[GW_RESPONSES_FLAT_NAME + 1]);

/* What we put into a reasoning item's "encrypted_content", so that it comes back in the next turn:
 * other vendors bind their reasoning to the conversation too. */
enum gw_responses_seal {
    GW_SEAL_NONE,     /* OpenAI's own, or nothing */
    GW_SEAL_THINKING, /* the signature of Anthropic's thinking */
    GW_SEAL_REDACTED, /* Anthropic's redacted thinking */
    GW_SEAL_GOOGLE,   /* the thought signature of the call behind it */
};

/* What an "encrypted_content" of ours holds: *value is a view of it. */
enum gw_responses_seal gw_responses_unseal(struct gw_str encrypted, struct gw_str *value);

/* What stands in front of such a value; empty for GW_SEAL_NONE. */
struct gw_str gw_responses_seal_prefix(enum gw_responses_seal seal);

/* ---- the way out ---- */

enum gw_responses_item_type {
    GW_ITEM_REASONING,
    GW_ITEM_MESSAGE,
    GW_ITEM_FUNCTION,
    GW_ITEM_CUSTOM,
    GW_ITEM_IMAGE,
};

enum gw_responses_part {
    GW_ITEM_PART_NONE,
    GW_ITEM_PART_TEXT,
    GW_ITEM_PART_REFUSAL,
};

/* One output item. */
struct gw_responses_item {
    enum gw_responses_item_type type;
    bool is_done;
    bool is_wrapped;        /* a custom tool whose input comes as {"input":...} */
    unsigned tool_index;    /* FUNCTION, CUSTOM: in the events */
    struct gw_buf id;       /* "msg_..." */
    struct gw_buf text;     /* of the open part; summary; arguments; base64 */
    struct gw_buf parts;    /* of a message: those that are done, as an array's elements */
    struct gw_buf notes;    /* of the open part: annotations, as an array's elements */
    struct gw_buf logprobs; /* of the open part: as an array's elements */
    struct gw_buf call_id;
    struct gw_buf name;
    struct gw_buf name_space;
    struct gw_buf done; /* the item's final JSON */
    enum gw_responses_part part;
    unsigned part_count; /* begun */
    unsigned note_count;
};

struct gw_encoder {
    struct gw_encoder_opts opts;
    struct gw_buf head;   /* members of every response object up to "status" */
    struct gw_buf echo;   /* members behind "output" */
    struct gw_buf result; /* the final response object */
    struct gw_responses_item *items;
    size_t item_count;
    size_t item_capacity;
    uint64_t sequence;
    struct gw_usage usage;
    enum gw_finish finish;
    enum gw_err err;
    bool is_plain; /* no events are written */
    bool is_begun;
    bool is_complete;
};

/* The item that is open and of that type, or a new one, announced; NULL when there is no memory.
 * Others that may be closed are closed. */
struct gw_responses_item *gw_responses_open(struct gw_encoder *encoder,
                                            enum gw_responses_item_type type, struct gw_buf *out);

/* Appends an item, unannounced; NULL when there is no memory (which sticks). */
struct gw_responses_item *gw_responses_new_item(struct gw_encoder *encoder,
                                                enum gw_responses_item_type type);

/* Announces an item that is filled in as far as it is known. */
void gw_responses_announce(struct gw_encoder *encoder, const struct gw_responses_item *item,
                           struct gw_buf *out);

/* Ends an item: its last events and its final JSON. */
void gw_responses_close(struct gw_encoder *encoder, struct gw_responses_item *item,
                        struct gw_str encrypted, struct gw_buf *out);

/* Opens the message's part of that kind, closing another. */
void gw_responses_open_part(struct gw_encoder *encoder, struct gw_responses_item *item,
                            enum gw_responses_part part, struct gw_buf *out);

/* A piece of the open part, summary, arguments or input; |logprobs| may be empty. */
void gw_responses_delta(struct gw_encoder *encoder, struct gw_responses_item *item,
                        struct gw_str text, struct gw_str logprobs, struct gw_buf *out);

/* Begins an event up to its members; false when no events are written. */
bool gw_responses_begin_event(struct gw_encoder *encoder, struct gw_str type, struct gw_buf *out);

/* Ends it. */
void gw_responses_end_event(struct gw_encoder *encoder, struct gw_buf *out);

/* The same with the item's "item_id" and "output_index". */
bool gw_responses_begin_item_event(struct gw_encoder *encoder, const struct gw_responses_item *item,
                                   struct gw_str type, struct gw_buf *out);

/* Makes head and echo. */
void gw_responses_make_object(struct gw_encoder *encoder, uint64_t created_s);

enum gw_responses_status {
    GW_RESPONSE_IN_PROGRESS,
    GW_RESPONSE_COMPLETED,
    GW_RESPONSE_INCOMPLETE,
    GW_RESPONSE_FAILED,
};

/* Appends the response object as it is now; |error| only when it failed. */
void gw_responses_write_object(const struct gw_encoder *encoder, enum gw_responses_status status,
                               const struct gw_error *error, struct gw_buf *out);

/* Appends {"code","message"} as clients read it. */
void gw_responses_write_failure(const struct gw_error *error, struct gw_buf *out);

/* The three of the dialect's table. */
struct gw_encoder *gw_responses_encoder_create(const struct gw_encoder_opts *opts);

/* Appends what |event| becomes. */
void gw_responses_encode(struct gw_encoder *encoder, const struct gw_event *event,
                         struct gw_buf *out);

/* Frees; NULL-safe. */
void gw_responses_encoder_destroy(struct gw_encoder *encoder);

#endif
