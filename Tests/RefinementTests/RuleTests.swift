import Formats
import Foundation
import Kernels
import Refinement
import TestSupport
import Testing

@Suite struct `Rules of the refinement` {
  static let moving: [RuleKind] = [.sgd, .adam, .ademamix, .ifgsm]

  /// x after each of `gradients` rows, starting at x0.
  private func run(_ rule: Rule, x0: [Float], gradients: [Float]) -> [[Float]] {
    var x = x0
    var state = [Float](repeating: 0, count: rule.stateCount * x.count)
    return stride(from: 0, to: gradients.count, by: x.count).map { start in
      let g = Array(gradients[start..<start + x.count])
      rule.step(start / x.count + 1, x: &x, gradient: g, state: &state, stride: x.count, count: x.count)
      return x
    }
  }

  // 1e-4 of the largest move: float32's rounding of x over 50 steps stays far below, and the slow moment that
  // tells ademamix from adam is a hundred times more.
  @Test(arguments: Golden.Source.allCases, moving)
  func `each rule gives PyTorch's 50 iterates`(source: Golden.Source, kind: RuleKind) throws {
    guard let golden = try Golden.load("rules", from: source) else { return }
    let x0 = try golden.floats("x0")
    let stepSize = try #require(golden.file.metadata[kind.rawValue].flatMap(Float.init))
    let ours = run(Rule(kind: kind, stepSize: stepSize), x0: x0, gradients: try golden.floats("gradients"))
    let reference = try golden.floats("\(kind).x")
    let start = Array(repeating: x0, count: ours.count).joined()
    let move = zip(reference, start).map { abs($0 - $1) }.max()!
    let error = zip(ours.joined(), reference).map { abs($0 - $1) }.max()!
    #expect(ours.count == 50 && reference.count == 50 * x0.count)
    #expect(error < 1e-4 * move)
  }

  @Test func `the reference sequences tell ademamix from adam`() throws {
    let golden = try Golden(fixture: "rules")
    let x0 = Array(repeating: try golden.floats("x0"), count: 50).joined()
    let (adam, ademamix) = (try golden.floats("adam.x"), try golden.floats("ademamix.x"))
    let move = zip(adam, x0).map { abs($0 - $1) }.max()!
    #expect(zip(adam, ademamix).map { abs($0 - $1) }.max()! > 1e-2 * move)
  }

  @Test(arguments: [RuleKind.adam, .random])
  func `adam's first step is s against the gradient's sign, whatever the gradient's size`(kind: RuleKind) {
    let gradients: [Float] = [1e-4, -1e-4, 1, -1, 1e5, -1e5]
    let x = run(Rule(kind: kind, stepSize: 0.25), x0: [0, 0, 0, 0, 0, 0], gradients: gradients)[0]
    for (value, gradient) in zip(x, gradients) {
      // eps / |g| is 1e-4 for the smallest; the rest is rounding.
      #expect(abs(value + (gradient > 0 ? 0.25 : -0.25)) < 0.25 * 1.1e-4)
    }
  }

  @Test(arguments: moving)
  func `the loss goes down, and up under the adversarial contrast`(kind: RuleKind) {
    // L = sum a_i x_i^2 / 2, gradient a_i x_i.
    let a: [Float] = [1, 2, 3, 0.5, 1]
    func loss(_ x: [Float]) -> Float { zip(a, x).reduce(0) { $0 + $1.0 * $1.1 * $1.1 / 2 } }
    var x: [Float] = [1, -2, 0.5, 3, 0]
    let rule = Rule(kind: kind, stepSize: 0.01)
    var state = [Float](repeating: 0, count: rule.stateCount * 5)
    for t in 1...5 {
      let before = loss(x)
      rule.step(t, x: &x, gradient: zip(a, x).map(*), state: &state, stride: 5, count: 5)
      #expect(kind == .ifgsm ? loss(x) > before : loss(x) < before)
    }
    #expect(x[4] == 0, "no gradient, no move")
  }

  @Test func `plain training's rule moves nothing`() {
    let rule = Rule(kind: .none, stepSize: 1)
    #expect(rule.stateCount == 0)
    #expect(run(rule, x0: [1, 2], gradients: [3, 4, 5, 6]) == [[1, 2], [1, 2]])
  }

  @Test(arguments: RuleKind.allCases)
  func `samples in one call or in pieces, in a wide state or a tight one, give the same bits`(kind: RuleKind) {
    let rule = Rule(kind: kind, stepSize: 1e-3)
    var stream = RandomStream(seed: 1, purpose: .test)
    let (count, cut, wide) = (103, 37, 128)
    let x0 = (0..<count).map { _ in Float(stream.normal()) }
    let g = (0..<3 * count).map { _ in Float(stream.normal()) }
    var x = x0
    // -1 marks what no step may touch.
    var states = [cut, count - cut].map { piece in
      (0..<rule.stateCount * wide).map { $0 % wide < piece ? Float(0) : -1 }
    }
    for t in 1...3 {
      for (piece, range) in [0..<cut, cut..<count].enumerated() {
        var part = Array(x[range])
        let gradient = g[(t - 1) * count..<t * count]
        rule.step(
          t, x: &part, gradient: Array(Array(gradient)[range]), state: &states[piece], stride: wide,
          count: range.count)
        x.replaceSubrange(range, with: part)
      }
    }
    #expect(x == run(rule, x0: x0, gradients: g).last)
    for (piece, size) in [cut, count - cut].enumerated() {
      #expect(states[piece].indices.allSatisfy { $0 % wide < size || states[piece][$0] == -1 })
    }
  }
}

@Suite struct `The random contrast` {
  private let count = 3072
  private let x0: [Float]
  private let adam: [Float]

  init() {
    var stream = RandomStream(seed: 3, purpose: .test)
    x0 = (0..<3072).map { _ in Float(stream.normal()) }
    adam = x0.map { $0 + 0.01 * Float(stream.normal()) }
  }

  /// The move x - x_0 of the contrast.
  private func move(of x: [Float], epoch: Int = 2, sample: Int = 5) -> [Double] {
    var (x, direction) = (x, [Float](repeating: 0, count: count))
    Rule.randomize(
      &x, around: x0, count: count, direction: &direction,
      address: RandomStream(seed: 7, purpose: .perturbation, epoch: epoch, sample: sample))
    return zip(x, x0).map { Double($0) - Double($1) }
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
  private func cosine(_ a: [Double], _ b: [Double]) -> Double {
    dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }

  @Test func `keeps the length of adam's move and forgets its direction`() {
    let adamMove = zip(adam, x0).map { Double($0) - Double($1) }
    let ours = move(of: adam)
    // x is near 1 and the move 0.01, so the rounding of x is 6e-6 of an element, and less of the length.
    #expect(abs(dot(ours, ours) / dot(adamMove, adamMove) - 1) < 1e-5)
    // Cosines of independent directions are 1 / sqrt(3072) = 0.018 wide; five times that.
    #expect(abs(cosine(ours, adamMove)) < 0.09)
  }

  @Test func `goes one way per sample and epoch, whatever the length`() {
    let shorter = zip(adam, x0).map { ($0 + $1) / 2 }
    #expect(cosine(move(of: adam), move(of: shorter)) > 0.99999)
    #expect(move(of: adam) == move(of: adam))
    #expect(abs(cosine(move(of: adam), move(of: adam, sample: 6))) < 0.09)
    #expect(abs(cosine(move(of: adam), move(of: adam, epoch: 3))) < 0.09)
  }

  @Test func `stays at x0 where adam did not move`() {
    #expect(move(of: x0).allSatisfy { $0 == 0 })
  }
}

@Suite struct `Bounds of the input` {
  @Test func `an element leaves neither the ball around x0 nor its channel's range`() {
    let x0: [Float] = [0, 0, 0.9, -1.9]
    var x: [Float] = [0.5, -0.05, 2, -3]
    // Channels last: even elements are of channel 0, odd ones of channel 1.
    InputBounds(epsilon: 0.25, pixels: [-1...1, -2...2]).project(&x, around: x0, count: 4)
    #expect(x == [0.25, -0.05, 1, -2])
  }

  @Test func `without limits nothing is moved, and a projection is its own projection`() {
    var stream = RandomStream(seed: 4, purpose: .test)
    let x0 = (0..<300).map { _ in Float(stream.normal()) }
    let far = x0.map { $0 + Float(stream.normal()) }
    var x = far
    InputBounds().project(&x, around: x0, count: 300)
    #expect(x == far)
    let bounds = InputBounds(epsilon: 0.1, pixels: [-1...1, -0.5...2, 0...0.25])
    bounds.project(&x, around: x0, count: 300)
    #expect(x != far)
    let once = x
    bounds.project(&x, around: x0, count: 300)
    #expect(x == once)
  }

  @Test func `what is not a number stays so, for the loss to show it`() {
    var x: [Float] = [.nan]
    InputBounds(epsilon: 1, pixels: [-1...1]).project(&x, around: [0], count: 1)
    #expect(x[0].isNaN)
  }
}
