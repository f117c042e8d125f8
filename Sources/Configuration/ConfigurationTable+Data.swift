import Datasets
import Models

/// Keys of the data and the network.
extension ConfigurationTable {
  static let data: [Key] = [
    Key(
      "data.format", \.data.format, .choice,
      "The data set: `glyphs` is drawn by the program from `training.seed`; `cifar10` and `cifar100` are "
        + "the binary archives' files; `idx` is a directory with the four files named as MNIST's, plain or "
        + ".gz."
    ),
    Key(
      "data.path", \.data.path, .optional("none", .text("a directory")), role: .place,
      "The directory: the `data_batch_N.bin` it holds, sorted by name, or `train.bin`, and "
        + "`test_batch.bin` or `test.bin`; or the IDX files. Needed by every format but glyphs, and goes with "
        + "`data.format`. A relative one starts at the working directory."
    ),
    Key(
      "data.size", \.data.size, .optional("native", .integer(from: 1, to: 1024)), unit: "pixels",
      "Images are resized to this many pixels a side, by area averaging; `native` keeps their size, or takes that of "
        + "the weights' images."),
    Key(
      "data.shuffle", \.data.shuffle, .boolean,
      "A new order each epoch, from seed and epoch alone; `false` keeps file order."),
    Key(
      "data.augment", \.data.augment, .distinct(of: .choice),
      defaults: [
        .init([.padCrop, .flip], "cifar10 and cifar100") { [.cifar10, .cifar100].contains($0.data.format) },
        .init([], "glyphs and idx") { _ in true },
      ],
      "Random changes of training images: `pad-crop` moves by up to 4 pixels (zeros after normalisation "
        + "come in), `flip` mirrors one in two."
    ),
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
      "The network: a ResNet for small images (He et al. 2015), or an MLP."),
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
      "Weights to start from: a safetensors file with PyTorch's names, or one of our checkpoints."),
  ]
}
