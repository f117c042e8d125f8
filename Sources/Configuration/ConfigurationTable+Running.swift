import Kernels

/// Keys of what is measured, saved, watched and logged.
extension ConfigurationTable {
  static let running: [Key] = [
    Key(
      "evaluation.every_epochs", \.evaluation.everyEpochs, .optional("none", .integer(from: 1)), unit: "epochs",
      role: .reporting,
      "Measures on the test set, the validation split and training images after every so many epochs: with few samples that "
        + "costs more than an epoch. The end of a run is always measured."),
    Key(
      "evaluation.every_steps", \.evaluation.everySteps, .optional("none", .integer(from: 1)), unit: "steps",
      role: .reporting,
      "Measures the same after every so many steps too, into records of the kind `evaluation`: for epochs that last hours. "
        + "It changes no weight, and chooses no checkpoint."),
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
      "What chooses the best checkpoint; `validation_accuracy_ema` is that of the averaged weights (`training.ema`)."),
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
      "logging.tensorboard", \.logging.tensorboard, .boolean, role: .reporting,
      "Writes a file that TensorBoard shows, `RUN/events.out.tfevents...`: the numbers of all records, and at the end of each "
        + "measured epoch histograms of weights and gradients, and images from x_0 to x_T. In the background; it changes no bit."
    ),
    Key(
      "kernels.convolution", \.kernels.convolution, .choice,
      "Convolutions by oneDNN and dense layers by own loops, or both by OpenBLAS's sgemm."),
  ]
}
