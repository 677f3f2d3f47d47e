# SPDX-License-Identifier: GPL-2.0
"""The console log of a KUnit run: results of the suites, and reports of the kernel's detectors."""

import contextlib
import dataclasses
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent

MARK = "mana-kunit: "
# A result or plan line ends whatever report came before it.
KTAP_LINE = re.compile(r"\s*((not )?ok \d+|KTAP version|# Subtest:|1\.\.\d+)")
RESULT_LINE = re.compile(r"\s*(?:not )?ok \d+ (\S+)")
SUBTEST_LINE = re.compile(r"\s*# Subtest: (\S+)")
REPORT_END = re.compile(r"---\[ end trace|^ </(TASK|IRQ)>")
# KASAN goes on after the trace, with the history of the memory.
RULER = re.compile(r"^={60,}$")
# Longer than any report is.
REPORT_LINES = 200
SHOWN_LINES = 14


def table(name: str) -> list[str]:
    """Lines of a table of this directory, without comments."""
    lines = (HERE / name).read_text(encoding="ascii").splitlines()
    return [line.rstrip() for line in lines if line.strip() and not line.startswith("#")]


PATTERNS = [(name, re.compile(regex.strip()))
            for name, _, regex in (line.partition(" ") for line in table("reports.table"))]
NOISE = [re.compile(re.sub(r"\s+# .*", "", line)) for line in table("noise.table")]


@dataclasses.dataclass
class Report:
    name: str
    line_number: int  # in console.log
    lines: list
    where: str = ""  # what was running


@dataclasses.dataclass
class Console:
    lines: list  # without time stamps

    @classmethod
    def read(cls, path: pathlib.Path) -> "Console":
        try:
            text = path.read_text(errors="replace")
        except OSError:
            text = ""
        return cls([re.sub(r"^\[ *\d+\.\d+\] ?", "", line.rstrip("\r")) for line in text.split("\n")])

    def mark(self, word: str) -> int | None:
        """Where the guest said something that starts with a word."""
        return next((i for i, line in enumerate(self.lines) if line.startswith(MARK + word)), None)

    def said(self, word: str) -> str:
        """The rest of that line."""
        at = self.mark(word)
        return "" if at is None else self.lines[at][len(MARK + word):].strip()

    def suite_lines(self) -> list[str]:
        """What was said while the module was loaded, which is when its suites run."""
        begin = self.mark("load")
        if begin is None:
            return []
        end = next((i for i in range(begin + 1, len(self.lines)) if self.lines[i].startswith(MARK)), None)
        return self.lines[begin + 1:end]

    def _where(self, index: int) -> str:
        """The suite and case that were running at a line: results come after what they are about."""
        begin = self.mark("load")
        if begin is None or index <= begin:
            return "while the kernel booted"
        suite = ""
        for line in self.lines[begin:index]:
            if line.startswith(MARK):
                suite = ""
            elif match := SUBTEST_LINE.match(line):
                suite = match[1] if not suite or line.startswith("    #") else suite
            elif not line.startswith(" ") and RESULT_LINE.match(line):
                suite = ""
        for line in self.lines[index:]:
            if match := RESULT_LINE.match(line):
                return f"in {suite}.{match[1]}" if suite and line.startswith(" ") else f"in {match[1]}"
            if line.startswith(MARK):
                break
        return f"in {suite}" if suite else "outside the suites"

    def reports(self) -> list[Report]:
        found, open_report = [], None
        for index, line in enumerate(self.lines):
            name = next((name for name, pattern in PATTERNS if pattern.search(line)), None)
            if name and any(pattern.search(line) for pattern in NOISE):
                name = None
            if open_report and (KTAP_LINE.match(line) or line.startswith(MARK) or
                                len(open_report.lines) >= REPORT_LINES or
                                name in ("kmemleak", "kasan")):
                open_report = None
            if open_report:
                open_report.lines.append(line)
                if open_report.name == "warning" and name not in (None, "warning", "trace"):
                    open_report.name = name  # "cut here" comes before the line that says what it is
                if (RULER if open_report.name == "kasan" else REPORT_END).search(line):
                    open_report = None
            elif name:
                open_report = Report(name, index + 1, [line], self._where(index))
                found.append(open_report)
        return found


# Of a report in front of a person: no registers, no frames that the unwinder only guesses.
TIRING = re.compile(r"------------\[ cut here|^[=-]+$|^\s*$|^\s+\? |^(Code|RSP|R[A-D]X|RBP|R\d\d|[CFD]S|CR\d|DR\d): |"
                    r"^(RIP|Tainted|Modules linked in|CPU|Hardware name|Workqueue): |^\s*</?TASK>")


def first_lines(report: Report) -> list[str]:
    """Enough of a report to know what it is about."""
    return [line for line in report.lines if not TIRING.search(line)][:SHOWN_LINES]


def is_report(line: str) -> bool:
    return bool(RULER.search(line)) or any(pattern.search(line) for _, pattern in PATTERNS)


def parse(lines: list[str], tools: pathlib.Path, transcript: pathlib.Path):
    """The kernel's own reading of its test results: a Test of kunit_parser with its subtests, or None
    if there is nothing that it can read; and the names of the states of a test."""
    sys.path.insert(0, str(tools))
    with open(transcript, "w", encoding="utf-8") as output, contextlib.redirect_stdout(output):
        # It prints to what is standard output when it is first imported.
        import kunit_parser
        try:
            # It cannot cope with an end right after the last result, hence the empty line.
            test = kunit_parser.parse_run_tests([*lines, ""])
        except ValueError as error:
            print(error)
            test = None
    return test, kunit_parser.TestStatus
