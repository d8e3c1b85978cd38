/* SPDX-License-Identifier: MIT */
/* main/main - the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "config/config.h"
#include "gw_version.h"
#include "main/explain.h"
#include "main/gateway.h"

#define IMPORT_MAX_BYTES (32u * 1024 * 1024) /* twice the largest file that is read */

static const char help_text[] =
    "gatewire " GW_VERSION " - an LLM gateway\n"
    "\n"
    "Usage:\n"
    "  gatewire [--config FILE]           run the gateway\n"
    "  gatewire check [FILE]              check a configuration; all errors at once, exit status 1 "
    "if any\n"
    "  gatewire import FILE               turn a LiteLLM config.yaml into ours; findings go to "
    "standard error\n"
    "  gatewire schema                    print the JSON Schema of the configuration file\n"
    "  gatewire explain [OPTIONS] FILE    print what a provider would be sent for a request, and "
    "what was\n"
    "                                     mapped, dropped or refused; 'gatewire explain' lists "
    "the options\n"
    "\n"
    "Options:\n"
    "  -c, --config FILE   configuration; without it ./gatewire.yaml, ./config.yaml and\n"
    "                      /etc/gatewire/config.yaml are looked for, and none is fine\n"
    "  -h, --help          print this\n"
    "  -V, --version       print the version\n"
    "\n"
    "Environment (and the file .env): OPENAI_API_KEY and the like turn providers on, API_KEY "
    "closes the gateway,\n"
    "PORT, ADMIN_PORT and METRICS_PORT choose the ports (8080, 8081, 9090). docs/configuration.md "
    "lists all.\n"
    "\n"
    "Signals: HUP reloads the configuration, USR1 reopens the access log, USR2 hands over to a new "
    "process,\n"
    "TERM and INT finish what runs and stop.\n";

static int usage_error(const char *what, const char *which)
{
    fprintf(stderr, "gatewire: %s%s\nTry 'gatewire --help'.\n", what, which);
    return 2;
}

static void print_issues(const char *path, const struct gw_config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct gw_config_issue *issue = &report->issues[i];
        struct gw_str file = issue->file.len > 0 ? issue->file : gw_str_from_c(path);
        printf(GW_STR_FMT ":%u: %s: " GW_STR_FMT "%s" GW_STR_FMT "\n", GW_STR_ARG(file),
               issue->line, issue->is_error ? "error" : "warning", GW_STR_ARG(issue->key_path),
               issue->key_path.len > 0 ? ": " : "", GW_STR_ARG(issue->message));
    }
}

static int command_check(const char *path)
{
    struct gw_config_source source = {.path = path};
    struct gw_config_report report = {0};
    struct gw_snapshot *snapshot = NULL;
    enum gw_err err = gw_config_load(&source, &snapshot, &report);
    print_issues(path != NULL ? path : "configuration", &report);
    if (err == GW_OK) {
        printf("%s: ok, %zu model groups, %zu warnings\n", path != NULL ? path : "configuration",
               gw_catalog_group_count(snapshot->catalog), report.count);
    } else {
        printf("%s: %zu errors\n", path != NULL ? path : "configuration", report.error_count);
    }
    gw_snapshot_release(&snapshot);
    gw_config_report_fini(&report);
    return err == GW_OK ? 0 : 1;
}

static int command_import(const char *path)
{
    struct gw_buf out;
    struct gw_buf findings;
    gw_buf_init(&out, IMPORT_MAX_BYTES);
    gw_buf_init(&findings, IMPORT_MAX_BYTES);
    enum gw_err err = gw_config_import(path, &out, &findings);
    fwrite(findings.ptr, 1, findings.len, stderr);
    if (err == GW_OK) {
        fwrite(out.ptr, 1, out.len, stdout);
    } else {
        fprintf(stderr, "gatewire: cannot import %s: %s\n", path, gw_err_text(err));
    }
    gw_buf_fini(&out);
    gw_buf_fini(&findings);
    return err == GW_OK ? 0 : 1;
}

static int command_schema(void)
{
    struct gw_str schema = gw_config_schema_text();
    fwrite(schema.ptr, 1, schema.len, stdout);
    return 0;
}

static int run_command(int argc, char **argv, const char *config_path, char **all_argv)
{
    struct gw_gateway_opts opts = {.config_path = config_path, .argv = all_argv};
    const char *command = argc > 0 ? argv[0] : "run";
    const char *operand = argc > 1 ? argv[1] : NULL;
    if (argc > 2) {
        return usage_error("too many arguments: ", argv[2]);
    }
    if (strcmp(command, "run") == 0 || strcmp(command, "serve") == 0) {
        return operand != NULL ? usage_error("unexpected argument: ", operand)
                               : gw_gateway_run(&opts);
    }
    if (strcmp(command, "check") == 0) {
        return command_check(operand != NULL ? operand : config_path);
    }
    if (strcmp(command, "import") == 0) {
        return operand == NULL ? usage_error("import wants a file", "") : command_import(operand);
    }
    if (strcmp(command, "schema") == 0) {
        return command_schema();
    }
    return usage_error("unknown command: ", command);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    const char *config_path = NULL;
    int option = 0;
    if (argc > 1 && strcmp(argv[1], "explain") == 0) { /* it has options of its own */
        return gw_explain(argc - 1, argv + 1);
    }
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config_path = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return 0;
        case 'V':
            puts("gatewire " GW_VERSION);
            return 0;
        default: /* getopt said what is wrong */
            fputs("Try 'gatewire --help'.\n", stderr);
            return 2;
        }
    }
    return run_command(argc - optind, argv + optind, config_path, argv);
}
