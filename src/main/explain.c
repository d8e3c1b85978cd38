/* SPDX-License-Identifier: MIT */
/* main/explain - a request's way to a provider, printed. */
#include "main/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "core/translate.h"
#include "dialect/dialect.h"
#include "http/url.h"
#include "provider/api.h"
#include "provider/provider.h"
#include "json/splice.h"
#include "json/value.h"

#define EXPLAIN_MAX_BYTES (100u * 1024 * 1024) /* as server.max_body_size */
#define ARENA_MAX_BYTES   (64u * 1024 * 1024)

struct explain {
    const struct gw_dialect *dialect;
    const struct gw_provider *provider;
    struct gw_str model; /* by option; empty: the request's */
    bool is_stream;      /* asked for by option: Gemini's and Ollama's way is in the path */
    struct gw_arena arena;
    struct gw_buf body;
    struct gw_inbound in;
    struct gw_llm_request request;
    struct gw_deployment deployment;
    struct gw_str upstream_model;
    struct gw_error error;
};

static int usage(const char *what, const char *which)
{
    fprintf(stderr,
            "gatewire explain: %s%s\n"
            "Usage: gatewire explain [--dialect NAME] --provider NAME [--model NAME] [--stream]\n"
            "                        [--drop-params] FILE\n"
            "Dialects: openai (default), responses, completions, anthropic, gemini, ollama.\n"
            "FILE is the body of a request; '-' is standard input.\n",
            what, which);
    return 2;
}

static const struct gw_dialect *find_dialect(const char *name)
{
    for (unsigned id = 0; id < GW_DIALECT_COUNT; id++) {
        const struct gw_dialect *dialect = gw_dialect_of((enum gw_dialect_id)id);
        if (gw_str_eq(dialect->name, gw_str_from_c(name))) {
            return dialect;
        }
    }
    return NULL;
}

static bool read_body(const char *path, struct gw_buf *body)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t count = 1;
    while (count > 0 && gw_buf_reserve(body, 65536) == GW_OK) {
        count = fread(gw_buf_tail(body), 1, 65536, file);
        gw_buf_commit(body, count);
    }
    bool is_good = ferror(file) == 0 && body->err == GW_OK;
    if (file != stdin) {
        fclose(file);
    }
    return is_good;
}

/* Where the dialect's clients send such a body. */
static struct gw_str path_of(struct explain *explain)
{
    switch (explain->dialect->id) {
    case GW_DIALECT_OPENAI:
        return GW_STR("/chat/completions");
    case GW_DIALECT_COMPLETIONS:
        return GW_STR("/completions");
    case GW_DIALECT_RESPONSES:
        return GW_STR("/responses");
    case GW_DIALECT_ANTHROPIC:
        return GW_STR("/v1/messages");
    case GW_DIALECT_OLLAMA:
        return GW_STR("/api/chat");
    case GW_DIALECT_GEMINI:
    case GW_DIALECT_COUNT:
        break;
    }
    return gw_arena_printf(&explain->arena, "/v1beta/models/" GW_STR_FMT ":%s",
                           GW_STR_ARG(explain->model),
                           explain->is_stream ? "streamGenerateContent" : "generateContent");
}

static enum gw_task task_of(enum gw_dialect_id dialect)
{
    if (dialect == GW_DIALECT_COMPLETIONS) {
        return GW_TASK_COMPLETION;
    }
    return dialect == GW_DIALECT_RESPONSES ? GW_TASK_RESPONSE : GW_TASK_CHAT;
}

/* The provider's default place, with what has no default standing for itself. */
static void make_deployment(struct explain *explain, bool drops_params)
{
    struct gw_url url;
    const char *why = NULL;
    explain->deployment = (struct gw_deployment){
        .id = GW_STR("explain"),
        .provider = explain->provider,
        .provider_name = explain->provider->name,
        .api_version = GW_STR("2024-10-21"),
        .region =
            explain->provider->kind == GW_PROVIDER_BEDROCK ? GW_STR("us-east-1") : GW_STR("global"),
        .cloud_project = GW_STR("PROJECT"),
        .drops_params = drops_params,
        .weight = 1,
    };
    if (gw_url_parse(explain->provider->default_base_url, &url, &why) == GW_OK) {
        explain->deployment.base_path =
            gw_str_eq(url.path, GW_STR("/")) ? gw_str(NULL, 0) : url.path;
    }
}

static void print_error(const struct explain *explain)
{
    struct gw_buf text;
    gw_buf_init(&text, 1u << 20);
    explain->dialect->write_error(&explain->error, GW_STR("req_explain"), &text);
    fprintf(stderr, "Refused with status %u:\n%.*s\n", explain->error.status, (int)text.len,
            text.ptr);
    gw_buf_fini(&text);
}

static void print_head(const struct explain *explain, const struct gw_provider_call *call)
{
    struct gw_url url;
    const char *why = NULL;
    struct gw_str base = explain->provider->default_base_url;
    bool has_host = gw_url_parse(base, &url, &why) == GW_OK;
    printf("POST %.*s%.*s\n", has_host ? (int)(url.path.ptr - base.ptr) : 0,
           has_host ? base.ptr : "", (int)call->target.len, call->target.ptr);
    for (size_t i = 0; i < call->field_count; i++) {
        printf(GW_STR_FMT ": " GW_STR_FMT "\n", GW_STR_ARG(call->fields[i].name),
               GW_STR_ARG(call->fields[i].value));
    }
}

static void print_notes(const struct gw_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct gw_note *note = &notes->entries[i];
        printf("%s %-7s  " GW_STR_FMT ": " GW_STR_FMT "\n", i == 0 ? "\n#" : "#",
               gw_note_kind_name(note->kind), GW_STR_ARG(note->param), GW_STR_ARG(note->text));
    }
    if (notes->left_out > 0) {
        printf("# and %zu more\n", notes->left_out);
    }
}

static int explain_verbatim(struct explain *explain, const struct gw_provider_api *api)
{
    struct gw_provider_call call = {.method = GW_STR("POST")};
    struct gw_notes notes;
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    gw_notes_init(&notes, &explain->arena, explain->deployment.drops_params, &explain->error);
    gw_json_splice_init(&splice, explain->in.body);
    struct gw_provider_input input = {.deployment = &explain->deployment,
                                      .upstream_model = explain->upstream_model,
                                      .request = &explain->request,
                                      .arena = &explain->arena,
                                      .notes = &notes};
    if (api->patch(&input, explain->in.path, explain->in.query, explain->in.body, &splice, &call) !=
        GW_OK) {
        print_error(explain);
        return 1;
    }
    puts("# The provider speaks this dialect: the client's fields and bytes travel as they are,");
    printf("# with %zu places patched.\n", splice.count);
    print_head(explain, &call);
    size_t count = gw_json_splice_runs(&splice, runs);
    putchar('\n');
    for (size_t i = 0; i < count; i++) {
        fwrite(runs[i].ptr, 1, runs[i].len, stdout);
    }
    putchar('\n');
    print_notes(&notes);
    return 0;
}

static void print_pretty(struct gw_str body)
{
    yyjson_doc *doc = yyjson_read(body.ptr, body.len, 0);
    size_t len = 0;
    char *text =
        yyjson_write_opts(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, &gw_json_allocator, &len, NULL);
    printf("\n%s\n", text != NULL ? text : "");
    gw_free(text);
    yyjson_doc_free(doc);
}

static int explain_translated(struct explain *explain, const struct gw_provider_api *api)
{
    struct gw_answer_facts facts = {0};
    struct gw_recovery *no_recovery = NULL;
    struct gw_translation_opts opts = {
        .dialect = explain->dialect,
        .request = &explain->request,
        .encoder = {.model = explain->request.model, .request_id = GW_STR("req_explain")},
        .arena = &explain->arena,
        .facts = &facts,
        .recovery = &no_recovery};
    struct gw_translation *translation = gw_translation_create(&opts);
    if (translation == NULL ||
        gw_translation_encode(translation, api, &explain->deployment, explain->upstream_model,
                              &explain->in, &explain->error) != GW_OK) {
        print_error(explain);
        gw_translation_destroy(&translation);
        return 1;
    }
    const struct gw_provider_call *call = gw_translation_call(translation);
    printf("# Translated from " GW_STR_FMT " for the API '" GW_STR_FMT "'.\n",
           GW_STR_ARG(explain->dialect->name), GW_STR_ARG(api->name));
    print_head(explain, call);
    print_pretty(gw_buf_str(&call->body));
    print_notes(gw_translation_notes(translation));
    gw_translation_destroy(&translation);
    return 0;
}

/* "openai/gpt-..." names the provider again; the vendor knows the rest. */
static struct gw_str model_without_provider(const struct explain *explain, struct gw_str model)
{
    struct gw_str name = explain->provider->name;
    bool is_prefixed =
        gw_str_has_prefix(model, name) && model.len > name.len && model.ptr[name.len] == '/';
    return is_prefixed ? gw_str_skip(model, name.len + 1) : model;
}

static int run(struct explain *explain)
{
    explain->in =
        (struct gw_inbound){.path = path_of(explain),
                            .query = explain->is_stream ? GW_STR("alt=sse") : gw_str(NULL, 0),
                            .body = gw_buf_str(&explain->body)};
    if (explain->dialect->decode(&explain->in, task_of(explain->dialect->id), &explain->arena,
                                 &explain->request, &explain->error) != GW_OK) {
        print_error(explain);
        return 1;
    }
    explain->request.dialect = explain->dialect->id;
    explain->upstream_model = explain->model.len > 0
                                  ? explain->model
                                  : model_without_provider(explain, explain->request.model);
    const struct gw_provider_api *api =
        gw_api_for(&explain->deployment, explain->upstream_model, &explain->request);
    if (api == NULL) {
        return usage("this provider answers inside the gateway: ", "nothing is sent");
    }
    bool is_verbatim = api->speaks(&explain->deployment, explain->dialect->id,
                                   explain->request.task, explain->upstream_model);
    return is_verbatim ? explain_verbatim(explain, api) : explain_translated(explain, api);
}

static int parse(struct explain *explain, int argc, char **argv, const char **file)
{
    static const struct option options[] = {
        {"dialect", required_argument, NULL, 'd'}, {"provider", required_argument, NULL, 'p'},
        {"model", required_argument, NULL, 'm'},   {"stream", no_argument, NULL, 's'},
        {"drop-params", no_argument, NULL, 'x'},   {NULL, 0, NULL, 0},
    };
    const char *provider = NULL;
    bool drops_params = false;
    int option = 0;
    explain->dialect = &gw_dialect_openai;
    optind = 0;
    while ((option = getopt_long(argc, argv, "d:p:m:s", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            explain->dialect = find_dialect(optarg);
            if (explain->dialect == NULL) {
                return usage("unknown dialect: ", optarg);
            }
            break;
        case 'p':
            provider = optarg;
            break;
        case 'm':
            explain->model = gw_str_from_c(optarg);
            break;
        case 's':
            explain->is_stream = true;
            break;
        case 'x':
            drops_params = true;
            break;
        default:
            return usage("wrong option", "");
        }
    }
    if (provider == NULL) {
        return usage("--provider is missing", "");
    }
    explain->provider = gw_provider_find(gw_str_from_c(provider));
    if (explain->provider == NULL) {
        return usage("unknown provider: ", provider);
    }
    if (optind + 1 != argc) {
        return usage("one FILE is wanted", "");
    }
    if (explain->dialect->id == GW_DIALECT_GEMINI && explain->model.len == 0) {
        return usage("--model is missing: ", "Gemini's requests name it in the path");
    }
    *file = argv[optind];
    make_deployment(explain, drops_params);
    return 0;
}

int gw_explain(int argc, char **argv)
{
    struct explain explain = {0};
    const char *file = NULL;
    int status = parse(&explain, argc, argv, &file);
    if (status != 0) {
        return status;
    }
    gw_arena_init(&explain.arena, NULL, 0, 65536, ARENA_MAX_BYTES);
    gw_buf_init(&explain.body, EXPLAIN_MAX_BYTES);
    if (read_body(file, &explain.body)) {
        status = run(&explain);
    } else {
        fprintf(stderr, "gatewire explain: cannot read %s\n", file);
        status = 1;
    }
    gw_buf_fini(&explain.body);
    gw_arena_fini(&explain.arena);
    return status;
}
