/* SPDX-License-Identifier: MIT */
/* config/login_token - Entra's and Google's logins, as LiteLLM's and the vendors' SDKs name them.
 */
#include "config/login_int.h"

#define GOOGLE_SCOPE    "https://www.googleapis.com/auth/cloud-platform"
#define GOOGLE_METADATA "http://metadata.google.internal"
#define AZURE_SCOPE     "https://cognitiveservices.azure.com/.default"
#define AZURE_AUTHORITY "https://login.microsoftonline.com"
#define AZURE_METADATA  "http://169.254.169.254"

/* A field of the spec, and where its text may stand. */
struct field {
    enum gw_token_field id;
    const char *names;
    const char *env;
};

static enum gw_err read_fields(const struct gw_login_ask *ask, const struct field *fields,
                               size_t count, enum gw_login_origin origin,
                               struct gw_token_spec *spec)
{
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        struct gw_login_text value;
        err = gw_login_read(ask, fields[i].names,
                            origin == GW_LOGIN_ENVIRONMENT ? fields[i].env : "", &value);
        spec->fields[fields[i].id] = value.text;
    }
    return err;
}

static struct gw_str label(const struct gw_login_ask *ask, const char *what, struct gw_str which)
{
    return gw_arena_printf(ask->build->context.scratch, "%s " GW_STR_FMT, what, GW_STR_ARG(which));
}

static bool has(const struct gw_token_spec *spec, enum gw_token_field field)
{
    return spec->fields[field].len > 0;
}

/* ---- Entra ---- */

static enum gw_err read_static_entra(const struct gw_login_ask *ask, enum gw_login_origin origin,
                                     struct gw_token_spec *spec)
{
    static const struct field fields[] = {
        {GW_TOKEN_FIELD_ACCESS, "azure_ad_token", "AZURE_AD_TOKEN AZURE_OPENAI_AD_TOKEN"}};
    enum gw_err err = read_fields(ask, fields, GW_ARRAY_LEN(fields), origin, spec);
    struct gw_str token = spec->fields[GW_TOKEN_FIELD_ACCESS];
    if (err == GW_OK && (!gw_is_header_value(token) || gw_str_has_prefix(token, GW_STR("oidc/")))) {
        gw_config_complain(&ask->build->context, true,
                           ask->entry == NULL ? NULL
                                              : gw_model_entry_find(ask->entry, "azure_ad_token"),
                           "expected an access token; for a federated one set tenant_id, client_id "
                           "and AZURE_FEDERATED_TOKEN_FILE");
        return GW_ERR_INVALID;
    }
    return err;
}

/* LiteLLM's switch for whatever identity the machine has. */
static bool wants_managed_identity(const struct gw_login_ask *ask)
{
    return yyjson_is_true(gw_config_get(ask->build->context.document,
                                        "litellm_settings.enable_azure_ad_token_refresh"));
}

static enum gw_err read_entra(const struct gw_login_ask *ask, enum gw_login_origin origin,
                              struct gw_token_spec *spec)
{
    /* Names of the tenant and the like may come from the environment, the secret makes the login
     * the entry's own. */
    static const struct field fields[] = {
        {GW_TOKEN_FIELD_TENANT, "tenant_id azure_tenant_id", "AZURE_TENANT_ID"},
        {GW_TOKEN_FIELD_CLIENT_ID, "client_id azure_client_id", "AZURE_CLIENT_ID"},
        {GW_TOKEN_FIELD_AUTHORITY, "azure_authority_host", "AZURE_AUTHORITY_HOST"},
        {GW_TOKEN_FIELD_SCOPE, "azure_scope", "AZURE_SCOPE"},
    };
    static const struct field secrets[] = {
        {GW_TOKEN_FIELD_CLIENT_SECRET, "client_secret azure_client_secret", "AZURE_CLIENT_SECRET"},
        {GW_TOKEN_FIELD_ASSERTION_FILE, "azure_federated_token_file", "AZURE_FEDERATED_TOKEN_FILE"},
        {GW_TOKEN_FIELD_IDENTITY_URL, "", "IDENTITY_ENDPOINT"},
        {GW_TOKEN_FIELD_IDENTITY_HEADER, "", "IDENTITY_HEADER"},
    };
    enum gw_err err = read_fields(ask, fields, GW_ARRAY_LEN(fields), GW_LOGIN_ENVIRONMENT, spec);
    err = err == GW_OK ? read_fields(ask, secrets, GW_ARRAY_LEN(secrets), origin, spec) : err;
    if (!has(spec, GW_TOKEN_FIELD_AUTHORITY)) {
        spec->fields[GW_TOKEN_FIELD_AUTHORITY] = GW_STR(AZURE_AUTHORITY);
    }
    if (!has(spec, GW_TOKEN_FIELD_SCOPE)) {
        spec->fields[GW_TOKEN_FIELD_SCOPE] = GW_STR(AZURE_SCOPE);
    }
    return err;
}

static enum gw_err build_entra(const struct gw_login_ask *ask, enum gw_login_origin origin,
                               struct gw_token_slot **slot)
{
    struct gw_token_spec spec = {.kind = GW_TOKEN_STATIC, .label = GW_STR("Entra token")};
    enum gw_err err = read_static_entra(ask, origin, &spec);
    if (err != GW_OK || has(&spec, GW_TOKEN_FIELD_ACCESS)) {
        return err == GW_OK ? gw_login_acquire(ask, &spec, slot) : err;
    }
    spec.kind = GW_TOKEN_ENTRA;
    err = read_entra(ask, origin, &spec);
    if (err != GW_OK) {
        return err;
    }
    bool is_client = has(&spec, GW_TOKEN_FIELD_TENANT) && has(&spec, GW_TOKEN_FIELD_CLIENT_ID);
    bool has_proof =
        has(&spec, GW_TOKEN_FIELD_CLIENT_SECRET) || has(&spec, GW_TOKEN_FIELD_ASSERTION_FILE);
    if (is_client && has_proof) {
        spec.fields[GW_TOKEN_FIELD_IDENTITY_URL] = gw_str(NULL, 0);
        spec.fields[GW_TOKEN_FIELD_IDENTITY_HEADER] = gw_str(NULL, 0);
        spec.label = label(ask, "Entra application", spec.fields[GW_TOKEN_FIELD_CLIENT_ID]);
        return gw_login_acquire(ask, &spec, slot);
    }
    if (origin == GW_LOGIN_OWN || !wants_managed_identity(ask)) {
        return GW_OK;
    }
    if (!has(&spec, GW_TOKEN_FIELD_IDENTITY_URL)) {
        spec.fields[GW_TOKEN_FIELD_METADATA_URL] = GW_STR(AZURE_METADATA);
    }
    spec.label = GW_STR("Azure managed identity");
    return gw_login_acquire(ask, &spec, slot);
}

/* ---- Google ---- */

static enum gw_err google_metadata(const struct gw_login_ask *ask, struct gw_token_spec *spec)
{
    struct gw_login_text host;
    enum gw_err err = gw_login_read(ask, "", "GCE_METADATA_HOST", &host);
    spec->fields[GW_TOKEN_FIELD_METADATA_URL] =
        host.text.len == 0 ? GW_STR(GOOGLE_METADATA)
                           : gw_arena_printf(ask->build->context.scratch, "http://" GW_STR_FMT,
                                             GW_STR_ARG(host.text));
    spec->label = GW_STR("Google Cloud metadata service");
    return err;
}

static enum gw_err build_google(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                                enum gw_login_origin origin, struct gw_token_slot **slot)
{
    struct gw_token_spec spec = {.kind = GW_TOKEN_GOOGLE};
    struct gw_login_text credentials;
    enum gw_err err = gw_login_google_credentials(ask, &credentials);
    if (err != GW_OK || cloud->project.len == 0 || credentials.is_own != (origin == GW_LOGIN_OWN)) {
        return err;
    }
    spec.fields[GW_TOKEN_FIELD_SCOPE] = GW_STR(GOOGLE_SCOPE);
    if (credentials.text.len == 0) {
        err = google_metadata(ask, &spec);
    } else if (gw_str_has_prefix(credentials.text, GW_STR("{"))) {
        spec.fields[GW_TOKEN_FIELD_KEY_JSON] = credentials.text;
        spec.label = label(ask, "Google account of project", cloud->project);
    } else {
        spec.fields[GW_TOKEN_FIELD_KEY_FILE] = credentials.text;
        spec.label = label(ask, "Google account in", credentials.text);
    }
    return err == GW_OK ? gw_login_acquire(ask, &spec, slot) : err;
}

enum gw_err gw_build_token(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                           enum gw_login_origin origin, struct gw_token_slot **slot)
{
    *slot = NULL;
    switch (ask->provider->kind) {
    case GW_PROVIDER_AZURE:
        return build_entra(ask, origin, slot);
    case GW_PROVIDER_VERTEX:
        return build_google(ask, cloud, origin, slot);
    case GW_PROVIDER_BEDROCK:
        return gw_login_aws(ask, cloud, origin, slot);
    case GW_PROVIDER_OPENAI:
    case GW_PROVIDER_ANTHROPIC:
    case GW_PROVIDER_GEMINI:
    case GW_PROVIDER_COHERE:
    case GW_PROVIDER_BUILTIN:
        break;
    }
    return GW_OK;
}
