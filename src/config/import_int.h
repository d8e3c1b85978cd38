/* SPDX-License-Identifier: MIT */
/*
 * config/import_int - the parts of `gatewire import`: what LiteLLM's keys are with us, and texts as
 * YAML.
 *
 * Source:   reference/compat.md section 9 for LiteLLM's keys and what they mean there.
 * Shape:    tables
 * Units:    none
 * Limits:   none
 * Memory:   static texts
 * Threads:  any
 * Errors:   as the buffer that is written to
 */
#ifndef GW_CONFIG_IMPORT_INT_H
#define GW_CONFIG_IMPORT_INT_H

#include "base/buf.h"
#include "config/document_int.h"

/* A key of LiteLLM's for which we have one of our own. */
struct gw_import_move {
    const char *from;
    const char *section;
    const char *key; /* NULL: the section itself */
};

/* The first of several that are set counts. */
extern const struct gw_import_move gw_import_moves[];
extern const size_t gw_import_move_count;

/* What is different about the key at |place| ("model_list[0].litellm_params.rpm") of |document|;
 * empty when it means the same. */
const char *gw_import_note(const struct gw_config_document *document, struct gw_str place);

/* Appends |text| so that YAML reads the same text, with quotes where it must. */
void gw_yaml_write_text(struct gw_buf *out, struct gw_str text);

#endif
