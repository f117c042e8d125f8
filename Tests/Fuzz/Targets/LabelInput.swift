import Datasets

/// Labels for the six glyphs 0 to 5: text, or a `.npy` array, as they stand.
struct LabelInput {
  private let path: String

  init(_ input: [UInt8], in folder: Scratch) { path = folder.write("labels", input) }

  func read() throws {
    var options = DataOptions(limit: 6, testLimit: 1)
    options.labelNoise.kind = .file
    options.labelNoise.path = path
    let training = try DataSplits.load(options).training
    for index in 0..<6 where !(0..<10).contains(training.label(index)) { finding("label \(training.label(index))") }
  }
}
