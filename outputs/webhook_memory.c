/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of chains, whose entries are also in one list by age. `lock` covers everything. */
#include <pthread.h>
#include <stdlib.h>

#include "webhook_memory.h"

enum { BUCKETS = 4096 };

struct entry {
    struct entry *chain;         /* the next in its bucket */
    struct entry *older, *newer; /* in the list by age */
    uint64_t hash;
    char *word;
    size_t word_len, len;
    char alert[];
};

struct memory {
    pthread_mutex_t lock;
    uint64_t seed; /* chains cannot be aimed at */
    size_t count;
    struct entry *oldest, *last;
    struct entry *buckets[BUCKETS];
};

struct memory *memory_new(void)
{
    struct memory *m = ov_calloc(1, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->seed = (uint64_t)ov_wall_ns() ^ (uint64_t)(uintptr_t)m << 16;
    return m;
}

static uint64_t hash_of(const struct memory *m, struct ov_slice alert)
{
    uint64_t hash = m->seed;
    for (size_t i = 0; i < alert.len; i++) {
        hash = (hash ^ (unsigned char)alert.ptr[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* The place that points to the alert's entry, or to NULL. */
static struct entry **find(struct memory *m, struct ov_slice alert, uint64_t hash)
{
    struct entry **at = &m->buckets[hash % BUCKETS];
    while (*at && !((*at)->hash == hash &&
                    ov_slice_eq((struct ov_slice){(*at)->alert, (*at)->len}, alert)))
        at = &(*at)->chain;
    return at;
}

static bool holds(const struct entry *e, struct ov_slice word)
{
    return ov_slice_eq((struct ov_slice){e->word, e->word_len}, word);
}

static void entry_remove(struct memory *m, struct entry **at)
{
    struct entry *e = *at;
    *at = e->chain;
    if (e->older)
        e->older->newer = e->newer;
    else
        m->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        m->last = e->older;
    m->count--;
    free(e->word);
    free(e);
}

static void entry_add(struct memory *m, struct ov_slice alert, uint64_t hash,
                      struct ov_slice word)
{
    struct entry *e = ov_malloc(sizeof *e + alert.len), **bucket = &m->buckets[hash % BUCKETS];
    *e = (struct entry){.chain = *bucket, .older = m->last, .hash = hash, .len = alert.len,
                        .word = ov_memdup(word.ptr, word.len),
                        .word_len = word.len};
    if (alert.len)
        memcpy(e->alert, alert.ptr, alert.len);
    *bucket = e;
    if (m->last)
        m->last->newer = e;
    else
        m->oldest = e;
    m->last = e;
    m->count++;
}

void memory_note(struct memory *m, struct ov_slice alert, struct ov_slice word)
{
    uint64_t hash = hash_of(m, alert);
    pthread_mutex_lock(&m->lock);
    struct entry **at = find(m, alert, hash);
    if (*at)
        entry_remove(m, at);
    entry_add(m, alert, hash, word);
    if (m->count > MEMORY_MAX) {
        struct entry *e = m->oldest;
        entry_remove(m, find(m, (struct ov_slice){e->alert, e->len}, e->hash));
    }
    pthread_mutex_unlock(&m->lock);
}

enum memory_answer memory_ask(struct memory *m, struct ov_slice alert, struct ov_slice word)
{
    pthread_mutex_lock(&m->lock);
    struct entry **at = find(m, alert, hash_of(m, alert));
    enum memory_answer answer = !*at ? MEMORY_NONE : holds(*at, word) ? MEMORY_SAME : MEMORY_OTHER;
    pthread_mutex_unlock(&m->lock);
    return answer;
}

void memory_forget(struct memory *m, struct ov_slice alert, struct ov_slice word)
{
    pthread_mutex_lock(&m->lock);
    struct entry **at = find(m, alert, hash_of(m, alert));
    if (*at && holds(*at, word))
        entry_remove(m, at);
    pthread_mutex_unlock(&m->lock);
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    while (m->oldest) {
        struct entry *e = m->oldest;
        entry_remove(m, find(m, (struct ov_slice){e->alert, e->len}, e->hash));
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}
