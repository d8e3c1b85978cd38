/* SPDX-License-Identifier: MIT */
/*
 * policy/complexity - one pass over the text: words are looked up in a table as they go by, signs
 * are noted.
 */
#include "policy/complexity.h"

#include <stdbool.h>

#include "base/assert.h"
#include "llm/chat.h"
#include "json/value.h"

#define LOW_MAX     2u
#define MEDIUM_MAX  4u
#define TURNS_MAX   8u
#define LONG_TOKENS 4000u
#define WORD_MAX    24u /* longer than any of ours */

/* ---- words ---- */

enum word_kind { TERM = 1, DEPTH, MATHS, CONSTRAINT, KEYWORD };

static const struct {
    struct gw_str word;
    enum word_kind kind;
} words[] = {
    {GW_STR_INIT("algorithm"), TERM},      {GW_STR_INIT("api"), TERM},
    {GW_STR_INIT("architecture"), TERM},   {GW_STR_INIT("asynchronous"), TERM},
    {GW_STR_INIT("authentication"), TERM}, {GW_STR_INIT("backend"), TERM},
    {GW_STR_INIT("cache"), TERM},          {GW_STR_INIT("compiler"), TERM},
    {GW_STR_INIT("concurrency"), TERM},    {GW_STR_INIT("container"), TERM},
    {GW_STR_INIT("cryptography"), TERM},   {GW_STR_INIT("database"), TERM},
    {GW_STR_INIT("debug"), TERM},          {GW_STR_INIT("deployment"), TERM},
    {GW_STR_INIT("distributed"), TERM},    {GW_STR_INIT("encryption"), TERM},
    {GW_STR_INIT("framework"), TERM},      {GW_STR_INIT("frontend"), TERM},
    {GW_STR_INIT("function"), TERM},       {GW_STR_INIT("kubernetes"), TERM},
    {GW_STR_INIT("latency"), TERM},        {GW_STR_INIT("microservices"), TERM},
    {GW_STR_INIT("neural"), TERM},         {GW_STR_INIT("optimize"), TERM},
    {GW_STR_INIT("protocol"), TERM},       {GW_STR_INIT("quantum"), TERM},
    {GW_STR_INIT("recursion"), TERM},      {GW_STR_INIT("refactor"), TERM},
    {GW_STR_INIT("scalability"), TERM},    {GW_STR_INIT("sql"), TERM},
    {GW_STR_INIT("analyse"), DEPTH},       {GW_STR_INIT("analyze"), DEPTH},
    {GW_STR_INIT("comprehensive"), DEPTH}, {GW_STR_INIT("compare"), DEPTH},
    {GW_STR_INIT("thoroughly"), DEPTH},    {GW_STR_INIT("tradeoffs"), DEPTH},
    {GW_STR_INIT("evaluate"), DEPTH},      {GW_STR_INIT("rigorous"), DEPTH},
    {GW_STR_INIT("prove"), MATHS},         {GW_STR_INIT("proof"), MATHS},
    {GW_STR_INIT("theorem"), MATHS},       {GW_STR_INIT("integral"), MATHS},
    {GW_STR_INIT("derivative"), MATHS},    {GW_STR_INIT("equation"), MATHS},
    {GW_STR_INIT("probability"), MATHS},   {GW_STR_INIT("matrix"), MATHS},
    {GW_STR_INIT("frac"), MATHS},          {GW_STR_INIT("polynomial"), MATHS},
    {GW_STR_INIT("must"), CONSTRAINT},     {GW_STR_INIT("exactly"), CONSTRAINT},
    {GW_STR_INIT("without"), CONSTRAINT},  {GW_STR_INIT("only"), CONSTRAINT},
    {GW_STR_INIT("never"), CONSTRAINT},    {GW_STR_INIT("least"), CONSTRAINT},
    {GW_STR_INIT("ensure"), CONSTRAINT},   {GW_STR_INIT("should"), CONSTRAINT},
    {GW_STR_INIT("def"), KEYWORD},         {GW_STR_INIT("const"), KEYWORD},
    {GW_STR_INIT("import"), KEYWORD},      {GW_STR_INIT("struct"), KEYWORD},
    {GW_STR_INIT("class"), KEYWORD},       {GW_STR_INIT("return"), KEYWORD},
    {GW_STR_INIT("void"), KEYWORD},        {GW_STR_INIT("func"), KEYWORD},
};

/* Phrases that ask for depth; looked for only where their first byte stands at a word's start. */
static const struct gw_str phrases[] = {
    GW_STR_INIT("in detail"), GW_STR_INIT("step by step"), GW_STR_INIT("step-by-step"),
    GW_STR_INIT("in-depth"),  GW_STR_INIT("in depth"),     GW_STR_INIT("pros and cons"),
};

/* Signs of code that come in pairs of bytes. */
static const struct gw_str signs[] = {
    GW_STR_INIT("=>"), GW_STR_INIT("->"), GW_STR_INIT("=="),
    GW_STR_INIT("!="), GW_STR_INIT("<="), GW_STR_INIT(">="),
};

/* What one pass finds. */
struct findings {
    uint64_t terms; /* a bit per different one */
    unsigned constraints;
    unsigned questions;
    unsigned digits;
    unsigned scripts; /* a bit each */
    bool has_depth;
    bool has_maths;
    bool has_fence;
    bool has_keyword;
    unsigned signs; /* a bit per kind of sign or bracket */
};

static bool is_letter(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static void note_word(struct findings *found, struct gw_str word)
{
    char first = (char)(word.ptr[0] | 0x20);
    char last = (char)(word.ptr[word.len - 1] | 0x20);
    for (size_t i = 0; i < GW_ARRAY_LEN(words); i++) {
        const struct gw_str *ours = &words[i].word;
        if (ours->len != word.len || ours->ptr[0] != first || ours->ptr[ours->len - 1] != last ||
            !gw_str_eq_nocase(*ours, word)) {
            continue;
        }
        switch (words[i].kind) {
        case TERM:
            found->terms |= UINT64_C(1) << i;
            break;
        case DEPTH:
            found->has_depth = true;
            break;
        case MATHS:
            found->has_maths = true;
            break;
        case CONSTRAINT:
            found->constraints++;
            break;
        case KEYWORD:
            found->has_keyword = true;
            break;
        }
        return;
    }
}

static void note_phrase(struct findings *found, struct gw_str rest)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(phrases); i++) {
        if (rest.len >= phrases[i].len &&
            gw_str_eq_nocase(gw_str(rest.ptr, phrases[i].len), phrases[i])) {
            found->has_depth = true;
        }
    }
}

/* ---- signs and scripts ---- */

static void note_bracket(struct findings *found, unsigned char byte)
{
    found->questions += byte == '?';
    found->digits += byte >= '0' && byte <= '9';
    found->signs |= byte == '(' || byte == ')'   ? 1u
                    : byte == '{' || byte == '}' ? 2u
                    : byte == '[' || byte == ']' ? 4u
                                                 : 0u;
}

static void note_sign(struct findings *found, struct gw_str rest)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(signs); i++) {
        found->signs |= gw_str_has_prefix(rest, signs[i]) ? 8u << i : 0u;
    }
    found->has_fence = found->has_fence || gw_str_has_prefix(rest, GW_STR("```"));
}

/* The script of a character by the first byte of its UTF-8 form; coarse, and enough to tell. */
static unsigned script_of(unsigned char byte)
{
    if (byte >= 0xd0 && byte <= 0xd4) {
        return 2; /* Cyrillic */
    }
    if (byte >= 0xd7 && byte <= 0xdb) {
        return 4; /* Hebrew, Arabic */
    }
    if (byte == 0xe0) {
        return 8; /* Indic, Thai */
    }
    if (byte >= 0xe3 && byte <= 0xed) {
        return 16; /* Kana, Han, Hangul */
    }
    return 0;
}

static struct findings scan(struct gw_str text)
{
    struct findings found = {0};
    size_t at = 0;
    while (at < text.len) {
        unsigned char byte = (unsigned char)text.ptr[at];
        if (is_letter(byte)) {
            size_t begin = at;
            while (at < text.len && is_letter((unsigned char)text.ptr[at])) {
                at++;
            }
            found.scripts |= 1;
            if (at - begin >= 3 && at - begin <= WORD_MAX) {
                note_word(&found, gw_str(text.ptr + begin, at - begin));
            }
            unsigned char first = (unsigned char)(byte | 0x20);
            if (first == 'i' || first == 's' || first == 'p') {
                note_phrase(&found, gw_str_skip(text, begin));
            }
            continue;
        }
        if (byte >= 0x80) {
            found.scripts |= script_of(byte);
        } else if (byte > ' ') {
            note_bracket(&found, byte);
            if (byte == '=' || byte == '-' || byte == '!' || byte == '<' || byte == '>' ||
                byte == '`') {
                note_sign(&found, gw_str_skip(text, at));
            }
        }
        at++;
    }
    return found;
}

/* ---- points ---- */

static unsigned bits(uint64_t value)
{
    return (unsigned)__builtin_popcountll(value);
}

static void add_words(struct gw_complexity_score *score, struct gw_str text)
{
    struct gw_str part =
        gw_str(text.ptr, text.len < GW_COMPLEXITY_TEXT_BYTES ? text.len : GW_COMPLEXITY_TEXT_BYTES);
    struct findings found = scan(part);
    unsigned terms = bits(found.terms);
    bool has_code =
        found.has_fence || bits(found.signs) >= 2 || (found.has_keyword && found.signs != 0);
    score->points[GW_COMPLEXITY_TERMS] = (terms > 0 ? 1u : 0u) + (terms > 2 ? 1u : 0u);
    score->points[GW_COMPLEXITY_CODE] = has_code;
    score->points[GW_COMPLEXITY_DEPTH] = found.has_depth;
    score->points[GW_COMPLEXITY_QUESTIONS] = found.questions > 1;
    score->points[GW_COMPLEXITY_MATHS] = found.has_maths;
    score->points[GW_COMPLEXITY_CONSTRAINTS] = found.constraints >= 3;
    score->points[GW_COMPLEXITY_LANGUAGES] = bits(found.scripts) >= 2;
}

static void add_length(struct gw_complexity_score *score, uint64_t bytes)
{
    score->tokens = bytes / 4;
    score->points[GW_COMPLEXITY_LENGTH] = score->tokens < 20             ? 0
                                          : score->tokens < 100          ? 1
                                          : score->tokens <= LONG_TOKENS ? 2
                                                                         : 3;
}

static void add_up(struct gw_complexity_score *score)
{
    score->total = 0;
    for (size_t i = 0; i < GW_COMPLEXITY_RULE_COUNT; i++) {
        score->total += score->points[i];
    }
    score->complexity = score->total <= LOW_MAX      ? GW_COMPLEXITY_LOW
                        : score->total <= MEDIUM_MAX ? GW_COMPLEXITY_MEDIUM
                                                     : GW_COMPLEXITY_HIGH;
}

struct gw_complexity_score gw_complexity_of_text(struct gw_str text)
{
    struct gw_complexity_score score = {0};
    add_length(&score, text.len);
    add_words(&score, text);
    add_up(&score);
    return score;
}

/* ---- chats ---- */

/* An override's text is looked for in what the words are looked for in. */
static bool contains_nocase(struct gw_str text, struct gw_str wanted)
{
    for (size_t i = 0; wanted.len > 0 && i + wanted.len <= text.len; i++) {
        if (gw_str_eq_nocase(gw_str(text.ptr + i, wanted.len), wanted)) {
            return true;
        }
    }
    return false;
}

struct gw_complexity_score gw_complexity_of_chat(yyjson_val *chat,
                                                 const struct gw_complexity_override *overrides,
                                                 size_t override_count)
{
    struct gw_complexity_score score = {0};
    yyjson_val *messages = gw_json_get(chat, "messages");
    yyjson_val *message = NULL;
    yyjson_arr_iter iter = yyjson_arr_iter_with(messages);
    struct gw_str asked = {0}; /* the longest text of the last user message */
    uint64_t bytes = 0;
    for (message = yyjson_arr_iter_next(&iter); message != NULL;
         message = yyjson_arr_iter_next(&iter)) {
        bool is_user = gw_chat_role(message) == GW_ROLE_USER;
        struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
        struct gw_chat_part part;
        asked = is_user ? gw_str(NULL, 0) : asked;
        while (gw_chat_parts_next(&parts, &part)) {
            bytes += is_user ? part.text.len : 0;
            asked = is_user && part.text.len > asked.len ? part.text : asked;
        }
    }
    add_length(&score, bytes);
    add_words(&score, asked);
    score.points[GW_COMPLEXITY_TOOLS] = yyjson_arr_size(gw_json_get(chat, "tools")) > 0;
    score.points[GW_COMPLEXITY_TURNS] = yyjson_arr_size(messages) > TURNS_MAX;
    add_up(&score);
    for (size_t i = 0; i < override_count; i++) {
        if (contains_nocase(gw_str(asked.ptr, asked.len < GW_COMPLEXITY_TEXT_BYTES
                                                  ? asked.len
                                                  : GW_COMPLEXITY_TEXT_BYTES),
                            overrides[i].contains)) {
            score.complexity = overrides[i].complexity;
            break;
        }
    }
    return score;
}

const char *gw_complexity_name(enum gw_complexity complexity)
{
    static const char *const names[] = {"low", "medium", "high"};
    GW_ASSERT((unsigned)complexity < GW_ARRAY_LEN(names));
    return names[complexity];
}

const char *gw_complexity_rule_name(enum gw_complexity_rule rule)
{
    static const char *const names[] = {
#define XX(id, name) [GW_COMPLEXITY_##id] = name,
        GW_COMPLEXITY_RULE_MAP(XX)
#undef XX
    };
    GW_ASSERT((unsigned)rule < GW_COMPLEXITY_RULE_COUNT);
    return names[rule];
}
