/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns over names that are bytes. A `*` is retried only from its last place, so the work is
 * bounded by the product of the lengths. */
#include "omnivigil.h"

/* Matches the set that begins after its `[` at p[*i]; moves *i past its `]`. A `[` without an end
 * stands for itself. */
static bool set_matches(struct ov_slice p, size_t *i, unsigned char c)
{
    size_t at = *i;
    bool inverted = at < p.len && (p.ptr[at] == '!' || p.ptr[at] == '^');
    bool found = false;
    if (inverted)
        at++;
    for (size_t first = at; at < p.len; at++) {
        if (p.ptr[at] == ']' && at > first) {
            *i = at + 1;
            return found != inverted;
        }
        if (p.ptr[at] == '\\' && at + 1 < p.len)
            at++;
        unsigned char low = (unsigned char)p.ptr[at], high = low;
        if (at + 2 < p.len && p.ptr[at + 1] == '-' && p.ptr[at + 2] != ']') {
            at += 2;
            if (p.ptr[at] == '\\' && at + 1 < p.len)
                at++;
            high = (unsigned char)p.ptr[at];
        }
        if (low <= c && c <= high)
            found = true;
    }
    return c == '[';
}

bool ov_glob(struct ov_slice pattern, struct ov_slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;
    size_t plain = SIZE_MAX; /* from here on a `[` has no end: not looked for again */
    while (t < text.len) {
        bool same = false;
        size_t next = p + 1;
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            retry = t;
            continue;
        }
        if (p < pattern.len) {
            char c = pattern.ptr[p];
            if (c == '?') {
                same = true;
            } else if (c == '[' && p < plain) {
                same = set_matches(pattern, &next, (unsigned char)text.ptr[t]);
                if (next == p + 1)
                    plain = p;
            } else {
                if (c == '\\' && p + 1 < pattern.len)
                    c = pattern.ptr[next++];
                same = c == text.ptr[t];
            }
        }
        if (same) {
            p = next;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}
