/* SPDX-License-Identifier: Apache-2.0 */
/* Loading plugins: good ones, and one for each reason to refuse one. They are built from
 * bad_plugin.c beside this test; what is no matter of building is made here from a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"

#define BUILT "tests/unit/bad_plugins"

static char dir[] = "/tmp/omnivigil-plugins-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s.so", dir, name);
    return path;
}

/* Writes `dir/name.so`: `len` bytes of the good plugin, with the byte at `at` changed. */
static void make_plugin(const char *name, size_t len, size_t at)
{
    static char bytes[1 << 20];
    FILE *from = fopen(BUILT "/good.so", "rb"), *to = fopen(path_of(name), "wb");
    assert_non_null(from);
    assert_non_null(to);
    size_t all = fread(bytes, 1, sizeof bytes, from);
    assert_true(all > 1000 && all < sizeof bytes);
    if (at < all)
        bytes[at] ^= 1;
    fwrite(bytes, 1, len < all ? len : all, to);
    fclose(from);
    fclose(to);
    assert_int_equal(chmod(path_of(name), 0644), 0);
}

static void make_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path_of(name), 0644), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    make_text("text", "#!/bin/sh\n# a text long enough not to be taken for a part of a file\n");
    make_text("empty", "");
    make_plugin("cut", 200, SIZE_MAX);
    make_plugin("machine", SIZE_MAX, offsetof(Elf64_Ehdr, e_machine));
    make_plugin("writable", SIZE_MAX, SIZE_MAX);
    chmod(path_of("writable"), 0646);
    make_plugin("foreign", SIZE_MAX, SIZE_MAX);
    if (geteuid() == 0 && chown(path_of("foreign"), 12345, 12345) != 0)
        return -1;
    mkdir(path_of("directory"), 0755);
    mkfifo(path_of("pipe"), 0600);
    return symlink("nothing", path_of("dangling"));
}

static int tear_down(void **state)
{
    static const char *const made[] = {"text", "empty", "cut", "machine", "writable", "foreign",
                                       "directory", "pipe", "dangling"};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(made); i++)
        remove(path_of(made[i]));
    return rmdir(dir);
}

/* ---------------------------------------------------------------- loading */

static void test_good(void **state)
{
    struct ov_plugins *plugins = ov_plugins_new(BUILT);
    struct ov_buf why = {0};
    (void)state;
    assert_string_equal(ov_plugins_dir(plugins), BUILT);
    const struct ov_plugin *good = ov_plugins_load(plugins, "good", &why);
    assert_non_null(good);
    assert_string_equal(good->name, "good");
    assert_int_equal(good->kind, OV_INPUT);
    assert_ptr_equal(good, ov_plugins_load(plugins, "good", &why));
    const struct ov_plugin *output = ov_plugins_load(plugins, "output", &why);
    assert_non_null(output);
    assert_int_equal(output->kind, OV_OUTPUT);
    assert_int_equal(why.len, 0);
    ov_plugins_free(plugins);
    ov_plugins_free(NULL);
}

static const struct refused {
    const char *dir, *name;
    const char *says[3]; /* parts of the reason */
} refused[] = {
    {BUILT, "missing", {BUILT "/missing.so", "no such plugin", "`omnivigil plugins`"}},
    {BUILT, "abi", {BUILT "/abi.so", "version", "build the plugin again"}},
    {BUILT, "older", {BUILT "/older.so", "made for interface version"}},
    {BUILT, "size", {BUILT "/size.so", "bytes", "build the plugin again"}},
    {BUILT, "symbol", {BUILT "/symbol.so", "no symbol `omnivigil_plugin`"}},
    {BUILT, "undefined", {BUILT "/undefined.so", "of_a_later_version"}},
    {BUILT, "library", {"libgone.so"}},
    {BUILT, "name", {BUILT "/name.so", "calls itself `other`"}},
    {BUILT, "nameless", {BUILT "/nameless.so", "calls itself ``"}},
    {BUILT, "kind", {BUILT "/kind.so", "lacks functions or tables"}},
    {BUILT, "summary", {"lacks functions or tables"}},
    {BUILT, "state", {"lacks functions or tables"}},
    {BUILT, "options", {"lacks functions or tables"}},
    {BUILT, "open", {"lacks functions or tables"}},
    {BUILT, "close", {"lacks functions or tables"}},
    {BUILT, "gather", {"lacks functions or tables", "an input"}},
    {BUILT, "measurements", {"lacks functions or tables", "an input"}},
    {BUILT, "encode", {"lacks functions or tables", "an output"}},
    {BUILT, "send", {"lacks functions or tables", "an output"}},
    {dir, "text", {"text.so", "ELF"}},
    {dir, "empty", {"empty.so"}},
    {dir, "cut", {"cut.so"}},
    {dir, "machine", {"machine.so"}},
    {dir, "directory", {"directory.so", "not a regular file"}},
    {dir, "pipe", {"pipe.so", "not a regular file"}},
    {dir, "dangling", {"dangling.so", "no such plugin"}},
    {dir, "writable", {"writable.so", "anybody can write to this file", "chmod o-w"}},
    {"/nowhere", "good", {"plugin directory /nowhere", "No such file", "OMNIVIGIL_PLUGIN_DIR"}},
    {BUILT, "../bad_plugins/good", {"no plugin's name"}},
    {BUILT, "./good", {"no plugin's name"}},
    {BUILT, "/bin/good", {"no plugin's name"}},
    {BUILT, "good.so", {"no plugin's name"}},
    {BUILT, "good ", {"no plugin's name"}},
    {BUILT, "go\nod", {"`go\\nod` is no plugin's name"}},
    {BUILT, "\xff", {"`\\xff` is no plugin's name"}},
    {BUILT, "..", {"no plugin's name"}},
    {BUILT, "", {"no plugin's name"}},
};

static void expect_refusal(const struct refused *row)
{
    struct ov_plugins *plugins = ov_plugins_new(row->dir);
    for (int again = 0; again < 2; again++) {
        struct ov_buf why = {0};
        if (ov_plugins_load(plugins, row->name, &why))
            fail_msg("%s was loaded", row->name);
        for (size_t i = 0; i < OV_COUNT(row->says) && row->says[i]; i++)
            if (!strstr(ov_buf_text(&why), row->says[i]))
                fail_msg("%s: %s: not a word of %s", row->name, ov_buf_text(&why), row->says[i]);
        ov_buf_free(&why);
    }
    ov_plugins_free(plugins);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(refused); i++)
        expect_refusal(&refused[i]);
    if (geteuid() == 0)
        expect_refusal(&(struct refused){dir, "foreign", {"belongs to user 12345"}});
}

/* A directory anybody can write to is refused before anything in it is looked at; not one with
 * the sticky bit, such as /tmp. */
static void test_directories(void **state)
{
    struct ov_buf why = {0};
    struct ov_plugins *plugins = ov_plugins_new(dir);
    (void)state;
    chmod(dir, 0757);
    expect_refusal(&(struct refused){dir, "text", {"anybody can write to this directory"}});
    chmod(dir, 01777);
    make_plugin("good", SIZE_MAX, SIZE_MAX);
    if (!ov_plugins_load(plugins, "good", &why))
        fail_msg("%s", ov_buf_text(&why));
    unlink(path_of("good"));
    chmod(dir, 0700);
    ov_plugins_free(plugins);
    ov_buf_free(&why);
}

static void test_list(void **state)
{
    static const char *const want[] = {"cut", "dangling", "directory", "empty", "foreign",
                                       "machine", "pipe", "text", "writable"};
    struct ov_plugins *plugins = ov_plugins_new(dir), *none = ov_plugins_new("/nowhere");
    size_t count;
    (void)state;
    make_text("redis_tls.mod", "");
    char **names = ov_plugins_list(plugins, &count);
    assert_int_equal(count, OV_COUNT(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(names[i], want[i]);
        free(names[i]);
    }
    free(names);
    unlink(path_of("redis_tls.mod"));
    assert_null(ov_plugins_list(none, &count));
    assert_int_equal(count, 0);
    ov_plugins_free(plugins);
    ov_plugins_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
