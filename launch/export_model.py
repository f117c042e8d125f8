"""What launch/export-model runs: a PyTorch model as an ONNX file that icp can train (docs/NETWORKS.md)."""
import argparse, collections, contextlib, importlib.util, json, logging, os, pickle, sys, warnings

warnings.filterwarnings("ignore")
# The newest operator set that both the exporter and icp know.
OPSET = 20


def without_operators_of_torchvision():
    """torchvision's C++ operators may be built for another torch, and do not load then; models need none of them."""
    import torch
    names = "nms qnms roi_align roi_pool ps_roi_align ps_roi_pool deform_conv2d".split()
    names += [f"_{name}_backward" for name in names]
    library = torch.library.Library("torchvision", "DEF")
    for name in names:
        try:
            library.define(f"{name}(Tensor x) -> Tensor")
        except RuntimeError:
            pass  # it is there
    return library


def sides(size):
    """Height and width."""
    return (size, size) if isinstance(size, int) else tuple(size)


def size_of(text):
    """`64`, or height and width as in `48x64`."""
    numbers = [int(part) for part in text.split("x")]
    if len(numbers) > 2 or min(numbers) < 1:
        raise ValueError(text)
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)


def numbers_of(text):
    return [float(part) for part in text.split(",")]


def load(source, classes, size, pretrained):
    """The model of `source`; `size` is a number of pixels, or height and width."""
    kind, _, name = source.partition(":")
    if kind == "torchvision":
        load.keep = without_operators_of_torchvision()
        import torchvision
        options = {"image_size": size} if name.startswith("vit_") else {}
        if pretrained:
            return torchvision.models.get_model(name, weights="DEFAULT", **options)
        return torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
    if kind == "timm":
        load.keep = without_operators_of_torchvision()
        import timm
        try:
            return timm.create_model(name, pretrained=pretrained, num_classes=classes, img_size=size)
        except TypeError:  # its size is free
            return timm.create_model(name, pretrained=pretrained, num_classes=classes)
    path, _, function = source.rpartition(":")
    if not path or not os.path.exists(path):
        sys.exit(f"launch/export-model: {source}: expected torchvision:NAME, timm:NAME or path/to/file.py:function")
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec.loader.exec_module(module)
    return getattr(module, function)()


def load_weights(model, path):
    import torch
    try:
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
            state = state.get("state_dict", state.get("model_state_dict", state.get("model", state)))
        def bare(name):
            # Without the wrappers of DistributedDataParallel and torch.compile.
            return ".".join(part for part in name.split(".") if part not in ("module", "_orig_mod"))

        # Versions of layers, which torch.save keeps and safetensors does not; torchvision's MNASNet insists on its own.
        versions = getattr(state, "_metadata", None) or {"": model.state_dict()._metadata[""]}
        state = collections.OrderedDict((bare(name), value) for name, value in state.items())
        state._metadata = {bare(name): version for name, version in versions.items()}
        model.load_state_dict(state)
    except pickle.UnpicklingError:
        sys.exit(f"launch/export-model: {path}: is no state_dict that torch.save wrote: tensors alone are read, no whole model; "
                 "or is it a web page, or a pointer of Git LFS?")
    except Exception as error:  # a missing file, a model of other layers
        reason = " ".join(str(error).split()) or type(error).__name__
        sys.exit(f"launch/export-model: {path}: is not the model's state_dict: {reason[:300]}")


def check_output(output, read):
    """Nothing that is read is written over, nor what is no regular file."""
    for path in (output, output + ".data"):
        if os.path.exists(path) and any(os.path.exists(other) and os.path.samefile(path, other) for other in read):
            sys.exit(f"launch/export-model: --output {output}: would be written over what is read; name another file")
        if os.path.exists(path) and not os.path.isfile(path):
            sys.exit(f"launch/export-model: --output {output}: is no regular file; name another")


def dropped(model):
    """What training has and evaluation mode, in which files are exported, has not."""
    import torch
    found = []
    for name, module in model.named_modules():
        kind = type(module).__name__
        rate = 0
        if isinstance(module, torch.nn.modules.dropout._DropoutNd) or kind in ("StochasticDepth", "DropPath", "DropBlock2d"):
            rate = getattr(module, "p", getattr(module, "drop_prob", 0)) or 0
        elif isinstance(getattr(module, "dropout", None), float):  # as MultiheadAttention's
            rate = module.dropout
        if rate > 0:
            found.append(f"{kind}({rate:g}) {name}".rstrip())
    return found


def pool_adaptively(x, size):
    """F.adaptive_avg_pool2d where the output does not divide the input, which the exporter writes with operators of its own:
    the mean of at most k neighbours along each axis, as k gathers."""
    import torch
    for axis, count in zip((2, 3), sides(size)):
        extent = x.shape[axis]
        count = extent if count is None else count
        bins = [(i * extent // count, -(-(i + 1) * extent // count)) for i in range(count)]
        total = None
        for offset in range(max(end - start for start, end in bins)):
            places = torch.tensor([min(start + offset, end - 1) for start, end in bins])
            shares = torch.tensor([1 / (end - start) if start + offset < end else 0.0 for start, end in bins])
            part = x.index_select(axis, places) * (shares if axis == 3 else shares[:, None])
            total = part if total is None else total + part
        x = total
    return x


@contextlib.contextmanager
def plain_pooling():
    """PyTorch's own where that becomes one operator."""
    from torch.nn import functional
    own = functional.adaptive_avg_pool2d

    def pool(x, size):
        divides = all(n is None or extent % n == 0 for extent, n in zip(x.shape[-2:], sides(size)))
        return own(x, size) if divides else pool_adaptively(x, size)
    functional.adaptive_avg_pool2d = pool
    try:
        yield
    finally:
        functional.adaptive_avg_pool2d = own


def export(model, output, size, metadata, channels=3):
    """Writes `model` for images of `size`, with its batch normalisation kept and what is constant folded."""
    import torch, onnx_ir
    from onnxscript.optimizer import fold_constants, remove_unused_nodes
    logging.disable(logging.WARNING)
    model.eval()
    image = torch.randn(1, channels, *sides(size))
    # optimize=True would fold batch normalisation into the convolutions.
    with plain_pooling():
        graph = torch.onnx.export(model, (image,), dynamo=True, optimize=False, opset_version=OPSET, verbose=False).model
    names = {name for name, _ in model.named_parameters()}

    def should_fold(node):
        # What is computed of a parameter stays computed: its result alone would not be trained.
        moves = ("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
        return False if node.op_type not in moves and any(x is not None and x.name in names for x in node.inputs) else None

    fold_constants(graph, onnx_shape_inference=True, should_fold=should_fold)
    remove_unused_nodes(graph)
    keep_names(graph, model)
    tensors = set(graph.graph.initializers)
    buffers = [name for name, _ in model.named_buffers() if name in tensors]
    # Other parameters have a module's path for a name.
    bare = [name for name in names if "." not in name]
    for node in graph.graph:
        # Where in whose files the line stands is nobody's business, and half of a small file.
        node.metadata_props.pop("pkg.torch.onnx.stack_trace", None)
    graph.metadata_props.update({**metadata, "buffers": ",".join(sorted(set(buffers) - names)), "parameters": ",".join(sorted(bare))})
    size_in_bytes = sum(p.numel() * 4 for p in model.parameters())
    if size_in_bytes > 1 << 30:
        onnx_ir.save(graph, output, external_data=os.path.basename(output) + ".data")
    else:
        onnx_ir.save(graph, output)
    return graph


def keep_names(graph, model):
    """Folding gives what becomes of a parameter a number for a name: a class token that was repeated once, say."""
    import torch
    tensors = graph.graph.initializers
    missing = {name: p.detach() for name, p in model.named_parameters() if name not in tensors}
    for tensor in list(tensors.values()):
        if tensor.name in dict(model.named_parameters()) or tensor.const_value is None or "." in tensor.name \
                or any(use.node.op_type == "Conv" for use in tensor.uses()):  # zeros for no bias
            continue
        value = torch.from_numpy(tensor.const_value.numpy().copy())
        for name, parameter in missing.items():
            if value.dtype == parameter.dtype and value.numel() == parameter.numel() and \
                    value.squeeze().shape == parameter.squeeze().shape and torch.equal(value.squeeze(), parameter.squeeze()):
                tensor.name = name
                del missing[name]
                break


def check(model, output, size, channels=3):
    """The largest difference from PyTorch's logits, over the largest of them, by onnxruntime; nil without it."""
    try:
        import onnxruntime
    except ImportError:
        return None
    import torch
    x = torch.randn(1, channels, *sides(size))
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    ours = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])
    with torch.no_grad():
        theirs = model(x)
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def main():
    parser = argparse.ArgumentParser(prog="launch/export-model", description="a PyTorch model as an ONNX file for icp")
    parser.add_argument("source", metavar="SOURCE", help="torchvision:NAME, timm:NAME or path/to/file.py:function")
    parser.add_argument("--output", required=True, metavar="FILE")
    parser.add_argument("--size", type=size_of, default=64, metavar="N|HxW", help="height and width of the images (64)")
    parser.add_argument("--channels", type=int, default=3, help="channels of the images (3)")
    parser.add_argument("--mean", type=numbers_of, metavar="LIST", help="mean of each channel of pixels in 0..1, as 0.5,0.5,0.5")
    parser.add_argument("--std", type=numbers_of, metavar="LIST", help="their standard deviations")
    parser.add_argument("--classes", type=int, default=10, help="classes, where the source takes a number (10)")
    parser.add_argument("--weights", metavar="FILE", help="start from a state_dict, .pt or .safetensors")
    parser.add_argument("--pretrained", action="store_true", help="start from downloaded weights (needs a network)")
    options = parser.parse_args()

    check_output(options.output, [options.source.rpartition(":")[0], options.weights or ""])
    import torch
    torch.manual_seed(0)
    model = load(options.source, options.classes, options.size, options.pretrained)
    if options.weights:
        load_weights(model, options.weights)
    model.eval()
    with torch.no_grad():
        logits = model(torch.zeros(1, options.channels, *sides(options.size)))
    if logits.ndim != 2:
        sys.exit(f"launch/export-model: {options.source} gives {tuple(logits.shape)}, expected (1, classes)")
    # Size, channels and classes are the graph's own.
    metadata = {"source": options.source}
    if options.source.startswith(("torchvision:", "timm:")):
        config = getattr(model, "pretrained_cfg", None) or {}
        for key, usual in (("mean", (0.485, 0.456, 0.406)), ("std", (0.229, 0.224, 0.225))):
            metadata[f"preprocessing.{key}"] = json.dumps(list(config.get(key, usual)))
    for key in ("mean", "std"):
        if getattr(options, key):
            metadata[f"preprocessing.{key}"] = json.dumps(getattr(options, key))
    export(model, options.output, options.size, metadata, options.channels)
    left_out = dropped(model)
    if left_out:
        print(f"not in the file, since it is exported in evaluation mode: {', '.join(left_out[:6])}"
              + (f" and {len(left_out) - 6} more" if len(left_out) > 6 else ""))
    distance = check(model, options.output, options.size, options.channels)
    if distance is None:
        print("not checked: there is no onnxruntime")
    elif distance > 1e-3:
        sys.exit(f"launch/export-model: the file's logits differ from PyTorch's by {distance:.1e} of the largest")
    else:
        print(f"checked with onnxruntime: logits differ from PyTorch's by {distance:.1e} of the largest")
    count = sum(p.numel() for p in model.parameters())
    print(f"{options.output}: {count:,} parameters, {logits.shape[1]} classes, images of {options.channels}x{'x'.join(map(str, sides(options.size)))}")
    print(f"model:\n  kind: onnx\n  path: {os.path.abspath(options.output)}")


if __name__ == "__main__":
    main()
