/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/un.h>

#include "address.h"

static bool take(struct ov_slice *text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (!ov_slice_starts(*text, (struct ov_slice){prefix, len}))
        return false;
    *text = (struct ov_slice){text->ptr + len, text->len - len};
    return true;
}

static const char *path_read(struct address *address, struct ov_slice path)
{
    if (!path.len || *path.ptr != '/')
        return "a socket needs its absolute path, as in unix:///run/statsd.sock";
    if (path.len >= sizeof ((struct sockaddr_un *)NULL)->sun_path)
        return "the path is longer than a socket's may be";
    memcpy(address->host, path.ptr, path.len);
    return NULL;
}

static const char *port_read(struct address *address, struct ov_slice port)
{
    unsigned number = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (port.ptr[i] < '0' || port.ptr[i] > '9' || i == sizeof address->port - 1)
            return "the port is not a number from 1 to 65535";
        number = number * 10 + (unsigned)(port.ptr[i] - '0');
    }
    if (number < 1 || number > 65535)
        return "the port is not a number from 1 to 65535";
    memset(address->port, 0, sizeof address->port);
    memcpy(address->port, port.ptr, port.len);
    return NULL;
}

static bool host_is_good(struct ov_slice host, bool bracketed)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        if (c <= ' ' || c == 0x7f || strchr("/?#@[]", c) || (c == ':' && !bracketed))
            return false;
    }
    return host.len > 0;
}

static const char *host_read(struct address *address, struct ov_slice rest)
{
    bool bracketed = rest.len && *rest.ptr == '[';
    struct ov_slice host = bracketed ? (struct ov_slice){rest.ptr + 1, rest.len - 1} : rest;
    const char *end = host.len ? memchr(host.ptr, bracketed ? ']' : ':', host.len) : NULL;
    if (bracketed && !end)
        return "the bracket around the address is not closed";
    if (end)
        host.len = (size_t)(end - host.ptr);
    struct ov_slice port = {host.ptr + host.len, 0};
    if (end && bracketed)
        port.ptr++;
    port.len = (size_t)(rest.ptr + rest.len - port.ptr);
    if (!host_is_good(host, bracketed))
        return "needs a host: udp://host:port; an IPv6 address in brackets";
    if (host.len >= sizeof address->host)
        return "the host's name is longer than a name may be";
    memcpy(address->host, host.ptr, host.len);
    if (!port.len)
        return NULL;
    if (*port.ptr != ':')
        return "has something behind the host that is not a port";
    return port_read(address, (struct ov_slice){port.ptr + 1, port.len - 1});
}

const char *address_read(struct address *address, const char *text, const char *port)
{
    struct ov_slice rest = ov_slice(text);
    *address = (struct address){0};
    memcpy(address->port, port, strnlen(port, sizeof address->port - 1));
    if (take(&rest, "unix://")) {
        address->kind = ADDRESS_UNIX;
        return path_read(address, rest);
    }
    if (take(&rest, "tcp://"))
        address->kind = ADDRESS_TCP;
    else if (!take(&rest, "udp://"))
        return "must begin with udp://, tcp:// or unix://";
    return host_read(address, rest);
}
