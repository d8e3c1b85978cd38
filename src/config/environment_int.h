/* SPDX-License-Identifier: MIT */
/*
 * config/environment_int - the variables that the configuration reads: the process's environment,
 * the file's environment_variables, and .env.
 *
 * Source:   LiteLLM (environment_variables are set over the process's); python-dotenv and Docker
 *           Compose for .env, whose values never override.
 * Shape:    looked up in this order: environment_variables, process, .env.
 * Units:    none
 * Limits:   GW_DOTENV_MAX_BYTES of .env.
 * Memory:   texts are in the caller's arena or in the process's environment, which nobody may
 *           change while this is used.
 * Threads:  not shared
 * Errors:   see the functions.
 */
#ifndef GW_CONFIG_ENVIRONMENT_INT_H
#define GW_CONFIG_ENVIRONMENT_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "config/report_int.h"

#define GW_DOTENV_MAX_BYTES (1u << 20)

struct gw_variable {
    struct gw_str name;
    struct gw_str value;
    struct gw_variable *next;
};

struct gw_environment {
    struct gw_arena *arena;
    const char *const *process;     /* "NAME=value" strings, NULL behind the last; NULL: none */
    struct gw_variable *overriding; /* environment_variables of the file */
    struct gw_variable *additional; /* .env */
};

/* Starts with the process's variables only. */
void gw_environment_init(struct gw_environment *env, struct gw_arena *arena,
                         const char *const *process);

/* Sets a variable over the process's. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_environment_override(struct gw_environment *env, struct gw_str name,
                                                struct gw_str value);

/*
 * Reads the text of a .env file: NAME=value lines, with "export", comments, single quotes (as
 * written) and double quotes (escapes, several lines); ${VAR} is resolved outside single quotes.
 * Lines that are none of that are warned about and skipped.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_environment_add_dotenv(struct gw_environment *env, struct gw_str text,
                                                  struct gw_str file_name,
                                                  struct gw_config_report *report);

/* The value of |name|; false when it is not set. */
bool gw_environment_get(const struct gw_environment *env, struct gw_str name, struct gw_str *value);

/* The same as a gw_lookup_fn; |user| is the environment. */
bool gw_environment_lookup(void *user, struct gw_str name, struct gw_str *value);

/* The first of the |names| (separated by spaces) that is set and not empty; *name says which. */
bool gw_environment_get_first(const struct gw_environment *env, const char *names,
                              struct gw_str *name, struct gw_str *value);

/* Several values of one purpose, sorted by their variables' names. */
struct gw_variable_list {
    struct gw_variable *items;
    size_t count;
};

/*
 * All variables whose names begin with |prefix| and go on, sorted by name with numbers in their
 * order
 * ("_2" before "_10").
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_environment_with_prefix(const struct gw_environment *env,
                                                   struct gw_str prefix, struct gw_arena *arena,
                                                   struct gw_variable_list *list);

#endif
