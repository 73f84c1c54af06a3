#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the reference in step with the tables of the agent and its plugins.

    tests/reference.py [--write] [OMNIVIGIL]

Reads `OMNIVIGIL plugins NAME` ("omnivigil" by default) for the agent, the rules and every plugin,
and makes of it the reference in README.md and in etc/omnivigil.1, each between two markers, and the
whole of etc/omnivigil.yaml. The manual's commands of inputs come from the commands' own --help.
Without --write it only says which of them differ. The tests do the
same, so after a change of an option, a measurement or a rule --write is all there is to do.
"""

import argparse
import difflib
import itertools
import os
import re
import subprocess
import sys
import textwrap
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# ---------------------------------------------------------------- what `plugins NAME` prints

FACTS = re.compile(
    r"(?P<type>(?:text|whole number|true, false|duration|size|ratio|one of [^;]+|list of texts|"
    r"mapping of names to texts|mapping)(?: from \S+ to \S+|, at least \S+)?)"
    r"(?:, (?P<secret>secret(?: \(or \w+\))?))?(?P<required>; required)?"
    r"(?:; default (?P<default>\S+))?(?:; environment (?P<env>\w+))?")


class Option(NamedTuple):
    name: str  # "tls.ca" for one in a mapping
    type: str
    secret: str  # "" for none; "secret"; "secret (or url_file)" where a file may hold it
    required: bool
    default: str  # as it is written in the configuration; None without one
    env: str
    help: str


class Field(NamedTuple):
    name: str
    type: str
    unit: str
    help: str


class Measurement(NamedTuple):
    name: str
    tags: list
    help: str
    fields: list


class Rule(NamedTuple):
    name: str
    value: str
    where: str  # "" without
    when: str  # its ranges, its severity, how long
    summary: str
    advice: str = ""  # what it means and what to do


class Page(NamedTuple):
    name: str
    kind: str  # input, output; agent for the agent itself; section for rules and silences
    summary: str
    general: list = []  # options of every input, or of every output
    options: list = []  # its own
    measurements: list = []
    rules: list = []  # recommended ones


def split_facts(lines, name):
    """The facts of an option and its help: both are wrapped, nothing stands between them."""
    for count in range(1, len(lines) + 1):
        text = " ".join(lines[:count])
        facts = FACTS.fullmatch(text)
        if facts and text[-1] not in ",;":
            return facts, " ".join(lines[count:])
    raise ValueError(f"{name}: not the facts of an option: {lines}")


def parse_options(lines):
    items, left = [], 0
    for line in filter(None, lines):
        indent = len(line) - len(line.lstrip())
        if left and indent == left:
            items[-1][2].append(line.strip())
            continue
        head = re.fullmatch(r"( +)(\w+)( +)(\S.*)", line)
        if not head:
            raise ValueError(f"not an option: {line!r}")
        left = head.start(4)
        items.append(((indent - 2) // 2, head[2], [head[4]]))
    options, path = [], []
    for depth, name, rest in items:
        path[depth:] = [name]
        facts, text = split_facts(rest, name)
        options.append(Option(".".join(path), facts["type"], facts["secret"] or "",
                              bool(facts["required"]), facts["default"], facts["env"], text))
    return options


def parse_measurements(lines):
    found = []
    for line in filter(None, lines):
        indent = len(line) - len(line.lstrip())
        if indent == 0:
            name, _, tags = line.partition(" {")
            found.append(Measurement(name, tags.rstrip("}").split(", ") if tags else [], [], []))
        elif indent == 6:
            found[-1].fields[-1] = found[-1].fields[-1]._replace(help=line.strip())
        elif not found[-1].help:
            found[-1].help.append(line.strip())
        else:
            name, facts = line.split(None, 1)
            kind, *more = facts.split(", ")
            counter = more[:1] == ["counter"]
            unit = more[-1] if len(more) > counter else ""
            found[-1].fields.append(Field(name, kind + ", counter" * counter, unit, ""))
    return [m._replace(help=m.help[0]) for m in found]


RULE = re.compile(r"  (?P<name>[\w-]+) +(?P<value>increase\([^)]*\)|[^\s,]+)"
                  r"(?: where (?P<where>.+?))?"
                  r"(?P<when>(?:, (?:warning|critical|for)(?: [^\s,]+)?)+)")


def parse_rules(lines):
    found = []
    for line in filter(None, lines):
        rule = RULE.fullmatch(line)
        if rule:
            name, value, where, when = rule.groups(default="")
            found.append(Rule(name, value, where, when[2:], ""))
        elif re.match(r" {6}\S", line) and found and not found[-1].summary:
            found[-1] = found[-1]._replace(summary=line.strip())
        elif re.match(r" {6}\S", line) and found and not found[-1].advice:
            found[-1] = found[-1]._replace(advice=line.strip())
        else:
            raise ValueError(f"not a rule: {line!r}")
    return found


def split_sections(text):
    """The first line's parts and {title: lines} of the output of `omnivigil plugins NAME`."""
    first, *lines = text.splitlines()
    head = re.fullmatch(r"(\w+)(?: \((\w+)\))?: (.*)", first)
    sections, title = {}, None
    for line in lines:
        if re.match(r"Options of |(?:Measurements|Recommended rules)$", line):
            title = line
            sections[title] = []
        elif title:
            sections[title].append(line)
    return head, sections


def parse(text):
    """A Page from the output of `omnivigil plugins NAME`."""
    head, sections = split_sections(text)
    name, kind = head[1], head[2] or "agent"
    return Page(name, kind, head[3],
                parse_options(sections.get(f"Options of every {kind}", [])),
                parse_options(sections[f"Options of {name}"]),
                parse_measurements(sections.get("Measurements", [])),
                parse_rules(sections.get("Recommended rules", [])))


def parse_entries(text):
    """Pages of the sections `rules` and `silences`, from `omnivigil plugins rules`."""
    head, sections = split_sections(text)
    return [Page(head[1], "section", head[3], options=parse_options(sections["Options of a rule"])),
            Page("silences", "section", "alerts that are not told of for a time",
                 options=parse_options(sections["Options of a silence"]))]


def read_pages(describe):
    """Pages of the agent, of all plugins, of rules and silences; describe(*words) returns what
    `plugins` prints."""
    names = re.findall(r"^  (\w+) +(?:input|output) ", describe(), re.MULTILINE)
    pages = [parse(describe(name)) for name in ["agent", *names]]
    pages += parse_entries(describe("rules"))
    order = {"agent": 0, "input": 1, "output": 2, "section": 3}
    known = ["redis_bus", "storage", "runner"]
    return sorted(pages, key=lambda page: (order[page.kind], page.name not in known,
                                           known.index(page.name) if page.name in known else 0))


def shared_options(pages):
    """What all inputs that speak to Redis have alike, and the names of those inputs."""
    inputs = [page for page in pages
              if page.kind == "input" and any(o.env == "REDIS_URL" for o in page.options)]
    alike = [o for o in inputs[0].options if all(o in page.options for page in inputs)]
    return alike, [page.name for page in inputs]


def listed(names):
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def sections_of(pages):
    """[(kind, title, options, page or None)], each option once."""
    alike, sharers = shared_options(pages)
    for kind in ("agent", "input", "output", "section"):
        of_kind = [page for page in pages if page.kind == kind]
        if of_kind and of_kind[0].general:
            yield kind, f"every {kind}", of_kind[0].general, None
        if kind == "input":
            yield kind, listed(sharers), alike, None
        for page in of_kind:
            own = [o for o in page.options if not (page.name in sharers and o in alike)]
            yield kind, page.name, own, page


def sentence(text):
    text = text[:1].upper() + text[1:] if re.match(r"[a-z]+[ ,;:]", text) else text
    return text if text.endswith((".", "?")) else text + "."


def recommended(page):
    """What is said before the recommended rules of a page."""
    return ("The rules that come with it:" if page.kind == "input" else
            "The rules about the agent itself:")


# ---------------------------------------------------------------- README.md

def markdown(text):
    """Plain text with `code` in it."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\*_\[\]<>|~])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def markdown_options(options):
    yield "| option | value | default | what it is |"
    yield "| --- | --- | --- | --- |"
    for o in options:
        secret = re.sub(r"(\w+_file)", r"`\1`", o.secret)
        value = markdown(o.type) + (f", {secret}" if secret else "")
        default = "required" if o.required else f"`{o.default}`" if o.default else ""
        if o.env:
            default = f"`${o.env}`, else {default}" if default else f"`${o.env}`"
        yield f"| `{o.name}` | {value} | {default} | {markdown(sentence(o.help))} |"


def markdown_measurement(m):
    tags = f"; tags {', '.join(f'`{tag}`' for tag in m.tags)}" if m.tags else ""
    yield f"**`{m.name}`**{tags}. {markdown(m.help)}"
    yield ""
    yield "| field | type | what it is |"
    yield "| --- | --- | --- |"
    for f in m.fields:
        unit = f", {f.unit}" if f.unit else ""
        yield f"| `{f.name}` | {f.type}{unit} | {markdown(f.help)} |"


def markdown_rules(rules):
    yield "| rule | what it looks at | when it alarms | what it says |"
    yield "| --- | --- | --- | --- |"
    for r in rules:
        where = f" where `{r.where}`".replace("|", "\\|") if r.where else ""
        cells = (f"`{r.name}`", f"`{r.value}`{where}", markdown(r.when), markdown(r.summary))
        yield "| " + " | ".join(cells) + " |"


def render_readme(pages):
    for kind, title, options, page in sections_of(pages):
        yield ""
        if page and kind == "agent":
            yield "### agent"
            yield ""
            yield "Options of the section `agent`."
        elif page:
            yield f"### {page.name} ({kind})"
            yield ""
            yield markdown(sentence(page.summary))
        else:
            yield f"### Options of {title}"
        if options:
            yield ""
            yield from markdown_options(options)
        for m in page.measurements if page else []:
            yield ""
            yield from markdown_measurement(m)
        if page and page.rules:
            yield ""
            yield recommended(page)
            yield ""
            yield from markdown_rules(page.rules)
    yield ""


def markdown_keys(commands):
    """The keys of `top`, which are the lines of its help that begin with blanks."""
    yield "| key | what it does |"
    yield "| --- | --- |"
    for command in commands:
        if command.name == "top":
            for keys, text in re.findall(r"^  (\S.*?)  +(.+)$", command.more, re.MULTILINE):
                named = ", ".join(f"`{key}`" for key in keys.split(", "))
                yield f"| {named} | {markdown(text)} |"


# ---------------------------------------------------------------- commands of inputs

class Command(NamedTuple):
    name: str
    takes: str
    summary: str
    more: str
    flags: list  # (letter or "", name, value, help)
    example: str


HELP = re.compile(r"Usage: omnivigil (?P<name>.+?) \[OPTION\.\.\.\](?P<takes>.*)\n\n"
                  r"(?P<summary>.+)\.\n(?:\n(?P<more>(?:.+\n)+))?\nOptions:\n"
                  r"(?P<flags>(?:  .+\n)+)\nExample: (?P<example>.+)\n")
FLAG = re.compile(r"^  (?:-(\w), |    )?--([\w-]+)(?: (\S+))?  +(.+)$", re.MULTILINE)


def command_names(usage):
    """The core's own commands and those of inputs, from `omnivigil --help`."""
    groups = usage.split("Commands:\n")[1].split("\n\n")
    found = [re.findall(r"^  ([\w-]+(?: [\w-]+)*)  ", group, re.MULTILINE) for group in groups]
    return found[0], [name for group in found[1:] for name in group]


def read_commands(ask):
    """The commands of inputs; ask(*words) returns what `omnivigil WORDS` prints."""
    commands = []
    for name in command_names(ask("--help"))[1]:
        found = HELP.fullmatch(ask(*name.split(), "--help"))
        flags = [(letter, flag, value, text) for letter, flag, value, text
                 in FLAG.findall(found["flags"]) if flag != "help"]
        commands.append(Command(found["name"], found["takes"].strip(), found["summary"],
                                found["more"] or "", flags, found["example"]))
    return commands


def is_common(flag, commands):
    return all(flag in command.flags for command in commands if flag[1] != "watch" or
               any(own[1] == "watch" for own in command.flags))


def roff_flag(letter, name, value, text):
    dashed = "\\-" + name.replace("-", "\\-")
    yield (".It " + (f"Fl {letter} , " if letter else "") + f"Fl {dashed}" +
           (f" Ar {value}" if value else ""))
    yield from roff(sentence(text))


def roff_more(text):
    """Paragraphs, and tables of words and what they mean, as they are laid out in the help: of
    lines that begin with blanks, or all of it where a line has blanks in it."""
    if re.search(r"\S  ", re.sub(r"^ .*", "", text, flags=re.MULTILINE)):
        yield from roff_table(text.splitlines())
        return
    for indented, lines in itertools.groupby(text.splitlines(), lambda line: line[0] == " "):
        yield from roff_table(lines) if indented else roff(" ".join(lines))


def roff_table(lines):
    yield ".Bd -literal"
    for line in lines:
        line = line.replace("\\", "\\e").replace("-", "\\-")
        yield "\\&" + line if line[:1] in (".", "'") else line
    yield ".Ed"


def render_commands(commands):
    if not commands:
        return
    yield ".Sh COMMANDS OF INPUTS"
    yield from roff("These come with the inputs of the configuration. All of them take:")
    yield ".Bl -tag -width Ds"
    for flag in commands[0].flags:
        if is_common(flag, commands):
            yield from roff_flag(*flag)
    yield ".El"
    yield ".Bl -tag -width Ds"
    for command in commands:
        yield f".It Xo Cm {command.name}"
        if command.takes:
            yield from roff(command.takes)
        yield ".Xc"
        yield from roff(command.summary + ".")
        yield from roff_more(command.more)
        own = [flag for flag in command.flags if not is_common(flag, commands)]
        if own:
            yield ".Bl -tag -width Ds"
            for flag in own:
                yield from roff_flag(*flag)
            yield ".El"
        yield ".Pp"
        yield from roff(f"Example: {command.example}")
    yield ".El"


# ---------------------------------------------------------------- etc/omnivigil.1

def roff(text):
    """Lines of text for mdoc: a new sentence on a new line, nothing taken for a macro."""
    for part in re.split(r"(?<=[a-z)][.?]) (?=[A-Z])", text):
        part = part.replace("\\", "\\e").replace("`", "").replace("~", "\\(ti")
        part = re.sub(r"(?<!\w)-(?=\w)", "\\-", part)
        for line in textwrap.wrap(part, 78, break_long_words=False, break_on_hyphens=False):
            yield "\\&" + line if line[0] in ".'" else line


def roff_options(options):
    if not options:
        return
    yield ".Bl -tag -width Ds"
    for o in options:
        facts = [o.type + (f", {o.secret}" if o.secret else "")]
        facts += ["required"] if o.required else []
        facts += [f"default {o.default}"] if o.default else []
        facts += [f"environment {o.env}"] if o.env else []
        yield f".It Cm {o.name}"
        yield from roff(sentence(o.help))
        yield from roff(f"({'; '.join(facts)})")
    yield ".El"


def roff_measurement(m):
    yield f".It Sy {m.name}" + (f" Brq {', '.join(m.tags)}" if m.tags else "")
    yield from roff(m.help)
    yield ".Bl -tag -width Ds"
    for f in m.fields:
        yield f".It Va {f.name}"
        yield from roff(f.help)
        yield from roff(f"({f.type}{', ' + f.unit if f.unit else ''})")
    yield ".El"


def roff_rules(rules):
    yield ".Bl -tag -width Ds"
    for r in rules:
        yield f".It Cm {r.name}"
        yield from roff(sentence(r.summary))
        yield from roff(f"({r.value}{' where ' + r.where if r.where else ''}, {r.when})")
        if r.advice:
            yield from roff(r.advice)
    yield ".El"


def render_manual(pages):
    for kind, title, options, page in sections_of(pages):
        if page and kind != "agent":
            yield f".Ss {page.name} ({kind})"
            yield from roff(sentence(page.summary))
        else:
            yield f".Ss Options of {'the section agent' if page else title}"
        yield from roff_options(options)
        if page and page.measurements:
            yield ".Pp"
            yield "Measurements:"
            yield ".Bl -tag -width Ds"
            for m in page.measurements:
                yield from roff_measurement(m)
            yield ".El"
        if page and page.rules:
            yield ".Pp"
            yield recommended(page)
            yield from roff_rules(page.rules)


# ---------------------------------------------------------------- etc/omnivigil.yaml

YAML_HEAD = """\
# omnivigil's configuration, every option with its default. As it stands it watches the OmniDaemon
# whose environment it finds (REDIS_URL, STORAGE_BACKEND, REDIS_KEY_PREFIX, JSON_STORAGE_DIR; also
# from a .env in the working directory) and prints the samples.
#
# `# ` begins an explanation, `#` without a blank an option at its default or, where it has none,
# an example: take the # away and change it. `omnivigil config check -c FILE` tells what is wrong.
# In values ${NAME} and ${NAME:-default} are environment variables, and $$ is $. A secret NAME may
# also be given as NAME_file: its content is taken. `kill -HUP` makes the agent read this again.
"""
STANDARD = ("redis_bus", "storage", "runner", "file")  # what runs without a configuration
EXAMPLES = {
    "agent.state_dir": "/var/lib/omnivigil",
    "agent.plugin_dir": "/usr/local/lib/omnivigil",
    "agent.tags": "{site: fra}",
    "tags": "{team: sales}",
    "interval": "10s",
    "jitter": "0s",
    "gather_timeout": "10s",
    "user": "omnivigil",
    "password": "/etc/omnivigil/password",
    "token": "/etc/omnivigil/token",
    "tls.ca": "/etc/ssl/certs/ca-certificates.crt",
    "tls.cert": "/etc/omnivigil/client.crt",
    "tls.key": "/etc/omnivigil/client.key",
    "tls.server_name": "redis.example.org",
    "topics": "[orders.created]",
    "topic_patterns": '["orders.*", "mail.*"]',
    "retention_policy": "autogen",
    "organization": "example",
    "bucket": "omnidaemon",
    "agent.queue_dir": "/var/spool/omnivigil",
    "include.measurements": "[omnidaemon_*]",
    "include.fields": "[pending, undelivered, omnidaemon_agent.*]",
    "include.tags": "[topic, agent, site=fra]",
    "exclude.measurements": "[omnivigil_*]",
    "exclude.fields": "[reason, omnidaemon_group.life]",
    "exclude.tags": "[group]",
    "rotate_size": "100MiB",
    "prefix": "omnidaemon",
    "packet_bytes": "1432",
    "webhook.url": "https://hooks.example.org/omnivigil",
    "template": "/etc/omnivigil/webhook.template",
    "content_type": "application/json",
    "webhook.rate": "10",
    "headers": "{X-Api-Key: abc}",
    "hmac_key": "/etc/omnivigil/hmac.key",
    "routing_key": "/etc/omnivigil/routing.key",
    "source": "omnivigil.example.org",
    "icinga.url": "https://icinga.example.org:5665",
    "create": "omnivigil-alert",
    "check_source": "omnivigil.example.org",
    "ttl": "5m",
    "rules.name": "backlog",
    "rules.value": "omnidaemon_group.oldest_undelivered_seconds",
    "rules.where": "topic=orders.*|mail.*, registered=true",
    "rules.unless": "omnidaemon_health.runner=stopped",
    "rules.warning": "60",
    "rules.critical": "600",
    "rules.severity": "critical",
    "rules.clear": "30",
    "rules.for": "1m",
    "rules.clear_for": "5m",
    "rules.repeat": "4h",
    "rules.gone_for": "15m",
    "rules.summary": '"on {topic}, tasks for {agent} wait {value}"',
    "rules.description": "give it more consumers",
    "silences.rules": "backlog|pending",
    "silences.tags": '{topic: "orders.*"}',
    "silences.from": "2026-12-24",
    "silences.until": "2026-12-27T06:00:00Z",
    "silences.comment": "stocktaking",
}


def yaml_comment(text, indent):
    for line in textwrap.wrap(text, 96 - indent, break_long_words=False, break_on_hyphens=False):
        yield " " * indent + "# " + line


def yaml_value(option, scope):
    """NAME: VALUE as it would be written."""
    name = option.name.rsplit(".", 1)[-1]
    if option.type == "mapping":
        return f"{name}:"
    if option.default is not None and f"{scope}.{option.name}" not in EXAMPLES:
        plain = re.fullmatch(r"[\w./][\w./:-]*", option.default)
        value = option.default.strip('"')
        return f"{name}: {value}" if plain else f'{name}: "{value}"'
    value = EXAMPLES.get(f"{scope}.{option.name}", EXAMPLES.get(option.name, '""'))
    value = scope if option.name == "name" and scope != "rules" else value
    in_file = option.secret and value.startswith("/")
    return f"{name}_file: {value}" if in_file else f"{name}: {value}"


def yaml_options(options, scope, indent, explained, shift="", first=None):
    """`shift` goes after the #, where the entry itself is commented out, `first` in its place
    before the first option."""
    for o in options:
        facts = o.type if not re.match("text|mapping|list|true", o.type) else ""
        line = f"{' ' * indent}#{first or shift}{'  ' * o.name.count('.')}{yaml_value(o, scope)}"
        if "(or" in o.secret and f"{o.name}_file" not in line:
            facts += f"{', ' if facts else ''}or {o.name}_file"
        facts += f"{'; ' if facts else ''}environment {o.env}" if o.env else ""
        if o not in explained:
            yield from yaml_comment(o.help + (f" ({facts})" if facts else ""), indent)
            explained.append(o)
        yield line
        first = None


def yaml_entry(page, explained):
    standard = page.name in STANDARD
    general = [o for o in page.general if o.name != "plugin"]
    yield ""
    yield from yaml_comment(f"{page.name}: {page.summary}", 2)
    yield ("  - plugin: " if standard else "  #- plugin: ") + page.name
    for options in (page.options, general):
        yield from yaml_options(options, page.name, 4 if standard else 2, explained,
                                "" if standard else "  ")


def yaml_section(page):
    yield ""
    yield from yaml_comment(f"{page.name}: {page.summary}", 0)
    yield f"#{page.name}:"
    yield from yaml_options(page.options, page.name, 2, [], "  ", "- ")


def render_yaml(pages):
    explained = []
    yield from YAML_HEAD.splitlines()
    for kind, title in (("agent", "agent"), ("input", "inputs"), ("output", "outputs")):
        yield ""
        yield f"{title}:"
        for page in pages:
            if page.kind != kind:
                continue
            if kind == "agent":
                yield from yaml_options(page.options, "agent", 2, explained)
            else:
                yield from yaml_entry(page, explained)
    for page in pages:
        if page.kind == "section":
            yield from yaml_section(page)


def yaml_uncommented(text, wanted):
    """The example with those options in force for which wanted(name, value) is true."""
    lines = []
    for line in text.splitlines():
        option = re.fullmatch(r"( *)#((?:  )*)(\w+):(.*)", line)
        if option and wanted(option[3], option[4].strip()):
            line = f"{option[1]}{option[2]}{option[3]}:{option[4]}"
        line = re.sub(r"^#(\w+:)$", r"\1", line)  # a section
        lines.append(re.sub(r"^( *)#- ", r"\1- ", line))  # an entry of one
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- the files

class Facts(NamedTuple):
    pages: list
    commands: list


def read_facts(ask):
    """What is written down; ask(*words) returns what `omnivigil WORDS` prints."""
    return Facts(read_pages(lambda *words: ask("plugins", *words)), read_commands(ask))


# Of each file the parts that are written, with the lines before and after them.
FILES = {
    "README.md": [(lambda facts: render_readme(facts.pages),
                   "<!-- reference: written by tests/reference.py -->",
                   "<!-- end of the reference -->"),
                  (lambda facts: markdown_keys(facts.commands),
                   "<!-- keys: written by tests/reference.py -->", "<!-- end of the keys -->")],
    "etc/omnivigil.1": [(lambda facts: render_commands(facts.commands),
                         '.\\" commands: written by tests/reference.py',
                         '.\\" end of the commands'),
                        (lambda facts: render_manual(facts.pages),
                         '.\\" reference: written by tests/reference.py',
                         '.\\" end of the reference')],
    "etc/omnivigil.yaml": [(lambda facts: render_yaml(facts.pages), None, None)],
}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def expected(path, facts):
    """What the file should hold."""
    text = read(path)
    for render, begin, end in FILES[path]:
        body = "".join(line + "\n" for line in render(facts))
        if not begin:
            return body
        if text.count(begin + "\n") != 1 or text.count(end + "\n") != 1:
            raise ValueError(f"{path}: a line is missing: {begin} or {end}")
        before, rest = text.split(begin + "\n")
        text = before + begin + "\n" + body + end + "\n" + rest.split(end + "\n")[1]
    return text


def difference(path, facts):
    """Lines that are wrong in the file, [] where it is right."""
    return list(difflib.unified_diff(read(path).splitlines(), expected(path, facts).splitlines(),
                                     path, "the tables", lineterm="", n=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite what differs")
    parser.add_argument("omnivigil", nargs="?", default="omnivigil")
    args = parser.parse_args()

    def ask(*words):
        return subprocess.run([args.omnivigil, *words], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    facts = read_facts(ask)
    wrong = [path for path in FILES if difference(path, facts)]
    for path in wrong:
        if args.write:
            text = expected(path, facts)
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                file.write(text)
        print(f"{path} {'rewritten' if args.write else 'differs: --write repairs it'}")
    return 1 if wrong and not args.write else 0


if __name__ == "__main__":
    sys.exit(main())
