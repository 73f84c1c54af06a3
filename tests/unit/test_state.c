/* SPDX-License-Identifier: Apache-2.0 */
/* Saved state files: read back as written, damage of every kind noticed, one agent a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

static char dir[] = "/tmp/omnivigil-state-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static struct ov_state *open_good(bool read_only)
{
    struct ov_buf why = {0};
    bool taken;
    struct ov_state *state = ov_state_open(dir, read_only, &taken, &why);
    if (!state)
        fail_msg("%s", ov_buf_text(&why));
    assert_false(taken);
    assert_int_equal(why.len, 0);
    return state;
}

static int write_state(struct ov_state *state, const char *plugin, struct ov_slice text)
{
    struct ov_buf why = {0};
    int result = ov_state_write(state, "main", plugin, text, &why);
    assert_int_equal(result == OV_OK, why.len == 0);
    ov_buf_free(&why);
    return result;
}

/* What there is now, of the plugin `mine`: NULL for a failure. */
static const char *read_state(struct ov_state *state, const char *plugin)
{
    static struct ov_buf out;
    struct ov_buf why = {0};
    int result = ov_state_read(state, "main", plugin, &out, &why);
    assert_int_equal(result == OV_OK, why.len == 0);
    const char *text = result == OV_OK ? ov_buf_text(&out) : NULL;
    static char copy[4096];
    snprintf(copy, sizeof copy, "%s", text ? text : "");
    ov_buf_free(&out);
    ov_buf_free(&why);
    return text ? copy : NULL;
}

static void test_round_trip(void **unused)
{
    static char name[200];
    struct ov_buf large = {0}, back = {0}, why = {0};
    struct ov_state *state = open_good(false);
    (void)unused;
    assert_string_equal(read_state(state, "mine"), ""); /* none yet */
    assert_int_equal(write_state(state, "mine", OV_SLICE("a b\nc\n")), OV_OK);
    assert_string_equal(read_state(state, "mine"), "a b\nc\n");
    assert_int_equal(write_state(state, "mine", OV_SLICE("")), OV_OK);
    assert_string_equal(read_state(state, "mine"), "");
    memset(name, 'n', sizeof name - 1); /* as long as the name of a file may be */
    assert_int_equal(write_state(state, name, OV_SLICE("long")), OV_OK);
    assert_string_equal(read_state(state, name), "long");
    for (int i = 0; i < 300000; i++)
        ov_buf_add(&large, "a\0\xff\n", 4);
    assert_int_equal(write_state(state, "mine", (struct ov_slice){large.data, large.len}), OV_OK);
    assert_int_equal(ov_state_read(state, "main", "mine", &back, &why), OV_OK);
    assert_int_equal(back.len, large.len);
    assert_memory_equal(back.data, large.data, large.len);
    ov_buf_free(&large);
    ov_buf_free(&back);
    ov_state_close(state);
    ov_state_close(NULL);
}

static void file_write(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* What write makes of "text\n" for the plugin `mine`, changed in one place. */
static void test_damaged(void **unused)
{
    static const struct {
        const char *what;
        size_t at, cut, len; /* what is cut out there, and put in */
        const char *put;
    } rows[] = {
        {"empty", 0, 999, 0, ""},
        {"no head", 0, 45, 0, ""},
        {"another file", 0, 999, 12, "hello world\n"},
        {"a later version", 16, 1, 1, "2"},
        {"another plugin", 18, 4, 5, "other"},
        {"a longer plugin", 18, 4, 5, "minex"},
        {"no plugin", 18, 5, 0, ""},
        {"another length", 23, 1, 1, "6"},
        {"a length of no sense", 23, 1, 2, "-1"},
        {"a huge length", 23, 1, 30, "999999999999999999999999999999"},
        {"another sum", 25, 1, 1, "z"},
        {"no sum", 25, 16, 0, ""},
        {"no end of the head", 41, 1, 1, " "},
        {"one byte changed", 42, 1, 1, "T"},
        {"cut", 46, 1, 0, ""},
        {"cut in the head", 30, 999, 0, ""},
        {"more than there was", 47, 0, 1, "x"},
        {"a zero byte", 44, 1, 1, "\0"},
        {"zeros only", 0, 999, 8, "\0\0\0\0\0\0\0\0"},
    };
    struct ov_state *state = open_good(false);
    char good[256];
    (void)unused;
    assert_int_equal(write_state(state, "mine", OV_SLICE("text\n")), OV_OK);
    FILE *file = fopen(path_of("main.state"), "r");
    size_t len = fread(good, 1, sizeof good, file);
    fclose(file);
    assert_int_equal(len, 47);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf bad = {0};
        size_t rest = rows[i].at + rows[i].cut;
        ov_buf_add(&bad, good, rows[i].at);
        ov_buf_add(&bad, rows[i].put, rows[i].len);
        if (rest < len)
            ov_buf_add(&bad, good + rest, len - rest);
        file_write("main.state", ov_buf_text(&bad), bad.len);
        unlink(path_of("main.state.bad"));
        const char *text = read_state(state, "mine");
        if (text)
            fail_msg("%s: read as \"%s\"", rows[i].what, text);
        if (access(path_of("main.state"), F_OK) == 0 ||
            access(path_of("main.state.bad"), F_OK) != 0)
            fail_msg("%s: not set aside", rows[i].what);
        assert_string_equal(read_state(state, "mine"), "");
        ov_buf_free(&bad);
    }
    ov_state_close(state);
}

/* What is no file at all: an error, and not a wait. */
static void test_no_file(void **unused)
{
    struct ov_state *state = open_good(false);
    (void)unused;
    unlink(path_of("main.state"));
    unlink(path_of("main.state.bad"));
    assert_int_equal(mkdir(path_of("main.state"), 0700), 0);
    assert_null(read_state(state, "mine"));
    assert_int_equal(rmdir(path_of("main.state.bad")), 0);
    assert_int_equal(mkfifo(path_of("main.state"), 0600), 0);
    assert_null(read_state(state, "mine"));
    assert_int_equal(unlink(path_of("main.state.bad")), 0);
    assert_int_equal(mkdir(path_of("main.state.new"), 0700), 0);
    assert_int_equal(write_state(state, "mine", OV_SLICE("text")), OV_FAILED);
    assert_int_equal(rmdir(path_of("main.state.new")), 0);
    assert_int_equal(symlink("/dev/full", path_of("main.state.new")), 0);
    assert_int_equal(write_state(state, "mine", OV_SLICE("text")), OV_FAILED);
    assert_string_equal(read_state(state, "mine"), "");
    assert_int_equal(write_state(state, "mine", OV_SLICE("text")), OV_OK); /* it was removed */
    ov_state_close(state);
}

static void test_lock(void **unused)
{
    struct ov_buf why = {0};
    bool taken = false;
    struct ov_state *state = open_good(false);
    (void)unused;
    assert_null(ov_state_open(dir, false, &taken, &why));
    assert_true(taken);
    assert_non_null(strstr(ov_buf_text(&why), "in use by another omnivigil"));
    assert_int_equal(write_state(state, "mine", OV_SLICE("kept")), OV_OK);
    struct ov_state *reader = open_good(true); /* a command beside the agent */
    assert_string_equal(read_state(reader, "mine"), "kept");
    file_write("main.state", "bad", 3);
    assert_null(read_state(reader, "mine"));
    assert_int_equal(access(path_of("main.state"), F_OK), 0); /* left for the agent */
    ov_state_close(reader);
    ov_state_close(state);
    ov_state_close(open_good(false));
    ov_buf_free(&why);
}

static void test_directories(void **unused)
{
    static const char *const made[] = {"a", "b/c/d", "b/c/d", "e//f/", "b/../g"};
    static const char *const refused[] = {"file", "file/below", ""};
    char path[256];
    struct ov_buf why = {0};
    bool taken;
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(made); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, made[i]);
        assert_null(ov_state_open(strcmp(made[i], "b/c/d") ? path : "/nowhere/at/all", true,
                                  &taken, &why)); /* a reader makes nothing */
        ov_buf_reset(&why);
        struct ov_state *state = ov_state_open(path, false, &taken, &why);
        if (!state)
            fail_msg("%s: %s", made[i], ov_buf_text(&why));
        ov_state_close(state);
        ov_buf_reset(&why);
    }
    file_write("file", "", 0);
    for (size_t i = 0; i < OV_COUNT(refused); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, refused[i]);
        ov_buf_reset(&why);
        if (ov_state_open(*refused[i] ? path : "", false, &taken, &why) || taken || !why.len)
            fail_msg("accepted: %s", refused[i]);
    }
    ov_buf_free(&why);
}

static void test_default_dir(void **unused)
{
    static const struct {
        const char *systemd, *xdg, *home;
        const char *user, *root; /* what they get; NULL: the place chosen when building */
    } rows[] = {
        {"/var/lib/x", "/xdg", "/home/me", "/var/lib/x", "/var/lib/x"},
        {"/var/lib/x:/var/lib/y", NULL, NULL, "/var/lib/x", "/var/lib/x"},
        {"", "/xdg", "/home/me", "/xdg/omnivigil", NULL},
        {NULL, "relative", "/home/me", "/home/me/.local/state/omnivigil", NULL},
        {NULL, NULL, "/home/me", "/home/me/.local/state/omnivigil", NULL},
        {NULL, NULL, "relative", NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const char *const names[] = {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"};
        const char *const values[] = {rows[i].systemd, rows[i].xdg, rows[i].home};
        for (size_t k = 0; k < OV_COUNT(names); k++)
            if (values[k])
                setenv(names[k], values[k], 1);
            else
                unsetenv(names[k]);
        char *chosen = ov_state_default_dir();
        const char *want = geteuid() == 0 ? rows[i].root : rows[i].user;
        if (want ? strcmp(chosen, want) != 0
                 : strstr(chosen, "xdg") || strstr(chosen, "home/me") || *chosen != '/')
            fail_msg("row %zu: %s", i, chosen);
        free(chosen);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **unused)
{
    static const char *const left[] = {
        "main.state", "main.state.bad", "lock", "file", "a/lock", "a", "b/c/d/lock", "b/c/d",
        "b/c", "b", "e/f/lock", "e/f", "e", "g/lock", "g",
    };
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(left); i++)
        remove(path_of(left[i]));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_file),    cmocka_unit_test(test_lock),
        cmocka_unit_test(test_directories), cmocka_unit_test(test_default_dir),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
