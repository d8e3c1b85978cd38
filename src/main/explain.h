/* SPDX-License-Identifier: MIT */
/*
 * main/explain - the command `gatewire explain`: what would be sent to a provider for a request,
 * and what of it was mapped, changed, dropped or refused.
 *
 * Source:   none
 * Shape:    reads a request's body from a file, prints the upstream request; calls nobody
 * Units:    bytes
 * Limits:   EXPLAIN_MAX_BYTES
 * Memory:   freed before it returns
 * Threads:  the main thread
 * Errors:   told on standard error
 */
#ifndef GW_MAIN_EXPLAIN_H
#define GW_MAIN_EXPLAIN_H

/* Runs the command with what stands behind its name; returns the process's exit status: 0, 1 when
 * the request is refused, 2 for a wrong command line. */
int gw_explain(int argc, char **argv);

#endif
