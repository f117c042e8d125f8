"""The matrix: what a row is, and what becomes of one."""

import traceback


class Wrong(Exception):
    """The program did not do what the row expects."""


class Skip(Exception):
    """The row cannot run here; the text says why."""


class Row:
    def __init__(self, number, fault, expected, run):
        self.number, self.fault, self.expected, self.run = number, fault, expected, run


class Result:
    """What the table shows of one row: the verdict is "as expected", "WRONG" or "skipped"."""

    def __init__(self, row, verdict, seen, seconds=None, lost=None, took=0.0):
        self.row, self.verdict, self.seen = row, verdict, seen
        self.seconds, self.lost, self.took = seconds, lost, took


matrix = {}


def row(number, fault, expected):
    """Registers a function of a Lab, which returns one line: what was seen."""

    def register(function):
        assert number not in matrix, f"two rows {number}"
        matrix[number] = Row(number, fault, expected, function)
        return function

    return register


def run(row, make_lab):
    """Runs one row in a lab of its own; whatever happens, the lab is taken down, and what it finds left behind counts."""
    lab = None
    try:
        lab = make_lab(row.number)
        verdict, seen = "as expected", row.run(lab)
    except Skip as reason:
        verdict, seen = "skipped", str(reason)
    except Wrong as error:
        verdict, seen = "WRONG", str(error)
    except Exception as error:  # a mistake in the row itself must not end the matrix
        traceback.print_exc()
        verdict, seen = "WRONG", f"the test itself failed: {type(error).__name__}: {error}"
    if lab is None:
        return Result(row, verdict, seen)
    left = lab.take_down()
    if lab.wrong:
        seen = "; ".join(lab.wrong) if verdict == "as expected" else "; ".join([*lab.wrong, seen])
        verdict = "WRONG"
    if left:
        verdict, seen = "WRONG", f"{seen}; left behind: {', '.join(left)}"
    return Result(row, verdict, " ".join(seen.split()), lab.slowest, lab.lost, lab.age)
