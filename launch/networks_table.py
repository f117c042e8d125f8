"""Writes the table of docs/NETWORKS.md from the results of launch/test-networks."""
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
    results.sort(key=lambda r: (r["model"] in later, r["model"].startswith("timm:"), r["model"]))
    header = ["model", "size", "million parameters", "logits", "images' gradient", "training logits",
              "weights' gradients", "three steps", "x_T", "s a step", "MiB", "beyond the bounds"]
    rows = [header, ["---"] * len(header)] + [row(r, r["model"] in later) for r in results]
    table = "".join("| " + " | ".join(cells) + " |\n" for cells in rows)
    text = open(document).read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    open(document, "w").write(before + BEGIN + table + END + after)
    failed = sum("failure" in r for r in results)
    print(f"launch/test-networks: {len(results)} models, {failed} with a failure, in {document}")


if __name__ == "__main__":
    main()
