/* SPDX-License-Identifier: Apache-2.0 */
/* Redis addresses: what is refused has a reason; where an accepted one leads, written as an address
 * again, leads to the same place. */
#include <stdlib.h>

#include "redis_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

/* Names may hold what an address writes in another way. */
static bool is_plain(const struct redis_url *url)
{
    return url->host ? !strpbrk(url->host, "%#@?/\\") : !strpbrk(url->path, "%#@?\\");
}

static void check_shown(const struct redis_url *url)
{
    struct ov_buf shown = {0}, why = {0};
    struct redis_url again;
    ov_buf_str(&shown, url->scheme == REDIS_UNIX ? "unix://" : "redis://");
    redis_url_place(url, &shown);
    if (is_plain(url)) {
        if (redis_url_parse(ov_buf_text(&shown), &again, &why))
            require(again.port == url->port && !again.user.len && !again.password.len);
        redis_url_free(&again);
    }
    ov_buf_free(&shown);
    ov_buf_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = ov_memdup(data, size);
    struct redis_url url;
    struct ov_buf why = {0};
    if (redis_url_parse(text, &url, &why))
        check_shown(&url);
    else
        require(why.len > 0);
    redis_url_free(&url);
    ov_buf_free(&why);
    free(text);
    return 0;
}
