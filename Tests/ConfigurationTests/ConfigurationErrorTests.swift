import Configuration
import Foundation
import Testing

/// What `~` is for a shell.
private let home = ProcessInfo.processInfo.environment["HOME"].map { "\($0)/cache" } ?? "the whole path"

/// What `data.augment` expects.
private let augmentations =
  "a list, each random-resized-crop, pad-crop, flip, color-jitter, rand-augment or random-erasing, "
  + "none twice"

/// What is thrown for `yaml` and `overrides`, as the user sees it.
private func refusal(_ yaml: String, _ overrides: [String] = []) -> String? {
  do throws(ConfigurationError) {
    _ = try RunConfiguration(yaml: yaml, name: "c.yaml", overrides: overrides)
    return nil
  } catch {
    return error.description
  }
}

/// A value that its key refuses, and what the refusal says.
struct Refused {
  let yaml, place, key, accepted, got: String

  init(_ yaml: String, _ place: String, _ key: String, _ accepted: String, _ got: String) {
    self.yaml = yaml
    self.place = place
    self.key = key
    self.accepted = accepted
    self.got = got
  }
}

@Suite struct ConfigurationErrorTests {
  @Test(arguments: [
    ("icp:\n  setps: 3", "c.yaml:2:3: unknown key 'icp.setps'; did you mean 'icp.steps'?"),
    ("ipc:\n  steps: 3", "c.yaml:1:1: unknown key 'ipc'; did you mean 'icp'?"),
    ("epochs: 3", "c.yaml:1:1: unknown key 'epochs'; did you mean 'training.epochs'?"),
    ("model: {epochs: 3}", "c.yaml:1:9: unknown key 'model.epochs'; did you mean 'training.epochs'?"),
    (
      "optimizer: {lr: 3}", "c.yaml:1:13: unknown key 'optimizer.lr'; did you mean 'optimizer.learning_rate'?"
    ),
    (
      "optimizer: {learningRate: 3}",
      "c.yaml:1:13: unknown key 'optimizer.learningRate'; did you mean 'optimizer.learning_rate'?"
    ),
    (
      "icp.steps: 3",
      "c.yaml:1:1: unknown key 'icp.steps'; in a file it is written 'steps:' in the section 'icp:'"
    ),
    (
      "data:\n  label_noise:\n    rats: 0.1",
      "c.yaml:3:5: unknown key 'data.label_noise.rats'; did you mean 'data.label_noise.rate'?"
    ),
    (
      "data: {label_noise.rate: 0.1}",
      "c.yaml:1:8: unknown key 'data.label_noise.rate'; in a file it is written 'rate:' in the section 'data.label_noise:'"
    ),
    ("data: {label_nose: {rate: 1}}", "c.yaml:1:8: unknown key 'data.label_nose'; did you mean 'data.label_noise'?"),
    ("<<: {icp: 1}", "c.yaml:1:1: unknown key '<<'"),
    ("lr: 3", "c.yaml:1:1: unknown key 'lr'; did you mean 'optimizer.learning_rate'?"),
    ("training: {wd: 3}", "c.yaml:1:12: unknown key 'training.wd'; did you mean 'optimizer.weight_decay'?"),
    ("batch_size: 3", "c.yaml:1:1: unknown key 'batch_size'; did you mean 'training.batch_size'?"),
    ("training: {momentum: 0.9}", "c.yaml:1:12: unknown key 'training.momentum'; did you mean 'optimizer.momentum'?"),
    ("pct_start: 0.3", "c.yaml:1:1: unknown key 'pct_start'; did you mean 'schedule.rise'?"),
    ("eta_min: 0", "c.yaml:1:1: unknown key 'eta_min'; did you mean 'schedule.minimum'?"),
    (
      "training: {early_stopping: 3}",
      "c.yaml:1:12: unknown key 'training.early_stopping'; did you mean 'training.patience'?"
    ),
    ("base: other.yaml", "c.yaml: 'base' is not accepted here: this is no file"),
    ("training: {bs: 3}", "c.yaml:1:12: unknown key 'training.bs'; did you mean 'training.batch_size'?"),
    ("training: {dropout: 3}", "c.yaml:1:12: unknown key 'training.dropout'; did you mean 'model.dropout'?"),
    ("training: {num_workers: 3}", "c.yaml:1:12: unknown key 'training.num_workers'"),
    ("foo: 3", "c.yaml:1:1: unknown key 'foo'"), ("data: {x: 3}", "c.yaml:1:8: unknown key 'data.x'"),
    // Near in letters alone, or the right word of another section.
    ("amp: true", "c.yaml:1:1: unknown key 'amp'"), ("data: {train: x}", "c.yaml:1:8: unknown key 'data.train'"),
    ("checkpoint: {dir: x}", "c.yaml:1:14: unknown key 'checkpoint.dir'"),
    ("data: {dir: x}", "c.yaml:1:8: unknown key 'data.dir'; did you mean 'data.path'?"),
    ("root: x", "c.yaml:1:1: unknown key 'root'; did you mean 'data.path'?"),
  ])
  func `an unknown key is named with the nearest one, where one is near`(yaml: String, message: String) {
    #expect(refusal(yaml) == message)
  }

  @Test(arguments: [
    Refused("icp:\n  steps: -3", "2:10", "icp.steps", "an integer >= 0", "-3"),
    Refused("icp: {steps: 010}", "1:14", "icp.steps", "an integer >= 0", "010"),
    Refused("icp: {steps: 1:30}", "1:14", "icp.steps", "an integer >= 0", "1:30"),
    Refused("icp: {steps: 0x10}", "1:14", "icp.steps", "an integer >= 0", "0x10"),
    Refused("icp: {steps: 1_000}", "1:14", "icp.steps", "an integer >= 0", "1_000"),
    Refused("icp: {steps: 2.0}", "1:14", "icp.steps", "an integer >= 0", "2.0 (write 2)"),
    Refused("icp: {steps: 1e3}", "1:14", "icp.steps", "an integer >= 0", "1e3 (write 1000)"),
    Refused("icp: {steps: 2.5}", "1:14", "icp.steps", "an integer >= 0", "2.5"),
    Refused("icp: {steps: \"5\"}", "1:14", "icp.steps", "an integer >= 0", "\"5\""),
    Refused("icp: {steps: }", "1:14", "icp.steps", "an integer >= 0", "nothing"),
    Refused("icp: {steps: null}", "1:14", "icp.steps", "an integer >= 0", "null"),
    Refused("icp: {steps: [5]}", "1:14", "icp.steps", "an integer >= 0", "[5]"),
    Refused("icp: {steps: {a: 5}}", "1:14", "icp.steps", "an integer >= 0", "a mapping"),
    Refused(
      "icp: {steps: 99999999999999999999}", "1:14", "icp.steps", "an integer >= 0",
      "99999999999999999999 (the largest accepted is 1000000000)"),
    Refused("icp: {step_size: .nan}", "1:18", "icp.step_size", "a number >= 0", ".nan"),
    Refused("icp: {step_size: .inf}", "1:18", "icp.step_size", "a number >= 0", ".inf"),
    Refused(
      "icp: {step_size: 1e400}", "1:18", "icp.step_size", "a number >= 0",
      "1e400 (so large that float32 would make it infinite)"),
    Refused(
      "icp: {step_size: 3.5e38}", "1:18", "icp.step_size", "a number >= 0",
      "3.5e38 (so large that float32 would make it infinite)"),
    Refused(
      "icp: {epsilon: 1e-50}", "1:16", "icp.epsilon", "none or a number > 0",
      "1e-50 (so small that float32 would make it 0)"),
    // A number of float32 that kernels may flush to 0.
    Refused(
      "optimizer: {weight_decay: 1e-40}", "1:27", "optimizer.weight_decay", "a number >= 0",
      "1e-40 (so small that float32 would make it 0)"),
    Refused(
      "optimizer: {momentum: 0.99999999999}", "1:23", "optimizer.momentum", "a number >= 0 and < 1",
      "0.99999999999 (float32 rounds it to 1)"),
    Refused(
      "model: {dropout: 0.99999999}", "1:18", "model.dropout", "a number from 0, below 1",
      "0.99999999 (float32 rounds it to 1)"),
    Refused(
      "optimizer: {betas: [0.9, 0.99999999]}", "1:20", "optimizer.betas", "a list of two, each a number >= 0 and < 1",
      "[0.9, 0.99999999] (float32 rounds it to 1)"),
    Refused(
      "data: {std: [0.2, 1e-46]}", "1:13", "data.std",
      "computed or a list of one or more, each a number > 0 and <= 1",
      "[0.2, 1e-46] (so small that float32 would make it 0)"),
    Refused("icp: {step_size: -1e-3}", "1:18", "icp.step_size", "a number >= 0", "-1e-3"),
    Refused("icp: {step_size: 01.5}", "1:18", "icp.step_size", "a number >= 0", "01.5"),
    Refused("icp: {step_size: 'x'}", "1:18", "icp.step_size", "a number >= 0", "\"x\""),
    Refused("icp: {rule: adma}", "1:13", "icp.rule", "adam, sgd, ademamix, ifgsm, random or none", "adma"),
    Refused("icp: {epsilon: 0}", "1:16", "icp.epsilon", "none or a number > 0", "0"),
    Refused("data: {shuffle: yes}", "1:17", "data.shuffle", "true or false", "yes (write true)"),
    Refused("data: {shuffle: Off}", "1:17", "data.shuffle", "true or false", "Off (write false)"),
    Refused(
      "icp: {rule: None}", "1:13", "icp.rule", "adam, sgd, ademamix, ifgsm, random or none", "None (write none)"),
    Refused("icp: {rule: off}", "1:13", "icp.rule", "adam, sgd, ademamix, ifgsm, random or none", "off (write none)"),
    Refused("data: {limit: none}", "1:15", "data.limit", "all or an integer >= 1", "none (write all)"),
    Refused(
      "data: {mean: ~}", "1:14", "data.mean", "computed or a list of one or more, each a number from 0 to 1",
      "~ (write computed)"),
    Refused("training: {ema: false}", "1:17", "training.ema", "none or a number > 0 and < 1", "false (write none)"),
    Refused("training: {max_steps: all}", "1:23", "training.max_steps", "none or an integer >= 1", "all (write none)"),
    Refused("data: {augment: null}", "1:17", "data.augment", "\(augmentations)", "null (write [])"),
    Refused("data: {augment: all}", "1:17", "data.augment", "\(augmentations)", "all"),
    Refused("data: {size: 5000}", "1:14", "data.size", "native or an integer from 1 to 1024", "5000"),
    Refused("data: {path: [a]}", "1:14", "data.path", "none or a directory or file", "[a]"),
    Refused("data: {path: \"a\\0b\"}", "1:14", "data.path", "none or a directory or file", "\"a\\U00000000b\""),
    Refused(
      "data: {augment: flip}", "1:17", "data.augment", "\(augmentations)",
      "flip (write [flip])"),
    Refused(
      "data: {augment: [flip, flip]}", "1:17", "data.augment", "\(augmentations)",
      "[flip, flip]"),
    Refused(
      "data: {std: [0.2, 0]}", "1:13", "data.std",
      "computed or a list of one or more, each a number > 0 and <= 1", "[0.2, 0]"),
    Refused(
      "data: {mean: [125]}", "1:14", "data.mean",
      "computed or a list of one or more, each a number from 0 to 1", "[125]"),
    Refused(
      "data: {validation: 1.0}", "1:20", "data.validation", "an integer >= 0 or a number > 0 and < 1",
      "1.0 (write 1)"),
    Refused(
      "data: {validation: -0.5}", "1:20", "data.validation", "an integer >= 0 or a number > 0 and < 1", "-0.5"
    ),
    Refused(
      "data:\n  label_noise:\n    rate: 1.5", "3:11", "data.label_noise.rate", "none or a number from 0 to 1", "1.5"),
    Refused(
      "data: {classes: [3]}", "1:17", "data.classes",
      "all or a list, each an integer from 0 to 65535, two or more, none twice", "[3]"),
    Refused("data: {limit: 0}", "1:15", "data.limit", "all or an integer >= 1", "0"),
    Refused("training: {shards: 0}", "1:20", "training.shards", "an integer from 1 to 65536 or auto", "0"),
    Refused(
      "training: {label_smoothing: 1}", "1:29", "training.label_smoothing", "a number >= 0 and < 1", "1"),
    Refused(
      "optimizer: {betas: [0.9]}", "1:20", "optimizer.betas", "a list of two, each a number >= 0 and < 1",
      "[0.9]"),
    Refused(
      "optimizer: {betas: [0.9, 1]}", "1:20", "optimizer.betas", "a list of two, each a number >= 0 and < 1",
      "[0.9, 1]"),
    Refused(
      "schedule: {milestones: [5, 3]}", "1:24", "schedule.milestones",
      "a list, each an integer >= 1, ascending", "[5, 3]"),
    Refused(
      "distillation: {taps: []}", "1:22", "distillation.taps",
      "of the model or a list of one or more, each the name of a layer, none twice", "[]"),
    Refused(
      "distillation: {taps: [layer1, [layer2]]}", "1:22", "distillation.taps",
      "of the model or a list of one or more, each the name of a layer, none twice", "[layer1, [layer2]]"),
    Refused(
      "distillation: {layer_weights: []}", "1:31", "distillation.layer_weights",
      "uniform, cosine, cosine_increasing or a list of one or more, each a number >= 0", "[]"),
    Refused("distillation: {warmup: 1.5}", "1:24", "distillation.warmup", "a number from 0 to 1", "1.5"),
    Refused(
      "checkpoint: {metric: test_accuracy}", "1:22", "checkpoint.metric",
      "train_loss, validation_accuracy or validation_accuracy_ema",
      "test_accuracy (the test set never chooses the best checkpoint, or it would be no test)"),
    Refused(
      "model: {hidden: []}", "1:17", "model.hidden", "a list of one or more, each an integer from 1 to 65536",
      "[]"),
  ])
  func `a value that is not accepted is shown with what is`(_ value: Refused) {
    let message = "c.yaml:\(value.place): key '\(value.key)': expected \(value.accepted), got \(value.got)"
    #expect(refusal(value.yaml) == message)
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
    #expect(refusal(yaml) == message)
  }

  @Test(arguments: [
    ("icp.steps=-3", "--set icp.steps=-3: key 'icp.steps': expected an integer >= 0, got -3"),
    ("icp.setps=3", "--set icp.setps=3: unknown key 'icp.setps'; did you mean 'icp.steps'?"),
    ("icp.steps", "--set icp.steps: expected key=value"),
    ("icp.steps=", "--set icp.steps=: key 'icp.steps': expected an integer >= 0, got nothing"),
    (
      "data.label_noise={rate: 1}",
      "--set data.label_noise={rate: 1}: 'data.label_noise' is a section; name one of its keys, such as 'data.label_noise.kind'"
    ),
    ("icp={steps: 3}", "--set icp={steps: 3}: 'icp' is a section; name one of its keys, such as 'icp.rule'"),
    ("=3", "--set =3: unknown key 'nothing'"),
    (
      "data.path=set #2",
      "--set data.path=set #2: '#' starts a comment here, which --set does not take; in a value it stands in quotes: "
        + "--set 'data.path=\"set #2\"'"
    ),
    (
      "data.path=it's #2",
      "--set data.path=it's #2: '#' starts a comment here, which --set does not take; in a value it stands in quotes: "
        + "--set 'data.path=\"it'\\''s #2\"'"
    ),
    (
      "data.path=#2",
      "--set data.path=#2: '#' starts a comment here, which --set does not take; in a value it stands in quotes: "
        + "--set 'data.path=\"#2\"'"
    ),
    (
      "data.augment=none",
      "--set data.augment=none: key 'data.augment': expected \(augmentations), got none (write [])"
    ),
    (
      "data.augment=flip",
      "--set data.augment=flip: key 'data.augment': expected \(augmentations), got flip "
        + "(write [flip])"
    ),
    (
      "data.augment=flip, pad-crop",
      "--set data.augment=flip, pad-crop: key 'data.augment': expected \(augmentations), got flip, "
        + "pad-crop (write [flip, pad-crop])"
    ),
    (
      "optimizer.learning_rate=1e-400",
      "--set optimizer.learning_rate=1e-400: key 'optimizer.learning_rate': expected a number >= 0, got 1e-400 (so small "
        + "that float32 would make it 0)"
    ),
    ("icp.steps=[", "--set icp.steps=[: not YAML: did not find expected node content"),
    ("icp.steps=&a 3", "--set icp.steps=&a 3: anchors (&name) and aliases (*name) are not accepted"),
    (
      "icp.steps=1\nicp: 2",
      "--set icp.steps=1?icp: 2: not YAML: mapping values are not allowed in this context"
    ),
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
      "c.yaml:1:16: 'data.path' is missing: 'data.format' cifar10 needs the place of its files"
    ),
    (
      "data: {format: glyphs, path: x}",
      "c.yaml:1:30: 'data.path' is given, but 'data.format' is glyphs, which are drawn: leave one of both out"
    ),
    (
      "data: {test_path: x}",
      "c.yaml:1:19: 'data.test_path' is given, but 'data.format' is glyphs, which are drawn: 'data.path' is missing"
    ),
    (
      "data: {cache: ~/cache}",
      "c.yaml:1:15: ~/cache: '~' is replaced by shells, not here; write \(home) with data.cache, or ./~/cache if "
        + "that is its name"
    ),
    (
      "data: {mean: [0.5], std: [0.2, 0.2]}",
      "c.yaml:1:26: 'data.mean' has 1 and 'data.std' 2 entries: each needs one a channel"
    ),
    (
      "checkpoint: {metric: validation_accuracy}",
      "c.yaml:1:22: 'checkpoint.metric' is validation_accuracy, but 'data.validation' is 0: there is no validation split"
    ),
    (
      "schedule: {kind: one_cycle, warmup_epochs: 1}",
      "c.yaml:1:44: 'schedule.warmup_epochs' is 1, but 'schedule.kind' is one_cycle, which rises by itself ('schedule.rise')"
    ),
    (
      "schedule: {kind: plateau}",
      "c.yaml:1:18: 'schedule.kind' is plateau, but 'data.validation' is 0: it watches the validation split"
    ),
    (
      "data: {validation: 10}\nschedule: {kind: plateau}\nevaluation: {every_epochs: 2}",
      "c.yaml:3:28: 'schedule.kind' is plateau, which watches every epoch: set 'evaluation.every_epochs' to 1"
    ),
    (
      "data: {validation: 10}\nschedule: {kind: plateau, gamma: 2}",
      "c.yaml:2:34: 'schedule.gamma' is 2.0, but 'schedule.kind' is plateau: the rate drops by it, so it is below 1"
    ),
    (
      "schedule: {warmup_epochs: 31}",
      "c.yaml:1:27: 'schedule.warmup_epochs' is 31, more than the 30 of 'training.epochs'"
    ),
    (
      "data: {label_noise: {kind: symmetric}}",
      "c.yaml:1:28: 'data.label_noise.rate' is missing: 'data.label_noise.kind' symmetric needs it"
    ),
    (
      "data: {label_noise: {kind: file, rate: 0.5}}",
      "c.yaml:1:28: 'data.label_noise.file' is missing: 'data.label_noise.kind' file needs the labels"
    ),
    (
      "data: {label_noise: {kind: asymmetric, rate: 0.5}}",
      "c.yaml:1:28: 'data.label_noise.kind' is asymmetric, but 'data.format' is glyphs: which classes are alike is "
        + "known of cifar10 and cifar100"
    ),
    (
      "data: {classes: [3, 4], label_noise: {kind: file, file: x}}",
      "c.yaml:1:45: 'data.label_noise.kind' file may give labels of classes that 'data.classes' leaves out"
    ),
    (
      "optimizer: {kind: sgd, nesterov: true, momentum: 0}",
      "c.yaml:1:50: 'optimizer.nesterov' is true, but 'optimizer.momentum' is 0: Nesterov's method needs momentum"
    ),
    (
      "optimizer: {sam_rho: 0.2}",
      "c.yaml:1:22: 'optimizer.sam_rho' is on, and 'icp.rule' is adam: it goes with 'icp.rule: none' alone"
    ),
    (
      "optimizer: {sam_rho: 0.05}\nicp: {rule: sgd}",
      "c.yaml:1:22: 'optimizer.sam_rho' is on, and 'icp.rule' is sgd: it goes with 'icp.rule: none' alone"
    ),
    (
      "branches: {taps: [layer1]}",
      "c.yaml:1:18: 'branches.taps' is on, and 'icp.rule' is adam: it goes with 'icp.rule: none' alone"
    ),
  ])
  func `values that do not go together are named together`(yaml: String, message: String) {
    #expect(refusal(yaml) == message)
  }

  @Test(arguments: ["\"set #2\"", "'it''s #2'", "set#2", "it's#2", "'a' # b", "[a, 'b #c']"])
  func `a comment is what YAML would drop, not what stands in quotes or within a word`(value: String) {
    let dropped = value == "'a' # b"
    #expect((refusal("", ["model.weights=\(value)"])?.contains("starts a comment") ?? false) == dropped, "\(value)")
  }

  @Test(arguments: ["0", "0.0", "0e-400", "-0", ".0", "1.2e-38", "1e-30", "3.4e38"])
  func `a zero and the smallest and largest numbers of float32 are read`(text: String) {
    #expect(refusal("optimizer: {learning_rate: \(text)}") == nil)
  }

  @Test func `a wrong value in the file is refused even where an override replaces it`() {
    #expect(refusal("icp: {steps: -3}", ["icp.steps=1"]) != nil)
  }
}
