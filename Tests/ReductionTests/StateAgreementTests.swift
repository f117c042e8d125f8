import Graph
import MPI
import Models
import Optimization
import Reduction
import Runtime
import Testing

@Suite struct StateAgreementTests {
  private let model = ModelState(
    try! .make(.resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 8, 8), classes: 3), seed: 1)
  private let optimizer: Optimizer
  private let agreement: StateAgreement

  init() {
    optimizer = Optimizer(
      .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), weightDecay: 0, decays: [], count: model.layout.parameterCount)
    agreement = StateAgreement(model: model, optimizer: optimizer, communicator: .alone)
  }

  /// The digest of a rank on `host` that holds what this one holds now.
  private func digest(on host: String) -> StateDigest {
    StateDigest(checksums: agreement.digest.checksums, host: host)
  }

  @Test func `a digest has a checksum of each tensor, this host's name, and the same bytes again`() throws {
    let digest = agreement.digest
    let layout = model.layout
    #expect(digest.checksums.count == 3 * layout.parameters.count + layout.statistics.count)
    #expect(digest.host == Platform.host)
    #expect(StateDigest(bytes: digest.bytes, tensors: digest.checksums.count) == digest)
    let long = StateDigest(checksums: [1, .max], host: String(repeating: "h", count: 100))
    #expect(long.bytes.count == 2 * 4 + 64)
    #expect(StateDigest(bytes: long.bytes, tensors: 2).host == String(repeating: "h", count: 64))
  }

  @Test func `one bit of any part of the state changes the checksum of that tensor alone`() {
    let before = agreement.digest.checksums
    for (values, tensor) in [
      (model.parameters.values[model.layout.range(of: "fc.bias")], "fc.bias"),
      (model.statistics.values[model.layout.range(of: "bn1.running_var")], "bn1.running_var"),
      (optimizer.slots[1].values[model.layout.range(of: "conv1.weight")], "optimizer.exp_avg_sq.conv1.weight"),
    ] {
      let first = values.startIndex
      let value = values[first]
      UnsafeMutableBufferPointer(rebasing: values)[0] = Float(bitPattern: value.bitPattern ^ 1)
      let after = agreement.digest
      #expect(zip(before, after.checksums).count { $0 != $1 } == 1, "\(tensor)")
      let same = StateDigest(checksums: before, host: "a")
      #expect(agreement.difference(among: [same, same, after])?.hasSuffix(" in \(tensor)") == true)
      UnsafeMutableBufferPointer(rebasing: values)[0] = value
    }
    #expect(agreement.digest.checksums == before)
  }

  @Test func `the rank that differs from most is named, with its host and what differs`() {
    let right = ["a", "b", "c"].map(digest)
    #expect(agreement.difference(among: right) == nil)
    model.parameters.values[model.layout.start(of: "fc.bias")] += 1
    let wrong = digest(on: "d")
    #expect(
      agreement.difference(among: right + [wrong])
        == "rank 3 host d holds other values than the other ranks in fc.bias")
    #expect(
      agreement.difference(among: [wrong] + right)
        == "rank 0 host d holds other values than the other ranks in fc.bias")
    // Of two nobody can say which is right.
    #expect(
      agreement.difference(among: [wrong, right[0]]) == "rank 1 host a holds other values than rank 0 in fc.bias")
  }

  @Test func `several ranks are named, and of many tensors three`() {
    let right = ["a", "b", "c"].map(digest)
    model.parameters.values[model.layout.start(of: "fc.bias")] += 1
    let one = digest(on: "d")
    for entry in model.layout.parameters { model.parameters.values[entry.range.lowerBound] += 2 }
    let all = digest(on: "e")
    #expect(
      agreement.difference(among: right + [one, all])
        == "rank 3 host d holds other values than the other ranks in fc.bias; rank 4 host e holds other values than "
        + "the other ranks in conv1.weight, bn1.weight, bn1.bias and \(model.layout.parameters.count - 3) more tensors")
  }

  @Test func `a rank alone agrees`() throws {
    try agreement.check(after: 3)
  }
}
