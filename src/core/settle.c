/* SPDX-License-Identifier: MIT */
/* core/settle - the end of a request: tokens final, counted, recorded. */
#include "base/clock.h"
#include "core/core_int.h"
#include "provider/provider.h"

/* Learns from what the provider reported; guesses where it reported nothing. */
static struct gw_usage final_usage(struct gw_request *request)
{
    struct gw_usage usage = request->facts.usage;
    bool is_model_task = request->llm.task != GW_TASK_PASS && request->llm.task != GW_TASK_LOCAL;
    if (!is_model_task || request->attempt->upstream_status / 100 != 2 ||
        request->attempt->upstream_model.len == 0) {
        return usage;
    }
    struct gw_token_estimates *estimates = request->core->estimates;
    uint64_t input_bytes = request->received_bytes + request->history_bytes;
    uint64_t output_bytes = request->facts.output_bytes;
    if (usage.is_known) {
        gw_token_estimates_learn(estimates, request->attempt->upstream_model, input_bytes,
                                 usage.input_tokens);
        return usage;
    }
    if (request->route.kind == GW_ROUTE_JSON) {
        usage.input_tokens =
            gw_token_estimates_guess(estimates, request->attempt->upstream_model, input_bytes);
        usage.output_tokens =
            gw_token_estimates_guess(estimates, request->attempt->upstream_model, output_bytes);
        usage.is_known = true;
        usage.is_estimated = true;
    }
    return usage;
}

static uint64_t microseconds(uint64_t from_ns, uint64_t to_ns)
{
    return from_ns != 0 && to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

static void count(struct gw_counters *counters, const struct gw_request_record *record)
{
    gw_counter_sub(&counters->in_flight, 1);
    gw_counter_add(
        &counters->requests_total[record->task][record->status / 100 % GW_STATUS_CLASSES], 1);
    if (record->error.class != GW_ERROR_NONE) {
        gw_counter_add(&counters->errors_total[record->error.class], 1);
    }
    gw_counter_add(&counters->request_bytes_total, record->request_bytes);
    gw_counter_add(&counters->response_bytes_total, record->response_bytes);
    gw_counter_add(&counters->input_tokens_total, record->usage.input_tokens);
    gw_counter_add(&counters->cached_tokens_total, record->usage.cached_tokens);
    gw_counter_add(&counters->output_tokens_total, record->usage.output_tokens);
    gw_counter_add(&counters->estimated_usages_total, record->usage.is_estimated);
    gw_histogram_add(&counters->duration[record->task], record->duration_us);
    if (record->upstream_first_chunk_us > 0) {
        gw_histogram_add(&counters->first_chunk[record->task], record->upstream_first_chunk_us);
    }
}

static void describe_target(const struct gw_request *request, struct gw_request_record *record)
{
    record->model = request->llm.model;
    record->model_group = request->group != NULL ? request->group->name : gw_str(NULL, 0);
    if (request->attempt->deployment != NULL) {
        record->deployment = request->attempt->deployment->id;
        record->provider = request->attempt->deployment->provider_name;
    }
    record->is_stream = request->llm.is_stream;
    record->exchanges = request->exchange_count;
    record->recoveries = request->recovery != NULL ? request->recovery->count : 0;
    record->upstream_status = request->attempt->upstream_status;
    record->upstream_connect_us = microseconds(request->attempt->timings.started_at_ns,
                                               request->attempt->timings.connected_at_ns);
    record->upstream_first_chunk_us = microseconds(request->attempt->timings.started_at_ns,
                                                   request->attempt->timings.first_byte_at_ns);
    record->finish_reason = gw_str_from_c(request->facts.finish_reason);
}

enum gw_step gw_state_settle(struct gw_request *request)
{
    struct gw_core *core = request->core;
    struct gw_request_record record = {
        .request_id = request->id,
        .client = request->client,
        .version = request->version,
        .is_tls = request->is_tls,
        .method = request->method,
        .path = request->path,
        .user_agent = request->user_agent,
        .task = request->llm.task,
        .status = request->status,
        .usage = final_usage(request),
        .error = request->error,
        .request_bytes = request->received_bytes,
        .response_bytes = request->sent_bytes,
        .started_wall_ms = request->started_wall_ms,
        .duration_us = microseconds(request->begun_at_ns, gw_clock_mono_ns()),
    };
    describe_target(request, &record);
    gw_slow_stop(request);
    if (request->recovery != NULL) {
        record.usage = gw_recovery_sum(&request->recovery->spent, &record.usage);
    }
    gw_request_stop_waiting(request);
    gw_line_leave(request, false);
    gw_attempt_end(request->attempt, &request->error);
    if (request->rival != NULL) {
        gw_attempt_end(request->rival, &(struct gw_error){.class = GW_ERROR_CANCELLED});
    }
    count(core->counters, &record);
    core->on_settled(core->user, &record);
    gw_list_unlink(&request->node);
    gw_loop_defer(core->loop, &request->release);
    return GW_STEP_OVER;
}
