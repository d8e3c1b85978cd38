/* SPDX-License-Identifier: MIT */
/* control/token_source - the life of a fetch, and what all kinds need. */
#include "control/token_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "control/token_source_int.h"

enum gw_err gw_token_fetch_init(struct gw_token_fetch *fetch, const struct gw_token_spec *spec)
{
    *fetch = (struct gw_token_fetch){.spec = spec, .block = gw_try_alloc(GW_TOKEN_ARENA_BYTES)};
    if (fetch->block == NULL) {
        return GW_ERR_NOMEM;
    }
    gw_arena_init(&fetch->arena, fetch->block, GW_TOKEN_ARENA_BYTES, GW_TOKEN_FILE_BYTES,
                  GW_TOKEN_ARENA_BYTES);
    return GW_OK;
}

void gw_token_fetch_fini(struct gw_token_fetch *fetch)
{
    if (fetch->block != NULL) {
        gw_arena_fini(&fetch->arena);
        explicit_bzero(fetch->block, GW_TOKEN_ARENA_BYTES);
        gw_free(fetch->block);
    }
    *fetch = (struct gw_token_fetch){0};
}

enum gw_err gw_token_fail(struct gw_token_fetch *fetch, enum gw_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fetch->why, sizeof(fetch->why), format, args);
    va_end(args);
    return err;
}

/* As much as there is, up to |size|; -1 on failure. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;
    while (len < size && got > 0) {
        got = read(fd, buf + len, size - len);
        len += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? -1 : (ssize_t)len;
}

enum gw_err gw_token_read_file(struct gw_token_fetch *fetch, struct gw_str path,
                               struct gw_str *text)
{
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1) {
        return gw_token_fail(fetch,
                             errno == ENOENT || errno == ENOTDIR ? GW_ERR_NOT_FOUND : GW_ERR_IO,
                             "cannot read " GW_STR_FMT ": %s", GW_STR_ARG(path), strerror(errno));
    }
    struct stat status;
    bool has_size = fstat(fd, &status) == 0 && status.st_size > 0;
    size_t size = has_size && (uint64_t)status.st_size < GW_TOKEN_FILE_BYTES
                      ? (size_t)status.st_size + 1
                      : GW_TOKEN_FILE_BYTES + 1; /* one more than allowed tells too large ones */
    char *buf = gw_arena_try_alloc(&fetch->arena, size);
    ssize_t len = buf == NULL ? -1 : read_all(fd, buf, size);
    int saved = errno;
    (void)close(fd);
    if (buf == NULL) {
        return gw_token_fail(fetch, GW_ERR_NOMEM, "out of memory");
    }
    if (len == -1) {
        return gw_token_fail(fetch, GW_ERR_IO, "cannot read " GW_STR_FMT ": %s", GW_STR_ARG(path),
                             strerror(saved));
    }
    if ((size_t)len > GW_TOKEN_FILE_BYTES) {
        return gw_token_fail(fetch, GW_ERR_TOO_LARGE, GW_STR_FMT " is larger than %u bytes",
                             GW_STR_ARG(path), GW_TOKEN_FILE_BYTES);
    }
    *text = gw_str_trim(gw_str(buf, (size_t)len));
    return GW_OK;
}

void gw_token_add_field(struct gw_token_fetch *fetch, struct gw_str name, struct gw_str value)
{
    struct gw_token_request *request = &fetch->request;
    GW_ASSERT(request->field_count < GW_ARRAY_LEN(request->fields));
    request->fields[request->field_count] =
        (struct gw_header){.name = name, .value = value, .id = GW_HEADER_OTHER};
    request->field_count++;
}

static enum gw_err step(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                        enum gw_token_next *next)
{
    switch (fetch->spec->kind) {
    case GW_TOKEN_GOOGLE:
        return gw_token_step_google(fetch, answer, next);
    case GW_TOKEN_ENTRA:
        return gw_token_step_entra(fetch, answer, next);
    case GW_TOKEN_AWS:
        return gw_token_step_aws(fetch, answer, next);
    case GW_TOKEN_STATIC:
        break;
    }
    return gw_token_fail(fetch, GW_ERR_INVALID, "nothing to fetch");
}

enum gw_err gw_token_step(struct gw_token_fetch *fetch, const struct gw_token_answer *answer,
                          enum gw_token_next *next)
{
    if (fetch->step_count == GW_TOKEN_MAX_STEPS) {
        return gw_token_fail(fetch, GW_ERR_PROTOCOL, "too many requests for one token");
    }
    fetch->step_count++;
    fetch->request = (struct gw_token_request){0};
    fetch->why[0] = '\0';
    enum gw_err err = step(fetch, answer, next);
    if (err != GW_OK && fetch->why[0] == '\0') {
        (void)gw_token_fail(fetch, err, "%s", gw_err_text(err));
    }
    return err;
}
