/* SPDX-License-Identifier: MIT */
/* core/inspect - pages about routing: body in, page, envelope around it. */
#include "base/assert.h"
#include "base/clock.h"
#include "core/inspect_int.h"

/* Some 50,000 deployments with all that is known of each. */
#define PAGE_MAX_BYTES (64u * 1024 * 1024)

/* By enum gw_inspect. */
static const struct {
    gw_inspect_fn *write;
    struct gw_str message;
} pages[] = {
    [GW_INSPECT_STATS] = {gw_inspect_stats, GW_STR_INIT("Router statistics")},
    [GW_INSPECT_STATS_RESET] = {gw_inspect_stats_reset, GW_STR_INIT("Router statistics reset")},
    [GW_INSPECT_CONFIG] = {gw_inspect_config, GW_STR_INIT("Router configuration")},
    [GW_INSPECT_STRATEGY] = {gw_inspect_strategy, GW_STR_INIT("Routing strategy updated")},
    [GW_INSPECT_BREAKERS] = {gw_inspect_breakers, GW_STR_INIT("Circuit breakers")},
    [GW_INSPECT_HEALTH_STATS] = {gw_inspect_health_stats, GW_STR_INIT("Health statistics")},
    [GW_INSPECT_HEALTH_MODELS] = {gw_inspect_health_models, GW_STR_INIT("Health of the models")},
    [GW_INSPECT_ANALYZE] = {gw_inspect_analyze, GW_STR_INIT("Prompt analysis")},
    [GW_INSPECT_DECISION] = {gw_inspect_decision, GW_STR_INIT("Routing decision")},
    [GW_INSPECT_EXPLAIN] = {gw_inspect_explain, GW_STR_INIT("")},
    [GW_INSPECT_DEPLOYMENTS] = {gw_inspect_deployments, GW_STR_INIT("")},
    [GW_INSPECT_MODEL_STATS] = {gw_inspect_model_stats, GW_STR_INIT("")},
};

enum gw_err gw_inspect_refuse(struct gw_inspection *inspection, unsigned status,
                              struct gw_str param, struct gw_str message)
{
    inspection->refusal = (struct gw_error){
        .class = GW_ERROR_CLIENT,
        .status = status,
        .code = status == 404 ? GW_STR("not_found") : GW_STR("invalid_value"),
        .param = param,
        .message = message,
    };
    return GW_ERR_INVALID;
}

/* ---- the envelope ---- */

static void end_envelope(struct gw_buf *out)
{
    char now[GW_CLOCK_RFC3339_BYTES];
    gw_clock_format_rfc3339(gw_clock_wall_ms(), now);
    gw_json_write_member(GW_STR("timestamp"), gw_str_from_c(now), out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static struct gw_str code_of(unsigned status)
{
    switch (status) {
    case 401:
        return GW_STR("UNAUTHORIZED");
    case 403:
        return GW_STR("FORBIDDEN");
    case 404:
        return GW_STR("NOT_FOUND");
    case 429:
        return GW_STR("RATE_LIMIT_EXCEEDED");
    case 503:
        return GW_STR("SERVICE_UNAVAILABLE");
    default:
        return status < 500 ? GW_STR("BAD_REQUEST") : GW_STR("INTERNAL_SERVER_ERROR");
    }
}

void gw_inspect_write_error(const struct gw_error *error, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"success\":false"));
    gw_json_write_member(GW_STR("error"), error->message, out);
    gw_json_write_member(GW_STR("code"), code_of(error->status), out);
    end_envelope(out);
}

static enum gw_err write_page(struct gw_inspection *inspection, struct gw_buf *out)
{
    enum gw_inspect page = inspection->request->route.inspect;
    GW_ASSERT((unsigned)page < GW_ARRAY_LEN(pages) && pages[page].write != NULL);
    if (!inspection->request->route.is_enveloped) {
        return pages[page].write(inspection, out);
    }
    (void)gw_buf_append(out, GW_STR("{\"success\":true"));
    gw_json_write_member(GW_STR("message"), pages[page].message, out);
    gw_json_write_key(GW_STR("data"), out);
    enum gw_err err = pages[page].write(inspection, out);
    end_envelope(out);
    return err;
}

/* ---- the request ---- */

static enum gw_err read_body(struct gw_inspection *inspection, struct gw_json_reader *reader)
{
    struct gw_str body = gw_buf_str(&inspection->request->body);
    if (body.len == 0) {
        return GW_OK;
    }
    enum gw_err err = gw_json_read(reader, body, &inspection->body);
    if (err == GW_ERR_NOMEM) {
        return err;
    }
    if (err != GW_OK || !yyjson_is_obj(inspection->body)) {
        return gw_inspect_refuse(inspection, 400, gw_str(NULL, 0),
                                 GW_STR("The request body must be a JSON object."));
    }
    return GW_OK;
}

enum gw_step gw_inspect_answer(struct gw_request *request)
{
    struct gw_inspection inspection = {
        .request = request, .conf = request->conf, .now_ms = gw_loop_now_ms(request->core->loop)};
    struct gw_json_reader reader;
    struct gw_buf out;
    enum gw_step step = GW_STEP_GO;
    gw_json_reader_init(&reader, request->body.len);
    gw_buf_init(&out, PAGE_MAX_BYTES);
    enum gw_err err = read_body(&inspection, &reader);
    err = err == GW_OK ? write_page(&inspection, &out) : err;
    if (err == GW_ERR_INVALID) {
        step = gw_request_fail(request, &inspection.refusal);
    } else if (err != GW_OK || out.err != GW_OK) {
        step = gw_respond_no_memory(request);
    } else {
        gw_respond_json(request, 200, gw_buf_str(&out), NULL, 0);
        gw_request_set_state(request, GW_REQUEST_SETTLE);
    }
    gw_buf_fini(&out);
    gw_json_reader_fini(&reader);
    return step;
}
