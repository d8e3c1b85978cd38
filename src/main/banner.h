/* SPDX-License-Identifier: MIT */
/*
 * main/banner - what a person reads at start: addresses, what was found, open or closed, a line to
 * paste.
 *
 * Source:   none
 * Shape:    one call, to standard error
 * Units:    none
 * Limits:   at most GW_BANNER_MODELS model names
 * Memory:   none
 * Threads:  the control thread
 * Errors:   none
 */
#ifndef GW_MAIN_BANNER_H
#define GW_MAIN_BANNER_H

#include "config/snapshot.h"
#include "main/listen.h"

#define GW_BANNER_MODELS 8 /* fits one screen */

/* Prints the banner. */
void gw_banner_print(const struct gw_snapshot *snapshot, const struct gw_listen_set *set);

#endif
