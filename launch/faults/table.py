"""The table of what was seen, for a terminal and as Markdown."""

import textwrap

HEAD = ["row", "fault", "expected", "seen", "s to end", "steps lost", "verdict"]


def cells(result):
    seconds = "" if result.seconds is None else f"{result.seconds:.1f}"
    lost = "" if result.lost is None else str(result.lost) if result.lost > 0 else "none"
    return [str(result.row.number), result.row.fault, result.row.expected, result.seen, seconds, lost, result.verdict]


def terminal(results):
    widths = [3, 26, 26, 44, 8, 10, 11]
    lines = []
    for row in [HEAD, *map(cells, results)]:
        wrapped = [textwrap.wrap(text, width) or [""] for text, width in zip(row, widths)]
        for index in range(max(map(len, wrapped))):
            parts = (column[index] if index < len(column) else "" for column in wrapped)
            lines.append("  ".join(part.ljust(width) for part, width in zip(parts, widths)).rstrip())
        if row is HEAD:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join(lines)


def markdown(results):
    def line(parts):
        return "| " + " | ".join(part.replace("|", "\\|").replace("\n", " ") for part in parts) + " |"

    return "\n".join([line(HEAD), "|" + "---|" * len(HEAD), *(line(cells(result)) for result in results)]) + "\n"


def summary(results, seconds):
    count = {verdict: [r.row.number for r in results if r.verdict == verdict]
             for verdict in ("as expected", "WRONG", "skipped")}
    made = len(results) - len(count["skipped"])
    parts = [f"{made} of {len(results)} rows made, {len(count['as expected'])} as expected"]
    for verdict in ("WRONG", "skipped"):
        numbers = f": {', '.join(map(str, count[verdict]))}" if count[verdict] else ""
        parts.append(f"{len(count[verdict])} {verdict}{numbers}")
    return "; ".join(parts) + f"; {seconds / 60:.1f} minutes"
