/* SPDX-License-Identifier: MIT */
/*
 * config/load - from files to a snapshot:
 *
 *     files -> YAML trees -> (include) one tree -> (variables) document -> settings and parts
 *                                                              |-> checked against the schema
 *
 * Everything goes on as long as it can, so that all errors are told at once; then it is all or
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "config/build_int.h"
#include "config/interpolate_int.h"
#include "config/load_int.h"
#include "config/schema_check_int.h"

#define SCRATCH_BYTES (512u << 20) /* a tree costs some 100 bytes a node */

static const char *const usual_paths[] = {"gatewire.yaml", "config.yaml",
                                          "/etc/gatewire/config.yaml"};

struct loading {
    const struct gw_config_input *input;
    struct gw_config_report *report;
    struct gw_arena scratch;
    struct gw_environment env;
    struct gw_config_document document;
    struct gw_buf included[GW_CONFIG_MAX_FILES]; /* texts of included files */
};

GW_PRINTF(4, 5)
static void complain(struct loading *loading, struct gw_str file, unsigned line, const char *format,
                     ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    gw_report_add(loading->report, true, &(struct gw_config_place){.file = file, .line = line},
                  "%s", text);
}

enum gw_err gw_config_read_file(const char *path, size_t max_bytes, struct gw_buf *out)
{
    gw_buf_init(out, max_bytes + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1) {
        return errno == ENOENT || errno == ENOTDIR ? GW_ERR_NOT_FOUND : GW_ERR_IO;
    }
    enum gw_err err = GW_OK;
    ssize_t got = 1;
    while (err == GW_OK && got > 0) {
        size_t step = out->len == 0 ? 16384 : out->len;
        step = step > out->max_bytes - out->len ? out->max_bytes - out->len : step;
        err = step == 0 ? GW_ERR_TOO_LARGE : gw_buf_reserve(out, step);
        got = err == GW_OK ? read(fd, gw_buf_tail(out), step) : 0;
        if (got > 0) {
            gw_buf_commit(out, (size_t)got);
        }
        err = got == -1 ? GW_ERR_IO : err;
    }
    (void)close(fd);
    return err;
}

void gw_config_forget_file(struct gw_buf *text)
{
    if (text->ptr != NULL) {
        explicit_bzero(text->ptr, text->len);
    }
    gw_buf_fini(text);
}

static void begin(struct loading *loading, const struct gw_config_input *input,
                  struct gw_config_report *report)
{
    memset(loading, 0, sizeof(*loading));
    loading->input = input;
    loading->report = report;
    gw_arena_init(&loading->scratch, NULL, 0, 64u << 10, SCRATCH_BYTES);
    gw_environment_init(&loading->env, &loading->scratch, input->environment);
    loading->document.files[0] = input->path;
    loading->document.file_count = 1;
}

static void end(struct loading *loading)
{
    gw_config_document_fini(&loading->document);
    for (size_t i = 0; i < GW_CONFIG_MAX_FILES; i++) {
        gw_config_forget_file(&loading->included[i]);
    }
    gw_arena_fini(&loading->scratch);
}

/* "models.yaml" beside the file that names it. */
static struct gw_str beside(struct loading *loading, struct gw_str name)
{
    struct gw_str path = loading->input->path;
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/') {
        slash--;
    }
    bool is_absolute = name.len > 0 && name.ptr[0] == '/';
    return gw_arena_try_printf(&loading->scratch, "%.*s" GW_STR_FMT, is_absolute ? 0 : (int)slash,
                               path.ptr == NULL ? "" : path.ptr, GW_STR_ARG(name));
}

static enum gw_err merge_maps(struct loading *loading, struct gw_yaml_node *into,
                              const struct gw_yaml_node *from);

static struct gw_yaml_node *copy_node(struct loading *loading, const struct gw_yaml_node *node)
{
    struct gw_yaml_node *copy = gw_arena_try_alloc(&loading->scratch, sizeof(*copy));
    struct gw_yaml_entry **next = copy == NULL ? NULL : &copy->first;
    if (copy == NULL) {
        return NULL;
    }
    *copy = *node;
    for (const struct gw_yaml_entry *entry = node->first; entry != NULL; entry = entry->next) {
        *next = gw_arena_try_alloc(&loading->scratch, sizeof(**next));
        if (*next == NULL) {
            return NULL;
        }
        **next = (struct gw_yaml_entry){.key = entry->key, .value = entry->value};
        next = &(*next)->next;
    }
    *next = NULL;
    return copy;
}

static enum gw_err append_entry(struct loading *loading, struct gw_yaml_node *into,
                                const struct gw_yaml_entry *entry)
{
    struct gw_yaml_entry **next = &into->first;
    while (*next != NULL) {
        next = &(*next)->next;
    }
    *next = gw_arena_try_alloc(&loading->scratch, sizeof(**next));
    if (*next == NULL) {
        return GW_ERR_NOMEM;
    }
    **next = (struct gw_yaml_entry){.key = entry->key, .value = entry->value};
    into->count++;
    return GW_OK;
}

static enum gw_err append_list(struct loading *loading, struct gw_yaml_node *into,
                               const struct gw_yaml_node *from)
{
    struct gw_yaml_node *tail = copy_node(loading, from);
    struct gw_yaml_entry **next = &into->first;
    if (tail == NULL) {
        return GW_ERR_NOMEM;
    }
    while (*next != NULL) {
        next = &(*next)->next;
    }
    *next = tail->first;
    into->count += tail->count;
    return GW_OK;
}

/* Lists are joined, maps are merged; of two single values the including file's counts. */
static enum gw_err merge_values(struct loading *loading, struct gw_yaml_entry *into,
                                const struct gw_yaml_entry *from)
{
    if (into->value->kind != from->value->kind || from->value->kind == GW_YAML_SCALAR) {
        const struct gw_config_place place = {.file = loading->document.files[from->key->file],
                                              .line = from->key->line};
        gw_report_add(loading->report, false, &place,
                      "\"%s\" is set in " GW_STR_FMT " too, line %u; that value is used",
                      from->key->text.ptr, GW_STR_ARG(loading->document.files[into->key->file]),
                      into->key->line);
        return GW_OK;
    }
    struct gw_yaml_node *copy = copy_node(loading, into->value);
    if (copy == NULL) {
        return GW_ERR_NOMEM;
    }
    into->value = copy;
    return copy->kind == GW_YAML_LIST ? append_list(loading, copy, from->value)
                                      : merge_maps(loading, copy, from->value);
}

static enum gw_err merge_maps(struct loading *loading, struct gw_yaml_node *into,
                              const struct gw_yaml_node *from)
{
    enum gw_err err = GW_OK;
    for (const struct gw_yaml_entry *entry = from->first; entry != NULL && err == GW_OK;
         entry = entry->next) {
        struct gw_yaml_entry *same = into->first;
        while (same != NULL && !gw_str_eq(same->key->text, entry->key->text)) {
            same = same->next;
        }
        if (gw_str_eq(entry->key->text, GW_STR("include"))) {
            const struct gw_config_place place = {.file = loading->document.files[entry->key->file],
                                                  .line = entry->key->line};
            gw_report_add(loading->report, false, &place,
                          "include in an included file is not followed");
            continue;
        }
        err =
            same == NULL ? append_entry(loading, into, entry) : merge_values(loading, same, entry);
    }
    return err;
}

static enum gw_err include_file(struct loading *loading, struct gw_yaml_node *root,
                                const struct gw_yaml_node *name)
{
    struct gw_config_document *document = &loading->document;
    struct gw_str place = document->files[name->file];
    if (name->kind != GW_YAML_SCALAR || document->file_count == GW_CONFIG_MAX_FILES) {
        complain(loading, place, name->line,
                 name->kind == GW_YAML_SCALAR ? "more files are included than %d"
                                              : "expected the name of a file",
                 GW_CONFIG_MAX_FILES - 1);
        return GW_OK;
    }
    struct gw_str path = beside(loading, name->text);
    if (path.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    unsigned file = (unsigned)document->file_count;
    enum gw_err err = gw_config_read_file(path.ptr, GW_YAML_MAX_BYTES, &loading->included[file]);
    if (err == GW_ERR_NOMEM) {
        return err;
    }
    if (err != GW_OK) {
        complain(loading, place, name->line, "cannot read the file \"%s\": %s", path.ptr,
                 err == GW_ERR_IO ? strerror(errno) : gw_err_text(err));
        return GW_OK;
    }
    document->files[file] = path;
    document->file_count++;
    const struct gw_yaml_node *tree = NULL;
    err = gw_yaml_parse(gw_buf_str(&loading->included[file]), path, file, &loading->scratch,
                        loading->report, &tree);
    if (err == GW_OK) {
        err = merge_maps(loading, root, tree);
    }
    return err == GW_ERR_NOMEM ? err : GW_OK; /* the rest is reported */
}

static enum gw_err include_all(struct loading *loading, const struct gw_yaml_node **root)
{
    const struct gw_yaml_node *include = gw_yaml_get(*root, GW_STR("include"));
    if (include == NULL || !loading->input->may_include) {
        return GW_OK;
    }
    struct gw_yaml_node *whole = copy_node(loading, *root);
    if (whole == NULL) {
        return GW_ERR_NOMEM;
    }
    *root = whole;
    if (include->kind != GW_YAML_LIST) {
        return include_file(loading, whole, include);
    }
    enum gw_err err = GW_OK;
    for (const struct gw_yaml_entry *entry = include->first; entry != NULL && err == GW_OK;
         entry = entry->next) {
        err = include_file(loading, whole, entry->value);
    }
    return err;
}

/* environment_variables are set before anything refers to them. */
static enum gw_err set_variables(struct loading *loading, const struct gw_yaml_node *root)
{
    const struct gw_yaml_node *map = gw_yaml_get(root, GW_STR("environment_variables"));
    enum gw_err err = GW_OK;
    for (const struct gw_yaml_entry *entry = map != NULL && map->kind == GW_YAML_MAP ? map->first
                                                                                     : NULL;
         entry != NULL && err == GW_OK; entry = entry->next) {
        struct gw_interpolation value;
        if (entry->value->kind != GW_YAML_SCALAR) {
            continue; /* the schema says so */
        }
        err = gw_interpolate(entry->value->text, gw_environment_lookup, &loading->env,
                             &loading->scratch, &value);
        if (err == GW_OK) {
            err = gw_environment_override(&loading->env, entry->key->text, value.text);
        } else if (err != GW_ERR_NOMEM) {
            err = GW_OK; /* said where the document is checked */
        }
    }
    return err;
}

static enum gw_err read_document(struct loading *loading)
{
    const struct gw_config_input *input = loading->input;
    const struct gw_yaml_node *root = NULL;
    enum gw_err err = gw_environment_add_dotenv(&loading->env, input->dotenv, input->dotenv_path,
                                                loading->report);
    if (err == GW_ERR_TOO_LARGE) {
        complain(loading, input->dotenv_path, 0, "larger than %u bytes", GW_DOTENV_MAX_BYTES);
        err = GW_OK;
    }
    err = err == GW_OK ? gw_yaml_parse(input->text, input->path, 0, &loading->scratch,
                                       loading->report, &root)
                       : err;
    err = err == GW_OK ? include_all(loading, &root) : err;
    err = err == GW_OK ? set_variables(loading, root) : err;
    err = err == GW_OK
              ? gw_config_document_init(&loading->document, root, &loading->env, &loading->scratch)
              : err;
    if (err == GW_ERR_TOO_LARGE || err == GW_ERR_TOO_DEEP) {
        complain(loading, input->path, 0, "the file is %s once its aliases are expanded",
                 err == GW_ERR_TOO_DEEP ? "nested too deeply" : "too large");
    }
    return err;
}

static enum gw_err build(struct loading *loading, struct gw_snapshot *snapshot)
{
    struct gw_config_build build = {
        .context = {.document = &loading->document,
                    .env = &loading->env,
                    .report = loading->report,
                    .scratch = &loading->scratch},
        .snapshot = snapshot,
        .tokens = loading->input->tokens,
        .probe_local = loading->input->probe_local,
        .created_at_s = loading->input->created_at_s,
    };
    snapshot->source_path = gw_arena_try_dup(gw_snapshot_arena(snapshot), loading->input->path);
    enum gw_err err = snapshot->source_path.ptr == NULL
                          ? GW_ERR_NOMEM
                          : gw_settings_read(&build.context, &build.settings);
    err = err == GW_OK ? gw_build_access(&build) : err;
    err = err == GW_OK ? gw_build_server(&build) : err;
    err = err == GW_OK ? gw_build_models(&build) : err;
    return err == GW_OK ? gw_config_check(&build.context) : err;
}

enum gw_err gw_config_load_text(const struct gw_config_input *input, struct gw_snapshot **out,
                                struct gw_config_report *report)
{
    struct loading *loading = gw_try_alloc(sizeof(*loading));
    gw_report_init(report);
    if (loading == NULL) {
        return GW_ERR_NOMEM;
    }
    begin(loading, input, report);
    struct gw_snapshot *snapshot = NULL;
    enum gw_err err = read_document(loading);
    if (err == GW_OK) {
        snapshot = gw_snapshot_create();
        err = snapshot == NULL ? GW_ERR_NOMEM : build(loading, snapshot);
    }
    err = err == GW_OK && report->error_count > 0 ? GW_ERR_INVALID : err;
    gw_report_finish(report);
    if (err == GW_OK) {
        *out = snapshot;
        snapshot = NULL;
    }
    gw_snapshot_release(&snapshot);
    end(loading);
    gw_free(loading);
    return err;
}

static void report_unreadable(struct gw_config_report *report, const char *path, enum gw_err err)
{
    gw_report_init(report);
    gw_report_add(report, true, &(struct gw_config_place){.file = gw_str_from_c(path)},
                  "cannot read the file: %s",
                  err == GW_ERR_IO && errno != 0 ? strerror(errno) : gw_err_text(err));
}

/* Reads the named file, or the first of the usual ones that is there. */
static enum gw_err read_config(const char *path, struct gw_buf *text, const char **found)
{
    if (path != NULL) {
        *found = path;
        return gw_config_read_file(path, GW_YAML_MAX_BYTES, text);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(usual_paths); i++) {
        enum gw_err err = gw_config_read_file(usual_paths[i], GW_YAML_MAX_BYTES, text);
        if (err != GW_ERR_NOT_FOUND) {
            *found = usual_paths[i];
            return err;
        }
    }
    return GW_OK;
}

enum gw_err gw_config_load(const struct gw_config_source *source, struct gw_snapshot **out,
                           struct gw_config_report *report)
{
    struct gw_buf text;
    struct gw_buf dotenv;
    gw_buf_init(&text, GW_YAML_MAX_BYTES);
    gw_buf_init(&dotenv, GW_DOTENV_MAX_BYTES);
    const char *path = NULL;
    const char *dotenv_path = source->dotenv_path == NULL ? ".env" : source->dotenv_path;
    enum gw_err err = read_config(source->path, &text, &path);
    if (err != GW_OK) {
        report_unreadable(report, path, err);
    } else {
        err = gw_config_read_file(dotenv_path, GW_DOTENV_MAX_BYTES, &dotenv);
        bool is_none = err == GW_ERR_NOT_FOUND || (err == GW_ERR_IO && errno == EISDIR);
        if (is_none && source->dotenv_path == NULL) {
            err = GW_OK; /* Python's virtual environments are often called so, too */
        }
        if (err != GW_OK) {
            report_unreadable(report, dotenv_path, err);
        }
    }
    if (err == GW_OK) {
        const struct gw_config_input input = {
            .text = gw_buf_str(&text),
            .path = gw_str_from_c(path),
            .dotenv = gw_buf_str(&dotenv),
            .dotenv_path = gw_str_from_c(dotenv_path),
            .environment = (const char *const *)environ,
            .tokens = source->tokens,
            .probe_local = source->probe_local,
            .created_at_s = source->created_at_s,
            .may_include = true,
        };
        err = gw_config_load_text(&input, out, report);
    }
    gw_config_forget_file(&text);
    gw_config_forget_file(&dotenv);
    return err == GW_ERR_IO ? GW_ERR_INVALID : err;
}
