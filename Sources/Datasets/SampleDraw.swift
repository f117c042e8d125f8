import Kernels

/// Samples drawn without replacement by keys that (seed, purpose, position) address: those with the smallest keys. So
/// what is drawn does not depend on which other samples there are, and n + 1 samples are the n and another one.
struct SampleDraw {
  private let keys: [UInt64]

  init(_ dataset: Dataset, seed: Int, purpose: RandomStream.Purpose) {
    keys = (0..<dataset.count).map { index in
      var stream = RandomStream(seed: seed, purpose: purpose, sample: dataset.position(of: index))
      return stream.next()
    }
  }

  /// `count` of `indices`, all where there are fewer; the order is the draw's.
  func first(_ count: Int, of indices: some Sequence<Int>) -> ArraySlice<Int> {
    indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.prefix(count)
  }
}

extension Dataset {
  /// The samples of each class, by their labels.
  var indicesByClass: [[Int]] {
    var members = [[Int]](repeating: [], count: classes)
    for index in 0..<count { members[label(index)].append(index) }
    return members
  }

  /// `perClass` samples of every class, in their order. The subset of 50 a class holds that of 10 of the same seed.
  func subset(perClass count: Int, seed: Int, source: String) throws(DataError) -> Dataset {
    let draw = SampleDraw(self, seed: seed, purpose: .subset)
    var chosen: [Int] = []
    for (label, members) in indicesByClass.enumerated() {
      guard members.count >= count else {
        throw DataError(
          path: source,
          reason: "data.samples_per_class: \(count), but class \(label) has \(members.count) training images")
      }
      chosen += draw.first(count, of: members)
    }
    return selecting(chosen.sorted())
  }

  /// `count` samples, the same at any time; all where there are fewer.
  package func sample(_ count: Int, seed: Int) -> Dataset {
    guard count < self.count else { return self }
    return selecting(SampleDraw(self, seed: seed, purpose: .evaluation).first(count, of: 0..<self.count).sorted())
  }
}
