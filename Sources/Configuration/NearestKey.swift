extension ConfigurationTable {
  /// "; did you mean 'icp.steps'?" of the key or section that `name` was most likely meant to be; empty where nothing
  /// is near: none is better than one that only happens to be next.
  package static func hint(for name: String) -> String {
    if let key = byPath[name] { return "; in a file it is written '\(key.name):' in the section '\(key.group):'" }
    // Long names are cut, so that a hostile one costs no more than a long honest one.
    let typed = String(name.prefix(64))
    let (section, name) = split(typed)
    let word = name.lowercased().replacing("-", with: "_")
    // `checkpoint.dir` is not where data lies.
    if let meant = otherWords[word], section.isEmpty || !severalThings.contains(word) || split(meant).section == section
    {
      return "; did you mean '\(meant)'?"
    }
    let candidates = (typed.contains(".") ? [] : sections.map(String.init)) + keys.map(\.path) + groups
    let near = candidates.compactMap { path in distance(typed, path).map { (path, $0) } }
    return near.min { $0.1 < $1.1 }.map { "; did you mean '\($0.0)'?" } ?? ""
  }

  /// The nearest of a few names, or all of them where none is near.
  package static func hint(for name: String, among names: [String]) -> String {
    let near = names.filter { editDistance(name, $0) <= tolerance(name) }
    if let nearest = near.min(by: { editDistance(name, $0) < editDistance(name, $1) }) {
      return "; did you mean '\(nearest)'?"
    }
    return names.isEmpty || names.count > 8
      ? "" : "; expected \(names.count > 1 ? "one of " : "")\(names.joined(separator: ", "))"
  }

  /// Nil where `typed` is not near `path`. The right name in the wrong section, or in none, is two changes away, of a
  /// group three.
  private static func distance(_ typed: String, _ path: String) -> Int? {
    let (given, own) = (split(typed), split(path))
    let changes = editDistance(given.name, own.name)
    let length = given.name.unicodeScalars.count
    // Elsewhere than in the section that was named, a beginning or a short word that is nearly the same is another's.
    let isElsewhere = given.section != own.section
    let isStart = length >= 3 && own.name.hasPrefix(given.name) && (!isElsewhere || given.section.isEmpty)
    guard changes <= (isElsewhere && length < 5 ? 0 : tolerance(given.name)) || isStart else { return nil }
    guard given.section != own.section else { return min(changes, isStart ? 1 : changes) }
    let elsewhere = own.section.contains(".") ? 3 : 2
    return changes + (given.section.isEmpty ? elsewhere : min(editDistance(given.section, own.section), elsewhere))
  }

  /// How many changes a slip of the fingers makes in a name of this length.
  private static func tolerance(_ name: String) -> Int {
    let length = name.unicodeScalars.count
    return length < 3 ? 0 : (length + 1) / 3
  }

  /// "data.label_noise" and "rate"; the section is empty where there is none.
  private static func split(_ path: String) -> (section: String, name: String) {
    guard let dot = path.lastIndex(of: ".") else { return ("", path) }
    return (String(path[..<dot]), String(path[path.index(after: dot)...]))
  }

  /// Those of `otherWords` that mean one thing in a section of their own, and another elsewhere.
  private static let severalThings: Set = ["dir", "root", "net", "network", "resize", "l2", "clip", "batch", "val"]

  /// What other programs call a key.
  private static let otherWords: [String: String] = {
    let words = [
      "optimizer.learning_rate": ["lr", "learningrate", "base_lr", "initial_lr", "init_lr", "max_lr", "eta"],
      "optimizer.weight_decay": ["wd", "weightdecay", "l2"],
      "optimizer.clip_norm": [
        "clip", "grad_clip", "gradient_clipping", "clip_grad", "clip_grad_norm", "max_norm", "max_grad_norm",
      ],
      "optimizer.betas": ["beta1", "beta2"],
      "optimizer.kind": ["optim", "optimiser"],
      "training.epochs": ["epoch", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs"],
      "training.batch_size": ["bs", "batch", "batchsize", "train_batch_size", "mini_batch_size", "minibatch_size"],
      "training.seed": ["random_seed", "manual_seed"],
      "training.mixup": ["mixup_alpha"],
      "training.mixing_until": ["mixup_off_epoch"], "training.mixing_probability": ["mixup_prob"],
      "training.patience": ["early_stopping", "early_stopping_patience", "early_stop", "earlystopping"],
      "schedule.minimum": ["eta_min", "min_lr", "lr_min", "final_lr"],
      "training.class_weights": ["class_weight", "loss_weights", "pos_weight"],
      "training.max_steps": ["iterations", "num_steps", "total_steps", "max_iterations", "max_iter"],
      "schedule.kind": ["scheduler", "lr_schedule", "lr_scheduler", "onecycle", "one_cycle", "plateau"],
      "schedule.gamma": ["factor", "lr_decay", "decay_rate"],
      "schedule.rise": ["pct_start"], "schedule.start": ["div_factor"],
      "schedule.patience": ["lr_patience", "patience_epochs"],
      "schedule.warmup_epochs": ["warmup_steps", "lr_warmup"],
      "model.kind": ["arch", "network", "backbone", "net"],
      "model.classes": ["num_classes", "n_classes", "nclasses"],
      "model.weights": ["pretrained", "init_from"],
      "model.freeze": ["frozen", "freeze_layers", "frozen_layers", "freeze_backbone", "requires_grad"],
      "optimizer.multipliers": ["lr_mult", "lr_multipliers", "param_groups", "parameter_groups", "layer_decay"],
      "data.format": ["dataset", "data_set"],
      "data.path": ["data_dir", "data_path", "data_root", "root", "dir"],
      "data.size": ["image_size", "img_size", "input_size", "resize", "resolution"],
      "data.augment": ["aug", "augmentation", "augmentations", "transforms"],
      "data.validation": ["val", "val_size", "val_fraction", "validation_size", "validation_fraction"],
      "logging.every_steps": ["log_interval", "log_every", "print_freq"],
      "checkpoint.every_steps": ["save_every", "save_interval", "save_steps"],
    ]
    return Dictionary(words.flatMap { path, words in words.map { ($0, path) } }) { first, _ in first }
  }()

  /// Insertions, deletions, replacements and exchanges of neighbours that turn `a` into `b`
  /// (optimal string alignment); `setps` is one from `steps`.
  package static func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.unicodeScalars), Array(b.unicodeScalars))
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
        row.append(best)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
