import Kernels
import TestSupport
import Testing

@Suite struct `Dense layer and cross entropy` {
  @Test(arguments: Golden.Source.allCases, [0.0, 0.1])
  func `agree with PyTorch, with label smoothing too`(source: Golden.Source, smoothing: Double) throws {
    for backend in ConvolutionBackend.allCases { try agree(source, smoothing, backend) }
  }

  private func agree(_ source: Golden.Source, _ smoothing: Double, _ backend: ConvolutionBackend) throws {
    guard let golden = try Golden.load("operators", from: source) else { return }
    let name = "linear_ce_\(smoothing)"
    let (x, w) = (golden.shape("\(name).x"), golden.shape("\(name).w"))
    let linear = Linear(batch: x[0], inputs: x[1], outputs: w[0], backend: backend)
    let (logits, seed) = (Tensor(count: x[0] * w[0]), Tensor(count: x[0] * w[0]))
    let (dx, dw, db) = (Tensor(count: x[0] * x[1]), Tensor(count: w[0] * w[1]), Tensor(count: w[0]))
    let (values, weight) = (try golden.floats("\(name).x"), try golden.floats("\(name).w"))
    linear.forward(values, weight: weight, bias: try golden.floats("\(name).b"), into: logits.pointer)
    let loss =
      CrossEntropy(classes: w[0], smoothing: smoothing)(
        logits: logits.pointer, labels: try golden.labels("\(name).y"), samples: x[0], scale: 1 / Double(x[0]),
        gradient: seed.pointer) / Double(x[0])
    linear.backward(seed.pointer, weight: weight, intoInput: dx.pointer)
    linear.backward(seed.pointer, x: values, intoWeight: dw.pointer, bias: db.pointer)
    #expect(abs(loss - (try golden.scalar("\(name).loss"))) < 5e-5 * loss)
    for (ours, key) in [(logits, "logits"), (dx, "dx"), (dw, "dw"), (db, "db")] {
      #expect(Distance.maximum(ours.values, try golden.floats("\(name).\(key)")) < 5e-5, "\(key), \(backend)")
    }
  }

  @Test func `cross entropy of huge logits is finite, and counts the largest logit`() {
    var correct = 0
    let loss = CrossEntropy(classes: 3)(
      logits: [1e30, 0, -1e30, 5, 6, 7], labels: [0, 0], samples: 2, correct: &correct)
    #expect(loss.isFinite)
    #expect(correct == 1)
  }
}
