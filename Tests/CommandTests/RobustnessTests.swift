import Foundation
import TestSupport
import Testing

/// `icp robustness`, `icp episodes` and `evaluation.final`: the same at any number of ranks.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RobustnessTests {
  private static let finally = ["evaluation.final=[corruptions, attacks]", "evaluation.attack_samples=15"]

  private func object(_ text: String) throws -> NSDictionary {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
  }

  @Test(.ranks) func `a run's final record is the command's report, at any number of ranks, and comes once`() throws {
    let tiny = try TinyRun()
    let run = try tiny.train(Self.finally, ranks: 2)
    run.expect(0)
    for text in ["gaussian_noise", "PGD-20, 8/255", "attack (first 15 samples)"] {
      #expect(run.standardOutput.contains(text))
    }
    let finals = try tiny.records().filter { $0.kind == "final" }
    let final = try #require(finals.first)
    #expect(finals.count == 1 && final.step == 20 && final.values["epoch"] as? Int == 3)

    let command = ["robustness", "run/config.yaml", "--weights", tiny.checkpointPath(20), "--json"]
    var reports: [NSDictionary] = []
    for ranks in [nil, 2, 4] {
      let outcome = try tiny.command(command, ranks: ranks)
      outcome.expect(0)
      reports.append(try object(outcome.standardOutput))
    }
    #expect(reports[0] == reports[1] && reports[0] == reports[2])
    let measured = final.values.filter { !["kind", "step", "epoch"].contains($0.key) }
    #expect(reports[0] == measured as NSDictionary)
    #expect(reports[0]["samples"] as? Int == 20 && reports[0]["attack_samples"] as? Int == 15)
    for name in ["gaussian_noise", "gaussian_blur", "brightness", "contrast"] {
      #expect((reports[0]["corruption_\(name)"] as? [Double])?.count == 5)
    }
    #expect(try tiny.records().last { $0.kind == "epoch" }?.number("test_accuracy") == final.number("accuracy"))

    // A finished run that is resumed measures again, and keeps one record.
    try tiny.train(Self.finally, resume: "auto").expect(0)
    let again = try tiny.records().filter { $0.kind == "final" }
    #expect(again.count == 1 && again[0].values as NSDictionary == final.values as NSDictionary)
    try tiny.train(into: "plain").expect(0)
    #expect(try tiny.tensors(20, of: "plain") == tiny.tensors(20))
    #expect(try !tiny.records(of: "plain").contains { $0.kind == "final" })
  }

  @Test(.ranks) func `CIFAR-C's files are measured by name and severity`() throws {
    let tiny = try TinyRun()
    let settings = ["data.size=native", "model.kind=mlp", "model.hidden=[4]"]
    try tiny.train(settings + ["training.max_steps=1"]).expect(0)
    // As many grey images of 28x28 as test images at each severity, all alike: one class in ten is right.
    func numpy(_ shape: String, _ bytes: [UInt8]) -> Data {
      let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(shape)), }"
      let header = text + String(repeating: " ", count: 117 - text.count) + "\n"
      return Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8) + bytes)
    }
    let folder = URL(fileURLWithPath: tiny.path("c"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try numpy("100, 28, 28, 1", [UInt8](repeating: 90, count: 78400)).write(to: folder.appending(path: "fog.npy"))
    try numpy("100,", (0..<100).map { UInt8($0 % 10) }).write(to: folder.appending(path: "labels.npy"))
    let command = ["robustness", "run/config.yaml", "--weights", tiny.checkpointPath(1), "--only", "corruptions"]
    let outcome = try tiny.command(command + ["--cifar-c", "c", "--json"], ranks: 2)
    outcome.expect(0)
    let report = try object(outcome.standardOutput)
    let accuracies = try #require(report["cifar_c_fog"] as? [Double])
    #expect(accuracies == [0.1, 0.1, 0.1, 0.1, 0.1])
    #expect(report["cifar_c_accuracy"] as? Double == 0.1 && report["fgsm_accuracy"] == nil)
    #expect(try tiny.command(command + ["--cifar-c", "c"]).standardOutput.contains("CIFAR-C"))
    try numpy("100,", (0..<100).map { UInt8(9 - $0 % 10) }).write(to: folder.appending(path: "labels.npy"))
    try tiny.command(command + ["--cifar-c", "c"])
      .expect(65, "labels.npy: label 0 (severity 1, image 0) is 9, but the test set has 0")
    try tiny.command(command + ["--cifar-c", "nowhere"]).expect(65, "nowhere: is not a directory that can be read")
    try tiny.command(command, ["evaluation.cifar_c=nowhere"], ranks: 2).expect(65, "nowhere: is not a directory")
    try tiny.command(command + ["--attack-samples", "0"]).expect(64, "--attack-samples: expected at least 1")
    try tiny.command(["robustness", "run/config.yaml", "--weights", "none"]).expect(65, "none: open")
  }

  @Test(.ranks) func `episodes are the same at any number of ranks, whatever the classifier knows`() throws {
    let tiny = try TinyRun()
    let settings = ["data.test_limit=200", "training.max_steps=2"]
    try tiny.train(settings).expect(0)
    let command = ["episodes", "run/config.yaml", "--weights", tiny.checkpointPath(2), "--episodes", "40"]
    let figures = try [nil, 2, 4].map { ranks in
      let outcome = try tiny.command(command + ["--queries", "5", "--json"], ranks: ranks)
      outcome.expect(0)
      return outcome.standardOutput
    }
    #expect(figures[0] == figures[1] && figures[0] == figures[2])
    let report = try object(figures[0])
    #expect((0...1).contains(try #require(report["accuracy"] as? Double)))
    #expect(report["episodes"] as? Int == 40 && report["classes"] as? [Int] == Array(0..<10))
    #expect(try tiny.command(command + ["--queries", "5", "--seed", "1", "--json"]).standardOutput != figures[0])

    // A network that was trained on other classes: of it only the features count.
    try tiny.train(settings + ["data.limit=200", "data.classes=[2, 0, 4]"], into: "other").expect(0)
    let trained = ["episodes", "other/config.yaml", "--weights", tiny.checkpointPath(2, of: "other")]
    let own = try tiny.command(trained + ["--way", "2", "--queries", "10"])
    own.expect(0)
    #expect(own.standardOutput.contains("classes: 2, 0, 4\n"))
    let other = trained + ["--classes", "5,6,7,8,9"]
    let outcome = try tiny.command(other + ["--queries", "10", "--distance", "cosine"])
    outcome.expect(0)
    #expect(
      outcome.standardOutput.contains(
        "5-way 1-shot, 10 queries a class, 600 episodes of seed 0, nearest centroid (cosine)"))
    #expect(outcome.standardOutput.contains("classes: 5, 6, 7, 8, 9\naccuracy: "))
  }

  @Test(.ranks)
  func `a run's last episodes are the command's, of the classes left out, whatever becomes of training images`()
    throws
  {
    let tiny = try TinyRun()
    let settings = [
      "data.classes=[2, 0, 4]", "data.limit=200", "data.test_limit=400", "data.validation=10",
      "data.label_noise.kind=symmetric", "data.label_noise.rate=0.2", "training.max_steps=2",
    ]
    try tiny.train(settings + ["evaluation.final=[episodes]"], ranks: 2).expect(0)
    let final = try #require(try tiny.records().last)
    #expect(final.kind == "final" && final.values["episodes_way"] as? Int == 5 && final.values["fgsm_accuracy"] == nil)
    for (shots, ranks) in [(1, nil), (5, 4)] {
      let outcome = try tiny.command(
        ["episodes", "run/config.yaml", "--weights", tiny.checkpointPath(2), "--classes", "1,3,5,6,7,8,9", "--json"]
          + ["--shots", "\(shots)"], ranks: ranks)
      outcome.expect(0)
      let report = try object(outcome.standardOutput)
      for name in ["accuracy", "interval"] {
        #expect(final.number("episodes_\(shots)_shot_\(name)") == report[name] as? Double, "\(shots) \(name)")
      }
    }

    // Before the first step.
    for (refused, says) in [
      (
        ["data.classes=[0, 1, 2, 3, 4, 5, 6, 7, 8]"],
        "classes at least that 'data.classes' leaves out, but there is only 9"
      ),
      (["data.test_limit=20"], "'evaluation.final': episodes: class 1 has 2 test images, expected at least 16"),
    ] {
      try tiny.train(settings + refused + ["evaluation.final=[episodes]"], dryRun: true).expect(64, says)
    }
    try tiny.command(["robustness", "run/config.yaml", "--weights", "w", "--only", "episodes"]).expect(64)
  }

  @Test func `episodes that cannot be drawn are refused with what is there`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=1"]).expect(0)
    let command = ["episodes", "run/config.yaml", "--weights", tiny.checkpointPath(1)]
    for (arguments, says) in [
      ([], "class 0 has 2 test images, expected at least 16: 1 labelled and 15 to recognise"),
      (["--classes", "1,2"], "--way is 5, but there are 2 classes to draw from, 1, 2; expected 2 to 2"),
      (["--classes", "1,12", "--way", "2"], "--classes: there is no class 12 in the data, expected 0 to 9"),
      (["--classes", "1,1", "--way", "2"], "--classes: a class is named twice"),
      (["--classes", "1,x"], "--classes: expected labels such as 5,6,7, got 'x'"),
      (["--way", "1"], "--way: expected an integer from 2 to 1000000, got 1"),
      (["--shots", "0"], "--shots: expected an integer from 1"),
    ] {
      try tiny.command(command + arguments).expect(64, says)
    }
  }
}
