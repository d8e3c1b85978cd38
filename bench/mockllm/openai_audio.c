/* SPDX-License-Identifier: MIT */
/* Audio: speech (bytes down), transcriptions and translations (multipart up). */
#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/multipart.h"
#include "mockllm/openai.h"
#include "mockllm/plan.h"

/* Bytes of speech when the size is not set: a second of poor MP3. */
#define DEFAULT_SPEECH_BYTES 16384u

/* Largest speech: it is built in memory. */
#define MAX_SPEECH_BYTES (256u * 1024u * 1024u)

static struct bench_str speech_type(struct bench_str format)
{
    static const struct {
        struct bench_str format;
        struct bench_str type;
    } types[] = {
        {{"opus", 4}, {"audio/opus", 10}}, {{"aac", 3}, {"audio/aac", 9}},
        {{"flac", 4}, {"audio/flac", 10}}, {{"wav", 3}, {"audio/wav", 9}},
        {{"pcm", 3}, {"audio/pcm", 9}},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (bench_str_eq(format, types[i].format)) {
            return types[i].type;
        }
    }
    return BENCH_STR("audio/mpeg");
}

/* Bytes [from, from + len) of a noise that holds every byte value, also CR, LF and NUL. */
static void write_noise(struct bench_buf *out, uint64_t from, uint64_t len)
{
    char *room = bench_buf_room(out, len);
    for (uint64_t i = 0; i < len; i++) {
        uint64_t at = from + i;
        room[i] = (char)((at * 31 + (at >> 8) * 7 + 13) & 255);
    }
    bench_buf_grow(out, len);
}

static uint64_t speech_bytes(const struct mock_exchange *exchange)
{
    uint64_t bytes = exchange->knobs.size > 0 ? exchange->knobs.size : DEFAULT_SPEECH_BYTES;
    return bytes < MAX_SPEECH_BYTES ? bytes : MAX_SPEECH_BYTES;
}

static uint64_t speech_chunks(const struct mock_exchange *exchange)
{
    uint64_t chunks = exchange->knobs.chunks > 0 ? exchange->knobs.chunks : 1;
    return chunks < speech_bytes(exchange) ? chunks : speech_bytes(exchange);
}

static void answer_speech_events(struct mock_exchange *exchange)
{
    struct mock_answer *answer = &exchange->answer;
    struct bench_buf *out = mock_answer_stream(exchange);
    struct bench_buf noise = {0};
    uint64_t bytes = speech_bytes(exchange);
    uint64_t chunks = speech_chunks(exchange);
    for (uint64_t i = 0; i < chunks; i++) {
        uint64_t from = bytes * i / chunks;
        bench_buf_clear(&noise, SIZE_MAX);
        write_noise(&noise, from, bytes * (i + 1) / chunks - from);
        mock_piece_begin(answer, MOCK_PIECE_CONTENT);
        BENCH_LIT(out, "data: {\"type\":\"speech.audio.delta\",\"audio\":\"");
        bench_buf_base64(out, bench_buf_view(&noise).ptr, noise.len);
        BENCH_LIT(out, "\"}\n\n");
        mock_piece_end(answer, 1, 0);
    }
    bench_buf_fini(&noise);
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    BENCH_LIT(out, "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":9,"
                   "\"output_tokens\":90,\"total_tokens\":99}}\n\n");
    mock_piece_end(answer, 1, 0);
}

void mock_openai_speech(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (mock_json_str(root, "input").ptr == NULL || exchange->model.len == 0 ||
        yyjson_obj_get(root, "voice") == NULL) {
        mock_answer_invalid(exchange, "input", "'model', 'input' and 'voice' are required.");
        return;
    }
    if (bench_str_eq(mock_json_str(root, "stream_format"), BENCH_STR("sse"))) {
        answer_speech_events(exchange);
        return;
    }
    /* Streamed in chunks as it is "made", as OpenAI does. */
    struct mock_answer *answer = &exchange->answer;
    uint64_t bytes = speech_bytes(exchange);
    uint64_t chunks = speech_chunks(exchange);
    mock_answer_begin(exchange, 200, speech_type(mock_json_str(root, "response_format")));
    mock_piece_end(answer, 1, 0);
    answer->script.count = 0; /* several pieces instead of the one of a plain answer */
    answer->streamed = true;
    for (uint64_t i = 0; i < chunks; i++) {
        uint64_t from = bytes * i / chunks;
        mock_piece_begin(answer, MOCK_PIECE_CONTENT);
        write_noise(&answer->script.bytes, from, bytes * (i + 1) / chunks - from);
        mock_piece_end(answer, 1, 0);
    }
}

/* ---- speech to text ---- */

static void make_text(const struct mock_exchange *exchange, const struct mock_part *file,
                      struct bench_buf *out)
{
    if (exchange->knobs.text.len > 0) {
        bench_buf_str(out, exchange->knobs.text);
        return;
    }
    BENCH_LIT(out, "The file ");
    bench_buf_str(out, file->filename);
    bench_buf_printf(out, " has %zu bytes.", file->body.len);
}

static void answer_text_events(struct mock_exchange *exchange, struct bench_str text)
{
    struct mock_answer *answer = &exchange->answer;
    struct bench_buf *out = mock_answer_stream(exchange);
    uint64_t chunks = exchange->knobs.chunks > 0 ? exchange->knobs.chunks : 1;
    chunks = chunks < text.len ? chunks : text.len;
    for (uint64_t i = 0; i < chunks; i++) {
        mock_piece_begin(answer, MOCK_PIECE_CONTENT);
        BENCH_LIT(out, "data: {\"type\":\"transcript.text.delta\",\"delta\":");
        bench_buf_json(out, mock_plan_cut(text, chunks, i));
        BENCH_LIT(out, "}\n\n");
        mock_piece_end(answer, 1, 0);
    }
    mock_piece_begin(answer, MOCK_PIECE_TAIL);
    BENCH_LIT(out, "data: {\"type\":\"transcript.text.done\",\"text\":");
    bench_buf_json(out, text);
    BENCH_LIT(out, ",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\"input_token_details\":"
                   "{\"text_tokens\":0,\"audio_tokens\":14},\"output_tokens\":8,"
                   "\"total_tokens\":22}}\n\n");
    mock_piece_end(answer, 1, 0);
}

static void write_verbose(struct bench_buf *out, struct bench_str text)
{
    BENCH_LIT(out, "{\"task\":\"transcribe\",\"language\":\"english\",\"duration\":1.5,\"text\":");
    bench_buf_json(out, text);
    BENCH_LIT(out, ",\"segments\":[{\"id\":0,\"seek\":0,\"start\":0.0,\"end\":1.5,\"text\":");
    bench_buf_json(out, text);
    BENCH_LIT(out, ",\"tokens\":[1,2,3],\"temperature\":0.0,\"avg_logprob\":-0.2,"
                   "\"compression_ratio\":1.1,\"no_speech_prob\":0.01}],"
                   "\"usage\":{\"type\":\"duration\",\"seconds\":2}}\n");
}

static void answer_text(struct mock_exchange *exchange, struct bench_str text,
                        struct bench_str format)
{
    if (bench_str_eq(format, BENCH_STR("text"))) {
        struct bench_buf *out = mock_answer_begin(exchange, 200, BENCH_STR("text/plain"));
        bench_buf_str(out, text);
        BENCH_LIT(out, "\n");
    } else if (bench_str_eq(format, BENCH_STR("srt"))) {
        struct bench_buf *out = mock_answer_begin(exchange, 200, BENCH_STR("text/plain"));
        BENCH_LIT(out, "1\n00:00:00,000 --> 00:00:01,500\n");
        bench_buf_str(out, text);
        BENCH_LIT(out, "\n\n");
    } else if (bench_str_eq(format, BENCH_STR("vtt"))) {
        struct bench_buf *out = mock_answer_begin(exchange, 200, BENCH_STR("text/plain"));
        BENCH_LIT(out, "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n");
        bench_buf_str(out, text);
        BENCH_LIT(out, "\n\n");
    } else if (bench_str_eq(format, BENCH_STR("verbose_json"))) {
        write_verbose(mock_answer_json(exchange), text);
    } else {
        struct bench_buf *out = mock_answer_json(exchange);
        BENCH_LIT(out, "{\"text\":");
        bench_buf_json(out, text);
        BENCH_LIT(out, ",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,"
                       "\"input_token_details\":{\"text_tokens\":0,\"audio_tokens\":14},"
                       "\"output_tokens\":8,\"total_tokens\":22}}\n");
    }
    mock_answer_end(exchange);
}

void mock_openai_transcription(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    const struct mock_request *request = &exchange->request;
    struct mock_part file;
    if (!mock_multipart_find(request, BENCH_STR("file"), &file) || exchange->model.len == 0) {
        mock_answer_invalid(exchange, "file", "'file' and 'model' are required.");
        return;
    }
    struct bench_buf text = {0};
    make_text(exchange, &file, &text);
    struct bench_str stream = mock_multipart_field(request, BENCH_STR("stream"));
    if (bench_str_ieq(stream, BENCH_STR("true"))) {
        answer_text_events(exchange, bench_buf_view(&text));
    } else {
        answer_text(exchange, bench_buf_view(&text),
                    mock_multipart_field(request, BENCH_STR("response_format")));
    }
    bench_buf_fini(&text);
}
