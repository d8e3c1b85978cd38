/* SPDX-License-Identifier: MIT */
/* main/banner - plain lines; no colours, because logs keep them. */
#include "main/banner.h"

#include <stdio.h>

#include "gw_version.h"

/* "0.0.0.0:8080" is where we listen, "127.0.0.1:8080" is what a person can type. */
static void typeable(const struct gw_address *address, char out[GW_ADDRESS_TEXT_BYTES])
{
    struct gw_address shown = *address;
    bool is_any_v4 =
        address->u.any.sa_family == AF_INET && address->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
    bool is_any_v6 =
        address->u.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->u.v6.sin6_addr);
    if (is_any_v4 || is_any_v6) {
        gw_err_ignore(gw_address_from_literal(GW_STR("127.0.0.1"), gw_address_port(address),
                                              &shown)); /* is a literal */
    }
    gw_address_format(&shown, out);
}

static void print_addresses(const struct gw_snapshot *snapshot, const struct gw_listen_set *set)
{
    char text[GW_ADDRESS_TEXT_BYTES];
    gw_address_format(&set->api_address, text);
    fprintf(stderr, "  API      %s://%s/v1\n", snapshot->tls != NULL ? "https" : "http", text);
    if (set->admin != -1) {
        gw_address_format(&set->admin_address, text);
        fprintf(stderr, "  admin    http://%s\n", text);
    }
    if (set->metrics != -1) {
        gw_address_format(&set->metrics_address, text);
        fprintf(stderr, "  metrics  http://%s/metrics\n", text);
    }
}

static void print_models(const struct gw_snapshot *snapshot)
{
    size_t count = gw_catalog_group_count(snapshot->catalog);
    fprintf(stderr, "  models   ");
    for (size_t i = 0; i < count && i < GW_BANNER_MODELS; i++) {
        struct gw_str name = gw_catalog_group(snapshot->catalog, i)->name;
        fprintf(stderr, "%s" GW_STR_FMT, i > 0 ? ", " : "", GW_STR_ARG(name));
    }
    if (count > GW_BANNER_MODELS) {
        fprintf(stderr, " and %zu more", count - GW_BANNER_MODELS);
    }
    fprintf(stderr, "\n");
    for (size_t i = 0; i < snapshot->found_count; i++) {
        fprintf(stderr, "  found    " GW_STR_FMT "\n", GW_STR_ARG(snapshot->found[i]));
    }
}

static void print_curl(const struct gw_snapshot *snapshot, const struct gw_listen_set *set)
{
    char address[GW_ADDRESS_TEXT_BYTES];
    typeable(&set->api_address, address);
    fprintf(
        stderr,
        "\nTry it:\n  curl %s%s://%s/v1/chat/completions%s -H 'Content-Type: application/json' \\\n"
        "    -d "
        "'{\"model\":\"gatewire/"
        "demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'\n\n",
        snapshot->tls != NULL ? "-k " : "", snapshot->tls != NULL ? "https" : "http", address,
        snapshot->access.is_open ? "" : " -H \"Authorization: Bearer $API_KEY\"");
}

void gw_banner_print(const struct gw_snapshot *snapshot, const struct gw_listen_set *set)
{
    fprintf(stderr, "\ngatewire %s, %u worker%s\n", GW_VERSION, snapshot->listen.workers,
            snapshot->listen.workers == 1 ? "" : "s");
    print_addresses(snapshot, set);
    print_models(snapshot);
    fprintf(stderr,
            snapshot->access.is_open
                ? "  access   OPEN: any or no key is accepted. Set API_KEY to close the gateway.\n"
                : "  access   closed: clients must send the key.\n");
    print_curl(snapshot, set);
}
