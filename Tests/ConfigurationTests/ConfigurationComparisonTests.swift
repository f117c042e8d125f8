import Configuration
import Testing

/// Writing a configuration, and comparing two.
@Suite struct ConfigurationComparisonTests {
  private func read(_ yaml: String, _ overrides: [String] = []) throws -> RunConfiguration {
    try RunConfiguration(yaml: yaml, name: "c.yaml", overrides: overrides)
  }

  @Test(arguments: 0..<500)
  func `a random configuration is the same after being written and read`(seed: Int) throws {
    let configuration = RunConfiguration.random(seed: seed)
    let yaml = configuration.resolvedYAML
    let again = try read(yaml)
    #expect(again == configuration)
    #expect(again.resolvedYAML == yaml)
    #expect(again.identity == configuration.identity)
    #expect(again.differences(from: configuration).isEmpty)
  }

  @Test func `resuming may change when a run stops, saves and reports, and where data lies`() throws {
    let saved = try read("data: {format: cifar10, path: here}")
    let free = [
      "training.max_steps=7", "logging.every_steps=3", "checkpoint.every_steps=2", "checkpoint.keep=9",
      "checkpoint.every_epochs=none", "data.path=there", "data.test_limit=10", "training.shards=auto",
      "data.label_noise.file=there", "evaluation.train_samples=none", "evaluation.final=[attacks]",
    ]
    let resumed = try read("data: {format: cifar10, path: here}", free)
    #expect(resumed.differences(from: saved) == [])
    #expect(
      resumed.identity == (try read("data: {format: cifar10, path: x}", ["training.shards=auto"])).identity)
  }

  @Test(arguments: ConfigurationTable.keys.map(\.path))
  func `every other key must match on resume, and ranks must agree on all but places`(path: String) throws {
    let key = ConfigurationTable.keys.first { $0.path == path }!
    let drawn = RunConfiguration.random(seed: 0).resolvedYAML
    // So that any format and kind of noise goes with the rest, any rule and any baseline, any precision and backend.
    let home =
      ["data.path=here", "data.format=cifar10", "data.classes=all", "data.label_noise.kind=symmetric"]
      + [
        "data.validation=20", "model.freeze=[conv1]", "checkpoint.metric=validation_accuracy", "training.patience=none",
      ]
      + ["data.label_noise.rate=0.5", "data.label_noise.file=here"]
      + ["icp.rule=none", "optimizer.sam_rho=0", "branches.taps=none", "training.mixup=0", "training.cutmix=0"]
      + ["icp.objective=distillation", "icp.layer=none", "schedule.kind=constant"]
      + ["kernels.convolution=onednn", "training.precision=float32", "icp.precision=float32"]
      + (path == "model.path" ? ["model.kind=onnx", "model.path=here.onnx", "model.dropout=0"] : [])
    let saved = try read(drawn, home)
    // The first value that differs and goes with the others; every other key is given, so only this one changes.
    var changed = saved
    for seed in 1..<200 where changed == saved {
      let value = key.value(in: .random(seed: seed))
      guard value != "auto" else { continue }
      changed = (try? read(drawn, home + ["\(path)=\(value)"])) ?? saved
    }
    try #require(changed != saved)

    let places = [
      "data.path", "data.validation_path", "data.test_path", "data.cache", "data.decoder_threads",
      "data.label_noise.file",
      "evaluation.cifar_c",
    ]
    let isFree =
      ["training.max_steps", "training.overlap", "training.ema", "training.patience", "data.test_limit"].contains(path)
      || places.contains(path)
      || ["evaluation.", "checkpoint.", "agreement.", "watchdog.", "logging."].contains { path.hasPrefix($0) }
    #expect(changed.differences(from: saved).map(\.key) == (isFree ? [] : [path]))
    #expect((changed.identity == saved.identity) == isFree)
    #expect((changed.agreedText == saved.agreedText) == places.contains(path))
  }

  @Test(arguments: [
    ("icp.rule=adam", true), ("icp.objective=soft", true), ("icp.rule=none", false), ("icp.objective=task", false),
    ("distillation.teacher=student", false),
  ])
  func `the average must be made as before where it teaches, and only there`(setting: String, teaches: Bool) throws {
    let settings = ["training.ema=0.9", "distillation.teacher=ema", setting]
    let saved = try read("", settings)
    let changed = try read("", settings + ["training.ema=0.99"])
    #expect(
      changed.differences(from: saved).map(\.description)
        == (teaches ? ["'training.ema' is 0.99, but the run began with 0.9"] : []))
    #expect((changed.identity == saved.identity) == !teaches)
  }

  @Test func `a configuration of a version without data.validation_split holds out the end, and so does its resume`()
    throws
  {
    var text = try read("data: {validation: 10}").resolvedYAML
    text.replace("  validation_split: stratified\n", with: "")
    let saved = try read(text)
    #expect(saved.data.validationSplit.split == .end)
    let current = try read("data: {validation: 10}")
    #expect(current.data.validationSplit.split == .stratified)
    #expect(current.resuming(saved).differences(from: saved) == [])
    let said = try read("data: {validation: 10, validation_split: stratified}")
    #expect(
      said.resuming(saved).differences(from: saved).map(\.description)
        == ["'data.validation_split' is stratified, but the run began with end"])
    #expect(try read(text, ["data.validation_split=stratified"]).data.validationSplit.split == .stratified)
  }

  @Test func `how images are held out makes no difference where none are`() throws {
    let (one, other) = (try read("data: {validation_split: end}"), try read("data: {validation_split: stratified}"))
    #expect(one.differences(from: other) == [] && one.identity == other.identity)
  }

  @Test func `a difference names the key and both values`() throws {
    let differences = try read("training: {epochs: 40}").differences(from: RunConfiguration())
    #expect(differences.map(\.description) == ["'training.epochs' is 40, but the run began with 30"])
  }

  @Test func `shards auto become the ranks of the first start`() throws {
    let configuration = try read("training: {shards: auto, batch_size: 2}")
    #expect(try configuration.settlingShards(ranks: 2).training.shards == .count(2))
    #expect(try read("").settlingShards(ranks: 2).training.shards == .count(4))
    let error = #expect(throws: ConfigurationError.self) { try configuration.settlingShards(ranks: 3) }
    #expect(
      error?.description
        == "training.shards: auto: 'training.batch_size' is 2, fewer than the 3 of 'training.shards': a shard needs a sample"
    )
  }
}

extension ConfigurationKey {
  /// The key's value in RUN/config.yaml.
  func value(in configuration: RunConfiguration) -> String {
    let lines = configuration.resolvedYAML.split(separator: "\n")
    var after = lines.firstIndex(of: "\(section):")!
    if group != section { after = lines[after...].firstIndex(of: "  \(group.dropFirst(section.count + 1)):")! }
    let start = "\(group == section ? "  " : "    ")\(name): "
    return String(lines[after...].first { $0.hasPrefix(start) }!.dropFirst(start.count))
  }
}
