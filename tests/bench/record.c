/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the commands of one gather of a running agent to a file, as they went over the wire, for
 * floor_gather to send again. They are seen with MONITOR; a pause of PAUSE_MS parts one gather
 * from the next. What other clients send is left out.
 *
 *     record PORT FILE
 *
 * A line of MONITOR is: +1700000000.123456 [0 127.0.0.1:12345] "XLEN" "a\x00b"
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { PAUSE_MS = 150, LONGEST_WAIT_MS = 30000, WORDS_MAX = 4096 };

struct word {
    char *bytes;
    size_t len;
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* What follows a backslash; moves *at behind it. */
static char unescape(char **at)
{
    static const char from[] = "nrtab", to[] = "\n\r\t\a\b";
    char c = *(*at)++;
    if (c == 'x' && (*at)[0] && (*at)[1]) {
        c = (char)(hex_digit((*at)[0]) << 4 | hex_digit((*at)[1]));
        *at += 2;
        return c;
    }
    const char *found = c ? strchr(from, c) : NULL;
    return found ? to[found - from] : c;
}

/* Decodes the quoted word that begins at *at, in place. */
static struct word take_word(char **at)
{
    char *in = *at + 1, *out = in;
    struct word word = {in, 0};
    while (*in && *in != '"') {
        char c = *in++;
        *out++ = c == '\\' ? unescape(&in) : c;
    }
    word.len = (size_t)(out - word.bytes);
    *at = *in ? in + 1 : in;
    return word;
}

static void write_command(FILE *file, char *line)
{
    struct word words[WORDS_MAX];
    size_t count = 0;
    char *at = strchr(line, ']');
    while (at && (at = strchr(at, '"')) && count < WORDS_MAX)
        words[count++] = take_word(&at);
    if (count == 0)
        die("not a line of MONITOR: %s", line);
    fprintf(file, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "$%zu\r\n", words[i].len);
        fwrite(words[i].bytes, 1, words[i].len, file);
        fputs("\r\n", file);
    }
}

/* The address of the agent's connection as it stands in a line of MONITOR. */
static void find_agent(redisContext *redis, char address[80])
{
    redisReply *list = redisCommand(redis, "CLIENT LIST");
    if (!list || list->type != REDIS_REPLY_STRING)
        die("no list of clients");
    for (char *line = strtok(list->str, "\n"); line; line = strtok(NULL, "\n")) {
        char *found = strstr(line, " addr=");
        if (found && strstr(line, " name=omnivigil ")) {
            snprintf(address, 80, " %.*s]", (int)strcspn(found + 6, " "), found + 6);
            freeReplyObject(list);
            return;
        }
    }
    die("no agent is connected");
}

/* The agent's next line, or NULL when there is none for `wait_ms`. */
static redisReply *next_line(redisContext *redis, const char *address, int wait_ms)
{
    double until = clock_seconds() + wait_ms / 1e3, left;
    struct pollfd readable = {.fd = redis->fd, .events = POLLIN};
    for (;;) {
        void *reply = NULL;
        if (redisGetReplyFromReader(redis, &reply) != REDIS_OK)
            die("Redis is gone: %s", redis->errstr);
        if (reply && strstr(((redisReply *)reply)->str, address))
            return reply;
        if (reply) {
            freeReplyObject(reply);
            continue;
        }
        left = until - clock_seconds();
        if (left <= 0 || poll(&readable, 1, (int)(left * 1e3) + 1) != 1)
            return NULL;
        if (redisBufferRead(redis) != REDIS_OK)
            die("Redis is gone: %s", redis->errstr);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: record PORT FILE");
    char address[80];
    FILE *file = fopen(argv[2], "wb");
    redisContext *redis = redis_dial(number_argument(argv[1], "port", 65535));
    redisReply *line;
    if (!file)
        die("cannot write %s", argv[2]);
    find_agent(redis, address);
    freeReplyObject(redisCommand(redis, "MONITOR"));
    while ((line = next_line(redis, address, PAUSE_MS))) /* the rest of a gather under way */
        freeReplyObject(line);
    if (!(line = next_line(redis, address, LONGEST_WAIT_MS)))
        die("the agent sends nothing");
    do {
        write_command(file, line->str);
        freeReplyObject(line);
    } while ((line = next_line(redis, address, PAUSE_MS)));
    redisFree(redis);
    if (ferror(file) | fclose(file))
        die("cannot write %s", argv[2]);
    return 0;
}
