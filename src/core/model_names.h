/* SPDX-License-Identifier: MIT */
/*
 * core/model_names - the names that clients can ask for: those of the groups, and in the place of a
 * pattern the known models that it matches.
 *
 * Source:   what LiteLLM's clients see of wildcards; llm/model_facts for the known models
 * Shape:    an iterator, in the order of the configuration and of the table of facts. A pattern of
 *           which no model is known is given as it is, so that it is seen at all; so are patterns
 * of Azure, where names are the operator's.
 * Units:    none
 * Limits:   names of at most GW_MODEL_NAME_MAX bytes
 * Memory:   a name is valid until the next one is asked for
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_CORE_MODEL_NAMES_H
#define GW_CORE_MODEL_NAMES_H

#include "llm/catalog.h"

struct gw_model_names {
    const struct gw_catalog *catalog;
    size_t group; /* the next one, or the pattern that is being replaced */
    size_t row;   /* the next model of the table for it */
    bool has_any; /* a model of it was given */
    char room[GW_MODEL_NAME_MAX];
};

/* Before the first name of |catalog|. */
void gw_model_names_init(struct gw_model_names *names, const struct gw_catalog *catalog);

/* The next name and its group; false behind the last. */
bool gw_model_names_next(struct gw_model_names *names, struct gw_str *name,
                         const struct gw_model_group **group);

#endif
