/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_parts_int - what stands in a message: text, or parts. Only the encoder of
 * messages includes this.
 *
 * Source:   shared/providers/openai.md section 2; the vendors' differences: openai_quirks.h
 * Shape:    parts that are all text become one text where a vendor (or its models' templates) may
 *           not know lists.
 * Units:    none
 * Limits:   the buffer's
 * Memory:   none
 * Threads:  any
 * Errors:   GW_ERR_INVALID (through notes): a part that the vendor cannot take
 */
#ifndef GW_PROVIDER_OPENAI_PARTS_INT_H
#define GW_PROVIDER_OPENAI_PARTS_INT_H

#include "llm/chat.h"
#include "provider/openai_encode.h"

/* Appends the content of a message. */
GW_MUST_USE enum gw_err gw_openai_write_content(struct gw_openai_encoding *encoding,
                                                yyjson_val *content, enum gw_role role);

/* Appends a tool's result as one text, images left out. */
void gw_openai_write_result(struct gw_openai_encoding *encoding, yyjson_val *content,
                            bool is_error);

/* Appends the images of a result to the message of the user that follows the results; the first
 * one opens it. *count counts them. */
GW_MUST_USE enum gw_err gw_openai_write_result_images(struct gw_openai_encoding *encoding,
                                                      yyjson_val *content, unsigned *count);

#endif
