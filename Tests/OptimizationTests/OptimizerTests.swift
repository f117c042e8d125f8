import Formats
import Kernels
import Optimization
import TestSupport
import Testing

@Suite struct `Optimisers` {
  static let methods: [(name: String, method: Optimizer.Method)] = [
    ("adamw", .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)),
    ("adamw_betas", .adamW(beta1: 0.8, beta2: 0.95, epsilon: 1e-3)),
    ("sgd", .sgd(momentum: 0, nesterov: false)),
    ("sgd_momentum", .sgd(momentum: 0.9, nesterov: false)),
    ("sgd_nesterov", .sgd(momentum: 0.9, nesterov: true)),
  ]

  // 3e-6 of the largest value: 20 steps, each rounding a parameter by 6e-8 of itself two or three times.
  @Test(arguments: methods, ["", "_decay"])
  func `follow PyTorch's for 20 steps of changing learning rate`(
    method: (name: String, method: Optimizer.Method), suffix: String
  ) throws {
    let golden = try Golden(fixture: "optimizers")
    let name = method.name + suffix
    let (gradients, rates) = (try golden.floats("gradients"), try golden.floats("learning_rates"))
    let reference = try golden.floats("\(name).p")
    var p = try golden.floats("p0")
    let count = p.count
    let optimizer = Optimizer(
      method.method, weightDecay: suffix.isEmpty ? 0 : 0.1, decays: [0..<16], count: count)
    #expect(rates.count == 20)
    for (step, rate) in rates.enumerated() {
      let rows = step * count..<(step + 1) * count
      optimizer.step(parameters: &p, gradients: Array(gradients[rows]), learningRate: Double(rate))
      #expect(Distance.maximum(p, reference[rows]) < 3e-6, "step \(step)")
    }
    let names = ["exp_avg", "exp_avg_sq", "momentum_buffer"].filter { golden.has("\(name).\($0)") }
    #expect(optimizer.slots.map(\.name) == names)
    for slot in optimizer.slots {
      #expect(Distance.maximum(slot.values, try golden.floats("\(name).\(slot.name)")) < 3e-6, "\(slot.name)")
    }
  }

  @Test(arguments: methods)
  func `with the slots and the step count of another go on with its bits`(
    method: (name: String, method: Optimizer.Method)
  ) {
    let count = 67
    var stream = RandomStream(seed: 5, purpose: .test)
    func normal() -> [Float] { (0..<count).map { _ in Float(stream.normal()) } }
    func make() -> Optimizer { Optimizer(method.method, weightDecay: 0.01, decays: [3..<40], count: count) }
    let gradients = (0..<6).map { _ in normal() }
    var p = normal()
    let first = make()
    for gradient in gradients[..<3] { first.step(parameters: &p, gradients: gradient, learningRate: 0.1) }
    let second = make()
    second.steps = first.steps
    for (slot, saved) in zip(second.slots, first.slots) {
      _ = slot.values.update(fromContentsOf: saved.values)
    }
    var q = p
    for gradient in gradients[3...] {
      first.step(parameters: &p, gradients: gradient, learningRate: 0.1)
      second.step(parameters: &q, gradients: gradient, learningRate: 0.1)
    }
    #expect(p == q)
    #expect(first.steps == 6 && second.steps == 6)
  }

  @Test(arguments: methods)
  func `decay exactly the ranges they are given, in any order`(
    method: (name: String, method: Optimizer.Method)
  ) {
    var p = [Float](repeating: 1, count: 40)
    let optimizer = Optimizer(method.method, weightDecay: 0.5, decays: [30..<35, 2..<7, 7..<9], count: 40)
    optimizer.step(parameters: &p, gradients: [Float](repeating: 0, count: 40), learningRate: 0.1)
    for index in 0..<40 {
      let decays = (2..<9).contains(index) || (30..<35).contains(index)
      #expect(decays ? p[index] < 1 : p[index] == 1, "parameter \(index)")
    }
  }

  @Test func `plain gradient descent keeps no state`() {
    #expect(Optimizer(.sgd(momentum: 0, nesterov: false), weightDecay: 0, decays: [], count: 9).slots.isEmpty)
  }
}

@Suite struct `Clipping` {
  private func tensor(_ values: [Float]) -> Tensor {
    let tensor = Tensor(count: values.count)
    _ = tensor.values.update(fromContentsOf: values)
    return tensor
  }

  @Test func `scales to the limit and returns the norm from before`() {
    let gradients = tensor([3, 0, -4])
    #expect(Optimizer.clip(gradients, to: 2.5) == 5)
    // The term 1e-6 beside the norm, and float32's rounding.
    for (value, expected) in zip(gradients.values, [1.5, 0, -2]) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
  }

  @Test(arguments: [5.1, 1e9, nil])
  func `leaves a gradient below the limit alone, to the bit`(limit: Double?) {
    let gradients = tensor([3, 0.1, -4])
    #expect(abs(Optimizer.clip(gradients, to: limit) - 25.01.squareRoot()) < 1e-8)
    #expect(Array(gradients.values) == [3, 0.1, -4])
  }

  @Test func `a norm whose square exceeds float32 is still right`() {
    // Squares of 1e25 are beyond float32's 3e38; 1e-12 for the rounding of 1e25 squared in double precision.
    let norm = Optimizer.clip(tensor([1e25, 1e25, -1e25, 1e25]), to: nil)
    #expect(abs(norm / Double(Float(2e25)) - 1) < 1e-12)
  }
}
