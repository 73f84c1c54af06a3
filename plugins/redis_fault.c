/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of failure: their words, what can be done about each, and how to tell them apart by
 * the text of an error reply. */
#include "redis.h"

static const struct {
    const char *word, *remedy;
} faults[] = {
    [REDIS_FINE] = {"ok", ""},
    [REDIS_DNS] = {"dns", "check the host name and the name server"},
    [REDIS_REFUSED] = {"refused", "is Redis running and listening there?"},
    [REDIS_UNREACHABLE] = {"unreachable", "check the address, the network and the firewall"},
    [REDIS_TLS] = {"tls", "check the options `ca`, `cert` and `server_name` under `tls`, and that "
                          "the port speaks TLS"},
    [REDIS_TIMEOUT] = {"timeout", "is Redis stuck or overloaded, or a firewall in between?"},
    [REDIS_CLOSED] = {"closed", "see the server's log"},
    [REDIS_PROTOCOL] = {"protocol", "is a proxy in between?"},
    [REDIS_NOT_REDIS] = {"not_redis", "check host and port"},
    [REDIS_MAXCLIENTS] = {"maxclients", "raise `maxclients` or close idle connections"},
    [REDIS_PROTECTED] = {"protected", "set a password on the server, or connect from its own "
                                      "host"},
    [REDIS_NOAUTH] = {"noauth", "give `password` (and `user`), in the options or in the address"},
    [REDIS_WRONGPASS] = {"wrongpass", "check `user` and `password`"},
    [REDIS_NODB] = {"nodb", "check the database number against `databases` of the server"},
    [REDIS_NOPERM] = {"noperm", "grant the user this command and key with ACL SETUSER"},
    [REDIS_LOADING] = {"loading", "wait until Redis has loaded its data"},
    [REDIS_MASTERDOWN] = {"masterdown", "restore the replica's link to its master, or set "
                                        "`replica-serve-stale-data yes`"},
    [REDIS_READONLY] = {"readonly", "give the address of the master"},
    [REDIS_MOVED] = {"moved", "give the address of the cluster node that holds the key"},
    [REDIS_ASK] = {"ask", "wait until the cluster has moved the slot"},
    [REDIS_CLUSTERDOWN] = {"clusterdown", "see CLUSTER INFO"},
    [REDIS_BUSY] = {"busy", "a script blocks Redis: SCRIPT KILL ends it"},
    [REDIS_OOM] = {"oom", "raise `maxmemory` or free memory"},
    [REDIS_NOGROUP] = {"nogroup", "start the agent again, which creates its group"},
    [REDIS_NOKEY] = {"nokey", ""},
    [REDIS_WRONGTYPE] = {"wrongtype", "something else uses a key of this name"},
    [REDIS_UNKNOWN_COMMAND] = {"unknown_command", "the server is too old, or renamed it"},
    [REDIS_OTHER] = {"error", ""},
    [REDIS_STOPPED] = {"stopped", ""},
};

const char *redis_fault_word(enum redis_fault fault)
{
    return faults[(size_t)fault < OV_COUNT(faults) ? fault : REDIS_OTHER].word;
}

const char *redis_fault_remedy(enum redis_fault fault)
{
    return faults[(size_t)fault < OV_COUNT(faults) ? fault : REDIS_OTHER].remedy;
}

/* How the text of an error begins; the first row that fits counts. The code is Redis' own first
 * word, but its oldest errors all have the code ERR. */
static const struct {
    const char *start;
    enum redis_fault fault;
} errors[] = {
    {"NOAUTH ", REDIS_NOAUTH},
    {"ERR operation not permitted", REDIS_NOAUTH},
    {"WRONGPASS ", REDIS_WRONGPASS},
    {"ERR invalid password", REDIS_WRONGPASS},
    {"ERR Client sent AUTH, but no password is set", REDIS_WRONGPASS},
    {"ERR AUTH <password> called without any password", REDIS_WRONGPASS},
    {"NOPERM ", REDIS_NOPERM},
    {"ERR The user executing the script can't", REDIS_NOPERM},
    {"DENIED ", REDIS_PROTECTED},
    {"ERR max number of clients", REDIS_MAXCLIENTS},
    {"LOADING ", REDIS_LOADING},
    {"MASTERDOWN ", REDIS_MASTERDOWN},
    {"READONLY ", REDIS_READONLY},
    {"MOVED ", REDIS_MOVED},
    {"ASK ", REDIS_ASK},
    {"CLUSTERDOWN ", REDIS_CLUSTERDOWN},
    {"BUSY ", REDIS_BUSY},
    {"OOM ", REDIS_OOM},
    {"NOGROUP ", REDIS_NOGROUP},
    {"WRONGTYPE ", REDIS_WRONGTYPE},
    {"ERR no such key", REDIS_NOKEY},
    {"ERR unknown command", REDIS_UNKNOWN_COMMAND},
    {"ERR unknown subcommand", REDIS_UNKNOWN_COMMAND},
    {"ERR Unknown subcommand", REDIS_UNKNOWN_COMMAND},
    {"ERR DB index is out of range", REDIS_NODB},
    {"ERR invalid DB index", REDIS_NODB},
    {"ERR SELECT is not allowed in cluster mode", REDIS_NODB},
};

enum redis_fault redis_reply_fault(const struct redis_reply *reply)
{
    if (reply->type != REDIS_ERROR)
        return REDIS_FINE;
    for (size_t i = 0; i < OV_COUNT(errors); i++) {
        struct ov_slice start = ov_slice(errors[i].start);
        if (ov_slice_starts(reply->text, start))
            return errors[i].fault;
    }
    return REDIS_OTHER;
}
