/* SPDX-License-Identifier: MIT */
/*
 * config/config - from a YAML file and the environment to a snapshot; all errors at once, with line
 * numbers.
 *
 * Source:   DESIGN section 8; shared/reference/compat.md section 9 (LiteLLM's keys) and section
 *           6.13.
 * Shape:    YAML -> JSON with the line of every node -> ${VAR} and os.environ/VAR -> schema check
 *           -> typed snapshot.
 * Units:    durations accept "30s", "500ms" or a number of seconds; sizes "100mb" or bytes.
 * Limits:   a file of at most 16 MiB, of at most a million values once its aliases are
 *           expanded (no "billion laughs").
 * Memory:   a snapshot owns everything; a report owns its texts until gw_config_report_fini().
 * Threads:  any; reads files and the environment, so not on a worker.
 * Errors:   in the report.
 */
#ifndef GW_CONFIG_CONFIG_H
#define GW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "config/snapshot.h"

/* One finding about the file. */
struct gw_config_issue {
    bool is_error;          /* false: a warning */
    unsigned line;          /* from 1; 0 when no line is to blame (environment, missing file) */
    struct gw_str key_path; /* "model_list[2].litellm_params.api_base" */
    struct gw_str message;  /* what was found, what was expected, what to do */
    struct gw_str file; /* the file that |line| counts in: the configuration, an included file or
                           .env; empty when no file is to blame (environment) */
    size_t order;       /* private to config/ */
};

struct gw_config_report {
    struct gw_arena arena;
    struct gw_config_issue *issues; /* in order of files and their lines */
    size_t count;
    size_t error_count;
};

struct gw_token_book; /* control/token_book.h */

struct gw_config_source {
    const char *path;             /* NULL: look for gatewire.yaml and config.yaml here, then
                                     /etc/gatewire/config.yaml; none is fine */
    const char *dotenv_path;      /* NULL: ".env" in the working directory, if there; values never
                                     override the environment */
    struct gw_token_book *tokens; /* where token sources are kept over reloads; NULL: tokens are
                                     not fetched */
    bool probe_local; /* look for local model servers (Ollama, vLLM, llama.cpp) when no model_list
                         is configured */
    uint64_t created_at_s; /* of all models, for /v1/models: the same at each reload */
};

/*
 * Reads everything and builds a snapshot. The report is filled in any case and must be ended with
 * gw_config_report_fini(). *out is set only on success; the caller owns the reference.
 *
 * Errors: GW_ERR_INVALID (see the report), GW_ERR_NOT_FOUND (the named file), GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_config_load(const struct gw_config_source *source,
                                       struct gw_snapshot **out, struct gw_config_report *report);

/* Frees the report's texts. */
void gw_config_report_fini(struct gw_config_report *report);

/* The published JSON Schema of the configuration file, static text. */
struct gw_str gw_config_schema_text(void);

/*
 * Reads a LiteLLM file and writes ours to |out|; each field of the input is reported in |findings|
 * as exact, changed or not supported.
 *
 * Errors: GW_ERR_INVALID (no YAML, or nothing to import), GW_ERR_NOT_FOUND, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_config_import(const char *path, struct gw_buf *out,
                                         struct gw_buf *findings);

#endif
