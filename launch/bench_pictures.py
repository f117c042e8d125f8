"""What launch/bench-pictures runs: decoding in turn with Pillow and torchvision; waiting for data; the cache."""
import argparse, ctypes, glob, io, json, os, statistics, subprocess, sys, time, warnings

import numpy
from PIL import Image

warnings.filterwarnings("ignore")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def jpeg(random, width, height):
    """A smooth picture with some noise, as a camera's."""
    coarse = Image.fromarray(random.integers(0, 256, (height // 12 + 2, width // 12 + 2, 3), dtype=numpy.uint8))
    pixels = numpy.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype="int16")
    pixels = pixels + random.integers(-8, 9, pixels.shape, dtype="int16")
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(file, "JPEG", quality=90)
    return file.getvalue()


class Ours:
    """Sources/CImages, which Picture.decode calls: the header, then the pixels."""

    class Facts(ctypes.Structure):
        _fields_ = [(name, ctypes.c_int32) for name in ("width", "height", "channels", "bits", "colour", "arithmetic")] + [
            (name, ctypes.c_void_p) for name in ("exif", "xmp")] + [
            (name, ctypes.c_size_t) for name in ("exif_count", "xmp_count")] + [("message", ctypes.c_char * 200)]

    def __init__(self, folder):
        library = f"{folder}/images.so"
        subprocess.run(["cc", "-O2", "-fPIC", "-shared", f"-I{ROOT}/Sources/CImages/include", "-o", library,
                        *glob.glob(f"{ROOT}/Sources/CImages/*.c"), "-ljpeg", "-lpng", "-lm"], check=True)
        self.library = ctypes.CDLL(library)

    def __call__(self, data):
        facts = self.Facts()
        size = ctypes.c_size_t(len(data))
        if self.library.ci_jpeg_header(data, size, ctypes.byref(facts)):
            raise ValueError(facts.message)
        pixels = numpy.empty((facts.height, facts.width, 3), numpy.uint8)
        self.library.ci_free(ctypes.byref(facts))
        if self.library.ci_jpeg_decode(data, size, 3, ctypes.c_void_p(pixels.ctypes.data), ctypes.c_size_t(pixels.size),
                                       ctypes.byref(facts)):
            raise ValueError(facts.message)
        self.library.ci_free(ctypes.byref(facts))
        return pixels


def pillow(data):
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def torchvision_decoder():
    """None where it is not there, or its operators are another torch's."""
    try:
        import torch
        sys.path.insert(0, f"{ROOT}/launch")
        from export_model import without_operators_of_torchvision
        torchvision_decoder.keep = without_operators_of_torchvision()
        from torchvision.io import ImageReadMode, decode_jpeg
        torch.set_num_threads(1)

        def decode(data):
            tensor = torch.frombuffer(bytearray(data), dtype=torch.uint8)
            return decode_jpeg(tensor, ImageReadMode.RGB).permute(1, 2, 0).numpy()
        decode(jpeg(numpy.random.default_rng(0), 16, 16))
        return decode
    except Exception as error:
        print(f"torchvision does not decode here: {type(error).__name__}: {' '.join(str(error).split())[:100]}")
        return None


def decoding(folder, rounds):
    """Processor seconds a picture of each decoder, and its ratio to ours; returns ours by size."""
    decoders = {"ours": Ours(folder), "Pillow": pillow, "torchvision": torchvision_decoder()}
    decoders = {name: decode for name, decode in decoders.items() if decode}
    random = numpy.random.default_rng(1)
    own = {}
    for width, height, count in ((64, 64, 400), (500, 375, 20)):
        pictures = [jpeg(random, width, height) for _ in range(count)]
        for name, decode in decoders.items():
            difference = numpy.abs(decode(pictures[0]).astype(int) - decoders["ours"](pictures[0])).max()
            assert difference <= 1, f"{name} decodes to other pixels: {difference}"
        times = {name: [] for name in decoders}
        for _ in range(rounds):
            for name, decode in decoders.items():
                start = time.thread_time()
                for data in pictures:
                    decode(data)
                times[name].append((time.thread_time() - start) / count)
        own[width, height] = statistics.median(times["ours"])
        for name in decoders:
            ratios = [other / ours for other, ours in zip(times[name], times["ours"])]
            print(f"decoding {width}x{height}: {name} {1e6 * statistics.median(times[name]):.0f} us of processor time a picture"
                  + ("" if name == "ours" else f", {statistics.median(ratios):.2f} times ours"
                     f" ({min(ratios):.2f} to {max(ratios):.2f})"))
    return own


def write_folder(path, random, count, width, height):
    for number in range(count):
        place = f"{path}/train/{number % 10}"
        os.makedirs(place, exist_ok=True)
        with open(f"{place}/{number}.jpg", "wb") as file:
            file.write(jpeg(random, width, height))


CONFIGURATION = """\
data: {{path: {path}, size: {size}, decoder_threads: 1, cache: {cache}, augment: [{augment}]}}
model: {{kind: resnet18}}
training: {{batch_size: {batch}, shards: 1, epochs: {epochs}}}
icp: {{steps: 2}}
distillation: {{warmup: 0}}
evaluation: {{train_samples: none}}
checkpoint: {{every_epochs: none}}
logging: {{every_steps: 1000}}
"""


def train(icp, folder, name, trace=None, **values):
    with open(f"{folder}/{name}.yaml", "w") as file:
        file.write(CONFIGURATION.format(**values))
    subprocess.run([icp, "train", f"{folder}/{name}.yaml", "--run-dir", f"{folder}/{name}"]
                   + (["--trace", trace] if trace else []), check=True, stdout=subprocess.DEVNULL)
    records = [json.loads(line) for line in open(f"{folder}/{name}/metrics.jsonl")]
    return [record for record in records if record["kind"] == "epoch"]


def waiting(icp, folder, size, batch, steps, cache="none"):
    """Processor seconds of a step, of a training on the pictures in `folder`/pictures-`size`."""
    # The first steps warm up, and fill the cache.
    name = f"waiting-{size}"
    epochs = train(icp, folder, name, f"{steps + 1}-{2 * steps}", path=f"{folder}/pictures-{size}", size=size, cache=cache,
                   augment="flip", batch=batch, epochs=2)
    events = json.load(open(f"{folder}/{name}/trace.json"))["traceEvents"]
    spans = {event["name"]: event["dur"] for event in events if event.get("name", "").startswith("step ")}
    waits = [event["dur"] for event in events if event.get("name") == "data"]
    shares = [wait / whole for wait, whole in zip(waits, spans.values())]
    print(f"waiting for data{'' if cache == 'none' else ' from the cache'}: {100 * statistics.median(shares):.2f} % of a cyclic step of "
          f"ResNet-18 at {size}x{size}, batch {batch}, T = 2 (median of {len(shares)}; worst {100 * max(shares):.2f} %)")
    return epochs[-1]["processor_seconds_per_step"]


def cache(icp, folder, batch, steps, random):
    write_folder(f"{folder}/large", random, batch * steps, 500, 375)
    epochs = train(icp, folder, "cached", path=f"{folder}/large", size=112, cache=f"{folder}/cache",
                   augment="random-resized-crop, flip", batch=batch, epochs=4)
    later = statistics.median(epoch["seconds_per_step"] for epoch in epochs[1:])
    work = statistics.median(epoch["processor_seconds_per_step"] for epoch in epochs[1:])
    print(f"the epoch that fills the cache: {epochs[0]['seconds_per_step'] / later:.2f} times a later one's step in seconds, "
          f"{epochs[0]['processor_seconds_per_step'] / work:.2f} times in processor time (batch {batch}, 112 pixels)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("icp")
    parser.add_argument("folder")
    for name in ("rounds", "steps", "batch"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--only")
    options = parser.parse_args()
    random = numpy.random.default_rng(2)
    own = decoding(options.folder, options.rounds) if options.only in ("", "decoding") else {}
    if options.only in ("", "waiting"):
        write_folder(f"{options.folder}/pictures-64", random, options.batch * options.steps, 64, 64)
        step = waiting(options.icp, options.folder, 64, options.batch, options.steps)
        if own:
            print(f"decoding on the rank's core: {100 * own[64, 64] * options.batch / step:.2f} % of the step's processor time")
        # Fewer, since a picture of 224 pixels is twelve times the work of one of 64.
        batch = max(1, options.batch // 8)
        write_folder(f"{options.folder}/pictures-224", random, batch * options.steps, 500, 375)
        waiting(options.icp, options.folder, 224, batch, options.steps, f"{options.folder}/cache-224")
    if options.only in ("", "cache"):
        cache(options.icp, options.folder, options.batch, options.steps, random)


if __name__ == "__main__":
    main()
