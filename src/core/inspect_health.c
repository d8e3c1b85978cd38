/* SPDX-License-Identifier: MIT */
/* core/inspect_health - how all deployments are, and each model. */
#include "core/inspect_int.h"

/* A model group's deployments together. */
struct model {
    const struct gw_model_group *group;
    size_t counts[GW_INSPECT_UNHEALTHY + 1]; /* of deployments */
    uint64_t health;                         /* the sum */
    uint64_t latency_us;                     /* the least that is known */
    uint32_t in_flight;
};

static size_t size_of(const struct model *model)
{
    return model->counts[GW_INSPECT_HEALTHY] + model->counts[GW_INSPECT_DEGRADED] +
           model->counts[GW_INSPECT_UNHEALTHY];
}

/* A model is as well as its best deployment lets it be served, and degraded when one is out. */
static enum gw_inspect_status status_of(const struct model *model)
{
    if (model->counts[GW_INSPECT_UNHEALTHY] == size_of(model)) {
        return GW_INSPECT_UNHEALTHY;
    }
    return model->counts[GW_INSPECT_HEALTHY] == size_of(model) ? GW_INSPECT_HEALTHY
                                                               : GW_INSPECT_DEGRADED;
}

static void add(struct model *model, const struct gw_inspect_deployment *found)
{
    model->group = found->group;
    model->counts[found->status]++;
    model->health += found->health;
    model->in_flight += found->in_flight;
    if (found->latency_us > 0 &&
        (model->latency_us == 0 || found->latency_us < model->latency_us)) {
        model->latency_us = found->latency_us;
    }
}

/* The next model with all its deployments; groups without one are passed over. */
static bool next_model(struct gw_inspect_walk *walk, struct model *model)
{
    struct gw_inspect_deployment found;
    *model = (struct model){0};
    if (!gw_inspect_next(walk, &found)) {
        return false;
    }
    add(model, &found);
    while (walk->member < found.group->deployment_count && gw_inspect_next(walk, &found)) {
        add(model, &found);
    }
    return true;
}

static struct gw_inspect_walk begin(const struct gw_inspection *inspection)
{
    return (struct gw_inspect_walk){.conf = inspection->conf, .now_ms = inspection->now_ms};
}

enum gw_err gw_inspect_health_stats(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_inspect_walk walk = begin(inspection);
    struct model model;
    size_t models[GW_INSPECT_UNHEALTHY + 1] = {0};
    size_t deployments[GW_INSPECT_UNHEALTHY + 1] = {0};
    size_t model_count = 0;
    size_t count = 0;
    uint64_t health = 0;
    while (next_model(&walk, &model)) {
        models[status_of(&model)]++;
        model_count++;
        count += size_of(&model);
        health += model.health;
        for (size_t i = 0; i < GW_ARRAY_LEN(deployments); i++) {
            deployments[i] += model.counts[i];
        }
    }
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_count(GW_STR("total_models"), model_count, out);
    gw_json_write_count(GW_STR("healthy_models"), models[GW_INSPECT_HEALTHY], out);
    gw_json_write_count(GW_STR("degraded_models"), models[GW_INSPECT_DEGRADED], out);
    gw_json_write_count(GW_STR("unhealthy_models"), models[GW_INSPECT_UNHEALTHY], out);
    gw_json_write_count(GW_STR("total_deployments"), count, out);
    gw_json_write_count(GW_STR("healthy_deployments"), deployments[GW_INSPECT_HEALTHY], out);
    gw_json_write_count(GW_STR("degraded_deployments"), deployments[GW_INSPECT_DEGRADED], out);
    gw_json_write_count(GW_STR("unhealthy_deployments"), deployments[GW_INSPECT_UNHEALTHY], out);
    gw_json_write_count(GW_STR("average_health"), count > 0 ? health / count : 0, out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}

/* How the probes of |group|'s deployments stand, as far as they are probed. */
static void write_probes(const struct gw_inspection *inspection, const struct model *model,
                         struct gw_inspect_walk walk, struct gw_buf *out)
{
    struct gw_inspect_deployment found;
    gw_json_write_key(GW_STR("probes"), out);
    (void)gw_buf_append(out, GW_STR("["));
    for (size_t i = 0; i < size_of(model) && gw_inspect_next(&walk, &found); i++) {
        if (found.is_probed) {
            gw_json_write_next(out);
            (void)gw_buf_append(out, GW_STR("{"));
            gw_json_write_member(GW_STR("deployment"), found.deployment->id, out);
            gw_inspect_write_probe(&found, inspection->now_ms, out);
            (void)gw_buf_append(out, GW_STR("}"));
        }
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

enum gw_err gw_inspect_health_models(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_inspect_walk walk = begin(inspection);
    struct gw_inspect_walk before = walk;
    struct model model;
    (void)gw_buf_append(out, GW_STR("{\"models\":["));
    for (; next_model(&walk, &model); before = walk) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{"));
        gw_json_write_member(GW_STR("model"), model.group->name, out);
        gw_json_write_member(GW_STR("status"), gw_inspect_status_name(status_of(&model)), out);
        gw_json_write_count(GW_STR("health"), model.health / size_of(&model), out);
        gw_json_write_count(GW_STR("deployments"), size_of(&model), out);
        gw_json_write_count(GW_STR("healthy_deployments"), model.counts[GW_INSPECT_HEALTHY], out);
        gw_json_write_count(GW_STR("unhealthy_deployments"), model.counts[GW_INSPECT_UNHEALTHY],
                            out);
        gw_json_write_count(GW_STR("in_flight"), model.in_flight, out);
        gw_inspect_write_latency(GW_STR("latency_ms"), model.latency_us, out);
        write_probes(inspection, &model, before, out);
        (void)gw_buf_append(out, GW_STR("}"));
    }
    (void)gw_buf_append(out, GW_STR("]}"));
    return GW_OK;
}

/* "ok": all are healthy; "unhealthy": a model has nobody left to serve it. */
static struct gw_str overall(const struct gw_inspection *inspection)
{
    struct gw_inspect_walk walk = begin(inspection);
    struct model model;
    struct gw_str text = GW_STR("ok");
    while (next_model(&walk, &model)) {
        if (status_of(&model) == GW_INSPECT_UNHEALTHY) {
            return gw_inspect_status_name(GW_INSPECT_UNHEALTHY);
        }
        if (status_of(&model) == GW_INSPECT_DEGRADED) {
            text = gw_inspect_status_name(GW_INSPECT_DEGRADED);
        }
    }
    return text;
}

enum gw_err gw_inspect_deployments(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_inspect_walk walk = begin(inspection);
    struct gw_inspect_deployment found;
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("status"), overall(inspection), out);
    gw_json_write_key(GW_STR("deployments"), out);
    (void)gw_buf_append(out, GW_STR("["));
    while (gw_inspect_next(&walk, &found)) {
        gw_json_write_next(out);
        gw_inspect_write_deployment(&found, inspection->now_ms, out);
    }
    (void)gw_buf_append(out, GW_STR("]}"));
    return GW_OK;
}
