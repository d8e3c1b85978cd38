/* SPDX-License-Identifier: MIT */
/*
 * main/notify - tells systemd how the service fares (Type=notify).
 *
 * Source:   sd_notify(3): datagrams to the Unix socket named by NOTIFY_SOCKET
 * Shape:    one call, one datagram; nothing happens where NOTIFY_SOCKET is not set
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  the control thread
 * Errors:   ignored: a missing supervisor is no reason not to serve
 */
#ifndef GW_MAIN_NOTIFY_H
#define GW_MAIN_NOTIFY_H

/* Sends |state|: "READY=1", "STOPPING=1", "MAINPID=123\nREADY=1", ... */
void gw_notify(const char *state);

#endif
