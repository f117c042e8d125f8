import Kernels
import Refinement

/// Keys of the method: refinement, distillation, and branches.
extension ConfigurationTable {
  static let isSoft: @Sendable (RunConfiguration) -> Bool = { $0.icp.objective == .soft }
  static let isMixed: @Sendable (RunConfiguration) -> Bool = { $0.icp.objective == .mixed }

  static let icp: [Key] = [
    Key(
      "icp.rule", \.icp.rule, .choice,
      "How the refinement moves the images: down the loss by `adam`, `sgd` or `ademamix`; or, as "
        + "contrasts, up the loss (`ifgsm`) or as far as adam in a random direction (`random`). `none` is "
        + "plain training: no refinement, no target pass."
    ),
    Key(
      "icp.objective", \.icp.objective, .choice,
      "What the refined images are for: targets of the student's features; to train on in the images' place (`task`: with "
        + "`ifgsm` adversarial training); or, beside mixup or CutMix, targets for the mixed images, of output and last features, by the "
        + "refined images that were mixed (`mixed`); or their softened output as a part of the label (`soft`)."
    ),
    Key(
      "icp.steps", \.icp.steps, .integer(from: 0), unit: "steps",
      "Refinement steps T; at 0 the image stays."),
    Key(
      "icp.step_size", \.icp.stepSize, .notNegative, unit: "normalised pixels",
      "How far a step moves (`sgd`: times the gradient)."),
    Key(
      "icp.precision", \.icp.precision, .choice,
      "What lies between layers in the refinement and the target pass. `bfloat16` needs a processor with AVX512_BF16 or AMX, and "
        + "halves time and memory there; `auto` takes it where it can, and says so. Images, rule and losses stay float32."
    ),
    Key(
      "icp.reduction", \.icp.reduction, .choice,
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
      "Sets other keys where nothing else does, and the start says which have another value nevertheless. "
        + ICPPreset.meanings),
    Key(
      "icp.stray_gradient", \.icp.strayGradient, .boolean,
      "Adds the weight gradient of the evaluation-mode loss at the image to the step, as the authors' code does."),
    Key(
      "icp.fraction", \.icp.fraction, .fraction,
      "The share of each shard's samples that is refined, drawn anew each epoch; the others stay as they are, at no cost."
    ),
    Key(
      "icp.select", \.icp.select, .choice,
      "Which samples `icp.fraction` refines: any (`chance`); those whose label's logit is least ahead of the others in the student's "
        + "pass (`margin`); or first those whose label has more than half of its probability there (`learned`)."
    ),
    Key(
      "icp.reuse_student", \.icp.reuseStudent, .boolean,
      "Takes the first step's gradient from the student's own activations, the batch statistics being constants: a forward pass less."
    ),
    Key(
      "icp.label", \.icp.label, .choice,
      "The label down whose loss an image moves: the `given` one, or the one `predicted` for the image before it moves."
    ),
    Key(
      "icp.fade", \.icp.fade, .optional("none", .number("> 0 and <= 1") { $0 > 0 && $0 <= 1 }),
      unit: "fraction of steps",
      "In these first steps of the run the step size falls evenly to 0, and stays there; with `icp.objective: task` training is "
        + "plain from then on (\"Friendly Training\"). `none` leaves the step size."
    ),
    Key(
      "icp.layer", \.icp.layer, .optional("none", .layer),
      "With `icp.objective: distillation`: the layer whose output is refined, through the later layers alone, instead of the image. "
        + "`distillation.taps` must come after it, and are `pooled` unless said."
    ),
  ]

  static let distillation: [Key] = [
    Key(
      "distillation.taps", \.distillation.taps, .optional("of the model", .distinct(.notEmpty, of: .layer)),
      "The layers whose features are compared; a wrong name lists the valid ones."),
    Key(
      "distillation.layer_weights", \.distillation.layerWeights, .layerWeights,
      "The weight of each tap, first to last: all 1; cos(0) to cos(pi/4); the reverse; or a list as long "
        + "as the taps."
    ),
    Key(
      "distillation.warmup", \.distillation.warmup, .fraction, unit: "fraction of epochs",
      defaults: [
        .init(0, "`icp.objective: mixed`", when: isMixed), .init(0, "`soft`", when: isSoft),
        .init(0.25, "without") { _ in true },
      ],
      "Plain training at the start: the first floor(warmup x epochs) epochs."),
    Key(
      "distillation.alpha_min", \.distillation.alphaMin, .fraction,
      "The least weight of the task loss; alpha goes from 1 down to it on a quarter cosine."),
    Key(
      "distillation.target", \.distillation.target, .choice,
      "How the refined images' features are taken: with batch statistics that update the running ones "
        + "(`batch`) or do not (`batch_frozen`); with the statistics of the student's pass of the same step (`student`), of a part of "
        + "the batch for that part alone; or with the running statistics."
    ),
    Key(
      "distillation.teacher", \.distillation.teacher, .choice,
      "Whose weights the target pass has: the student's own, or their average (`ema`, with `training.ema`), on batch statistics that "
        + "move none."
    ),
    Key(
      "distillation.normalize", \.distillation.normalize, .choice,
      "`l2` scales the features of each sample to the norm sqrt(channels x height x width) before they "
        + "are compared."
    ),
    Key(
      "distillation.weight", \.distillation.weight, .notNegative,
      defaults: [.init(0.8, "`icp.objective: soft`", when: isSoft), .init(1, "without") { _ in true }],
      "With `icp.objective: mixed` the largest weight of the distillation beside the task loss; with `soft` the largest share of the "
        + "label, at most 1."
    ),
    Key(
      "distillation.ramp", \.distillation.ramp, .fraction, unit: "fraction of steps",
      defaults: [.init(1, "`icp.objective: soft`", when: isSoft), .init(0.5, "without") { _ in true }],
      "In these first steps of the run the weight rises evenly from 0; at 0 it is there at once."),
    Key(
      "distillation.temperature", \.distillation.temperature, .positive,
      "With `icp.objective: mixed`: divides the logits of student and target, whose divergence counts times its square; "
        + "with `soft` the target's alone."
    ),
    Key(
      "distillation.features", \.distillation.features, .notNegative,
      "With `icp.objective: mixed`: weight of the last features' angle, 1 - cos, beside the divergence of the outputs."),
    Key(
      "distillation.gate", \.distillation.gate, .optional("none", .belowOne), unit: "accuracy",
      "Refinement and distillation come in as training images are learned by heart: not at all while the last epoch's training accuracy "
        + "is at most this, wholly where it is 1, in between in proportion."
    ),
  ]

  static let branches: [Key] = [
    Key(
      "branches.taps", \.branches.taps, .optional("none", .distinct(.notEmpty, of: .layer)),
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
}
