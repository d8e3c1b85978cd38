/* SPDX-License-Identifier: MIT */
/* fuzz/replay_main - runs one fuzzer over every file of the folders given, without libFuzzer. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_target.h"

#define MAX_INPUT_BYTES                                                                            \
    (16u << 20) /* corpora are small; this only keeps a wrong path from eating the machine */

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    uint8_t *block = malloc(MAX_INPUT_BYTES);
    size_t size = block == NULL ? 0 : fread(block, 1, MAX_INPUT_BYTES, file);
    int result = block == NULL || ferror(file) != 0 ? -1 : 0;
    fclose(file);
    if (result == 0) {
        /* The block of exactly this size, so that sanitizers see a read beyond it. */
        uint8_t *exact = realloc(block, size > 0 ? size : 1);
        block = exact != NULL ? exact : block;
        (void)LLVMFuzzerTestOneInput(block, size);
    }
    free(block);
    return result;
}

static int run_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    int runs = 0;
    int result = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++) {
        if (result == 0 && entries[i]->d_name[0] != '.') {
            char path[PATH_MAX];
            snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
            result = run_file(path);
            runs++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%s: %d inputs\n", folder, runs);
    return result == 0 && runs > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    int result = argc > 1 ? 0 : -1;
    for (int i = 1; i < argc && result == 0; i++) {
        result = run_folder(argv[i]);
    }
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
