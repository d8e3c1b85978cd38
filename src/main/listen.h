/* SPDX-License-Identifier: MIT */
/*
 * main/listen - the process's listening sockets: opened, or inherited from the process it replaces.
 *
 * Source:   socket(7) SO_REUSEPORT; nginx's on-the-fly upgrade for the idea of inheriting sockets
 *           over exec.
 * Shape:    one API socket per worker on one port, one admin socket, one metrics socket. A
 *           successor gets all of them as descriptors 3, 4, ... named by the environment variable
 *           GATEWIRE_SOCKETS ("api=3,4;admin=5;metrics=6").
 * Units:    none
 * Limits:   GW_LISTEN_MAX_API sockets
 * Memory:   a plain struct; descriptors are owned until they are handed on
 * Threads:  the control thread
 * Errors:   with a text for people
 */
#ifndef GW_MAIN_LISTEN_H
#define GW_MAIN_LISTEN_H

#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "config/snapshot.h"
#include "net/address.h"

#define GW_LISTEN_MAX_API 256 /* as many as workers may be */

#define GW_LISTEN_ENV "GATEWIRE_SOCKETS"

struct gw_listen_set {
    int api[GW_LISTEN_MAX_API];
    size_t api_count;
    int admin;   /* -1: none */
    int metrics; /* -1: none */
    struct gw_address api_address;
    struct gw_address admin_address;
    struct gw_address metrics_address;
};

/*
 * Opens what |settings| asks for, using inherited sockets whose address fits and closing the
 * others. On failure everything is closed and *message (in |arena|) says what cannot be opened and
 * what to do.
 *
 * Errors: GW_ERR_EXISTS (a port is in use), GW_ERR_IO, GW_ERR_INVALID (no such address).
 */
GW_MUST_USE enum gw_err gw_listen_open(const struct gw_listen_settings *settings,
                                       struct gw_arena *arena, struct gw_listen_set *set,
                                       struct gw_str *message);

/* Closes all that is still open. */
void gw_listen_close(struct gw_listen_set *set);

#endif
