/* SPDX-License-Identifier: MIT */
/*
 * base/crc32 - the CRC-32 of zlib, Ethernet and AWS event streams.
 *
 * Source:   ISO-HDLC CRC-32: polynomial 0x04c11db7 reflected, initial value and final xor all ones.
 * Shape:    a pure function that goes on from the value of the bytes before
 * Units:    none
 * Limits:   none
 * Memory:   allocates nothing
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_BASE_CRC32_H
#define GW_BASE_CRC32_H

#include <stdint.h>

#include "base/str.h"

/* The CRC of what |crc| covers followed by |bytes|; |crc| is 0 before the first byte. */
uint32_t gw_crc32(uint32_t crc, struct gw_str bytes);

#endif
