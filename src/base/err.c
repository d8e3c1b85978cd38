/* SPDX-License-Identifier: MIT */
/* base/err - texts and names made from the one list in the header. */
#include "base/err.h"

#include <errno.h>

const char *gw_err_text(enum gw_err err)
{
    switch (err) {
    case GW_OK:
        return "ok";
#define XX(name, value, text)                                                                      \
    case GW_ERR_##name:                                                                            \
        return text;
        GW_ERR_MAP(XX)
#undef XX
    }
    return "unknown error";
}

const char *gw_err_name(enum gw_err err)
{
    switch (err) {
    case GW_OK:
        return "OK";
#define XX(name, value, text)                                                                      \
    case GW_ERR_##name:                                                                            \
        return #name;
        GW_ERR_MAP(XX)
#undef XX
    }
    return "UNKNOWN";
}

enum gw_err gw_err_from_errno(int errno_value)
{
    switch (errno_value) {
    case 0:
        return GW_OK;
    case EAGAIN:
    case EINPROGRESS:
    case EINTR:
        return GW_ERR_AGAIN;
    case ECONNREFUSED:
    case ENOENT: /* a Unix socket whose file is gone */
        return GW_ERR_REFUSED;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
        return GW_ERR_RESET;
    case ETIMEDOUT:
        return GW_ERR_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case ENETDOWN:
        return GW_ERR_UNREACHABLE;
    case ENOMEM:
    case ENOBUFS:
        return GW_ERR_NOMEM;
    case EEXIST:
    case EADDRINUSE:
        return GW_ERR_EXISTS;
    default:
        return GW_ERR_IO;
    }
}
