/* SPDX-License-Identifier: MIT */
/*
 * config/import_litellm - writes a LiteLLM configuration as ours. Most keys are the same in both;
 * what moves is in a table. Each field is reported: exact, changed or not supported; what is not
 * supported stays in the output as a comment with the line where it was, so that nothing is lost
 * silently.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "config/import_int.h"
#include "config/load_int.h"
#include "config/schema_check_int.h"
#include "provider/provider.h"

#define SCRATCH_BYTES (512u << 20)
#define PATH_BYTES    4096
#define INDENT        2

enum verdict {
    EXACT,
    CHANGED,
    NOT_SUPPORTED,
    VERDICTS,
};

static const char *const verdict_words[VERDICTS] = {"exact", "changed", "not supported"};

/* What the walk along the schema found out about a key; 0 where it said nothing. */
enum mark {
    MARK_NONE,
    MARK_LATER,
    MARK_UNKNOWN,
    MARK_MOVED,
};

struct import {
    struct gw_config_document document;
    struct gw_config_report report;
    struct gw_arena scratch;
    struct gw_config_walk walk;
    unsigned char *marks; /* by number of the key */
    struct gw_str path;   /* of the file, for comments */
    struct gw_buf place;  /* path of the key that is being written */
    bool is_begun;        /* the line that is written next has its beginning already: "- " */
    struct gw_buf *out;
    struct gw_buf *findings;
    size_t counts[VERDICTS];
};

static void report_field(struct import *import, enum verdict verdict, yyjson_val *value,
                         struct gw_str place, const char *note)
{
    unsigned line = import->document.positions[gw_config_index(&import->document, value)].line;
    import->counts[verdict]++;
    (void)gw_buf_appendf(import->findings, "%-13s line %-5u " GW_STR_FMT "%s%s\n",
                         verdict_words[verdict], line, GW_STR_ARG(place),
                         note[0] == '\0' ? "" : ": ", note);
}

static void report_here(struct import *import, enum verdict verdict, yyjson_val *value,
                        const char *note)
{
    report_field(import, verdict, value, gw_buf_str(&import->place), note);
}

static void put_indent(struct import *import, unsigned indent)
{
    if (import->is_begun) {
        import->is_begun = false;
        return;
    }
    (void)gw_buf_appendf(import->out, "%*s", (int)indent, "");
}

/* The NAME of "os.environ/NAME", or an empty view. */
static struct gw_str environ_name(struct gw_str text)
{
    struct gw_str prefix = GW_STR("os.environ/");
    struct gw_str name = gw_str_skip(text, prefix.len);
    bool is_reference = gw_str_has_prefix(text, prefix) && name.len > 0;
    for (size_t i = 0; i < name.len && is_reference; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        is_reference = is_letter || (i > 0 && c >= '0' && c <= '9');
    }
    return is_reference ? name : gw_str(NULL, 0);
}

/* Writes a value on the line of its key, and reports it unless |is_reported| already. */
static void put_scalar(struct import *import, yyjson_val *value, bool is_reported)
{
    enum verdict verdict = EXACT;
    const char *note = "";
    struct gw_str name = environ_name(gw_config_text(value));
    if (name.len > 0) {
        (void)gw_buf_appendf(import->out, "${" GW_STR_FMT "}", GW_STR_ARG(name));
        verdict = CHANGED;
        note = "os.environ/NAME is written ${NAME}";
    } else if (yyjson_is_str(value)) {
        gw_yaml_write_text(import->out, gw_config_text(value));
    } else if (!yyjson_is_null(value)) {
        size_t len = 0;
        char *text = yyjson_val_write_opts(value, 0, &gw_config_json_allocator, &len, NULL);
        (void)gw_buf_append(import->out, gw_str(text, len));
        gw_config_json_allocator.free(NULL, text);
    }
    if (!is_reported && verdict == EXACT && !yyjson_is_null(value)) {
        note = gw_import_note(&import->document, gw_buf_str(&import->place));
        verdict = note[0] == '\0' ? EXACT : CHANGED;
    }
    if (!is_reported) {
        report_here(import, verdict, value, note);
    }
}

static void put_value(struct import *import, yyjson_val *value, unsigned indent, bool is_reported);

/* A key that is not written: a comment says where it was. */
static void put_comment(struct import *import, yyjson_val *key, unsigned indent, const char *why)
{
    unsigned line = import->document.positions[gw_config_index(&import->document, key)].line;
    put_indent(import, indent);
    (void)gw_buf_appendf(import->out, "# line %u: " GW_STR_FMT " - %s\n", line,
                         GW_STR_ARG(gw_buf_str(&import->place)), why);
    report_here(import, NOT_SUPPORTED, key, why);
}

static enum mark mark_of(const struct import *import, yyjson_val *key)
{
    return (enum mark)import->marks[gw_config_index(&import->document, key)];
}

/* The provider of |value| ("provider/model") when this version does not serve it; empty otherwise.
 */
static struct gw_str unserved_provider(yyjson_val *key, yyjson_val *value)
{
    struct gw_str model = gw_config_text(value);
    size_t slash = gw_str_find_byte(model, '/');
    struct gw_str provider = gw_str(model.ptr, slash < model.len ? slash : 0);
    bool is_served = !yyjson_equals_str(key, "model") || provider.len == 0 ||
                     gw_provider_find(provider) != NULL || gw_provider_of_model(model) != NULL;
    return is_served ? gw_str(NULL, 0) : provider;
}

static void put_member(struct import *import, yyjson_val *key, yyjson_val *value, unsigned indent)
{
    struct gw_str provider = unserved_provider(key, value);
    if (mark_of(import, key) == MARK_LATER) {
        put_comment(import, key, indent, "not used by this version");
        return;
    }
    if (mark_of(import, key) == MARK_UNKNOWN) {
        put_comment(import, key, indent, "unknown key");
        return;
    }
    if (provider.len > 0) {
        put_indent(import, indent);
        (void)gw_buf_appendf(import->out,
                             "# this version does not serve the provider " GW_STR_FMT
                             ": the model is left out\n",
                             GW_STR_ARG(provider));
        report_here(import, NOT_SUPPORTED, value, "the provider is not served by this version");
    }
    put_indent(import, indent);
    gw_yaml_write_text(import->out, gw_config_text(key));
    (void)gw_buf_append_byte(import->out, ':');
    put_value(import, value, indent, provider.len > 0);
}

/* Puts |name| behind the place while its value is written; returns the length to go back to. */
static size_t enter(struct import *import, struct gw_str name)
{
    size_t before = import->place.len;
    (void)gw_buf_appendf(&import->place, "%s" GW_STR_FMT, before > 0 ? "." : "", GW_STR_ARG(name));
    return before;
}

static void leave(struct import *import, size_t before)
{
    import->place.len = before;
    import->place.err = GW_OK;
}

static void put_map(struct import *import, yyjson_val *map, unsigned indent)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(map, index, max, key, value)
    {
        if (mark_of(import, key) != MARK_MOVED) {
            size_t before = enter(import, gw_config_text(key));
            put_member(import, key, value, indent);
            leave(import, before);
        }
    }
}

/* The first line of a map in a list stands behind its "- ". */
static void put_list(struct import *import, yyjson_val *list, unsigned indent, bool is_reported)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(list, index, max, item)
    {
        size_t before = import->place.len;
        (void)gw_buf_appendf(&import->place, "[%zu]", index);
        put_indent(import, indent);
        (void)gw_buf_append(import->out, GW_STR("-"));
        if (yyjson_is_obj(item) && yyjson_obj_size(item) > 0) {
            (void)gw_buf_append_byte(import->out, ' ');
            import->is_begun = true;
            put_map(import, item, indent + INDENT);
        } else {
            put_value(import, item, indent, is_reported);
        }
        leave(import, before);
    }
}

/* Writes what stands behind "key:" or "-", with the line's end. */
static void put_value(struct import *import, yyjson_val *value, unsigned indent, bool is_reported)
{
    if (!yyjson_is_ctn(value) || unsafe_yyjson_get_len(value) == 0) {
        (void)gw_buf_append(import->out, yyjson_is_null(value) ? GW_STR("") : GW_STR(" "));
        put_scalar(import, value, is_reported);
        (void)gw_buf_append_byte(import->out, '\n');
        return;
    }
    (void)gw_buf_append_byte(import->out, '\n');
    if (yyjson_is_obj(value)) {
        put_map(import, value, indent + INDENT);
    } else {
        put_list(import, value, indent + INDENT, is_reported);
    }
}

static enum gw_err on_key(void *user, enum gw_config_use use, yyjson_val *key, yyjson_val *value,
                          yyjson_val *known)
{
    struct import *import = user;
    (void)value;
    (void)known;
    static const unsigned char marks[] = {[GW_CONFIG_USED] = MARK_NONE,
                                          [GW_CONFIG_LATER] = MARK_LATER,
                                          [GW_CONFIG_UNKNOWN] = MARK_UNKNOWN,
                                          [GW_CONFIG_REFUSED] = MARK_UNKNOWN};
    import->marks[gw_config_index(&import->document, key)] = marks[use];
    return GW_OK;
}

/* Keys stand in the document right before their values. */
static yyjson_val *key_of(yyjson_val *value)
{
    return value - 1;
}

/* A section of ours that is in the file already keeps its own keys; what would take their place
 * stays where it is, which means the same. */
static bool is_taken(const struct import *import, const char *section, const char *key)
{
    yyjson_val *own = gw_config_get(&import->document, section);
    return own != NULL && (key == NULL || !yyjson_is_obj(own) || yyjson_obj_get(own, key) != NULL);
}

static bool is_set_earlier(const struct import *import, const struct gw_import_move *move)
{
    for (const struct gw_import_move *other = gw_import_moves; other != move; other++) {
        bool is_same = other->key != NULL && move->key != NULL &&
                       strcmp(other->key, move->key) == 0 &&
                       strcmp(other->section, move->section) == 0;
        if (is_same && gw_config_get(&import->document, other->from) != NULL) {
            return true;
        }
    }
    return false;
}

static void put_moved(struct import *import, const struct gw_import_move *move, yyjson_val *value)
{
    char note[256];
    struct gw_str from = gw_str_from_c(move->from);
    import->marks[gw_config_index(&import->document, key_of(value))] = MARK_MOVED;
    if (is_set_earlier(import, move)) {
        (void)snprintf(note, sizeof(note), "another key sets %s.%s already and counts",
                       move->section, move->key);
        report_field(import, CHANGED, value, from, note);
        return;
    }
    const char *why = gw_import_note(&import->document, from);
    (void)snprintf(note, sizeof(note), "is written %s%s%s%s%s", move->section,
                   move->key == NULL ? "" : ".", move->key == NULL ? "" : move->key,
                   why[0] == '\0' ? "" : "; ", why);
    report_field(import, CHANGED, value, from, note);
    if (move->key == NULL) {
        size_t place = enter(import, from);
        put_map(import, value, INDENT);
        leave(import, place);
        return;
    }
    (void)gw_buf_appendf(import->out, "  %s:", move->key);
    size_t before = enter(import, from);
    put_value(import, value, INDENT, true);
    leave(import, before);
}

/* litellm_settings.ssl_verify is two keys of ours. */
static void put_ssl_verify(struct import *import, yyjson_val *value)
{
    struct gw_str from = GW_STR("litellm_settings.ssl_verify");
    import->marks[gw_config_index(&import->document, key_of(value))] = MARK_MOVED;
    if (yyjson_is_str(value)) {
        (void)gw_buf_append(import->out, GW_STR("  ca_file:"));
        put_value(import, value, INDENT, true);
        report_field(import, CHANGED, value, from, "is written upstream.ca_file");
        return;
    }
    (void)gw_buf_append(import->out, yyjson_is_true(value) ? GW_STR("  insecure: false\n")
                                                           : GW_STR("  insecure: true\n"));
    report_field(import, CHANGED, value, from, "is written upstream.insecure");
}

/* One of our sections: what moves there, then what the file has under that name already. */
static void put_section(struct import *import, const char *section)
{
    yyjson_val *own = gw_config_get(&import->document, section);
    yyjson_val *verify = gw_config_get(&import->document, "litellm_settings.ssl_verify");
    size_t before = import->out->len;
    (void)gw_buf_appendf(import->out, "%s:\n", section);
    size_t header_end = import->out->len;
    for (size_t i = 0; i < gw_import_move_count; i++) {
        yyjson_val *value = gw_config_get(&import->document, gw_import_moves[i].from);
        if (value != NULL && strcmp(gw_import_moves[i].section, section) == 0 &&
            !is_taken(import, section, gw_import_moves[i].key)) {
            put_moved(import, &gw_import_moves[i], value);
        }
    }
    if (verify != NULL && strcmp(section, "upstream") == 0 &&
        !is_taken(import, section, "ca_file") && !is_taken(import, section, "insecure")) {
        put_ssl_verify(import, verify);
    }
    if (yyjson_is_obj(own)) {
        import->marks[gw_config_index(&import->document, key_of(own))] = MARK_MOVED;
        size_t place = enter(import, gw_str_from_c(section));
        put_map(import, own, INDENT);
        leave(import, place);
    }
    if (import->out->len == header_end) {
        import->out->len = before; /* nothing there */
    }
}

/* A section of which nothing is written is named only by the comments about its keys. */
static bool has_written_keys(const struct import *import, yyjson_val *value)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *member = NULL;
    yyjson_obj_foreach(value, index, max, key, member)
    {
        if (mark_of(import, key) == MARK_NONE) {
            return true;
        }
    }
    return !yyjson_is_obj(value) || yyjson_obj_size(value) == 0;
}

static void put_rest(struct import *import)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(yyjson_doc_get_root(import->document.json), index, max, key, value)
    {
        if (mark_of(import, key) == MARK_MOVED) {
            continue;
        }
        size_t before = enter(import, gw_config_text(key));
        if (mark_of(import, key) == MARK_NONE && !has_written_keys(import, value)) {
            put_map(import, value, 0);
        } else {
            put_member(import, key, value, 0);
        }
        leave(import, before);
    }
}

static void put_all(struct import *import)
{
    static const char *const sections[] = {"auth", "upstream", "router", "model_aliases"};
    (void)gw_buf_appendf(import->out,
                         "# Made by gatewire import from " GW_STR_FMT
                         ".\n# Comments name the lines of that file.\n",
                         GW_STR_ARG(import->path));
    for (size_t i = 0; i < GW_ARRAY_LEN(sections); i++) {
        put_section(import, sections[i]);
    }
    put_rest(import);
    (void)gw_buf_appendf(import->findings, "%zu exact, %zu changed, %zu not supported\n",
                         import->counts[EXACT], import->counts[CHANGED],
                         import->counts[NOT_SUPPORTED]);
}

/* Errors of the input, as findings. */
static void report_errors(struct import *import)
{
    gw_report_finish(&import->report);
    for (size_t i = 0; i < import->report.count; i++) {
        const struct gw_config_issue *issue = &import->report.issues[i];
        (void)gw_buf_appendf(import->findings, GW_STR_FMT ":%u: " GW_STR_FMT "\n",
                             GW_STR_ARG(import->path), issue->line, GW_STR_ARG(issue->message));
    }
}

static enum gw_err read_tree(struct import *import, struct gw_str text)
{
    const struct gw_yaml_node *root = NULL;
    enum gw_err err =
        gw_yaml_parse(text, import->path, 0, &import->scratch, &import->report, &root);
    if (err == GW_OK && root->count == 0) {
        (void)gw_buf_appendf(import->findings, GW_STR_FMT ": there is nothing in it\n",
                             GW_STR_ARG(import->path));
        err = GW_ERR_INVALID;
    }
    return err == GW_OK ? gw_config_document_init(&import->document, root, NULL, &import->scratch)
                        : err;
}

static enum gw_err import_tree(struct import *import)
{
    yyjson_doc *schema = gw_config_schema_document();
    import->walk = (struct gw_config_walk){
        .schema = yyjson_doc_get_root(schema),
        .visit = on_key,
        .user = import,
        .document = &import->document,
    };
    import->marks = gw_try_alloc(import->document.count);
    enum gw_err err = schema == NULL || import->marks == NULL ? GW_ERR_NOMEM : GW_OK;
    if (err == GW_OK) {
        memset(import->marks, MARK_NONE, import->document.count);
        err = gw_config_walk(&import->walk);
    }
    if (err == GW_OK) {
        put_all(import);
        err = import->out->err != GW_OK ? import->out->err : import->findings->err;
    }
    gw_free(import->marks);
    yyjson_doc_free(schema);
    return err;
}

enum gw_err gw_config_import_text(struct gw_str text, struct gw_str path, struct gw_buf *out,
                                  struct gw_buf *findings)
{
    struct import import = {.path = path, .out = out, .findings = findings};
    gw_arena_init(&import.scratch, NULL, 0, 64u << 10, SCRATCH_BYTES);
    gw_report_init(&import.report);
    gw_buf_init(&import.place, PATH_BYTES);
    import.document.files[0] = path;
    import.document.file_count = 1;
    enum gw_err err = read_tree(&import, text);
    if (err == GW_OK) {
        err = import_tree(&import);
    } else {
        report_errors(&import);
    }
    gw_config_document_fini(&import.document);
    gw_buf_fini(&import.place);
    gw_config_report_fini(&import.report);
    gw_arena_fini(&import.scratch);
    return err == GW_ERR_TOO_DEEP ? GW_ERR_INVALID : err;
}

enum gw_err gw_config_import(const char *path, struct gw_buf *out, struct gw_buf *findings)
{
    struct gw_buf text;
    enum gw_err err = gw_config_read_file(path, GW_YAML_MAX_BYTES, &text);
    if (err == GW_OK) {
        err = gw_config_import_text(gw_buf_str(&text), gw_str_from_c(path), out, findings);
    } else {
        (void)gw_buf_appendf(findings, "%s: cannot read the file: %s\n", path, gw_err_text(err));
    }
    gw_config_forget_file(&text);
    return err == GW_ERR_IO ? GW_ERR_INVALID : err;
}
