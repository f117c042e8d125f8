import Files
import Kernels
import Pictures

/// Wrong labels for training: the same at any number of ranks, since (seed, the sample's position in the files) decides
/// whose label changes, and to what. A higher rate changes the labels that a lower one does, and more.
package struct LabelNoise: Equatable, Sendable {
  package var kind = LabelNoiseKind.none
  /// 0...1
  package var rate = 0.0
  package var seed = 0
  /// The file of labels, for `file`.
  package var path: String?

  package init() {}

  /// `training` with noisy labels; `all` is the whole training set of the files, which a file has a label for each of.
  func apply(
    to training: Dataset, of all: Dataset, format: DataFormat, source: String
  ) throws(FileError) -> Dataset {
    if kind == .symmetricExclusive || kind == .pairFlip, training.classes < 2 {
      throw FileError(
        path: source, reason: "data.label_noise.kind: \(kind.rawValue) needs a second class, but the data has one")
    }
    switch kind {
    case .none: return training
    case .symmetric:
      // Inclusive: of a new label drawn from all C, one in C is the old one.
      return changed(training, of: [Array(0..<training.count)]) { _, stream in
        stream.integer(below: training.classes)
      }
    case .symmetricExclusive:
      return changed(training, of: training.indicesByClass) { label, stream in
        let other = stream.integer(below: training.classes - 1)
        return other < label ? other : other + 1
      }
    case .pairFlip:
      return changed(training, of: training.indicesByClass) { label, _ in (label + 1) % training.classes }
    case .asymmetric:
      guard let mistakes = SimilarClasses.mistakes(format) else {
        throw FileError(path: source, reason: "data.label_noise.kind: asymmetric needs CIFAR's classes")
      }
      let affected = training.indicesByClass.enumerated().filter { mistakes[$0.offset] != $0.offset }
      return changed(training, of: affected.map(\.element)) { label, _ in mistakes[label] }
    case .file:
      guard let path else {
        throw FileError(path: "data.label_noise.file", reason: "is not set, expected the file of labels")
      }
      return training.relabelled(try LabelFile(path: path, of: all).labels(for: training))
    }
  }

  /// Changes the labels of floor(rate x size) samples of each group: exact counts, where independent chances would only
  /// come near them.
  private func changed(
    _ dataset: Dataset, of groups: [[Int]], to target: (_ label: Int, inout RandomStream) -> Int
  ) -> Dataset {
    var labels = (0..<dataset.count).map { Int32(dataset.label($0)) }
    let draw = SampleDraw(dataset, seed: seed, purpose: .labelNoise)
    for group in groups {
      for index in draw.first(Int(fraction: rate, of: group.count), of: group) {
        var stream = RandomStream(seed: seed, purpose: .labelNoise, sample: dataset.position(of: index))
        _ = stream.next()  // the draw's key
        labels[index] = Int32(target(dataset.label(index), &stream))
      }
    }
    return dataset.relabelled(labels)
  }
}

/// Which class a label is taken for where the mistake depends on it.
enum SimilarClasses {
  /// Entry i is what class i is taken for, i itself where it never is; nil where the classes have no meaning to us.
  static func mistakes(_ format: DataFormat) -> [Int]? {
    switch format {
    // Patrini et al. 2017: truck to automobile, bird to airplane, deer to horse, cat and dog to each other.
    case .cifar10: [0, 1, 0, 5, 7, 3, 6, 7, 8, 1]
    // The next class of the same superclass, from the last one to the first.
    case .cifar100:
      (0..<100).map { fine in
        let others = (1...100).map { (fine + $0) % 100 }
        return others.first { superclasses[$0] == superclasses[fine] }!
      }
    default: nil
    }
  }

  /// CIFAR-100's superclass (coarse label) of each fine label.
  static let superclasses = [
    4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7, 6, 13, 15, 3, 15, 0, 11, 1, 10,
    12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4, 17, 4, 2, 0, 17, 4, 18, 17, 10, 3, 2, 12, 12, 16,
    12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13, 15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14,
    13,
  ]
}
