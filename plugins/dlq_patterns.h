/* SPDX-License-Identifier: Apache-2.0 */
/* What `bus dlq --group` shows: all dead letters, folded into failure patterns. */
#ifndef DLQ_PATTERNS_H
#define DLQ_PATTERNS_H

#include "dlq.h"

/* An enum ov_exit. */
int dlq_show_patterns(struct dlq *dlq) OV_MUST_CHECK;

#endif
