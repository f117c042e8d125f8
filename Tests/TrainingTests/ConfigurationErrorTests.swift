import Foundation
import Testing
import Training

/// What is thrown for `yaml` and `overrides`, as the user sees it.
private func refusal(_ yaml: String, _ overrides: [String] = []) -> String? {
  do throws(ConfigurationError) {
    _ = try RunConfiguration(yaml: yaml, name: "c.yaml", overrides: overrides)
    return nil
  } catch {
    return error.description
  }
}

@Suite struct ConfigurationErrorTests {
  @Test(arguments: [
    ("icp:\n  setps: 3", "c.yaml:2:3: unknown key 'icp.setps'; did you mean 'icp.steps'?"),
    ("ipc:\n  steps: 3", "c.yaml:1:1: unknown key 'ipc'; did you mean 'icp'?"),
    ("epochs: 3", "c.yaml:1:1: unknown key 'epochs'; did you mean 'training.epochs'?"),
    ("model: {epochs: 3}", "c.yaml:1:9: unknown key 'model.epochs'; did you mean 'training.epochs'?"),
    ("optimizer: {lr: 3}", "c.yaml:1:13: unknown key 'optimizer.lr'; did you mean 'optimizer.learning_rate'?"),
    ("optimizer: {learningRate: 3}", "c.yaml:1:13: unknown key 'optimizer.learningRate'; did you mean 'optimizer.learning_rate'?"),
    (
      "icp.steps: 3",
      "c.yaml:1:1: unknown key 'icp.steps'; in a file it is written 'steps:' in the section 'icp:'"
    ),
    ("<<: {icp: 1}", "c.yaml:1:1: unknown key '<<'; did you mean 'icp'?"),
  ])
  func `an unknown key is named with the nearest one`(yaml: String, message: String) {
    #expect(refusal(yaml) == message)
  }

  @Test(arguments: [
    ("icp:\n  steps: -3", "c.yaml:2:10: key 'icp.steps': expected an integer >= 0, got -3"),
    ("icp: {steps: 010}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 010"),
    ("icp: {steps: 1:30}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 1:30"),
    ("icp: {steps: 0x10}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 0x10"),
    ("icp: {steps: 1_000}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 1_000"),
    ("icp: {steps: 2.0}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 2.0 (write 2)"),
    ("icp: {steps: 1e3}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 1e3 (write 1000)"),
    ("icp: {steps: 2.5}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 2.5"),
    ("icp: {steps: \"5\"}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got \"5\""),
    ("icp: {steps: }", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got nothing"),
    ("icp: {steps: null}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got null"),
    ("icp: {steps: [5]}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got [5]"),
    ("icp: {steps: {a: 5}}", "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got a mapping"),
    (
      "icp: {steps: 99999999999999999999}",
      "c.yaml:1:14: key 'icp.steps': expected an integer >= 0, got 99999999999999999999 (the largest accepted is 1000000000)"
    ),
    ("icp: {step_size: .nan}", "c.yaml:1:18: key 'icp.step_size': expected a number >= 0, got .nan"),
    ("icp: {step_size: .inf}", "c.yaml:1:18: key 'icp.step_size': expected a number >= 0, got .inf"),
    ("icp: {step_size: 1e400}", "c.yaml:1:18: key 'icp.step_size': expected a number >= 0, got 1e400"),
    ("icp: {step_size: -1e-3}", "c.yaml:1:18: key 'icp.step_size': expected a number >= 0, got -1e-3"),
    ("icp: {step_size: 01.5}", "c.yaml:1:18: key 'icp.step_size': expected a number >= 0, got 01.5"),
    ("icp: {step_size: 'x'}", "c.yaml:1:18: key 'icp.step_size': expected a number >= 0, got \"x\""),
    (
      "icp: {rule: adma}",
      "c.yaml:1:13: key 'icp.rule': expected adam, sgd, ademamix, ifgsm, random or none, got adma"
    ),
    ("icp: {epsilon: 0}", "c.yaml:1:16: key 'icp.epsilon': expected none or a number > 0, got 0"),
    ("data: {shuffle: yes}", "c.yaml:1:17: key 'data.shuffle': expected true or false, got yes"),
    ("data: {size: 5000}", "c.yaml:1:14: key 'data.size': expected native or an integer from 1 to 1024, got 5000"),
    ("data: {path: [a]}", "c.yaml:1:14: key 'data.path': expected none or a directory, got [a]"),
    ("data: {path: \"a\\0b\"}", "c.yaml:1:14: key 'data.path': expected none or a directory, got \"a\\U00000000b\""),
    ("data: {augment: flip}", "c.yaml:1:17: key 'data.augment': expected a list, each pad-crop or flip, none twice, got flip"),
    (
      "data: {augment: [flip, flip]}",
      "c.yaml:1:17: key 'data.augment': expected a list, each pad-crop or flip, none twice, got [flip, flip]"
    ),
    (
      "data: {std: [0.2, 0]}",
      "c.yaml:1:13: key 'data.std': expected computed or a list of one or more, each a number > 0 and <= 1, got [0.2, 0]"
    ),
    (
      "data: {mean: [125]}",
      "c.yaml:1:14: key 'data.mean': expected computed or a list of one or more, each a number from 0 to 1, got [125]"
    ),
    (
      "data: {validation: 1.0}",
      "c.yaml:1:20: key 'data.validation': expected an integer >= 0 or a number > 0 and < 1, got 1.0 (write 1)"
    ),
    (
      "data: {validation: -0.5}",
      "c.yaml:1:20: key 'data.validation': expected an integer >= 0 or a number > 0 and < 1, got -0.5"
    ),
    ("data: {limit: 0}", "c.yaml:1:15: key 'data.limit': expected all or an integer >= 1, got 0"),
    ("training: {shards: 0}", "c.yaml:1:20: key 'training.shards': expected an integer from 1 to 65536 or auto, got 0"),
    ("training: {label_smoothing: 1}", "c.yaml:1:29: key 'training.label_smoothing': expected a number >= 0 and < 1, got 1"),
    (
      "optimizer: {betas: [0.9]}",
      "c.yaml:1:20: key 'optimizer.betas': expected a list of two, each a number >= 0 and < 1, got [0.9]"
    ),
    (
      "optimizer: {betas: [0.9, 1]}",
      "c.yaml:1:20: key 'optimizer.betas': expected a list of two, each a number >= 0 and < 1, got [0.9, 1]"
    ),
    (
      "schedule: {milestones: [5, 3]}",
      "c.yaml:1:24: key 'schedule.milestones': expected a list, each an integer >= 1, ascending, got [5, 3]"
    ),
    (
      "distillation: {taps: []}",
      "c.yaml:1:22: key 'distillation.taps': expected of the model or a list of one or more, each a name of letters, digits, "
        + "'_' and '.', none twice, got []"
    ),
    (
      "distillation: {taps: [../x]}",
      "c.yaml:1:22: key 'distillation.taps': expected of the model or a list of one or more, each a name of letters, digits, "
        + "'_' and '.', none twice, got [../x]"
    ),
    (
      "distillation: {layer_weights: []}",
      "c.yaml:1:31: key 'distillation.layer_weights': expected uniform, cosine, cosine_increasing or a list of one or more, "
        + "each a number >= 0, got []"
    ),
    ("distillation: {warmup: 1.5}", "c.yaml:1:24: key 'distillation.warmup': expected a number from 0 to 1, got 1.5"),
    (
      "checkpoint: {metric: test_accuracy}",
      "c.yaml:1:22: key 'checkpoint.metric': expected train_loss or validation_accuracy, got test_accuracy "
        + "(the test set never chooses the best checkpoint, or it would be no test)"
    ),
    ("model: {hidden: []}", "c.yaml:1:17: key 'model.hidden': expected a list of one or more, each an integer from 1 to 65536, got []"),
  ])
  func `a value that is not accepted is shown with what is`(yaml: String, message: String) {
    #expect(refusal(yaml) == message)
  }

  @Test(arguments: [
    ("5", "c.yaml:1:1: expected sections such as 'training:', got 5"),
    ("[icp]", "c.yaml:1:1: expected sections such as 'training:', got [icp]"),
    ("icp: 5", "c.yaml:1:6: expected the keys of the section 'icp', indented, got 5"),
    ("icp:\n- steps", "c.yaml:2:1: expected the keys of the section 'icp', indented, got [steps]"),
    ("icp:\n  steps: 1\n  steps: 2", "c.yaml:2:3: key 'steps' is given more than once"),
    ("icp: {steps: 1}\nicp: {rule: adam}", "c.yaml:1:1: key 'icp' is given more than once"),
    ("icp:\n\tsteps: 1", "c.yaml:2:1: not YAML: found character that cannot start any token"),
    ("icp: [1,", "c.yaml:2:1: not YAML: did not find expected node content"),
    ("icp: {a: 1}\n---\nicp: {}", "c.yaml:2:1: not YAML: but found another document"),
    ("icp: {steps: 5\u{7}}", "c.yaml:1:15: not YAML: control characters are not allowed"),
    ("icp: &a {steps: 5}", "c.yaml:1:6: anchors (&name) and aliases (*name) are not accepted"),
    ("icp: {&a steps: 5}", "c.yaml:1:7: anchors (&name) and aliases (*name) are not accepted"),
    ("icp: {steps: &a 5}", "c.yaml:1:14: anchors (&name) and aliases (*name) are not accepted"),
    ("icp: {steps: *a}", "c.yaml:1:14: not YAML: found undefined alias"),
    ("&a [*a]", "c.yaml:1:5: not YAML: found undefined alias"),
    ("icp: {steps: !!int \"5\"}", "c.yaml:1:14: tags (!name) are not accepted"),
    ("icp: !x {steps: 5}", "c.yaml:1:6: tags (!name) are not accepted"),
    ("data: {augment: !x [flip]}", "c.yaml:1:17: tags (!name) are not accepted"),
    ("? [icp]\n: 5", "c.yaml:1:3: expected the name of a key"),
    ("a: [[[[[[[[[[[[[[[[5]]]]]]]]]]]]]]]]", "c.yaml:1:19: nested more than 16 deep"),
  ])
  func `text that is not a plain tree of keys is refused in its place`(yaml: String, message: String) {
    // Yams counts a mapping's own brace; so the place of a node is that of its first character.
    #expect(refusal(yaml) == message)
  }

  @Test(arguments: [
    ("icp.steps=-3", "--set icp.steps=-3: key 'icp.steps': expected an integer >= 0, got -3"),
    ("icp.setps=3", "--set icp.setps=3: unknown key 'icp.setps'; did you mean 'icp.steps'?"),
    ("icp.steps", "--set icp.steps: expected key=value"),
    ("icp.steps=", "--set icp.steps=: key 'icp.steps': expected an integer >= 0, got nothing"),
    ("icp={steps: 3}", "--set icp={steps: 3}: 'icp' is a section; name one of its keys, such as 'icp.rule'"),
    ("=3", "--set =3: unknown key 'nothing'; did you mean 'icp'?"),
    ("icp.steps=[", "--set icp.steps=[: not YAML: did not find expected node content"),
    ("icp.steps=&a 3", "--set icp.steps=&a 3: anchors (&name) and aliases (*name) are not accepted"),
    ("icp.steps=1\nicp: 2", "--set icp.steps=1\nicp: 2: not YAML: mapping values are not allowed in this context"),
    (
      "training.batch_size=2",
      "--set training.batch_size=2: 'training.batch_size' is 2, fewer than the 4 of 'training.shards': a shard needs a sample"
    ),
  ])
  func `what is wrong with an override is said with the override`(argument: String, message: String) {
    #expect(refusal("", [argument]) == message)
  }

  @Test(arguments: [
    (
      "training:\n  batch_size: 2",
      "c.yaml:2:15: 'training.batch_size' is 2, fewer than the 4 of 'training.shards': a shard needs a sample"
    ),
    (
      "data: {format: cifar10}",
      "c.yaml:1:16: 'data.path' is missing: 'data.format' cifar10 needs the directory of its files"
    ),
    ("data: {mean: [0.5], std: [0.2, 0.2]}", "c.yaml:1:26: 'data.mean' has 1 channels and 'data.std' has 2"),
    (
      "checkpoint: {metric: validation_accuracy}",
      "c.yaml:1:22: 'checkpoint.metric' is validation_accuracy, but 'data.validation' is 0: there is no validation split"
    ),
    (
      "schedule: {warmup_epochs: 31}",
      "c.yaml:1:27: 'schedule.warmup_epochs' is 31, more than the 30 of 'training.epochs'"
    ),
    (
      "optimizer: {kind: sgd, nesterov: true, momentum: 0}",
      "c.yaml:1:50: 'optimizer.nesterov' is true, but 'optimizer.momentum' is 0: Nesterov's method needs momentum"
    ),
  ])
  func `values that do not go together are named together`(yaml: String, message: String) {
    #expect(refusal(yaml) == message)
  }

  @Test func `a wrong value in the file is refused even where an override replaces it`() {
    #expect(refusal("icp: {steps: -3}", ["icp.steps=1"]) != nil)
  }
}
