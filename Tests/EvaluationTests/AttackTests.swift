import Graph
import Datasets
import Evaluation
import Execution
import Kernels
import Models
import TestSupport
import Testing

/// FGSM and PGD against PyTorch, on an MLP whose ReLUs and gradients are not near zero at any iterate.
@Suite struct AttackTests {
  private struct Bench {
    let golden: Golden
    let attacker: Attacker
    let model: ModelState
    let normalization = Normalization(mean: [0.45, 0.5], std: [0.2, 0.3])
    /// Channels last; six samples of two channels and 4x4 pixels.
    let images: [Float]
    let labels: [Int32]

    init(seed: Int = 0) throws {
      golden = try Golden(fixture: "attacks")
      model = ModelState(
        try .make(
          .mlp, shortcut: .projection, hidden: [32, 24], input: SampleShape(2, 4, 4),
          classes: 5), seed: 0)
      let file = golden.file
      try model.load(model.namedTensors.map { try file.tensor("model.\($0.name)").renamed($0.name) }, from: "")
      attacker = Attacker(model: model, backend: .onednn, normalization: normalization, seed: seed)
      images = try golden.channelsLast("x")
      labels = try golden.labels("y")
    }

    func perturbed(by attack: Attack) -> [Float] {
      var images = images
      let (size, piece) = (32, 4)
      for first in stride(from: 0, to: labels.count, by: piece) {
        let samples = first..<min(first + piece, labels.count)
        images.withUnsafeMutableBufferPointer { images in
          labels.withUnsafeBufferPointer { labels in
            attacker.perturb(
              images.baseAddress! + first * size, labels: labels.baseAddress! + first, samples: samples, by: attack)
          }
        }
      }
      return images
    }

    /// How far each pixel value moved, and where it is now, in pixel values of 0..1.
    func moves(_ perturbed: [Float]) -> [(move: Double, value: Double)] {
      perturbed.indices.map { index in
        let channel = index % 2
        let (mean, std) = (normalization.mean[channel], normalization.std[channel])
        return (Double(perturbed[index] - images[index]) * std, Double(perturbed[index]) * std + mean)
      }
    }
  }

  @Test func `FGSM's and PGD's images are PyTorch's`() throws {
    let bench = try Bench()
    // Values below 3 in float32, and 20 additions of a step.
    let fgsm = try bench.golden.channelsLast("fgsm")
    for (a, b) in zip(bench.perturbed(by: .fgsm), fgsm) { #expect(abs(a - b) < 1e-6) }
    let fixed = Attack(steps: 20, stepSize: 2.0 / 255, epsilon: 8.0 / 255, startsRandomly: false)
    let pgd = try bench.golden.channelsLast("pgd")
    for (a, b) in zip(bench.perturbed(by: fixed), pgd) { #expect(abs(a - b) < 5e-6) }
    #expect(Distance.maximum(fgsm, pgd) > 0.01)
  }

  @Test(arguments: [Attack.fgsm, .pgd])
  func `no pixel moves by more than 8/255, or beyond black and white`(attack: Attack) throws {
    let bench = try Bench()
    let moves = bench.moves(bench.perturbed(by: attack))
    // Rounding of values below 3 in float32, times std.
    let slack = 1e-7
    #expect(moves.allSatisfy { abs($0.move) <= 8.0 / 255 + slack && -slack <= $0.value && $0.value <= 1 + slack })
    #expect(moves.contains { abs($0.move) > 7.9 / 255 })
  }

  @Test func `PGD starts anywhere within the distance, by seed and sample`() throws {
    let start = Attack(steps: 0, stepSize: 0, epsilon: 8.0 / 255, startsRandomly: true)
    let bench = try Bench()
    let moved = bench.perturbed(by: start)
    #expect(try Bench().perturbed(by: start) == moved)
    #expect(try Bench(seed: 1).perturbed(by: start) != moved)
    // Of 192 uniform moves, some cut by the range of pixels: each sign comes often, and the ends are near.
    let moves = bench.moves(moved).map(\.move)
    #expect(moves.count { $0 > 0 } > 60 && moves.count { $0 < 0 } > 60)
    #expect(moves.max()! > 7.0 / 255 && moves.min()! < -7.0 / 255)
    #expect(Set(moves.map { Int($0 * 255) }).count > 8)
    #expect(Array(moved[..<32]) != Array(moved[32..<64]))
  }

  @Test func `PGD is the stronger attack, or the report warns of masked gradients`() throws {
    let scores = RobustnessReport.AttackScores(samples: 100, accuracy: 0.9, fgsm: 0.3, pgd: 0.31)
    #expect(scores.warning?.contains("PGD leaves more accuracy (31.00 %) than FGSM (30.00 %)") == true)
    #expect(RobustnessReport.AttackScores(samples: 100, accuracy: 0.9, fgsm: 0.3, pgd: 0.3).warning == nil)
  }

  @Test func `a report's means weigh every severity of every corruption alike`() throws {
    var report = RobustnessReport(samples: 10, accuracy: 0.5)
    report.corruptions = [
      .init(name: "brightness", accuracies: [0.5, 0.25, 0, 0.25, 0.5]),
      .init(name: "contrast", accuracies: [1, 1, 1, 0.5, 0]),
    ]
    #expect(
      report.json == #"{"samples":10,"accuracy":0.5,"corruption_brightness":[0.5,0.25,0.0,0.25,0.5],"#
        + #""corruption_contrast":[1.0,1.0,1.0,0.5,0.0],"corruption_accuracy":0.5}"#)
    #expect(report.text.contains("mean           75.00 %     62.50 %     50.00 %     37.50 %     25.00 %  50.00 %"))
  }
}
