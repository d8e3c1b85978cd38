/* SPDX-License-Identifier: MIT */
/* core/routes - one table of paths, and the prefixes they are served under. */
#include "core/routes.h"

#include "base/assert.h"

#define GET    (1u << GW_METHOD_GET | 1u << GW_METHOD_HEAD)
#define POST   (1u << GW_METHOD_POST)
#define DELETE (1u << GW_METHOD_DELETE)
#define PUT    (1u << GW_METHOD_PUT | 1u << GW_METHOD_PATCH)
#define SET    (POST | 1u << GW_METHOD_PUT)
#define ANY    (GET | POST | DELETE | PUT)

struct row {
    struct gw_str path; /* ends with '/': everything below it */
    unsigned methods;
    enum gw_route_kind kind;
    enum gw_task task;
    bool needs_model;
};

/* Behind the prefix. The first row whose path and method match wins. */
static const struct row api_rows[] = {
    {GW_STR_INIT("/chat/completions"), POST, GW_ROUTE_JSON, GW_TASK_CHAT, true},
    {GW_STR_INIT("/completions"), POST, GW_ROUTE_JSON, GW_TASK_COMPLETION, true},
    {GW_STR_INIT("/embeddings"), POST, GW_ROUTE_JSON, GW_TASK_EMBEDDING, true},
    {GW_STR_INIT("/responses"), POST, GW_ROUTE_JSON, GW_TASK_RESPONSE, true},
    {GW_STR_INIT("/moderations"), POST, GW_ROUTE_JSON, GW_TASK_MODERATION, false},
    {GW_STR_INIT("/images/generations"), POST, GW_ROUTE_JSON, GW_TASK_IMAGE, false},
    {GW_STR_INIT("/images/edits"), POST, GW_ROUTE_FORM, GW_TASK_IMAGE, false},
    {GW_STR_INIT("/images/variations"), POST, GW_ROUTE_FORM, GW_TASK_IMAGE, false},
    {GW_STR_INIT("/audio/speech"), POST, GW_ROUTE_JSON, GW_TASK_SPEECH, true},
    {GW_STR_INIT("/audio/transcriptions"), POST, GW_ROUTE_FORM, GW_TASK_TRANSCRIPTION, true},
    {GW_STR_INIT("/audio/translations"), POST, GW_ROUTE_FORM, GW_TASK_TRANSCRIPTION, true},
    {GW_STR_INIT("/models"), GET, GW_ROUTE_LOCAL, GW_TASK_LOCAL, false},
    {GW_STR_INIT("/models/"), GET, GW_ROUTE_LOCAL, GW_TASK_LOCAL, false},
    {GW_STR_INIT("/models/"), DELETE, GW_ROUTE_PASS, GW_TASK_PASS, false}, /* a fine-tuned model */
    /* Stored chat completions, stored responses and their parts. */
    {GW_STR_INIT("/chat/completions"), GET, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/chat/completions/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/responses/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    /* The rest of the surface. A row each, so that unknown paths are told from known ones. */
    {GW_STR_INIT("/files"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/files/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/uploads"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/uploads/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/batches"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/batches/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/fine_tuning/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/vector_stores"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/vector_stores/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/assistants"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/assistants/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/threads"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/threads/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/conversations"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/conversations/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/containers"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/containers/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/evals"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/evals/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/videos"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/videos/"), ANY, GW_ROUTE_PASS, GW_TASK_PASS, false},
    {GW_STR_INIT("/realtime/"), POST, GW_ROUTE_PASS, GW_TASK_PASS, false},
};

/* Other dialects' paths, whole. Before OpenAI's: POST /v1/models/m:generateContent is Google's. */
struct dialect_row {
    struct gw_str path; /* ends with '/': everything below it */
    unsigned methods;
    enum gw_route_kind kind;
    enum gw_dialect_id dialect;
    enum gw_task task;
    enum gw_route_local local;
};

static const struct dialect_row dialect_rows[] = {
    {GW_STR_INIT("/v1/messages"), POST, GW_ROUTE_JSON, GW_DIALECT_ANTHROPIC, GW_TASK_CHAT,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/v1/messages/count_tokens"), POST, GW_ROUTE_JSON, GW_DIALECT_ANTHROPIC,
     GW_TASK_TOKEN_COUNT, GW_LOCAL_NONE},
    /* The method behind the model's name decides more: the dialect reads it. */
    {GW_STR_INIT("/v1beta/models/"), POST, GW_ROUTE_JSON, GW_DIALECT_GEMINI, GW_TASK_CHAT,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/v1/models/"), POST, GW_ROUTE_JSON, GW_DIALECT_GEMINI, GW_TASK_CHAT,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/v1beta1/projects/"), POST, GW_ROUTE_JSON, GW_DIALECT_GEMINI, GW_TASK_CHAT,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/v1/projects/"), POST, GW_ROUTE_JSON, GW_DIALECT_GEMINI, GW_TASK_CHAT,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/v1beta/models"), GET, GW_ROUTE_LOCAL, GW_DIALECT_GEMINI, GW_TASK_LOCAL,
     GW_LOCAL_MODELS},
    {GW_STR_INIT("/v1beta/models/"), GET, GW_ROUTE_LOCAL, GW_DIALECT_GEMINI, GW_TASK_LOCAL,
     GW_LOCAL_MODEL},
    /* Under /v1/models the client's anthropic-version tells (core/authenticate.c). */
    {GW_STR_INIT("/anthropic/v1/models"), GET, GW_ROUTE_LOCAL, GW_DIALECT_ANTHROPIC, GW_TASK_LOCAL,
     GW_LOCAL_MODELS},
    {GW_STR_INIT("/anthropic/v1/models/"), GET, GW_ROUTE_LOCAL, GW_DIALECT_ANTHROPIC, GW_TASK_LOCAL,
     GW_LOCAL_MODEL},
    {GW_STR_INIT("/api/chat"), POST, GW_ROUTE_JSON, GW_DIALECT_OLLAMA, GW_TASK_CHAT, GW_LOCAL_NONE},
    {GW_STR_INIT("/api/generate"), POST, GW_ROUTE_JSON, GW_DIALECT_OLLAMA, GW_TASK_CHAT,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/api/embed"), POST, GW_ROUTE_JSON, GW_DIALECT_OLLAMA, GW_TASK_EMBEDDING,
     GW_LOCAL_NONE},
    {GW_STR_INIT("/api/tags"), GET, GW_ROUTE_LOCAL, GW_DIALECT_OLLAMA, GW_TASK_LOCAL,
     GW_LOCAL_MODELS},
    {GW_STR_INIT("/api/show"), POST, GW_ROUTE_JSON, GW_DIALECT_OLLAMA, GW_TASK_LOCAL,
     GW_LOCAL_SHOW},
    {GW_STR_INIT("/api/version"), GET, GW_ROUTE_LOCAL, GW_DIALECT_OLLAMA, GW_TASK_LOCAL,
     GW_LOCAL_VERSION},
};

struct local_row {
    struct gw_str path;
    enum gw_route_local local;
};

static const struct local_row local_rows[] = {
    {GW_STR_INIT("/"), GW_LOCAL_INDEX},       {GW_STR_INIT("/health"), GW_LOCAL_HEALTH},
    {GW_STR_INIT("/ready"), GW_LOCAL_READY},  {GW_STR_INIT("/live"), GW_LOCAL_LIVE},
    {GW_STR_INIT("/healthz"), GW_LOCAL_LIVE},
};

struct inspect_row {
    struct gw_str path;
    unsigned methods;
    enum gw_inspect inspect;
    bool is_enveloped;
};

static const struct inspect_row inspect_rows[] = {
    {GW_STR_INIT("/api/v1/router/stats"), GET, GW_INSPECT_STATS, true},
    {GW_STR_INIT("/api/v1/router/stats/reset"), POST, GW_INSPECT_STATS_RESET, true},
    {GW_STR_INIT("/api/v1/router/config"), GET, GW_INSPECT_CONFIG, true},
    {GW_STR_INIT("/api/v1/router/strategy"), SET, GW_INSPECT_STRATEGY, true},
    {GW_STR_INIT("/api/v1/router/circuit-breakers"), GET, GW_INSPECT_BREAKERS, true},
    {GW_STR_INIT("/api/v1/router/health/stats"), GET, GW_INSPECT_HEALTH_STATS, true},
    {GW_STR_INIT("/api/v1/router/health/models"), GET, GW_INSPECT_HEALTH_MODELS, true},
    {GW_STR_INIT("/api/v1/router/analyze"), POST, GW_INSPECT_ANALYZE, true},
    {GW_STR_INIT("/api/v1/router/decision"), POST, GW_INSPECT_DECISION, true},
    {GW_STR_INIT("/api/v1/explain"), POST, GW_INSPECT_EXPLAIN, false},
    {GW_STR_INIT("/health/deployments"), GET, GW_INSPECT_DEPLOYMENTS, false},
    {GW_STR_INIT("/v1/admin/models/stats"), GET, GW_INSPECT_MODEL_STATS, false},
};

static bool path_matches(struct gw_str pattern, struct gw_str path)
{
    if (pattern.ptr[pattern.len - 1] == '/') {
        return path.len > pattern.len && gw_str_has_prefix(path, pattern);
    }
    return gw_str_eq(path, pattern);
}

/* The methods of |mask| as an Allow field. One text per combination that the tables hold. */
static struct gw_str allow_text(unsigned mask)
{
    switch (mask) {
    case GET:
        return GW_STR("GET, HEAD, OPTIONS");
    case POST:
        return GW_STR("POST, OPTIONS");
    case GET | POST:
        return GW_STR("GET, HEAD, POST, OPTIONS");
    case SET:
        return GW_STR("POST, PUT, OPTIONS");
    case GET | DELETE:
        return GW_STR("GET, HEAD, DELETE, OPTIONS");
    default:
        return GW_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
}

static struct gw_route wrong_method(unsigned allowed)
{
    return (struct gw_route){
        .kind = GW_ROUTE_WRONG_METHOD, .task = GW_TASK_LOCAL, .allow = allow_text(allowed)};
}

/*
 * Cuts the prefix off: "/v1", "/openai/v1", "/openai/deployments/{model}", or nothing. *path_model
 * gets the model.
 */
static struct gw_str cut_prefix(struct gw_str path, struct gw_str *path_model)
{
    static const struct gw_str azure = GW_STR_INIT("/openai/deployments/");
    static const struct gw_str prefixes[] = {GW_STR_INIT("/openai/v1/"), GW_STR_INIT("/v1/"),
                                             GW_STR_INIT("/openai/")};
    *path_model = gw_str(NULL, 0);
    if (gw_str_has_prefix(path, azure)) {
        struct gw_str rest = gw_str_skip(path, azure.len);
        size_t slash = gw_str_find_byte(rest, '/');
        *path_model = gw_str(rest.ptr, slash);
        return gw_str_skip(rest, slash);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(prefixes); i++) {
        if (gw_str_has_prefix(path, prefixes[i])) {
            return gw_str_skip(path, prefixes[i].len - 1);
        }
    }
    return path;
}

static struct gw_route find_local(enum gw_http_method method, struct gw_str path)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(local_rows); i++) {
        if (gw_str_eq(path, local_rows[i].path)) {
            if ((GET & 1u << method) == 0) {
                return wrong_method(GET);
            }
            return (struct gw_route){.kind = GW_ROUTE_LOCAL,
                                     .local = local_rows[i].local,
                                     .task = GW_TASK_LOCAL,
                                     .is_open = true};
        }
    }
    return (struct gw_route){.kind = GW_ROUTE_UNKNOWN, .task = GW_TASK_LOCAL};
}

static struct gw_route find_inspect(enum gw_http_method method, struct gw_str path)
{
    struct gw_route route = {.kind = GW_ROUTE_UNKNOWN, .task = GW_TASK_LOCAL};
    for (size_t i = 0; i < GW_ARRAY_LEN(inspect_rows); i++) {
        const struct inspect_row *row = &inspect_rows[i];
        if (!gw_str_eq(path, row->path)) {
            continue;
        }
        route.kind = GW_ROUTE_INSPECT;
        route.path = path;
        route.inspect = row->inspect;
        if ((row->methods & 1u << method) == 0) {
            route = wrong_method(row->methods);
        }
        route.is_enveloped = row->is_enveloped;
        break;
    }
    return route;
}

/* Which dialect's clients ask under |path|, served or not. */
static enum gw_dialect_id guess_dialect(struct gw_str path)
{
    static const struct {
        struct gw_str prefix;
        enum gw_dialect_id dialect;
    } prefixes[] = {
        {GW_STR_INIT("/v1/messages"), GW_DIALECT_ANTHROPIC},
        {GW_STR_INIT("/anthropic/"), GW_DIALECT_ANTHROPIC},
        {GW_STR_INIT("/v1beta"), GW_DIALECT_GEMINI},
        {GW_STR_INIT("/v1/projects/"), GW_DIALECT_GEMINI},
        {GW_STR_INIT("/api/"), GW_DIALECT_OLLAMA},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(prefixes); i++) {
        if (gw_str_has_prefix(path, prefixes[i].prefix)) {
            return prefixes[i].dialect;
        }
    }
    return GW_DIALECT_OPENAI;
}

static struct gw_route from_dialect_row(const struct dialect_row *row, struct gw_str path)
{
    bool is_one = row->local == GW_LOCAL_MODEL;
    return (struct gw_route){.kind = row->kind,
                             .local = row->local,
                             .dialect = row->dialect,
                             .task = row->task,
                             .path = path,
                             .path_model =
                                 is_one ? gw_str_skip(path, row->path.len) : gw_str(NULL, 0),
                             .needs_model = row->kind == GW_ROUTE_JSON};
}

/* Among the other dialects' paths. */
static struct gw_route find_dialect(enum gw_http_method method, struct gw_str path)
{
    static const struct gw_str anthropic = GW_STR_INIT("/anthropic/v1/");
    struct gw_route none = {.kind = GW_ROUTE_UNKNOWN, .task = GW_TASK_LOCAL};
    unsigned allowed = 0;
    bool is_below = gw_str_has_prefix(path, anthropic);
    struct gw_str rest = is_below ? gw_str_skip(path, sizeof("/anthropic") - 1) : path;
    for (size_t i = 0; i < GW_ARRAY_LEN(dialect_rows); i++) {
        bool is_whole = path_matches(dialect_rows[i].path, path);
        if (!is_whole && (!is_below || !path_matches(dialect_rows[i].path, rest))) {
            continue;
        }
        if ((dialect_rows[i].methods & 1u << method) != 0) {
            return from_dialect_row(&dialect_rows[i], is_whole ? path : rest);
        }
        allowed |= dialect_rows[i].methods;
    }
    enum gw_dialect_id dialect = allowed != 0 ? guess_dialect(path) : GW_DIALECT_OPENAI;
    if (dialect != GW_DIALECT_OPENAI) {
        none = wrong_method(allowed);
        none.dialect = dialect;
    }
    return none;
}

/* OpenAI's own surface is three dialects: their answers have different shapes. */
static enum gw_dialect_id dialect_of_task(enum gw_task task)
{
    switch (task) {
    case GW_TASK_COMPLETION:
        return GW_DIALECT_COMPLETIONS;
    case GW_TASK_RESPONSE:
        return GW_DIALECT_RESPONSES;
    default:
        return GW_DIALECT_OPENAI;
    }
}

static struct gw_route from_row(const struct row *row, struct gw_str path, struct gw_str path_model)
{
    struct gw_route route = {.kind = row->kind,
                             .dialect = dialect_of_task(row->task),
                             .task = row->task,
                             .path = path,
                             .path_model = path_model,
                             .needs_model = row->needs_model};
    if (row->kind == GW_ROUTE_LOCAL) {
        bool is_one = row->path.ptr[row->path.len - 1] == '/';
        route.local = is_one ? GW_LOCAL_MODEL : GW_LOCAL_MODELS;
        route.path_model = is_one ? gw_str_skip(path, row->path.len) : gw_str(NULL, 0);
    }
    return route;
}

struct gw_route gw_route_find(enum gw_http_method method, struct gw_str path)
{
    struct gw_route local = find_local(method, path);
    if (local.kind != GW_ROUTE_UNKNOWN) {
        return local;
    }
    local = find_inspect(method, path);
    if (local.kind != GW_ROUTE_UNKNOWN) {
        return local;
    }
    struct gw_route other = find_dialect(method, path);
    if (other.kind != GW_ROUTE_UNKNOWN) {
        return other;
    }
    struct gw_str path_model;
    struct gw_str rest = cut_prefix(path, &path_model);
    unsigned allowed = 0;
    for (size_t i = 0; i < GW_ARRAY_LEN(api_rows); i++) {
        if (!path_matches(api_rows[i].path, rest)) {
            continue;
        }
        if ((api_rows[i].methods & 1u << method) != 0) {
            return from_row(&api_rows[i], rest, path_model);
        }
        allowed |= api_rows[i].methods;
    }
    if (allowed != 0) {
        return wrong_method(allowed);
    }
    other.dialect = guess_dialect(path);
    return other;
}
