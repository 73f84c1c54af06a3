/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, taken apart and put together by libcurl's own parser, so that what is checked is
 * what is requested. */
#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#include "url.h"

/* A copy of one part, NULL when there is none or it cannot be decoded. */
static char *part(CURLU *handle, CURLUPart what, unsigned int flags)
{
    char *text, *copy = NULL;
    if (curl_url_get(handle, what, &text, flags) == CURLUE_OK) {
        copy = ov_strdup(text);
        curl_free(text);
    }
    return copy;
}

static bool part_is_bad(CURLU *handle, CURLUPart what)
{
    char *encoded = part(handle, what, 0);
    char *decoded = part(handle, what, CURLU_URLDECODE);
    bool bad = encoded && !decoded;
    free(encoded);
    free(decoded);
    return bad;
}

static const char *refusal(CURLU *handle, const char *text)
{
    if (curl_url_set(handle, CURLUPART_URL, text, 0) != CURLUE_OK)
        return "is not a URL such as http://127.0.0.1:8086";
    char *scheme = part(handle, CURLUPART_SCHEME, 0);
    bool http = scheme && (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);
    free(scheme);
    if (!http)
        return "must begin with http:// or https://";
    if (part_is_bad(handle, CURLUPART_USER) || part_is_bad(handle, CURLUPART_PASSWORD))
        return "holds a name or password with control characters";
    return NULL;
}

const char *url_refusal(const char *text)
{
    CURLU *handle = curl_url();
    const char *why = handle ? refusal(handle, text) : "cannot be checked: out of memory";
    curl_url_cleanup(handle);
    return why;
}

static bool path_append(CURLU *handle, const char *path)
{
    struct ov_buf whole = {0};
    char *own = part(handle, CURLUPART_PATH, 0);
    size_t len = own ? strlen(own) : 0;
    while (len && own[len - 1] == '/')
        len--;
    ov_buf_add(&whole, own, len);
    ov_buf_str(&whole, path);
    bool ok = curl_url_set(handle, CURLUPART_PATH, ov_buf_text(&whole), 0) == CURLUE_OK;
    ov_buf_free(&whole);
    free(own);
    return ok;
}

static bool query_append(CURLU *handle, const struct ov_tag *pair)
{
    struct ov_buf text = {0};
    ov_buf_printf(&text, "%s=", pair->name);
    ov_buf_slice(&text, pair->value);
    bool ok = curl_url_set(handle, CURLUPART_QUERY, ov_buf_text(&text),
                           CURLU_APPENDQUERY | CURLU_URLENCODE) == CURLUE_OK;
    ov_buf_free(&text);
    return ok;
}

static void drop(CURLU *handle, const CURLUPart *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        curl_url_set(handle, parts[i], NULL, 0);
}

static bool make(CURLU *handle, struct url *url, const char *base, const char *path,
                 const struct ov_tag *query, size_t count)
{
    if (refusal(handle, base))
        return false;
    url->user = part(handle, CURLUPART_USER, CURLU_URLDECODE);
    url->password = part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
    static const CURLUPart dropped[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                        CURLUPART_FRAGMENT};
    drop(handle, dropped, OV_COUNT(dropped));
    if (!path_append(handle, path))
        return false;
    url->shown = part(handle, CURLUPART_URL, 0);
    for (size_t i = 0; i < count; i++)
        if (!query_append(handle, &query[i]))
            return false;
    url->target = part(handle, CURLUPART_URL, 0);
    return url->shown && url->target;
}

bool url_make(struct url *url, const char *base, const char *path, const struct ov_tag *query,
              size_t count)
{
    *url = (struct url){0};
    CURLU *handle = curl_url();
    bool ok = handle && make(handle, url, base, path, query, count);
    curl_url_cleanup(handle);
    if (!ok)
        url_free(url);
    return ok;
}

static bool keep(CURLU *handle, struct url *url, const char *text)
{
    static const CURLUPart apart[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT};
    static const CURLUPart hidden[] = {CURLUPART_PATH, CURLUPART_QUERY};
    if (refusal(handle, text))
        return false;
    url->user = part(handle, CURLUPART_USER, CURLU_URLDECODE);
    url->password = part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
    drop(handle, apart, OV_COUNT(apart));
    url->target = part(handle, CURLUPART_URL, 0);
    drop(handle, hidden, OV_COUNT(hidden));
    url->shown = part(handle, CURLUPART_URL, 0);
    return url->shown && url->target;
}

bool url_keep(struct url *url, const char *text)
{
    *url = (struct url){0};
    CURLU *handle = curl_url();
    bool ok = handle && keep(handle, url, text);
    curl_url_cleanup(handle);
    if (!ok)
        url_free(url);
    return ok;
}

void url_free(struct url *url)
{
    free(url->target);
    free(url->shown);
    free(url->user);
    free(url->password);
    *url = (struct url){0};
}
