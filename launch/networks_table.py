"""Writes the rows of docs/NETWORKS.md for the results of launch/test-networks; models without a result here keep theirs."""
import glob, json, os, sys

BEGIN, END = "<!-- models -->\n", "<!-- /models -->\n"


def short(value):
    return f"{value:.0e}".replace("e-0", "e-")


def row(result, later):
    name = result["model"].removeprefix("torchvision:").replace("timm:", "timm ") + (" *" if later else "")
    cells = [name, str(result["size"]), f"{result['parameters'] / 1e6:.1f}" if "parameters" in result else ""]
    if "seconds" not in result:
        # Without this machine's folders.
        text = " ".join(result["failure"].split()).replace(os.path.abspath(sys.argv[1]), "...")
        return cells + [f"**{result['stage']}**: {text[:160]}"] + [""] * 7
    cells += [f"{short(result[key])} ({short(result['pytorch'][key])})"
              for key in ("logits", "input", "training", "weights", "steps", "refined")]
    cells += [f"{result['seconds']:.2f}", f"{result['mebibytes']:.0f}"]
    return cells + [f"**{result['failure']}**" if "failure" in result else ""]


def main():
    folder, document, *later = sys.argv[1:]
    later = {name.split("@")[0] for name in later}
    results = [json.load(open(path)) for path in sorted(glob.glob(f"{folder}/*/result.json"))]
    text = open(document).read()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    heading, rows = table.splitlines()[:2], table.splitlines()[2:]
    by_name = {row.split("|")[1].strip(): row for row in rows}
    for result in results:
        cells = row(result, result["model"] in later)
        by_name[cells[0]] = "| " + " | ".join(cells) + " |"
    rows = sorted(by_name.items(), key=lambda item: (item[0].endswith("*"), item[0].startswith("timm "), item[0]))
    table = "".join(line + "\n" for line in heading + [line for _, line in rows])
    open(document, "w").write(before + BEGIN + table + END + after)
    failed = sum("failure" in r for r in results)
    print(f"launch/test-networks: {len(results)} models, {failed} with a failure, in {document}")


if __name__ == "__main__":
    main()
