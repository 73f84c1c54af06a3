/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration, with fake plugins. Whatever they are, there are settings or errors
 * but never both, the report can be printed on a terminal, and what is dumped can be parsed. */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/fake_plugins.h"
#include "option_text.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void check_report(const struct ov_buf *report)
{
    for (size_t i = 0; i < report->len; i++) {
        unsigned char c = (unsigned char)report->data[i];
        require(c >= 0x20 || c == '\n', "a control byte in the report");
    }
    require(report->len == 0 || report->data[report->len - 1] == '\n', "a cut report");
}

static void check_dump(const struct ov_settings *settings)
{
    struct ov_buf dump = {0}, report = {0};
    struct ov_plugins *plugins = NULL;
    size_t errors = 0;
    ov_buf_str(&dump, "agent:\n");
    ov_options_dump(&dump, ov_agent_options, settings, 2);
    ov_settings_free(ov_settings_parse("dump", (struct ov_slice){dump.data, dump.len}, NULL,
                                       &plugins, &report, &errors));
    require(errors == 0, ov_buf_text(&report));
    ov_plugins_free(plugins);
    ov_buf_free(&dump);
    ov_buf_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ov_plugins *plugins = NULL;
    struct ov_buf report = {0};
    size_t errors = 0;
    char *text = ov_memdup(data, size);
    struct ov_slice input = {text, size};
    struct ov_settings *settings = ov_settings_parse("fuzz", input, "/given", &plugins, &report,
                                                     &errors);
    require((settings == NULL) == (errors > 0), "settings and errors do not go together");
    check_report(&report);
    if (settings)
        check_dump(settings);
    ov_settings_free(settings);
    ov_plugins_free(plugins);
    ov_buf_free(&report);
    free(text);
    return 0;
}
