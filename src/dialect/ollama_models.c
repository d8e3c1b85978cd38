/* SPDX-License-Identifier: MIT */
/* dialect/ollama_models - tags, show, version. */
#include <time.h>

#include "dialect/ollama.h"
#include "json/value.h"

#define NO_DETAILS                                                                                 \
    "{\"parent_model\":\"\",\"format\":\"\",\"family\":\"\",\"families\":[],"                      \
    "\"parameter_size\":\"\",\"quantization_level\":\"\"}"

void gw_ollama_write_time(uint64_t seconds, struct gw_buf *out)
{
    time_t at = (time_t)seconds;
    struct tm parts = {0};
    char text[40];
    size_t len = gmtime_r(&at, &parts) == NULL
                     ? 0
                     : strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%SZ\"", &parts);
    (void)gw_buf_append(out, len > 0 ? gw_str(text, len) : GW_STR("\"1970-01-01T00:00:00Z\""));
}

void gw_ollama_write_tag(struct gw_str name, uint64_t modified_s, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"name\":"));
    gw_json_write_text(name, out);
    (void)gw_buf_append(out, GW_STR(",\"model\":"));
    gw_json_write_text(name, out);
    (void)gw_buf_append(out, GW_STR(",\"modified_at\":"));
    gw_ollama_write_time(modified_s, out);
    (void)gw_buf_append(out, GW_STR(",\"size\":0,\"digest\":\"\",\"details\":" NO_DETAILS "}"));
}

void gw_ollama_write_show(const struct gw_ollama_model *model, uint64_t modified_s,
                          struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"modelfile\":\"\",\"parameters\":\"\",\"template\":\"\","
                                    "\"license\":\"\",\"details\":" NO_DETAILS
                                    ",\"model_info\":{\"general.architecture\":\"gatewire\","
                                    "\"general.basename\":"));
    gw_json_write_text(model->name, out);
    if (model->context_length > 0) {
        (void)gw_buf_append(out, GW_STR(",\"gatewire.context_length\":"));
        (void)gw_buf_append_u64(out, model->context_length);
    }
    (void)gw_buf_append(out, GW_STR("},\"capabilities\":["));
    (void)gw_buf_append(out,
                        model->is_embedding ? GW_STR("\"embedding\"") : GW_STR("\"completion\""));
    (void)gw_buf_append(out, model->has_tools ? GW_STR(",\"tools\"") : GW_STR(""));
    (void)gw_buf_append(out, model->has_vision ? GW_STR(",\"vision\"") : GW_STR(""));
    (void)gw_buf_append(out, model->has_thinking ? GW_STR(",\"thinking\"") : GW_STR(""));
    (void)gw_buf_append(out, GW_STR("],\"modified_at\":"));
    gw_ollama_write_time(modified_s, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_ollama_write_version(struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"version\":\"" GW_OLLAMA_API_VERSION "\"}"));
}
