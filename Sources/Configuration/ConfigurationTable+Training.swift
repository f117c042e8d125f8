/// Keys of the training, its optimizer and its schedule.
extension ConfigurationTable {
  static let training: [Key] = [
    Key(
      "training.epochs", \.training.epochs, .integer(from: 1, to: 1_000_000_000), unit: "epochs",
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
      "training.class_weights", \.training.classWeights, .classWeights,
      "What a class's samples count for in the task loss, as PyTorch's `CrossEntropyLoss(weight)` has it: the mean over a batch is "
        + "divided by the batch's weights. `balanced`: all samples / (classes x samples of the class). The refinement's loss and "
        + "the distillation stay plain, and so do losses that are measured."),
    Key(
      "training.mixup", \.training.mixup, .notNegative,
      "mixup's alpha: images and their targets are mixed with others of the shard, by a weight of Beta(alpha, alpha), one a "
        + "batch; 0 mixes nothing. Refinement moves mixed images down the loss of both labels. The training accuracy counts by the label of the larger weight."
    ),
    Key(
      "training.cutmix", \.training.cutmix, .notNegative,
      "CutMix's alpha: a box of each image is another one's of the shard, and as much of its target is; the box's area by a "
        + "draw of Beta(alpha, alpha), one box a batch; 0 pastes nothing. Refinement moves such images down the loss of both labels. Without `training.mixup`."
    ),
    Key(
      "training.mixing_after_epochs", \.training.mixingAfterEpochs, .integer(from: 0), unit: "epochs",
      "Epochs before `training.mixup` or `training.cutmix` mixes. Images that were seen a few times are not learned by heart yet. With `icp.objective: mixed`, steps are plain till then."
    ),
    Key(
      "training.mixing_until", \.training.mixingUntil, .fraction, unit: "fraction of steps",
      "The part of the run in which `training.mixup` or `training.cutmix` mixes. Later, images are as they come. With `icp.objective: mixed`, steps are plain then."
    ),
    Key(
      "training.mixing_probability", \.training.mixingProbability, .fraction,
      "The share of batches that `training.mixup` or `training.cutmix` mixes, drawn for each. With `icp.objective: mixed`, the others' steps are plain."
    ),
    Key(
      "training.pskd", \.training.pskd, .fraction,
      "PS-KD: the label is softened by what the network said of the image an epoch ago, by a share that rises to this from epoch to "
        + "epoch; 0 is off, 0.8 the paper's. With `icp.rule: none`, and without mixing. Keeps 4 bytes a class of each image."
    ),
    Key(
      "training.elr", \.training.elr, .notNegative,
      "Early-learning regularisation against wrong labels: weight of the term that holds the network to the average of its past "
        + "predictions of each image; 0 is off, 3 the paper's for CIFAR-10. Without mixing. Keeps 4 bytes a class of each image."
    ),
    Key(
      "training.elr_decay", \.training.elrDecay, .belowOne,
      "What is left of that average at each epoch's visit; the rest is the new prediction."),
    Key(
      "training.precision", \.training.precision, .choice,
      "What lies between layers in the student's passes, forward and backward: as `icp.precision`. Parameters, their gradients, the "
        + "optimizer, statistics and losses stay float32."
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
      "training.ema", \.training.ema, .optional("none", .number("> 0 and < 1") { $0 > 0 && $0 < 1 }), role: .reporting,
      "Keeps an average of weights and running statistics beside them: a step moves it by 1 - ema of the way to the weights. "
        + "It is measured too (`test_accuracy_ema`), saved in every checkpoint as `ema.<name>`, and changes no weight, save "
        + "where it teaches (`distillation.teacher: ema`); 0.999 is usual."
    ),
    Key(
      "training.patience", \.training.patience, .optional("none", .integer(from: 1)), unit: "epochs", role: .reporting,
      "Ends the run at the end of an epoch that is so many after the best, by `checkpoint.metric`, which is one of the "
        + "validation split; only epochs that are measured count (`evaluation.every_epochs`). Learning rate and alpha are "
        + "planned over all epochs all the same."),
    Key(
      "training.seed", \.training.seed, .integer(from: 0, to: 1 << 53),
      "Where all randomness starts: initial weights, order, augmentation, glyphs, random perturbations."),
  ]

  static let optimizer: [Key] = [
    Key(
      "optimizer.kind", \.optimizer.kind, .choice,
      "AdamW decays weights decoupled from the gradient, SGD with it."),
    Key(
      "optimizer.learning_rate", \.optimizer.learningRate, .notNegative,
      defaults: [
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
      "optimizer.multipliers", \.optimizer.multipliers,
      .mapping("beginnings of parameters' names", to: .positive),
      "Times the learning rate, for parameters whose names begin so, in whole parts, such as `{conv1: 0.1, fc: 10}`; of several "
        + "the longest counts. AdamW's decay follows the rate. `model.freeze` is for what shall not move at all."),
    Key(
      "optimizer.sam_rho", \.optimizer.samRho, .notNegative,
      "Sharpness-aware minimisation: the gradient is taken where the weights have moved by so much up their own; each shard "
        + "moves along its own gradient. 0 is off, 0.05 usual. With `icp.rule: none`."
    ),
  ]

  static let schedule: [Key] = [
    Key(
      "schedule.kind", \.schedule.kind, .choice,
      "At step s of S = epochs x steps per epoch: `cosine` is rate x (1 + cos(pi s / S)) / 2, `constant` "
        + "the rate, `step` the rate times `gamma` for every milestone passed; `one_cycle` rises to the rate and falls again, as "
        + "PyTorch's OneCycleLR with `cycle_momentum=False`; `plateau` multiplies the rate by `gamma` whenever `metric` has not become "
        + "better for more than `patience` epochs, as ReduceLROnPlateau."
    ),
    Key(
      "schedule.minimum", \.schedule.minimum, .fraction,
      "Where `cosine` and `one_cycle` end, as a share m of the rate: `cosine` is rate x (m + (1 - m) (1 + cos(pi s / S)) / 2). "
        + "`plateau` does not fall below it."),
    Key(
      "schedule.warmup_epochs", \.schedule.warmupEpochs, .integer(from: 0), unit: "epochs",
      "In their S_w steps the rate is rate x (s + 1) / S_w instead."),
    Key(
      "schedule.milestones", \.schedule.milestones,
      .list(of: .integer(from: 1), ", ascending") { zip($0, $0.dropFirst()).allSatisfy(<) }, unit: "epochs",
      "When the schedule `step` changes the rate."),
    Key(
      "schedule.gamma", \.schedule.gamma, .positive, "By how much `step` and `plateau` change the rate at a time."),
    Key(
      "schedule.rise", \.schedule.rise, .belowOne, "The share of all steps in which `one_cycle` rises (`pct_start`)."),
    Key(
      "schedule.start", \.schedule.start, .fraction,
      "Where `one_cycle` begins, as a share of the rate (1 / `div_factor`)."),
    Key(
      "schedule.patience", \.schedule.patience, .integer(from: 0), unit: "epochs",
      "How many epochs in a row may be no better before `plateau` drops the rate."),
    Key(
      "schedule.metric", \.schedule.metric,
      .choice.refusing("test_", because: "what the test set has a say in, it does not test"),
      "What `plateau` watches, at the end of each epoch. Better is by more than a ten-thousandth of the best."),
  ]
}
