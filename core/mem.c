/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that does not fail: when memory is gone the process says so and ends, so that its
 * supervisor starts it again from the state on disk. */
#include <stdio.h>
#include <stdlib.h>

#include "omnivigil.h"

static void *checked(void *memory, size_t size)
{
    if (!memory) {
        fprintf(stderr, "omnivigil: out of memory (asked for %zu bytes)\n", size);
        abort();
    }
    return memory;
}

void *ov_malloc(size_t size)
{
    return checked(malloc(size ? size : 1), size);
}

void *ov_calloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1), size);
}

void *ov_realloc(void *old, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return checked(NULL, SIZE_MAX);
    return checked(realloc(old, total ? total : 1), total);
}

char *ov_strdup(const char *text)
{
    return ov_memdup(text, strlen(text));
}

char *ov_memdup(const void *bytes, size_t len)
{
    char *copy = ov_malloc(len + 1);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
