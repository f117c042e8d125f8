import Files
import Kernels
import Pictures
import Runtime

/// Samples drawn without replacement by keys that (seed, purpose, position) address: those with the smallest keys. So
/// what is drawn does not depend on which other samples there are, and n + 1 samples are the n and another one.
package struct SampleDraw {
  private let keys: [UInt64]

  package init(_ dataset: Dataset, seed: Int, purpose: RandomStream.Purpose) {
    keys = (0..<dataset.count).map { index in
      var stream = RandomStream(seed: seed, purpose: purpose, sample: dataset.position(of: index))
      return stream.next()
    }
  }

  /// `count` of `indices`, all where there are fewer; the order is the draw's.
  package func first(_ count: Int, of indices: some Sequence<Int>) -> ArraySlice<Int> {
    indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.prefix(count)
  }
}

extension Dataset {
  /// The samples of each class, by their labels.
  package var indicesByClass: [[Int]] {
    var members = [[Int]](repeating: [], count: classes)
    for index in 0..<count { members[label(index)].append(index) }
    return members
  }

  /// `perClass` samples of every class, in their order. The subset of 50 a class holds that of 10 of the same seed.
  func subset(perClass count: Int, seed: Int, source: String) throws(FileError) -> Dataset {
    let draw = SampleDraw(self, seed: seed, purpose: .subset)
    var chosen: [Int] = []
    for (label, members) in indicesByClass.enumerated() {
      guard members.count >= count else {
        throw FileError(
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

  /// A share of each class as a test set, and the rest; drawn by what files are called, so that it is the same whatever
  /// the run's seeds are, and stays what it is where files come in.
  func holdingOutTest(_ fraction: Double, source: String) throws(FileError) -> (rest: Dataset, held: Dataset) {
    var isHeld = [Bool](repeating: false, count: count)
    for members in indicesByClass {
      let keys = members.map { (RandomStream.mix(nameHash(of: $0)), $0) }
      for (_, index) in keys.sorted(by: <).prefix(Int(fraction: fraction, of: members.count)) { isHeld[index] = true }
    }
    let indices = 0..<count
    let held = selecting(indices.filter { isHeld[$0] })
    guard held.count > 0, held.count < count else {
      throw FileError(
        path: source,
        reason: "data.test holds out \(held.count) of \(counted(count, "image")), expected 1 to \(count - 1)")
    }
    return (selecting(indices.filter { !isHeld[$0] }), held)
  }

  /// FNV-1a of where the sample comes from, without the folders above its own.
  private func nameHash(of index: Int) -> UInt64 {
    let parts = origin(of: index).split(separator: "/").suffix(2).joined(separator: "/")
    return parts.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
