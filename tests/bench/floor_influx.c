/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Posts the lines that wait in a queue's directory, as bare as libcurl can: one connection, one
 * request after the other.
 *
 *     floor_influx DIRECTORY URL LINES_A_REQUEST
 *
 * Prints "seconds lines". All is read before the clock runs. Heads of records begin with `#`.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

struct bodies {
    char *bytes;
    size_t len, cap, *ends, count, lines;
};

static size_t drop(char *bytes, size_t size, size_t count, void *nobody)
{
    (void)bytes;
    (void)nobody;
    return size * count;
}

static void body_end(struct bodies *b)
{
    b->ends = realloc(b->ends, (b->count + 1) * sizeof *b->ends);
    if (!b->ends)
        die("out of memory");
    b->ends[b->count++] = b->len;
}

static void line_add(struct bodies *b, const char *line, size_t len, size_t most)
{
    if (b->cap - b->len < len) {
        b->cap = b->cap * 2 + len;
        b->bytes = realloc(b->bytes, b->cap);
        if (!b->bytes)
            die("out of memory");
    }
    memcpy(b->bytes + b->len, line, len);
    b->len += len;
    if (++b->lines % most == 0)
        body_end(b);
}

static void file_read(struct bodies *b, const char *directory, const char *name, size_t most)
{
    char path[4096], *line = NULL;
    size_t cap = 0;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    if (!file)
        die("%s: %s", path, strerror(errno));
    for (ssize_t len; (len = getline(&line, &cap, file)) > 0;)
        if (line[0] != '#' && line[0] != '\n')
            line_add(b, line, (size_t)len, most);
    free(line);
    fclose(file);
}

static int is_segment(const struct dirent *e)
{
    return e->d_name[0] != '.' && strstr(e->d_name, ".log");
}

static void post(CURL *curl, const char *bytes, size_t len)
{
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, bytes);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 204)
        die("InfluxDB: %s, status %ld", curl_easy_strerror(code), status);
}

int main(int argc, char **argv)
{
    struct bodies b = {0};
    struct dirent **files;
    if (argc != 4)
        die("usage: floor_influx DIRECTORY URL LINES_A_REQUEST");
    size_t most = (size_t)number_argument(argv[3], "lines", 1000000);
    int count = scandir(argv[1], &files, is_segment, alphasort);
    for (int i = 0; i < count; i++) {
        file_read(&b, argv[1], files[i]->d_name, most);
        free(files[i]);
    }
    if (!b.lines || !most)
        die("nothing waits in %s", argv[1]);
    free(files);
    if (b.lines % most)
        body_end(&b);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    if (!curl || !headers)
        die("out of memory");
    curl_easy_setopt(curl, CURLOPT_URL, argv[2]);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    double began = clock_seconds();
    for (size_t i = 0, at = 0; i < b.count; at = b.ends[i++])
        post(curl, b.bytes + at, b.ends[i] - at);
    printf("%.6g %zu\n", clock_seconds() - began, b.lines);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(b.bytes);
    free(b.ends);
    return 0;
}
