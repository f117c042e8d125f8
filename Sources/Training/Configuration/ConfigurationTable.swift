import Datasets
import Kernels
import Networks
import Refinement

/// The keys, in the order in which they are written: the only place that names them.
package enum ConfigurationTable {
  package static let keys = data + model + training + optimizer + schedule + icp + distillation + branches + rest

  package static let sections = keys.map(\.section).reduce(into: [Substring]()) { sections, section in
    if sections.last != section { sections.append(section) }
  }

  /// The groups of keys within sections.
  static let groups = Set(keys.map(\.group)).subtracting(sections).map(String.init).sorted()

  static let byPath = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })

  package typealias Key = ConfigurationKey

  private static let data: [Key] = [
    Key(
      "data.format", \.data.format, .choice,
      "The data set: `glyphs` is drawn by the program from `training.seed`; `cifar10` and `cifar100` are "
        + "the binary archives' files; `idx` is a directory with the four files named as MNIST's, plain or "
        + ".gz."
    ),
    Key(
      "data.path", \.data.path, .optional("none", .text("a directory")), role: .place,
      "The directory: any `data_batch_*.bin` or `train.bin` it holds, sorted by name, and "
        + "`test_batch.bin` or `test.bin`; or the IDX files. Needed by every format but glyphs. A relative "
        + "one starts at the working directory."
    ),
    Key(
      "data.size", \.data.size, .optional("native", .integer(from: 1, to: 1024)), unit: "pixels",
      "Images are resized to this many pixels a side, by area averaging; `native` keeps their size."),
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
      "Subtracted from each channel, one value a channel; `computed` on the training set."),
    Key(
      "data.std", \.data.std,
      .optional("computed", .list(.notEmpty, of: .number("> 0 and <= 1") { $0 > 0 && $0 <= 1 })),
      unit: "pixel values in 0..1",
      "Divides each channel, one value a channel; `computed` on the training set."),
    Key(
      "data.limit", \.data.limit, .optional("all", .integer(from: 1)), unit: "samples",
      "Uses the first so many training samples in file order."),
    Key(
      "data.test_limit", \.data.testLimit, .optional("all", .integer(from: 1)), unit: "samples",
      role: .reporting,
      "Uses the first so many test samples in file order."),
    Key(
      "data.validation", \.data.validation, .validation, unit: "samples, or a fraction of them",
      "Held out from the end of the training set; `validation_*` is then recorded and may choose the "
        + "best checkpoint."
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
      "Trains on so many images of each class, taken behind `data.limit` and `data.validation`. Of one seed, a larger "
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
        + "holds the true labels, and must be the data's. Needed by the kind `file`."
    ),
  ]

  private static let model: [Key] = [
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

  private static let training: [Key] = [
    Key(
      "training.epochs", \.training.epochs, .integer(from: 1), unit: "epochs",
      "Passes over the training set. Learning rate and alpha are planned over them."),
    Key(
      "training.max_steps", \.training.maxSteps, .optional("none", .integer(from: 1)), unit: "steps",
      role: .reporting, "Stops the run after this step, and changes nothing else."),
    Key(
      "training.batch_size", \.training.batchSize, .integer(from: 1), unit: "samples",
      "The global batch, over all ranks. The last batch of an epoch is kept, smaller as it may be."),
    Key(
      "training.shards", \.training.shards, .shards,
      "The parts into which a batch is cut, each with its own batch statistics. They, not the ranks, "
        + "decide the result: ranks <= shards. `auto` is the number of ranks of the run's first start."
    ),
    Key(
      "training.threads", \.training.threads, .integer(from: 1, to: 1024), unit: "threads",
      "Kernel threads of a rank. Results may depend on it; for more cores use more ranks."),
    Key(
      "training.label_smoothing", \.training.labelSmoothing, .belowOne,
      "Share of the label spread over all classes, in the task loss only; the refinement's loss is plain "
        + "cross entropy."
    ),
    Key(
      "training.mixup", \.training.mixup, .notNegative,
      "mixup's alpha: images and their targets are mixed with others of the shard, by a weight of Beta(alpha, alpha), one a "
        + "batch; 0 mixes nothing. With `icp.rule: none`. The training accuracy counts by the label of the larger weight."
    ),
    Key(
      "training.gradient_reduction", \.training.gradientReduction, .choice,
      "How gradients are summed over ranks: in fixed point, the same bits at any number of ranks, or in "
        + "float32."
    ),
    Key(
      "training.overlap", \.training.overlap, .boolean, role: .reporting,
      "Gradients travel while the backward pass of a rank's last shard still works. The same bits either way."),
    Key(
      "training.non_finite", \.training.nonFinite, .choice,
      "On a loss or gradient that is not finite: `stop` with exit code 77, `skip` the step, or go back "
        + "to the last checkpoint (`rollback`)."
    ),
    Key(
      "training.seed", \.training.seed, .integer(from: 0, to: 1 << 53),
      "Where all randomness starts: initial weights, order, augmentation, glyphs, random perturbations."),
  ]

  private static let optimizer: [Key] = [
    Key(
      "optimizer.kind", \.optimizer.kind, .choice,
      "AdamW decays weights decoupled from the gradient, SGD with it."),
    Key(
      "optimizer.learning_rate", \.optimizer.learningRate, .notNegative,
      defaults: [
        .init(3e-4, "`icp.preset: published-code`", when: isPublishedCode),
        .init(1e-3, "adamw") { $0.optimizer.kind == .adamw }, .init(0.1, "sgd") { $0.optimizer.kind == .sgd },
      ],
      "The rate that the schedule starts from."),
    Key(
      "optimizer.weight_decay", \.optimizer.weightDecay, .notNegative,
      defaults: [
        .init(0.01, "adamw") { $0.optimizer.kind == .adamw },
        .init(5e-4, "sgd") { $0.optimizer.kind == .sgd },
      ],
      "AdamW: the share of a weight lost per step and unit of learning rate. SGD: times the weight, "
        + "added to its gradient."
    ),
    Key(
      "optimizer.decay", \.optimizer.decay, .choice, "What decays; `matrices` spares BatchNorm and biases."),
    Key(
      "optimizer.betas", \.optimizer.betas, .list(.two, of: .belowOne),
      "AdamW's averages of the gradient and of its square."),
    Key("optimizer.epsilon", \.optimizer.epsilon, .positive, "AdamW's term beside the root."),
    Key("optimizer.momentum", \.optimizer.momentum, .belowOne, "SGD's momentum."),
    Key("optimizer.nesterov", \.optimizer.nesterov, .boolean, "SGD with Nesterov's momentum."),
    Key(
      "optimizer.clip_norm", \.optimizer.clipNorm, .optional("none", .positive),
      "The largest norm c of the whole gradient: after the reduction it is multiplied by min(1, c / "
        + "(norm + 1e-6))."
    ),
    Key(
      "optimizer.sam_rho", \.optimizer.samRho, .notNegative,
      "Sharpness-aware minimisation: the gradient is taken where the weights have moved by so much up their own; each shard "
        + "moves along its own gradient. 0 is off, 0.05 usual. With `icp.rule: none`."
    ),
  ]

  private static let schedule: [Key] = [
    Key(
      "schedule.kind", \.schedule.kind, .choice,
      "At step s of S = epochs x steps per epoch: `cosine` is rate x (1 + cos(pi s / S)) / 2, `constant` "
        + "the rate, `step` the rate times `gamma` for every milestone passed."
    ),
    Key(
      "schedule.warmup_epochs", \.schedule.warmupEpochs, .integer(from: 0), unit: "epochs",
      "In their S_w steps the rate is rate x (s + 1) / S_w instead."),
    Key(
      "schedule.milestones", \.schedule.milestones,
      .list(of: .integer(from: 1), ", ascending") { zip($0, $0.dropFirst()).allSatisfy(<) }, unit: "epochs",
      "When the schedule `step` changes the rate."),
    Key("schedule.gamma", \.schedule.gamma, .positive, "By how much the schedule `step` changes the rate."),
  ]

  private static let isPublishedCode: @Sendable (RunConfiguration) -> Bool = { $0.icp.preset == .publishedCode }

  private static let icp: [Key] = [
    Key(
      "icp.rule", \.icp.rule, .choice,
      "How the refinement moves the images: down the loss by `adam`, `sgd` or `ademamix`; or, as "
        + "contrasts, up the loss (`ifgsm`) or as far as adam in a random direction (`random`). `none` is "
        + "plain training: no refinement, no target pass."
    ),
    Key(
      "icp.objective", \.icp.objective, .choice,
      "What the refined images are for: targets of the student's features, or to train on in the images' place (`task`: with "
        + "`ifgsm` adversarial training). `distillation.warmup` holds for both."
    ),
    Key(
      "icp.steps", \.icp.steps, .integer(from: 0), unit: "steps",
      "Refinement steps T; at 0 the image stays."),
    Key(
      "icp.step_size", \.icp.stepSize, .notNegative, unit: "normalised pixels",
      defaults: [
        .init(3e-4, "`icp.preset: published-code`", when: isPublishedCode), .init(2e-3, "without") { _ in true },
      ],
      "How far a step moves (`sgd`: times the gradient)."),
    Key(
      "icp.reduction", \.icp.reduction, .choice,
      defaults: [
        .init(.mean, "`icp.preset: published-code`", when: isPublishedCode), .init(.sum, "without") { _ in true },
      ],
      "The loss whose gradient moves an image: its own (`sum`), or its own divided by the samples of the "
        + "global batch (`mean`, the published form)."
    ),
    Key(
      "icp.clamp", \.icp.clamp, .choice,
      "`pixels` keeps the refined image within what pixels in 0..1 become by `data.mean` and `data.std`."),
    Key(
      "icp.epsilon", \.icp.epsilon, .optional("none", .positive), unit: "normalised pixels",
      "Largest move of a pixel from the image, kept to in each step."),
    Key(
      "icp.preset", \.icp.preset, .choice,
      "`published-code` gives the defaults that make the step that of the authors' code, which is not the paper's."),
    Key(
      "icp.stray_gradient", \.icp.strayGradient, .boolean,
      defaults: [
        .init(true, "`icp.preset: published-code`", when: isPublishedCode), .init(false, "without") { _ in true },
      ],
      "Adds the weight gradient of the evaluation-mode loss at the image to the step, as the authors' code does."),
  ]

  private static let distillation: [Key] = [
    Key(
      "distillation.taps", \.distillation.taps, .optional("of the model", .distinct(.notEmpty, of: .name)),
      "The layers whose features are compared; a wrong name lists the valid ones."),
    Key(
      "distillation.layer_weights", \.distillation.layerWeights, .layerWeights,
      "The weight of each tap, first to last: all 1; cos(0) to cos(pi/4); the reverse; or a list as long "
        + "as the taps."
    ),
    Key(
      "distillation.warmup", \.distillation.warmup, .fraction, unit: "fraction of epochs",
      "Plain training at the start: the first floor(warmup x epochs) epochs."),
    Key(
      "distillation.alpha_min", \.distillation.alphaMin, .fraction,
      "The least weight of the task loss; alpha goes from 1 down to it on a quarter cosine."),
    Key(
      "distillation.target", \.distillation.target, .choice,
      "How the refined images' features are taken: with batch statistics that update the running ones "
        + "(`batch`) or do not (`batch_frozen`), or with the running statistics."
    ),
    Key(
      "distillation.normalize", \.distillation.normalize, .choice,
      "`l2` scales the features of each sample to the norm sqrt(channels x height x width) before they "
        + "are compared."
    ),
  ]

  private static let branches: [Key] = [
    Key(
      "branches.taps", \.branches.taps, .optional("none", .distinct(.notEmpty, of: .name)),
      "Layers that get classifiers of their own while training, each of which learns the labels and what the whole network "
        + "says (`[layer1, layer2]`: \"be your own teacher\"). With `icp.rule: none`."
    ),
    Key("branches.task", \.branches.task, .notNegative, "Weight of each branch's task loss."),
    Key(
      "branches.distillation", \.branches.distillation, .notNegative,
      "Weight of each branch's divergence from the network's softened output, times the temperature's square."),
    Key("branches.temperature", \.branches.temperature, .positive, "Divides the logits of both."),
    Key(
      "branches.features", \.branches.features, .notNegative,
      "Weight of the squared distance of each branch's hidden layer from the network's last features."),
  ]

  private static let rest: [Key] = [
    Key(
      "evaluation.every_epochs", \.evaluation.everyEpochs, .optional("none", .integer(from: 1)), unit: "epochs",
      role: .reporting,
      "Measures on the test set, the validation split and training images after every so many epochs: with few samples that "
        + "costs more than an epoch. The end of a run is always measured."),
    Key(
      "evaluation.train_samples", \.evaluation.trainSamples, .optional("none", .integer(from: 1)), unit: "samples",
      role: .reporting,
      "At most so many training images, always the same, are measured at the end of each epoch as the test set is: in "
        + "evaluation mode, without augmentation."
    ),
    Key(
      "evaluation.final", \.evaluation.final, .distinct(of: .choice), role: .reporting,
      "What is measured once more when the run has ended, on the test set and its last weights, into a record of the kind "
        + "`final`: accuracy on `corruptions` of the images, under `attacks` (FGSM and PGD), and in few-shot `episodes` of the "
        + "classes that `data.classes` left out. docs/EVALUATION.md."),
    Key(
      "evaluation.attack_samples", \.evaluation.attackSamples, .integer(from: 1), unit: "samples", role: .reporting,
      "How many test samples are attacked, the first in file order; all where there are fewer."),
    Key(
      "evaluation.cifar_c", \.evaluation.cifarC, .optional("none", .text("a directory")), role: .place,
      "CIFAR-C's directory: `labels.npy` and any of its other .npy files, measured with `corruptions`."),
    Key(
      "checkpoint.every_steps", \.checkpoint.everySteps, .optional("none", .integer(from: 1)), unit: "steps",
      role: .reporting, "Saves after every so many steps."),
    Key(
      "checkpoint.every_epochs", \.checkpoint.everyEpochs, .optional("none", .integer(from: 1)),
      unit: "epochs",
      role: .reporting, "Saves after every so many epochs. The end of a run is always saved."),
    Key(
      "checkpoint.keep", \.checkpoint.keep, .integer(from: 1), unit: "checkpoints", role: .reporting,
      "The newest so many are kept, and the best."),
    Key(
      "checkpoint.metric", \.checkpoint.metric,
      .choice.refusing(
        "test_", because: "the test set never chooses the best checkpoint, or it would be no test"),
      role: .reporting,
      defaults: [
        .init(.trainLoss, "without `data.validation`") { $0.data.validation == .none },
        .init(.validationAccuracy, "with it") { _ in true },
      ],
      "What chooses the best checkpoint."),
    Key(
      "agreement.every_steps", \.agreement.everySteps, .optional("none", .integer(from: 1)), unit: "steps",
      role: .reporting,
      "After every so many steps, and before each checkpoint, the ranks compare checksums of weights and optimiser state: "
        + "exit code 76 names the rank and the tensor that differ."),
    Key(
      "watchdog.seconds", \.watchdog.seconds, .optional("auto", .positive), unit: "seconds", role: .reporting,
      "How long a rank may stay in one phase of a step before the job ends with exit code 75; `auto` is 20 times the "
        + "slowest step so far, at least 60, and ten minutes for a rank that waits for another host. Ten minutes at the start, while "
        + "saving and writing records, unless this is more."),
    Key(
      "logging.every_steps", \.logging.everySteps, .integer(from: 1), unit: "steps", role: .reporting,
      "A record of the kind `step` for every so many steps."),
    Key(
      "kernels.convolution", \.kernels.convolution, .choice,
      "Convolutions by oneDNN and dense layers by own loops, or both by OpenBLAS's sgemm."),
  ]
}
