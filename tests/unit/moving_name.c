/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

#include "moving_name.h"
#include "omnivigil.h"

const char *_Atomic moving_address;

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

OV_API int getaddrinfo(const char *restrict name, const char *restrict service,
                       const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || strcmp(name, "moving.test") != 0)
        return real(name, service, hints, result);
    const char *address = moving_address;
    return address ? real(address, service, hints, result) : EAI_NONAME;
}
