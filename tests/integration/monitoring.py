# SPDX-License-Identifier: Apache-2.0
"""Reads what a monitoring plugin prints, as strictly as the strictest scheduler does."""

import re

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
RANGE = rf"@?(?:~:(?:{NUMBER})?|{NUMBER}(?::(?:{NUMBER})?)?|:{NUMBER})"
LABEL = r"'(?P<label>(?:[^'=|\x00-\x1f\x7f]|'')+)'"
VALUE = (
    rf"=(?:(?P<value>{NUMBER})(?P<unit>us|ms|s|%|KB|MB|GB|TB|B|c)?|U)"
    rf"(?:;(?P<warning>{RANGE})?)?(?:;(?P<critical>{RANGE})?)?(?: |$)")
ITEM = re.compile(LABEL + VALUE)
# Icinga writes anew what it has read, without quotes where they are not needed.
REWRITTEN = re.compile(rf"(?:{LABEL}|(?P<plain>[a-z-]+)){VALUE}")


class Answer:
    """One run: `status`, `word`, `first` (the first line's text), `details`, `perfdata`: label to
    (value, unit, warning, critical), the value None where it is unknown."""

    def __init__(self, status, text):
        self.status, self.text = status, text
        assert text.endswith("\n") and text.count("\n\n") == 0, text
        assert text.count("|") <= 1, f"more than one |: {text}"
        body, bar, data = text[:-1].partition("|")
        if bar:
            assert body.endswith(" ") and data.startswith(" ") and data.strip(), text
            assert "\n" not in data, f"performance data over lines: {text}"
            body, data = body[:-1], data[1:]
        lines = body.split("\n")
        self.first, self.details = lines[0], lines[1:]
        self.word = self.first.partition(":")[0]
        assert self.word in WORDS, text
        assert WORDS.index(self.word) == status, f"{status} for: {self.first}"
        assert len(self.first.encode()) <= 450, f"{len(self.first)} characters: {self.first}"
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), ascii(text)
        self.perfdata = parse_perfdata(data)


def parse_perfdata(data, pattern=ITEM):
    items, at = {}, 0
    while at < len(data):
        item = pattern.match(data, at)
        assert item, f"no item at: {data[at:at + 200]}"
        at = item.end()
        assert at < len(data) or not data.endswith(" "), data[-200:]
        label = (item["label"] or item.groupdict().get("plain")).replace("''", "'")
        assert label not in items, f"twice: {label}"
        value = None if item["value"] is None else float(item["value"])
        items[label] = (value, item["unit"], item["warning"], item["critical"])
    return items
