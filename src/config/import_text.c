/* SPDX-License-Identifier: MIT */
/* config/import_text - texts as YAML that means them. */
#include "config/import_int.h"
#include "config/yaml_int.h"

/* Can |text| stand without quotes and mean itself? Narrow on purpose. */
static bool is_plain(struct gw_str text)
{
    static const char safe[] = "_./-${}:";
    if (text.len == 0 || gw_yaml_resolve(text).kind != GW_YAML_IS_TEXT) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_safe = c != '\0' && strchr(safe, c) != NULL && i > 0;
        bool is_reference = c == '$' && i == 0;
        bool ends_key = c == ':' && i + 1 == text.len;
        if ((!is_word && !is_safe && !is_reference) || ends_key) {
            return false;
        }
    }
    return true;
}

/* Characters that YAML takes for line breaks, or refuses, where JSON lets them stand. */
static const struct {
    struct gw_str bytes;
    const char *escape;
} special[] = {
    {GW_STR_INIT("\x7f"), "\\x7f"},
    {GW_STR_INIT("\xe2\x80\xa8"), "\\u2028"},
    {GW_STR_INIT("\xe2\x80\xa9"), "\\u2029"},
    {GW_STR_INIT("\xef\xbb\xbf"), "\\ufeff"},
};

/* Writes the special character at the front of |text|; returns its length, 0 when it is none. */
static size_t put_special(struct gw_buf *out, struct gw_str text)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(special); i++) {
        if (gw_str_has_prefix(text, special[i].bytes)) {
            (void)gw_buf_append(out, gw_str_from_c(special[i].escape));
            return special[i].bytes.len;
        }
    }
    bool is_c1 = text.len > 1 && text.ptr[0] == '\xc2' && (text.ptr[1] & '\xe0') == '\x80';
    if (is_c1) { /* U+0080 to U+009F */
        (void)gw_buf_appendf(out, "\\x%02x", (unsigned)(unsigned char)text.ptr[1]);
    }
    return is_c1 ? 2 : 0;
}

void gw_yaml_write_text(struct gw_buf *out, struct gw_str text)
{
    if (is_plain(text)) {
        (void)gw_buf_append(out, text);
        return;
    }
    (void)gw_buf_append_byte(out, '"');
    while (text.len > 0) {
        size_t used = put_special(out, text);
        size_t len = used > 0 ? 0 : 1;
        while (len > 0 && len < text.len && text.ptr[len] != '\x7f' &&
               ((unsigned char)text.ptr[len] < 0x80 || (text.ptr[len] & '\xc0') == '\x80')) {
            len++; /* up to the next character that could be special */
        }
        (void)gw_buf_append_json(out, gw_str(text.ptr, len));
        text = gw_str_skip(text, used + len);
    }
    (void)gw_buf_append_byte(out, '"');
}
