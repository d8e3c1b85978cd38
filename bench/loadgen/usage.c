/* SPDX-License-Identifier: MIT */
/* Reads /proc. */
#include "loadgen/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

static size_t read_file(const char *path, char *to, size_t cap)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    size_t n = fread(to, 1, cap, file);
    fclose(file);
    return n;
}

static uint64_t first_number(const char *text, size_t len)
{
    uint64_t n = 0;
    size_t i = 0;
    while (i < len && (text[i] < '0' || text[i] > '9')) {
        i++;
    }
    while (i < len && text[i] >= '0' && text[i] <= '9') {
        n = n * 10 + (uint64_t)(text[i++] - '0');
    }
    return n;
}

static uint64_t cpu_ns_of(int pid)
{
    char path[320];
    char text[128];
    uint64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) {
        return 0;
    }
    for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
        if (task->d_name[0] != '.') {
            snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, task->d_name);
            sum += first_number(text, read_file(path, text, sizeof(text)));
        }
    }
    closedir(tasks);
    return sum;
}

static uint64_t rss_bytes_of(int pid)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    size_t len = read_file(path, text, sizeof(text) - 1);
    text[len] = '\0';
    const char *line = strstr(text, "VmRSS:");
    return line == NULL ? 0 : first_number(line, strlen(line)) * 1024;
}

struct load_usage load_usage_read(const int *pids, size_t count)
{
    struct load_usage usage = {0};
    for (size_t i = 0; i < count; i++) {
        usage.cpu_ns += cpu_ns_of(pids[i]);
        usage.rss_bytes += rss_bytes_of(pids[i]);
    }
    return usage;
}
