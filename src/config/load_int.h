/* SPDX-License-Identifier: MIT */
/*
 * config/load_int - the whole way from texts to a snapshot, without files.
 *
 * Source:   none
 * Shape:    what gw_config_load() does after it has read its files; tests and fuzzers enter here.
 * Units:    none
 * Limits:   as config.h
 * Memory:   as config.h
 * Threads:  any
 * Errors:   as config.h
 */
#ifndef GW_CONFIG_LOAD_INT_H
#define GW_CONFIG_LOAD_INT_H

#include "config/config.h"

struct gw_config_input {
    struct gw_str text;   /* YAML */
    struct gw_str path;   /* its name in findings; empty without a file */
    struct gw_str dotenv; /* text of .env */
    struct gw_str dotenv_path;
    const char *const *environment; /* "NAME=value" strings, NULL behind the last */
    struct gw_token_book *tokens;   /* as in gw_config_source */
    bool probe_local;
    uint64_t created_at_s; /* of all models */
    bool may_include;      /* read the files that "include" names */
};

/* As gw_config_load(), from texts. |report| is made by the call. */
GW_MUST_USE enum gw_err gw_config_load_text(const struct gw_config_input *input,
                                            struct gw_snapshot **out,
                                            struct gw_config_report *report);

/*
 * Reads a file whole into |out|, which is made by the call and ended with gw_config_forget_file()
 * in any case.
 *
 * Errors: GW_ERR_NOT_FOUND, GW_ERR_IO (errno says more), GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_config_read_file(const char *path, size_t max_bytes, struct gw_buf *out);

/* Zeroes and frees: files have keys in them. */
void gw_config_forget_file(struct gw_buf *text);

/* As gw_config_import(), from a text. */
GW_MUST_USE enum gw_err gw_config_import_text(struct gw_str text, struct gw_str path,
                                              struct gw_buf *out, struct gw_buf *findings);

#endif
