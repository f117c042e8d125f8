import Formats
import Foundation
import Images
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct PredictTests {
  private static let configuration = """
    data: {path: set, size: 16}
    model: {kind: resnet8}
    training: {max_steps: 4, batch_size: 6, shards: 1}
    icp: {steps: 1}
    optimizer: {learning_rate: 0.01}
    """

  private func trained(_ settings: [String] = []) throws -> TinyRun {
    let tiny = try TinyRun(Self.configuration)
    // Larger than the network's images, and not square.
    try PictureFolders.write(["a, b", "<c>", "d"], width: 24, height: 20, to: tiny.path("set"))
    try tiny.train(settings).expect(0)
    return tiny
  }

  private func lines(_ outcome: Program.Outcome) throws -> [[String: Any]] {
    outcome.expect(0)
    return try outcome.standardOutput.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test func `pictures of a folder are classified as evaluate does, by name, and each form says the same`() throws {
    let tiny = try trained()
    let found = try lines(tiny.command(["predict", "run", "set/test", "--json"]))
    #expect(found.count == 12)
    #expect(found[0]["input"] as? String == "set/test/<c>/0.png")
    let names = ["<c>", "a, b", "d"]
    for line in found {
      let probabilities = try #require(line["probabilities"] as? [Double])
      #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
      let label = try #require(line["label"] as? Int)
      #expect(probabilities[label] == probabilities.max() && line["name"] as? String == names[label])
    }
    let right = found.count { line in (line["input"] as! String).split(separator: "/")[2] == line["name"] as! String }
    let measured = try tiny.command(["evaluate", "run", "--json"]).standardOutput
    let accuracy = try #require(
      (try JSONSerialization.jsonObject(with: Data(measured.utf8)) as? [String: Any])?["accuracy"] as? Double)
    #expect(Double(right) / 12 == accuracy)

    let csv = try tiny.command(["predict", "run", "set/test", "--csv"]).standardOutput.split(separator: "\n")
    #expect(csv[0] == #"input,label,name,probability,p(<c>),"p(a, b)",p(d)"# && csv.count == 13)
    let first = try #require(found[0]["probability"] as? Double)
    let same = try #require(Double(csv[1].split(separator: ",")[3]))
    #expect(abs(same - first) < 1e-15)  // JSONSerialization may miss the last digit
    let text = try tiny.command(["predict", "run", "set/test/d/1.png"]).standardOutput
    #expect(text.hasPrefix("set/test/d/1.png: ") && text.split(separator: ",").count >= 3)
  }

  @Test func `arrays are classified, and what is no image is refused`() throws {
    let tiny = try trained()
    let pixels = (0..<2 * 16 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try tiny.folder.write(npy([2, 16, 16, 3], "|u1", pixels), to: "two.npy")
    let arrays = [
      ("test_images.npy", npy([2, 16, 16, 3], "|u1", pixels)), ("test_labels.npy", npy([2], "|u1", [0, 1])),
    ]
    try tiny.folder.write(zipArchive(arrays.map { (name: $0.0, contents: $0.1) }), to: "two.npz")
    let (one, other) = (
      try lines(tiny.command(["predict", "run", "two.npy", "--json"])),
      try lines(tiny.command(["predict", "run", "two.npz", "--json"]))
    )
    #expect(one.map { $0["input"] as? String } == ["two.npy, 0", "two.npy, 1"])
    #expect(other[0]["input"] as? String == "two.npz, test_images, 0")
    #expect(one.map { $0["probabilities"] as? [Double] } == other.map { $0["probabilities"] as? [Double] })
    try tiny.folder.write(npy([2, 8, 8], "|u1", Array(pixels[..<128])), to: "small.npy")
    try tiny.command(["predict", "run", "small.npy"]).expect(
      65, "small.npy: images of 1x8x8, but these weights take 3x16x16")
    try tiny.command(["predict", "run", "tiny.yaml"]).expect(65, "tiny.yaml: ")
    try tiny.command(["predict", "run", "nowhere"]).expect(65, "nowhere: no such file or directory")
    try tiny.command(["predict", "run", "run"]).expect(65, "run: holds no pictures")
    try tiny.command(["predict", "run"]).expect(64)
    let full = try Program.run(
      executable: "sh", ["-c", "\"$0\" predict run set/test --csv > /dev/full", Program.icp],
      workingDirectory: tiny.folder.path)
    full.expect(74, "No space left on device")
  }

  @Test(
    .long, arguments: [[], ["data.evaluation.resize=20"], ["data.evaluation.resize=11"], ["data.evaluation.crop=none"]])
  func `its probabilities are PyTorch's, however pictures are resized`(settings: [String]) throws {
    let python = ProcessInfo.processInfo.environment["ICP_PYTHON"] ?? "python3"
    let has = try Program.run(
      executable: python, ["-c", "import torch, safetensors, numpy, PIL; print(PIL.__version__)"])
    guard has.status == 0 else {
      print("SKIPPED: no Python with torch, safetensors and Pillow (set ICP_PYTHON): predict is compared with nobody")
      return
    }
    let tiny = try trained(settings)
    let script = """
      import sys, json
      sys.path.insert(0, sys.argv[1])
      import torch, icp_trainer
      torch.set_num_threads(1)
      module, preprocessing = icp_trainer.load(sys.argv[2])
      print(json.dumps(icp_trainer.predict(module, preprocessing, sys.argv[3:]).tolist()))
      """
    // Of the network's size; and others, which Pillow resizes to the bit as we do up to version 12: sides in proportion
    // that are no whole numbers, and pictures smaller than the network's.
    try PictureFolders.write(["own"], counts: (0, 9), width: 16, height: 16, to: tiny.path("own"))
    let resizes = (Int(has.standardOutput.prefix { $0 != "." }) ?? 99) < 13
    for (width, height) in [(27, 20), (20, 27), (17, 40), (12, 14)] {
      try PictureFolders.write(["c"], counts: (0, 1), width: width, height: height, to: tiny.path("\(width)x\(height)"))
    }
    let files =
      (resizes || settings.isEmpty ? (0..<9).map { "own/test/own/\($0).png" } : [])
      + (resizes ? ["a, b", "<c>", "d"].flatMap { name in (0..<3).map { "set/test/\(name)/\($0).png" } } : [])
      + (resizes ? ["27x20", "20x27", "17x40", "12x14"].map { "\($0)/test/c/0.png" } : [])
    if files.isEmpty { return }
    let outcome = try Program.run(
      executable: python, ["-c", script, "\(PackageRoot.path)/python", tiny.checkpointPath(4)] + files,
      workingDirectory: tiny.folder.path)
    try #require(outcome.status == 0, "\(outcome.standardError)")
    let theirs = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [[Double]])
    let ours = try lines(tiny.command(["predict", "run", "--json"] + files)).map { $0["probabilities"] as! [Double] }
    #expect(ours.count == theirs.count)
    for (mine, other) in zip(ours, theirs) {
      // Float32 through eight layers.
      #expect(zip(mine, other).allSatisfy { abs($0 - $1) < 1e-4 }, "\(mine) \(other)")
    }
  }

  @Test func `perturb leaves pictures of x_0, x_T and their difference`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"]).expect(0)
    let images = [
      NamedTensor("x", shape: [3, 1, 12, 12], floats: (0..<432).map { Float($0 % 7) / 7 }),
      NamedTensor("y", shape: [3], integers: [0, 1, 2]),
    ]
    try tiny.folder.write(SafetensorsWriter.encode(tensors: images), to: "in")
    let arguments = ["perturb", "run", "--input", "in", "--output", "out", "--pictures", "shown"]
    let outcome = try tiny.command(arguments)
    outcome.expect(0)
    #expect(outcome.standardError.contains("wrote pictures to shown; differences are shown "))
    let names = try FileManager.default.contentsOfDirectory(atPath: tiny.path("shown")).sorted()
    #expect(names.count == 9 && names[0] == "0000-difference.png" && names[8] == "0002-xT.png")
    func picture(_ name: String) throws -> Picture {
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: tiny.path("shown/\(name)"))))
      return try bytes.withUnsafeBytes { try Picture.decode($0, channels: 1) }
    }
    #expect(try picture("0001-x0.png").width == 12)
    let change = try picture("0001-difference.png").pixels
    #expect(change.contains { $0 > 160 } && change.contains { $0 < 96 })
    // Again, over its own; and nothing of another kind is replaced.
    try tiny.command(arguments).expect(0)
    try tiny.folder.write("mine", to: "shown/0000-x0.png")
    try tiny.command(arguments).expect(64, "shown/0000-x0.png: is not a PNG picture, and is not replaced")
  }
}
