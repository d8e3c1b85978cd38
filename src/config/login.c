/* SPDX-License-Identifier: MIT */
/* config/login - region, project and version of a deployment, and the address that they make. */
#include "config/login_int.h"

#include <unistd.h>

#include "base/clock.h"
#include "config/load_int.h"
#include "json/value.h"

#define GOOGLE_FILE_BYTES (64u << 10) /* a key file has 2.5 KiB, a federated one with headers 4 */
/* LiteLLM's, so that a file that relies on it goes on working. */
#define AWS_DEFAULT_REGION "us-west-2"

enum gw_err gw_login_read(const struct gw_login_ask *ask, const char *names, const char *env,
                          struct gw_login_text *value)
{
    struct gw_str source = {0};
    *value = (struct gw_login_text){0};
    if (ask->entry != NULL && names[0] != '\0') {
        enum gw_err err = gw_model_entry_text(ask->entry, names, &value->text);
        value->text = gw_str_trim(value->text);
        value->is_own = value->text.len > 0;
        if (err != GW_OK || value->is_own) {
            return err;
        }
    }
    if (env[0] != '\0' &&
        gw_environment_get_first(ask->build->context.env, env, &source, &value->text)) {
        value->text = gw_str_trim(value->text);
    }
    return GW_OK;
}

static enum gw_err refuse(const struct gw_login_ask *ask, const char *names, const char *what)
{
    yyjson_val *value = ask->entry == NULL ? NULL : gw_model_entry_find(ask->entry, names);
    const struct gw_setting_value place = {
        .value = value != NULL || ask->entry == NULL ? value : ask->entry->value};
    gw_config_complain_setting(&ask->build->context, true, &place, "%s", what);
    return GW_ERR_INVALID;
}

/* Can |text| be a part of a host's name, or of a path, as it is? */
static bool is_plain(struct gw_str text, const char *marks)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_word && (c == '\0' || strchr(marks, c) == NULL)) {
            return false;
        }
    }
    return text.len <= 128; /* regions have 15 bytes, projects 30 */
}

static enum gw_err keep(const struct gw_login_ask *ask, struct gw_str text, struct gw_str *out)
{
    *out = gw_arena_try_dup(gw_snapshot_arena(ask->build->snapshot), text);
    return out->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err read_region(const struct gw_login_ask *ask, const char *names, const char *env,
                               struct gw_cloud *cloud)
{
    struct gw_login_text region;
    enum gw_err err = gw_login_read(ask, names, env, &region);
    if (err != GW_OK || region.text.len == 0) {
        return err;
    }
    return is_plain(region.text, "-")
               ? keep(ask, region.text, &cloud->region)
               : refuse(ask, names, "expected the name of a region such as eu-west-1");
}

static enum gw_err set_base(struct gw_str text, struct gw_cloud *cloud)
{
    cloud->base_url = text;
    return text.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static bool skip_prefix(struct gw_str *text, struct gw_str prefix)
{
    bool has_it = gw_str_has_prefix(*text, prefix);
    *text = has_it ? gw_str_skip(*text, prefix.len) : *text;
    return has_it;
}

/* "us-gov-west-1": words, and a digit at the end. */
static bool is_aws_region(struct gw_str text)
{
    return is_plain(text, "-") && text.len >= 9 && text.len <= 20 &&
           text.ptr[text.len - 1] >= '0' && text.ptr[text.len - 1] <= '9' &&
           text.ptr[text.len - 2] == '-' && gw_str_find_byte(text, '.') == text.len;
}

/* LiteLLM's ways to write Bedrock models: converse/<id>, <region>/<id>. */
static struct gw_str trim_bedrock_model(struct gw_str *model)
{
    static const struct gw_str routes[] = {GW_STR_INIT("converse/"), GW_STR_INIT("converse_like/"),
                                           GW_STR_INIT("invoke/")};
    for (size_t i = 0; i < GW_ARRAY_LEN(routes); i++) {
        (void)skip_prefix(model, routes[i]);
    }
    size_t slash = gw_str_find_byte(*model, '/');
    struct gw_str first = gw_str(model->ptr, slash);
    if (slash < model->len && is_aws_region(first)) {
        *model = gw_str_skip(*model, slash + 1);
        return first;
    }
    struct gw_str rest = *model;
    struct gw_str part = {0};
    bool is_arn = gw_str_has_prefix(rest, GW_STR("arn:"));
    for (unsigned i = 0; i < 4 && is_arn; i++) { /* arn:partition:service:region: */
        is_arn = gw_str_split(&rest, ':', &part);
    }
    return is_arn && is_aws_region(part) ? part : gw_str(NULL, 0);
}

static enum gw_err build_bedrock(const struct gw_login_ask *ask, struct gw_str *model,
                                 struct gw_cloud *cloud)
{
    struct gw_str of_model = trim_bedrock_model(model);
    enum gw_err err = of_model.len > 0
                          ? keep(ask, of_model, &cloud->region)
                          : read_region(ask, "aws_region_name region_name region aws_region",
                                        "AWS_REGION_NAME AWS_REGION AWS_DEFAULT_REGION", cloud);
    if (err == GW_OK && cloud->region.len == 0) {
        cloud->region = GW_STR(AWS_DEFAULT_REGION);
        if (ask->entry != NULL) {
            gw_config_complain(&ask->build->context, false, ask->entry->value,
                               "no aws_region_name: " AWS_DEFAULT_REGION " is used");
        }
    }
    bool is_china = gw_str_has_prefix(cloud->region, GW_STR("cn-"));
    return err != GW_OK
               ? err
               : set_base(gw_arena_try_printf(gw_snapshot_arena(ask->build->snapshot),
                                              "https://bedrock-runtime." GW_STR_FMT
                                              ".amazonaws.com%s",
                                              GW_STR_ARG(cloud->region), is_china ? ".cn" : ""),
                          cloud);
}

static struct gw_str vertex_url(struct gw_arena *arena, struct gw_str location)
{
    if (gw_str_eq(location, GW_STR("global"))) {
        return GW_STR("https://aiplatform.googleapis.com");
    }
    bool is_multi = gw_str_eq(location, GW_STR("us")) || gw_str_eq(location, GW_STR("eu"));
    return gw_arena_try_printf(arena,
                               is_multi ? "https://aiplatform." GW_STR_FMT ".rep.googleapis.com"
                                        : "https://" GW_STR_FMT "-aiplatform.googleapis.com",
                               GW_STR_ARG(location));
}

/* Is there a credentials file where gcloud leaves it? */
static enum gw_err find_gcloud_file(const struct gw_login_ask *ask, struct gw_login_text *path)
{
    struct gw_str name = {0};
    struct gw_str folder = {0};
    const struct gw_environment *env = ask->build->context.env;
    const char *below = "";
    if (!gw_environment_get_first(env, "CLOUDSDK_CONFIG", &name, &folder)) {
        if (!gw_environment_get_first(env, "HOME", &name, &folder)) {
            return GW_OK;
        }
        below = "/.config/gcloud";
    }
    struct gw_str text = gw_arena_try_printf(ask->build->context.scratch,
                                             GW_STR_FMT "%s/application_default_credentials.json",
                                             GW_STR_ARG(folder), below);
    if (text.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    path->text = access(text.ptr, R_OK) == 0 ? text : path->text;
    return GW_OK;
}

/* LiteLLM takes a map as well as a path and a text. */
static enum gw_err write_map(const struct gw_login_ask *ask, yyjson_val *map, struct gw_str *text)
{
    struct gw_buf json;
    gw_buf_init(&json, GOOGLE_FILE_BYTES);
    gw_json_write(map, &json);
    enum gw_err err = json.err;
    if (err == GW_OK) {
        *text = gw_arena_try_dup(ask->build->context.scratch, gw_buf_str(&json));
        err = text->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    gw_config_forget_file(&json);
    return err;
}

enum gw_err gw_login_google_credentials(const struct gw_login_ask *ask,
                                        struct gw_login_text *credentials)
{
    static const char names[] = "vertex_credentials";
    yyjson_val *map = ask->entry == NULL ? NULL : gw_model_entry_find(ask->entry, names);
    if (yyjson_is_obj(map)) {
        *credentials = (struct gw_login_text){.is_own = true};
        return write_map(ask, map, &credentials->text);
    }
    enum gw_err err =
        gw_login_read(ask, names,
                      "VERTEXAI_CREDENTIALS VERTEX_CREDENTIALS GOOGLE_APPLICATION_CREDENTIALS "
                      "GOOGLE_APPLICATION_CREDENTIALS_JSON",
                      credentials);
    return err != GW_OK || credentials->text.len > 0 ? err : find_gcloud_file(ask, credentials);
}

enum gw_err gw_login_google_project(const struct gw_login_ask *ask, struct gw_str credentials,
                                    struct gw_str *project)
{
    struct gw_buf file;
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    enum gw_err err = GW_OK;
    gw_buf_init(&file, GOOGLE_FILE_BYTES);
    gw_json_reader_init(&reader, GOOGLE_FILE_BYTES);
    *project = gw_str(NULL, 0);
    if (!gw_str_has_prefix(credentials, GW_STR("{"))) {
        struct gw_str path = gw_arena_try_dup(ask->build->context.scratch, credentials);
        err = path.ptr == NULL ? GW_ERR_NOMEM
                               : gw_config_read_file(path.ptr, GOOGLE_FILE_BYTES, &file);
        credentials = gw_buf_str(&file);
    }
    err = err == GW_OK ? gw_json_read(&reader, credentials, &root) : err;
    err = err == GW_OK && !yyjson_is_obj(root) ? GW_ERR_INVALID : err;
    if (err == GW_OK) {
        struct gw_str found = gw_json_get_text(root, "project_id");
        found = found.len > 0 ? found : gw_json_get_text(root, "quota_project_id");
        err = keep(ask, found, project);
    }
    gw_json_reader_fini(&reader);
    gw_config_forget_file(&file);
    return err == GW_OK || err == GW_ERR_NOMEM ? err : GW_ERR_INVALID;
}

/* A credentials file that cannot be used is the entry's mistake, or nobody's. */
static enum gw_err read_project(const struct gw_login_ask *ask, struct gw_cloud *cloud)
{
    static const char names[] = "vertex_project vertex_ai_project";
    struct gw_login_text project;
    struct gw_login_text credentials;
    struct gw_str of_file = {0};
    enum gw_err err = gw_login_read(ask, names,
                                    "VERTEXAI_PROJECT VERTEX_PROJECT GOOGLE_CLOUD_PROJECT "
                                    "GCLOUD_PROJECT ANTHROPIC_VERTEX_PROJECT_ID",
                                    &project);
    err = err == GW_OK ? gw_login_google_credentials(ask, &credentials) : err;
    if (err != GW_OK) {
        return err;
    }
    if (credentials.text.len > 0) {
        err = gw_login_google_project(ask, credentials.text, &of_file);
        if (err == GW_ERR_INVALID && credentials.is_own) {
            return refuse(ask, "vertex_credentials",
                          "expected the path of a credentials file, or its JSON");
        }
        if (err == GW_ERR_NOMEM) {
            return err;
        }
    }
    struct gw_str text = project.text.len > 0 ? project.text : of_file;
    if (!is_plain(text, "-:._")) {
        return refuse(ask, names, "expected the id of a Google Cloud project");
    }
    return keep(ask, text, &cloud->project);
}

static enum gw_err build_vertex(const struct gw_login_ask *ask, struct gw_cloud *cloud)
{
    enum gw_err err =
        read_region(ask, "vertex_location vertex_ai_location location region region_name",
                    "VERTEXAI_LOCATION VERTEX_LOCATION GOOGLE_CLOUD_LOCATION GOOGLE_CLOUD_REGION "
                    "CLOUD_ML_REGION",
                    cloud);
    if (cloud->region.len == 0) {
        cloud->region = GW_STR("global"); /* newest models are often only there */
    }
    err = err == GW_OK ? read_project(ask, cloud) : err;
    return err == GW_OK
               ? set_base(vertex_url(gw_snapshot_arena(ask->build->snapshot), cloud->region), cloud)
               : err;
}

static enum gw_err read_version(const struct gw_login_ask *ask, const char *env,
                                struct gw_cloud *cloud)
{
    struct gw_login_text version;
    enum gw_err err = gw_login_read(ask, "api_version", env, &version);
    if (err != GW_OK) {
        return err;
    }
    return is_plain(version.text, "-._")
               ? keep(ask, version.text, &cloud->api_version)
               : refuse(ask, "api_version", "expected a version such as 2024-10-21 or v1");
}

enum gw_err gw_build_cloud(const struct gw_login_ask *ask, struct gw_str *model,
                           struct gw_cloud *cloud)
{
    /* LiteLLM's hints about the model in front of an Azure deployment's name. */
    static const struct gw_str azure_hints[] = {GW_STR_INIT("o_series/"),
                                                GW_STR_INIT("gpt5_series/")};
    *cloud = (struct gw_cloud){0};
    enum gw_err err = read_version(ask,
                                   ask->provider->kind == GW_PROVIDER_AZURE
                                       ? "AZURE_API_VERSION AZURE_OPENAI_API_VERSION "
                                         "OPENAI_API_VERSION"
                                       : "",
                                   cloud);
    if (err != GW_OK) {
        return err;
    }
    switch (ask->provider->kind) {
    case GW_PROVIDER_BEDROCK:
        return build_bedrock(ask, model, cloud);
    case GW_PROVIDER_VERTEX:
        return build_vertex(ask, cloud);
    case GW_PROVIDER_AZURE:
        for (size_t i = 0; i < GW_ARRAY_LEN(azure_hints); i++) {
            (void)skip_prefix(model, azure_hints[i]);
        }
        break;
    case GW_PROVIDER_OPENAI:
    case GW_PROVIDER_ANTHROPIC:
    case GW_PROVIDER_GEMINI:
    case GW_PROVIDER_COHERE:
    case GW_PROVIDER_BUILTIN:
        break;
    }
    /* Not a part of the address here: what requests may ask for. */
    return read_region(ask, "region_name region", "", cloud);
}

void gw_cloud_use_base(struct gw_cloud *cloud, const struct gw_provider *provider,
                       struct gw_str address)
{
    while (address.len > 0 && address.ptr[address.len - 1] == '/') {
        address.len--;
    }
    if (provider->kind == GW_PROVIDER_AZURE && gw_str_has_suffix(address, GW_STR("/openai/v1"))) {
        cloud->api_version = GW_STR("v1");
    }
}

enum gw_err gw_login_acquire(const struct gw_login_ask *ask, struct gw_token_spec *spec,
                             struct gw_token_slot **slot)
{
    struct gw_origin_wish wish = gw_build_origin_defaults(ask->build);
    struct gw_token_entry *entry = NULL;
    if (spec->kind != GW_TOKEN_STATIC) {
        spec->fields[GW_TOKEN_FIELD_PROXY] = wish.proxy;
        spec->fields[GW_TOKEN_FIELD_CA_FILE] = wish.ca_file;
        spec->is_insecure = wish.insecure;
    }
    enum gw_err err = gw_token_book_acquire(ask->build->tokens, spec, gw_clock_wall_ms(), &entry);
    if (err == GW_ERR_TOO_LARGE) {
        return refuse(ask, "model",
                      "its credentials are too long, or there are too many different "
                      "ones");
    }
    err = err == GW_OK ? gw_snapshot_add_token(ask->build->snapshot, entry) : err;
    if (err == GW_OK) {
        *slot = gw_token_entry_slot(entry);
    }
    return err;
}
