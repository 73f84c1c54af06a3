/* SPDX-License-Identifier: Apache-2.0 */
/* The output `influx` over UDP: whole lines in small datagrams, at a pace, to wherever the name
 * leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "moving_name.h"
#include "output_rig.h"

struct bench {
    struct output_rig rig;
    char url[64];
};

#define LINES "m n=1i 1\nm n=2i 2\nm n=3i 3\n"

static void check_send(struct bench *bench, struct ov_slice bytes, enum ov_sent want,
                       uint64_t rejected)
{
    struct ov_outcome outcome;
    enum ov_sent sent = rig_send(&bench->rig, bytes, &outcome);
    if (sent != want || outcome.rejected != rejected)
        fail_msg("%d, %ju rejected: %s", (int)sent, (uintmax_t)outcome.rejected,
                 ov_host_why(bench->rig.host));
}

static int udp_socket(const char *address, int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0 && inet_pton(AF_INET, address, &at.sin_addr) == 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void udp_prepare(struct bench *bench, int port)
{
    static const struct { int64_t datagram, per_second; } udp = {100, 100000};
    snprintf(bench->url, sizeof bench->url, "udp://moving.test:%d", port);
    rig_start(&bench->rig);
    rig_set(&bench->rig, "url", bench->url);
    memcpy((char *)bench->rig.state + rig_option("udp")->offset, &udp, sizeof udp);
}

/* Takes what has come: whole lines, none beyond the limit. */
static size_t udp_receive(int fd, struct ov_buf *seen)
{
    size_t count = 0;
    char datagram[65536];
    for (ssize_t n; (n = recv(fd, datagram, sizeof datagram, 0)) >= 0; count++) {
        assert_in_range(n, 1, 100);
        assert_int_not_equal(datagram[n - 1], '\n');
        ov_buf_add(seen, datagram, (size_t)n);
        ov_buf_char(seen, '\n');
    }
    return count;
}

static void test_udp(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_buf lines = {0}, seen = {0};
    int port = 0;
    moving_address = "127.0.0.1";
    int fd = udp_socket("127.0.0.1", &port);
    for (int n = 0; n < 50; n++)
        ov_buf_printf(&lines, "m n=%di %d\n", n, 1000000 + n);
    struct ov_slice all = {lines.data, lines.len};
    udp_prepare(&bench, port);
    assert_int_equal(omnivigil_plugin.open(bench.rig.state, bench.rig.host), OV_OK);
    check_send(&bench, all, OV_SENT, 0);
    assert_in_range(udp_receive(fd, &seen), 5, 20);
    assert_string_equal(ov_buf_text(&seen), ov_buf_text(&lines));
    ov_buf_reset(&seen);

    size_t before = lines.len; /* one that is too long */
    ov_buf_printf(&lines, "m t=\"%0200d\" 1\nm n=9i 9\n", 0);
    check_send(&bench, (struct ov_slice){lines.data, lines.len}, OV_SENT, 1);
    udp_receive(fd, &seen);
    assert_memory_equal(seen.data, lines.data, before);
    assert_string_equal(ov_buf_text(&seen) + before, "m n=9i 9\n");
    check_send(&bench, OV_SLICE("m t=\"12345678901234567890123456789012345678901234567890"
                                "12345678901234567890123456789012345678901234567890\" 1\n"),
               OV_REJECTED, 1);
    ov_buf_free(&lines);
    ov_buf_free(&seen);
    close(fd);
    rig_end(&bench.rig);
}

/* Nobody listens; then somebody does, where the name leads to now. */
static void test_udp_moves(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_buf seen = {0};
    int port = 0;
    moving_address = "127.0.0.1";
    int fd = udp_socket("127.0.0.1", &port);
    udp_prepare(&bench, port);
    assert_int_equal(omnivigil_plugin.open(bench.rig.state, bench.rig.host), OV_OK);
    close(fd);
    check_send(&bench, OV_SLICE(LINES), OV_RETRY, 0);
    assert_non_null(strstr(ov_host_why(bench.rig.host), "refused"));
    moving_address = NULL;
    check_send(&bench, OV_SLICE(LINES), OV_RETRY, 0);
    assert_non_null(strstr(ov_host_why(bench.rig.host), "moving.test"));
    moving_address = "127.0.0.2";
    fd = udp_socket("127.0.0.2", &port);
    check_send(&bench, OV_SLICE(LINES), OV_SENT, 0);
    udp_receive(fd, &seen);
    assert_string_equal(ov_buf_text(&seen), LINES);
    ov_buf_free(&seen);
    close(fd);
    rig_end(&bench.rig);
}

/* The pace holds, and what a deadline cuts off goes on there. */
static void test_udp_pace(void **state)
{
    (void)state;
    static const struct { int64_t datagram, per_second; } slow = {100, 100};
    struct bench bench;
    struct ov_buf lines = {0}, seen = {0};
    int port = 0;
    moving_address = "127.0.0.1";
    int fd = udp_socket("127.0.0.1", &port);
    for (int n = 0; n < 20; n++)
        ov_buf_printf(&lines, "m n=%di,t=\"%060d\" %d\n", n, 0, 10 + n);
    udp_prepare(&bench, port);
    memcpy((char *)bench.rig.state + rig_option("udp")->offset, &slow, sizeof slow);
    assert_int_equal(omnivigil_plugin.open(bench.rig.state, bench.rig.host), OV_OK);
    bench.rig.timeout_ms = 100;
    struct ov_slice all = {lines.data, lines.len};
    int64_t start = ov_clock_ms();
    check_send(&bench, all, OV_RETRY, 0);
    bench.rig.timeout_ms = 5000;
    check_send(&bench, all, OV_SENT, 0);
    assert_in_range(ov_clock_ms() - start, 150, 3000);
    assert_int_equal(udp_receive(fd, &seen), 20);
    assert_string_equal(ov_buf_text(&seen), ov_buf_text(&lines));
    ov_buf_free(&lines);
    ov_buf_free(&seen);
    close(fd);
    rig_end(&bench.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_udp), cmocka_unit_test(test_udp_moves),
        cmocka_unit_test(test_udp_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
