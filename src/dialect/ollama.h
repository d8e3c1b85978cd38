/* SPDX-License-Identifier: MIT */
/*
 * dialect/ollama - what Ollama's clients ask besides chats: which models there are.
 *
 * Source:   Ollama's public API (docs.ollama.com/api, read 2026-11); its clients for Python and
 *           JavaScript.
 * Shape:    pure writers of JSON
 * Units:    seconds since 1970
 * Limits:   none of their own
 * Memory:   none
 * Threads:  any
 * Errors:   stick in |out|.
 */
#ifndef GW_DIALECT_OLLAMA_H
#define GW_DIALECT_OLLAMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* The API's level that is served: clients ask before they use "think" or schemas. */
#define GW_OLLAMA_API_VERSION "0.12.0"

struct gw_ollama_model {
    struct gw_str name;
    uint64_t context_length; /* 0: not known */
    bool is_embedding;       /* gives vectors, not text */
    bool has_tools;
    bool has_vision;
    bool has_thinking;
};

/* One of the models of GET /api/tags. */
void gw_ollama_write_tag(struct gw_str name, uint64_t modified_s, struct gw_buf *out);

/* POST /api/show */
void gw_ollama_write_show(const struct gw_ollama_model *model, uint64_t modified_s,
                          struct gw_buf *out);

/* GET /api/version */
void gw_ollama_write_version(struct gw_buf *out);

/* Appends "2026-11-21T10:11:12Z" with its quotes. */
void gw_ollama_write_time(uint64_t seconds, struct gw_buf *out);

#endif
