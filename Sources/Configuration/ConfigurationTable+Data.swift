import Datasets
import Models

/// Keys of the data and the network.
extension ConfigurationTable {
  static let data: [Key] = [
    Key(
      "data.format", \.data.format, .choice,
      defaults: [
        .init(.auto, "with data.path") { $0.data.path != nil }, .init(.glyphs, "without") { _ in true },
      ],
      "The data set (DATA.md): `auto` is what `data.path` holds, and is written as that. `glyphs` is drawn by the program from "
        + "`training.seed`; `cifar10` and `cifar100` are the binary archives' files; `idx` is a directory with files named as "
        + "MNIST's, plain or .gz, grey or in colour; `images` are JPEG and PNG files in class folders, tar shards or a list; "
        + "`npz` is an archive and `npy` a folder of arrays named as MedMNIST's."
    ),
    Key(
      "data.path", \.data.path, .optional("none", .text("a directory or file")), role: .place,
      "Where the data lies: of CIFAR the `data_batch_N.bin`, sorted by name, or `train.bin`, and `test_batch.bin` or `test.bin`; "
        + "of pictures a folder, a `.tar`, a pattern such as `train-{000..003}.tar`, a `.csv` or `.tsv`. Needed by every format "
        + "but glyphs. A relative one starts at the working directory."
    ),
    Key(
      "data.validation_path", \.data.validationPath, .optional("none", .text("a directory or file")), role: .place,
      "Another place for the validation images, of any format: its part of that name, or all that it holds."),
    Key(
      "data.test_path", \.data.testPath, .optional("none", .text("a directory or file")), role: .place,
      "Another place for the test images, of any format: its part of that name, or all that it holds."),
    Key(
      "data.size", \.data.size, .optional("native", .integer(from: 1, to: 1024)), unit: "pixels",
      "Images are resized to this many pixels a side: pictures as `data.evaluation` says, by Pillow's antialiased bilinear "
        + "filter, others by area averaging. `native` keeps their size, which must be one, or takes that "
        + "of the weights' images."),
    Key(
      "data.shuffle", \.data.shuffle, .boolean,
      "A new order each epoch, from seed and epoch alone; `false` keeps file order."),
    Key(
      "data.augment", \.data.augment, .augmentations,
      defaults: [
        .init([.padCrop, .flip], "cifar10 and cifar100") { [.cifar10, .cifar100].contains($0.data.format) },
        .init([], "others") { _ in true },
      ],
      "Random changes of training images, in order, with their parameters in braces (DATA.md): `pad-crop` moves by up to 4 pixels "
        + "(zeros after normalisation come in), `flip` mirrors one in two, `{random-resized-crop: {scale: [0.25, 1]}}`, "
        + "`{rand-augment: {n: 2, m: 9}}`, `{color-jitter: {brightness: 0.4}}`, `{random-erasing: 0.25}`."
    ),
    Key(
      "data.evaluation.resize", \.data.evaluation.resize, .optional("of data.size", .integer(from: 1, to: 4096)),
      unit: "pixels",
      "Of pictures: the shorter side before the middle of `data.size` is cut out, where they are measured, and where no random "
        + "crop is trained on."),
    Key(
      "data.evaluation.crop", \.data.evaluation.crop, .choice,
      "Of pictures: `center` cuts the middle out, which keeps the aspect ratio; `none` squashes the whole picture."),
    Key(
      "data.channels", \.data.channels, .optional("of the files", .channels), unit: "channels",
      "Reads pictures in colour (3) or grey (1); without it in colour where any of them is."),
    Key(
      "data.bad_files", \.data.badFiles, .choice,
      "Pictures that cannot be read: `stop` names them and trains nothing, `skip` leaves them out and says how many."),
    Key(
      "data.cache", \.data.cache, .optional("none", .text("a folder")), role: .place,
      "A folder, best on a local disk, in which the index of the pictures and their decoded pixels are kept from run to run."
    ),
    Key(
      "data.decoder_threads", \.data.decoderThreads, .integer(from: 1, to: 256), unit: "threads", role: .place,
      "How many threads of a rank decode and change pictures beside the step. No number depends on it."),
    Key(
      "data.mean", \.data.mean, .optional("computed", .list(.notEmpty, of: .fraction)),
      unit: "pixel values in 0..1",
      "Subtracted from each channel, one value a channel; `computed` on the training set, or the weights' own where a command takes some."
    ),
    Key(
      "data.std", \.data.std,
      .optional("computed", .list(.notEmpty, of: .number("> 0 and <= 1") { $0 > 0 && $0 <= 1 })),
      unit: "pixel values in 0..1",
      "Divides each channel, one value a channel; `computed` as `data.mean` is."),
    Key(
      "data.limit", \.data.limit, .optional("all", .integer(from: 1)), unit: "samples",
      "Uses the first so many training samples in file order."),
    Key(
      "data.test_limit", \.data.testLimit, .optional("all", .integer(from: 1)), unit: "samples",
      role: .reporting,
      "Uses the first so many test samples in file order."),
    Key(
      "data.validation", \.data.validation, .validation, unit: "samples, or a fraction of them",
      "Held out of the training set; `validation_*` is then recorded and may choose the best checkpoint."),
    Key(
      "data.test", \.data.test, .optional("none", .number("> 0 and < 1") { $0 > 0 && $0 < 1 }),
      unit: "fraction of the samples",
      "Holds a share of each class out as the test set where the data has none; which images depends on their names alone."
    ),
    Key(
      "data.validation_split", \.data.validationSplit, .split,
      "Which images `data.validation` holds out: of each class its share (by largest remainder), the last in file order "
        + "(`stratified`); or the last of the training set, whatever their classes (`end`). A checkpoint or `config.yaml` "
        + "without this key was made with `end`, and a run that is resumed keeps what it began with."
    ),
    Key(
      "data.classes", \.data.classes,
      .optional(
        "all",
        .list(of: .integer(from: 0, to: 65535), ", two or more, none twice") {
          $0.count >= 2 && Set($0).count == $0.count
        }),
      "The classes that are kept, of all images of the run; they become 0, 1, ... in the order of this list. The others "
        + "are held out, for few-shot episodes."
    ),
    Key(
      "data.samples_per_class", \.data.samplesPerClass, .optional("all", .integer(from: 1)), unit: "samples",
      "Trains on so many images of each class, taken after `data.limit` and `data.validation`. Of one seed, a larger "
        + "subset holds the smaller ones."
    ),
    Key(
      "data.subset_seed", \.data.subsetSeed, .optional("of training.seed", .integer(from: 0, to: 1 << 53)),
      "Decides which images of a class `data.samples_per_class` takes."),
    Key(
      "data.label_noise.kind", \.data.labelNoise.kind, .choice,
      "How labels to train on are made wrong (METHOD.md, \"Regimes\"): `symmetric` redraws the chosen ones from all "
        + "classes, `symmetric_exclusive` from the others; `asymmetric` takes a class for one like it (CIFAR only), "
        + "`pair_flip` for the next one; `file` reads them. Validation and test labels stay true."
    ),
    Key(
      "data.label_noise.rate", \.data.labelNoise.rate, .optional("none", .fraction), unit: "fraction of samples",
      "How many labels are chosen: rounded down, of the training set (`symmetric`) or of each class that is affected. "
        + "Needed by every kind but `none` and `file`."
    ),
    Key(
      "data.label_noise.seed", \.data.labelNoise.seed,
      .optional("of training.seed", .integer(from: 0, to: 1 << 53)),
      "Decides which labels become wrong, and what they become."),
    Key(
      "data.label_noise.file", \.data.labelNoise.file, .optional("none", .text("a file")), role: .place,
      "Labels for all training images of the files, in their order: integers as text, or a .npy array; a second column "
        + "holds the true labels, and must be the data's. Or a run's `labels.csv`. Needed by the kind `file`."
    ),
  ]

  static let model: [Key] = [
    Key(
      "model.kind", \.model.kind, .choice,
      "The network: a ResNet for small images (`resnet8` to `resnet110` of depth 6n + 2, He et al. 2015), a ResNet of "
        + "ImageNet's (`resnet18` to `resnet101`), a wide ResNet, an MLP, or that of a file, `onnx` (NETWORKS.md)."),
    Key(
      "model.path", \.model.path, .optional("none", .text("a file")),
      "The ONNX file of `model.kind: onnx`. Its inputs say the images' size, its outputs the classes."),
    Key(
      "model.initialize", \.model.initialize, .choice,
      "First values of an ONNX file's network: the file's (`file`), or drawn (`fresh`). `model.weights` goes before both."
    ),
    Key(
      "model.stem", \.model.stem, .choice,
      "How `resnet18` to `resnet101` begin: a 7x7 convolution of stride 2 and max pooling (`imagenet`), or a 3x3 "
        + "convolution of stride 1 (`small`)."),
    Key(
      "model.dropout", \.model.dropout, .number("from 0, below 1") { $0 >= 0 && $0 < 1 },
      "The rate of dropout before the last layer, in training passes; the refinement sees none. Not with `onnx`."),
    Key(
      "model.shortcut", \.model.shortcut, .choice,
      "Where a residual block changes the shape: a strided 1x1 convolution with BatchNorm "
        + "(`projection`), or subsampling and zero channels (`pad`). ResNets only."
    ),
    Key(
      "model.hidden", \.model.hidden, .list(.notEmpty, of: .integer(from: 1, to: 65536)), unit: "units",
      "Widths of the hidden layers. MLP only."),
    Key(
      "model.classes", \.model.classes, .optional("of the data", .integer(from: 2, to: 65536)),
      "Outputs of the network; more than the data has is allowed, a label at or above it is not."),
    Key(
      "model.weights", \.model.weights, .optional("none", .text("a file")),
      "Weights to start from: a safetensors file with PyTorch's names, the index of one in parts "
        + "(`model.safetensors.index.json`), one of our checkpoints, or an ONNX file (TAKE_HOME.md)."),
    Key(
      "model.head", \.model.head, .choice,
      "The last layer where a run starts from weights: theirs (`keep`), or drawn afresh by `training.seed` (`new`), which may "
        + "have another number of classes, of an ONNX file's network too."),
    Key(
      "model.weights_kind", \.model.weightsKind, .choice,
      "Which of a checkpoint's weights to start from: those of its step (`plain`), or their average, which a run with "
        + "`training.ema` keeps (`ema`)."),
    Key(
      "model.freeze", \.model.freeze, .distinct(of: .text("the beginning of parameters' names")),
      "Parameters that training leaves as they are, by the beginning of their names in whole parts, such as `[conv1, bn1, "
        + "layer1]`: they have no gradient, send no message, do not decay and do not count for `optimizer.clip_norm`. Where "
        + "nothing below trains either, the backward pass ends."),
    Key(
      "model.freeze_statistics", \.model.freezeStatistics, .boolean,
      "BatchNorm layers all of whose parameters `model.freeze` names normalise by their running statistics in training too, "
        + "and these stay."),
  ]
}
