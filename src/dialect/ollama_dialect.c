/* SPDX-License-Identifier: MIT */
/* dialect/ollama_dialect - the table. */
#include "dialect/ollama_int.h"

const struct gw_dialect gw_dialect_ollama = {
    .id = GW_DIALECT_OLLAMA,
    .name = GW_STR_INIT("ollama"),
    .decode = gw_ollama_decode,
    .to_chat = gw_ollama_to_chat,
    .to_embeddings = gw_ollama_to_embeddings,
    .write_embeddings = gw_ollama_write_embeddings,
    .stream_type = GW_STR_INIT("application/x-ndjson"),
    .encoder_create = gw_ollama_encoder_create,
    .encode = gw_ollama_encode,
    .encoder_destroy = gw_ollama_encoder_destroy,
    .write_answer = gw_ollama_write_answer,
    .write_error = gw_ollama_write_error,
    .write_error_event = gw_ollama_write_error_event,
};
