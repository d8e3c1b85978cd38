/* SPDX-License-Identifier: MIT */
/*
 * config/dotenv - reads the text of a .env file.
 *
 *     # comment                      export NAME=value # comment
 *     NAME='as ${it} stands'         NAME="two\nlines, or ${OTHER}"
 */
#include "base/buf.h"
#include "config/environment_int.h"
#include "config/interpolate_int.h"

struct reader {
    struct gw_environment *env;
    struct gw_config_report *report;
    struct gw_str file_name;
    struct gw_str rest;
    unsigned line;
};

static void warn(struct reader *reader, const char *what)
{
    gw_report_add(reader->report, false,
                  &(struct gw_config_place){.file = reader->file_name, .line = reader->line}, "%s",
                  what);
}

static void skip(struct reader *reader, size_t count)
{
    reader->rest = gw_str_skip(reader->rest, count);
}

static void skip_blanks(struct reader *reader)
{
    while (reader->rest.len > 0 && (reader->rest.ptr[0] == ' ' || reader->rest.ptr[0] == '\t')) {
        skip(reader, 1);
    }
}

static struct gw_str line_rest(const struct reader *reader)
{
    return gw_str(reader->rest.ptr, gw_str_find_byte(reader->rest, '\n'));
}

static void next_line(struct reader *reader)
{
    skip(reader, line_rest(reader).len + 1);
    reader->line++;
}

static bool is_name(struct gw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        bool is_inner = (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!is_letter && (i == 0 || !is_inner)) {
            return false;
        }
    }
    return text.len > 0;
}

/* Up to a '#' that follows a blank. */
static struct gw_str unquoted(struct reader *reader)
{
    struct gw_str text = line_rest(reader);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '#' && (i == 0 || text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '\t')) {
            text = gw_str(text.ptr, i);
        }
    }
    return gw_str_trim(text);
}

/* Finds the quote that ends the value behind the one at the front; text.len when there is none. */
static size_t find_quote(struct gw_str text, char quote)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == '\\' && quote == '"') {
            i++;
        } else if (text.ptr[i] == quote) {
            return i;
        }
    }
    return text.len;
}

static enum gw_err unescape(struct gw_str text, struct gw_buf *out)
{
    static const char codes[] = "n\nr\rt\t";
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < text.len && err == GW_OK; i++) {
        char c = text.ptr[i];
        if (c != '\\' || i + 1 == text.len) {
            err = gw_buf_append_byte(out, c);
            continue;
        }
        i++;
        c = text.ptr[i];
        if (c == '$' && i + 1 < text.len &&
            text.ptr[i + 1] ==
                '{') { /* "\${X}" is no reference: said in the words of the interpolation */
            err = gw_buf_append_byte(out, '$');
        }
        for (size_t code = 0; code + 1 < sizeof(codes); code += 2) {
            if (codes[code] == text.ptr[i]) {
                c = codes[code + 1];
            }
        }
        err = gw_buf_append_byte(out, c);
    }
    return err;
}

static enum gw_err resolve(struct reader *reader, struct gw_str text, struct gw_str *value)
{
    struct gw_interpolation result;
    enum gw_err err =
        gw_interpolate(text, gw_environment_lookup, reader->env, reader->env->arena, &result);
    *value = result.text;
    if (err == GW_ERR_NOT_FOUND) {
        *value = gw_str("", 0); /* as a shell does */
        warn(reader, "refers to a variable that is not set; the value is taken as empty");
        return GW_OK;
    }
    return err;
}

static enum gw_err double_quoted(struct reader *reader, struct gw_str inside, struct gw_str *value)
{
    struct gw_buf text;
    gw_buf_init(&text, GW_DOTENV_MAX_BYTES);
    enum gw_err err = unescape(inside, &text);
    struct gw_str own = {0};
    if (err == GW_OK) {
        own = gw_arena_try_dup(reader->env->arena, gw_buf_str(&text));
        err = own.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    gw_buf_fini(&text);
    return err == GW_OK ? resolve(reader, own, value) : err;
}

/* Reads the value at the front of the rest. *is_value: false when it was none. */
static enum gw_err read_value(struct reader *reader, struct gw_str *value, bool *is_value)
{
    char quote = reader->rest.len > 0 ? reader->rest.ptr[0] : '\0';
    *is_value = true;
    if (quote != '"' && quote != '\'') {
        return resolve(reader, unquoted(reader), value);
    }
    size_t close = find_quote(reader->rest, quote);
    if (close == reader->rest.len) {
        warn(reader, "a quote is opened here and never closed; the line is skipped");
        *is_value = false;
        return GW_OK;
    }
    struct gw_str inside = gw_str(reader->rest.ptr + 1, close - 1);
    enum gw_err err = GW_OK;
    if (quote == '"') {
        err = double_quoted(reader, inside, value);
    } else {
        *value = inside;
    }
    for (size_t i = 0; i < inside.len; i++) {
        reader->line += inside.ptr[i] == '\n' ? 1 : 0;
    }
    skip(reader, close + 1);
    return err;
}

static enum gw_err keep(struct reader *reader, struct gw_str name, struct gw_str value)
{
    if (gw_str_find_byte(value, '\0') != value.len) {
        warn(reader, "a NUL character in a value; the line is skipped");
        return GW_OK;
    }
    struct gw_variable *variable = gw_arena_try_alloc(reader->env->arena, sizeof(*variable));
    if (variable == NULL) {
        return GW_ERR_NOMEM;
    }
    *variable = (struct gw_variable){
        .name = gw_arena_try_dup(reader->env->arena, name),
        .value = gw_arena_try_dup(reader->env->arena, value),
    };
    if (variable->name.ptr == NULL || variable->value.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    /* In front: the last line of the file wins, as in a shell that reads it. */
    variable->next = reader->env->additional;
    reader->env->additional = variable;
    return GW_OK;
}

static enum gw_err read_line(struct reader *reader)
{
    skip_blanks(reader);
    struct gw_str line = gw_str_trim(line_rest(reader));
    if (line.len == 0 || line.ptr[0] == '#') {
        next_line(reader);
        return GW_OK;
    }
    if (gw_str_has_prefix(line, GW_STR("export "))) {
        skip(reader, 7);
        skip_blanks(reader);
        line = gw_str_trim(line_rest(reader));
    }
    size_t equals = gw_str_find_byte(line, '=');
    struct gw_str name = gw_str_trim(gw_str(line.ptr, equals));
    if (equals == line.len || !is_name(name)) {
        warn(reader, "not NAME=value; the line is skipped");
        next_line(reader);
        return GW_OK;
    }
    skip(reader, equals + 1);
    skip_blanks(reader);
    struct gw_str value = {0};
    bool is_value = false;
    enum gw_err err = read_value(reader, &value, &is_value);
    if (err == GW_OK && is_value) {
        err = keep(reader, name, value);
    }
    next_line(reader);
    return err;
}

enum gw_err gw_environment_add_dotenv(struct gw_environment *env, struct gw_str text,
                                      struct gw_str file_name, struct gw_config_report *report)
{
    if (text.len > GW_DOTENV_MAX_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    struct gw_str bom = GW_STR("\xef\xbb\xbf");
    struct reader reader = {
        .env = env,
        .report = report,
        .file_name = file_name,
        .rest = gw_str_has_prefix(text, bom) ? gw_str_skip(text, bom.len) : text,
        .line = 1,
    };
    enum gw_err err = GW_OK;
    while (reader.rest.len > 0 && err == GW_OK) {
        err = read_line(&reader);
    }
    return err;
}
