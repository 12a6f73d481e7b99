"""Holds reports against the readers of others. Each argument is FORMAT=FILE; says what each refuses, and exits 1 then.

Needs the packages of tests/containers/requirements-formats.txt, and beside the Python that runs it schemas/sarif.json
(the official one, from the crate serde-sarif) and schemas/junit.xsd (that of Jenkins, from the crate junit-report).
"""
import json
import pathlib
import re
import subprocess
import sys

SCHEMAS = pathlib.Path(sys.prefix) / "schemas"


def junit(path):
    import junitparser
    import xmlschema

    xmlschema.validate(path, SCHEMAS / "junit.xsd")
    read = junitparser.JUnitXml.fromfile(path)
    cases = [case for suite in read for case in suite]
    kinds = [type(result).__name__ for case in cases for result in case.result]
    counts = (len(cases), kinds.count("Failure"), kinds.count("Error"))
    stated = (read.tests, read.failures, read.errors)
    assert counts == stated, f"it says {stated}, and holds {counts}"
    assert sum(suite.skipped for suite in read) == kinds.count("Skipped"), "skipped cases"


def sarif(path):
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--regex-variant", "python", "--schemafile", SCHEMAS / "sarif.json", path],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # What GitHub asks beyond the schema.
    run = json.load(open(path))["runs"][0]
    results = run["results"]
    assert len(results) <= 25_000
    prints = [result["partialFingerprints"]["gpuPreflight/v1"] for result in results]
    assert len(set(prints)) == len(prints), "two results with one fingerprint"
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", uri) and ".." not in uri.split("/"), uri
        assert place["region"]["startLine"] >= 1
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def gitlab(path):
    issues = json.load(open(path))
    assert isinstance(issues, list)
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints), "two issues with one fingerprint"
    for issue in issues:
        assert issue["description"] and issue["check_name"], issue
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker"), issue
        path, line = issue["location"]["path"], issue["location"]["lines"]["begin"]
        assert path and not path.startswith(("/", "./")) and isinstance(line, int) and line >= 1, issue


def markdown(path):
    from markdown_it import MarkdownIt

    text = open(path).read()
    assert len(text.encode()) <= 65_536, "too long for a comment"
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    rows, cells = 0, 0
    for token in tokens:
        assert token.type != "html_block", token.content
        if token.type == "tr_open":
            rows, cells = rows + 1, 0
        elif token.type in ("td_open", "th_open"):
            cells += 1
        elif token.type == "tr_close":
            assert cells == 5, f"{cells} cells"
        for inner in token.children or []:
            assert inner.type in ("text", "code_inline", "softbreak", "text_special"), f"{inner.type}: {token.content}"
    # A reader drops what is beyond the last column, so what ends a cell is counted too, as cmark-gfm does.
    for line in text.splitlines():
        if line.startswith("| "):
            ends = re.sub(r"\\.", "", line).count("|")
            assert ends == 6, f"{ends} ends of cells: {line}"
    told = sum(line.startswith("| ") for line in text.splitlines())
    assert rows == told, f"{told} rows are written, {rows} are read"


def prometheus(path):
    from prometheus_client.parser import text_fd_to_metric_families
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    text = open(path).read()
    seen, names = set(), set()
    for family in text_fd_to_metric_families(open(path)):
        assert re.fullmatch(r"gpu_preflight_[a-z0-9_]+", family.name) and family.type == "gauge" and family.documentation
        for sample in family.samples:
            series = (sample.name, tuple(sorted(sample.labels.items())))
            assert series not in seen, f"twice: {series}"
            assert sample.timestamp is None, f"a timestamp: {series}"
            seen.add(series)
            names.add(sample.name)
    assert "gpu_preflight_verdict" in names
    written = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    assert written == len(seen), f"{written} samples are written, {len(seen)} are read"
    # A stricter reader of what is nearly the same language.
    read = sum(len(family.samples) for family in text_string_to_metric_families(text + "# EOF\n"))
    assert read == written, f"OpenMetrics reads {read} of {written}"


def github(path):
    # As the runner reads its log: actions/runner, ActionCommand.TryParseV2.
    lines = open(path).read().splitlines()
    assert 1 <= len(lines) <= 10, f"{len(lines)} annotations"
    for line in lines:
        found = re.fullmatch(r"::(error|warning|notice) (?:file=[^,:]+,line=\d+,)?title=[^,:]*::(.+)", line)
        assert found, line
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", line), f"a percent sign that is none of ours: {line}"


def line(path):
    data = open(path, "rb").read()
    assert len(data) <= 80 and data.count(b"\n") == 1 and data.endswith(b"\n") and data.decode(), data


wrong = 0
for argument in sys.argv[1:]:
    kind, path = argument.split("=", 1)
    try:
        globals()[kind](path)
    except Exception as error:  # each reader has errors of its own
        print(f"{argument}: {type(error).__name__}: {str(error)[:600]}")
        wrong += 1
sys.exit(1 if wrong else 0)
