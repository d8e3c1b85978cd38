/* SPDX-License-Identifier: MIT */
/* The table of keys, read from flags, model names and headers alike. */
#include "mockllm/knobs.h"

/* Above this a number of ms no longer fits as microseconds beside a clock in 64 bits. */
#define MAX_NUMBER 1000000000000u

enum knob_kind { KNOB_NUMBER, KNOB_TEXT };

struct knob {
    struct bench_str name;
    const char *def;
    const char *help;
    enum knob_kind kind;
    size_t offset;
};

static const struct knob KNOBS[] = {
#define F(field, def, help)                                                                        \
    {{#field, sizeof(#field) - 1}, #def, help, KNOB_NUMBER, offsetof(struct mock_knobs, field)},
    MOCK_NUMBERS(F)
#undef F
#define F(field, def, help)                                                                        \
    {{#field, sizeof(#field) - 1}, def, help, KNOB_TEXT, offsetof(struct mock_knobs, field)},
        MOCK_TEXTS(F)
#undef F
};

static const struct {
    struct bench_str name;
    const char *help;
} FAULTS[] = {
#define F(id, name, help) {{name, sizeof(name) - 1}, help},
    MOCK_FAULTS(F)
#undef F
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct mock_knobs mock_knobs_default(void)
{
    return (struct mock_knobs){.fault = MOCK_FAULT_NONE,
#define F(field, def, help) .field = def,
                               MOCK_NUMBERS(F)
#undef F
#define F(field, def, help) .field = {def, sizeof(def) - 1},
                                   MOCK_TEXTS(F)
#undef F
    };
}

static bool same_name(struct bench_str known, struct bench_str given)
{
    if (known.len != given.len) {
        return false;
    }
    for (size_t i = 0; i < known.len; i++) {
        char c =
            given.ptr[i] >= 'A' && given.ptr[i] <= 'Z' ? (char)(given.ptr[i] + 32) : given.ptr[i];
        c = c == '-' ? '_' : c;
        if (c != known.ptr[i]) {
            return false;
        }
    }
    return true;
}

static bool set_fault(struct mock_knobs *knobs, struct bench_str value)
{
    for (size_t i = 0; i < COUNT(FAULTS); i++) {
        if (bench_str_eq(FAULTS[i].name, value)) {
            knobs->fault = (enum mock_fault)i;
            return true;
        }
    }
    return false;
}

bool mock_knobs_set(struct mock_knobs *knobs, struct bench_str name, struct bench_str value)
{
    if (bench_str_eq(name, BENCH_STR("fault"))) {
        return set_fault(knobs, value);
    }
    for (size_t i = 0; i < COUNT(KNOBS); i++) {
        if (!same_name(KNOBS[i].name, name)) {
            continue;
        }
        void *field = (char *)knobs + KNOBS[i].offset;
        if (KNOBS[i].kind == KNOB_TEXT) {
            *(struct bench_str *)field = value;
            return true;
        }
        uint64_t number = 0;
        if (!bench_str_u64(value, &number) || number > MAX_NUMBER) {
            return false;
        }
        *(uint64_t *)field = number;
        return true;
    }
    return false;
}

/* Finds the end of a value: the '-' whose next part holds a '=' before the next '-', or the end. */
static size_t value_end(struct bench_str s, size_t from)
{
    for (size_t i = from; i < s.len; i++) {
        if (s.ptr[i] != '-') {
            continue;
        }
        struct bench_str rest = bench_str_cut(s, i + 1, s.len);
        if (bench_str_find(rest, '=') < bench_str_find(rest, '-')) {
            return i;
        }
    }
    return s.len;
}

bool mock_knobs_from_model(struct mock_knobs *knobs, struct bench_str model)
{
    if (!bench_str_starts(model, BENCH_STR("mock-"))) {
        return true;
    }
    struct bench_str rest = bench_str_cut(model, 5, model.len);
    while (rest.len > 0) {
        size_t eq = bench_str_find(rest, '=');
        if (eq == rest.len) {
            return true;
        }
        size_t end = value_end(rest, eq + 1);
        struct bench_str name = bench_str_cut(rest, 0, eq);
        if (!mock_knobs_set(knobs, name, bench_str_cut(rest, eq + 1, end - eq - 1))) {
            return false;
        }
        rest = bench_str_cut(rest, end + 1, rest.len);
    }
    return true;
}

bool mock_knobs_from_query(struct mock_knobs *knobs, struct bench_str query)
{
    while (query.len > 0) {
        size_t end = bench_str_find(query, '&');
        struct bench_str pair = bench_str_cut(query, 0, end);
        size_t equals = bench_str_find(pair, '=');
        if (!mock_knobs_set(knobs, bench_str_cut(pair, 0, equals),
                            bench_str_cut(pair, equals + 1, pair.len))) {
            return false;
        }
        query = bench_str_cut(query, end + 1, query.len);
    }
    return true;
}

void mock_knobs_help(FILE *to)
{
    fprintf(to, "Keys (flag --key VALUE, header x-mock-key: VALUE, model mock-key=VALUE-key=VALUE; "
                "'-' in a key may be '_',\nand must be in a model name):\n");
    for (size_t i = 0; i < COUNT(KNOBS); i++) {
        fprintf(to, "  %-18s %s", KNOBS[i].name.ptr, KNOBS[i].help);
        fprintf(to, KNOBS[i].def[0] == '\0' ? "\n" : " [%s]\n", KNOBS[i].def);
    }
    fprintf(to, "  %-18s one of:\n", "fault");
    for (size_t i = 0; i < COUNT(FAULTS); i++) {
        fprintf(to, "    %-20s %s\n", FAULTS[i].name.ptr, FAULTS[i].help);
    }
}
