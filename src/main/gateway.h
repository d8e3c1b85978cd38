/* SPDX-License-Identifier: MIT */
/*
 * main/gateway - the running process: stages of start-up, signals, reload, hand-over, drain.
 *
 * Source:   DESIGN sections 4 and 8
 * Shape:    gw_gateway_run() returns the exit status when the process is to end.
 * Units:    none
 * Limits:   none
 * Memory:   owns everything that runs
 * Threads:  the main thread, which becomes the control thread
 * Errors:   logged; exit status 1
 */
#ifndef GW_MAIN_GATEWAY_H
#define GW_MAIN_GATEWAY_H

struct gw_gateway_opts {
    const char *config_path; /* NULL: look in the usual places, or none */
    char **argv;             /* for a successor */
};

/* Runs the gateway until it is told to stop. */
int gw_gateway_run(const struct gw_gateway_opts *opts);

#endif
