"""Which of a model's default taps, as `icp inspect FILE.onnx` prints them on standard input, are modules of PyTorch's.

    icp inspect FILE.onnx | python peer_taps.py SOURCE SIZE      (prints them with commas)
"""
import os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def taps_of(text, model):
    """In the order of the network."""
    line = re.search(r"^taps by default: (.*?);", text, re.M)
    names = re.findall(r"'([^']*)'", line.group(1)) if line else []
    return [name for name in names if name in dict(model.named_modules())]


if __name__ == "__main__":
    import export_model

    print(",".join(taps_of(sys.stdin.read(), export_model.load(sys.argv[1], 100, int(sys.argv[2]), False))))
