/* SPDX-License-Identifier: MIT */
/* base/digest - see the header. */
#include "base/digest.h"

#include <openssl/evp.h>

enum gw_err gw_digest(struct gw_str text, char *out)
{
    unsigned len = 0;
    bool is_fine =
        EVP_Digest(text.ptr, text.len, (unsigned char *)out, &len, EVP_sha256(), NULL) == 1;
    return is_fine && len == GW_DIGEST_BYTES ? GW_OK : GW_ERR_NOMEM;
}
