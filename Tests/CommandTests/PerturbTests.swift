import Formats
import Foundation
import TestSupport
import Testing

/// `icp perturb`: it reads no data set, and its iterates are PyTorch's.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PerturbTests {
  private static let configuration = """
    model: {kind: resnet8}
    icp: {steps: 5, reduction: mean}
    """

  /// A reference set's weights, images and labels as files, and a configuration for them.
  private struct Bench {
    let tiny: TinyRun
    let golden: Golden

    init(_ golden: Golden, configuration: String = PerturbTests.configuration) throws {
      self.golden = golden
      tiny = try TinyRun(configuration)
      try golden.writeWeights(to: tiny.path("weights"))
      try golden.writeImages(to: tiny.path("in"))
    }

    func perturb(_ settings: [String] = [], input: String = "in", to output: String = "out") throws -> Program.Outcome {
      try tiny.command(
        ["perturb", "tiny.yaml", "--weights", "weights", "--input", input, "--output", output, "--iterates"], settings)
    }

    /// The output of a run that must end well.
    func output(_ settings: [String] = [], to output: String = "out") throws -> SafetensorsFile {
      try perturb(settings, to: output).expect(0)
      return try SafetensorsFile(path: tiny.path(output))
    }
  }

  /// Loss at every iterate within 1e-4 relative; x_t - x_0 within 1 %, of ifgsm 10 % (a sign turns at a gradient near
  /// zero).
  @Test(arguments: ["sgd", "adam", "ademamix", "ifgsm"], Golden.Source.allCases)
  func `every rule's iterates are PyTorch's`(rule: String, source: Golden.Source) throws {
    guard let golden = try Golden.load(source == .fixture ? "resnet8" : "resnet20_pad", from: source) else { return }
    let bench = try Bench(golden)
    let model = source == .fixture ? [] : ["model.kind=resnet20", "model.shortcut=pad"]
    let result = try bench.output(
      model + ["icp.rule=\(rule)"] + (rule == "sgd" ? ["icp.step_size=0.5"] : ["icp.step_size=2e-3"]))
    let shape = golden.shape("x")
    #expect(result.tensors.map(\.name).sorted() == ["losses", "x", "x1", "x2", "x3", "x4", "x5"])
    #expect(result["x"]?.shape == shape && result["x5"]?.shape == shape && result["losses"]?.shape == [6])

    let (ours, reference) = (try result.floats("losses"), try golden.floats("\(rule).losses"))
    for (loss, expected) in zip(ours, reference) { #expect(abs(loss - expected) <= 1e-4 * expected) }
    let start = try golden.floats("x")
    for name in ["x1", "x5"] {
      let move = zip(try result.floats(name), start).map { $0 - $1 }
      let expected = zip(try golden.floats("\(rule).\(name)"), start).map { $0 - $1 }
      #expect(Distance.relative(move, expected) < (rule == "ifgsm" ? 0.1 : 0.01), "\(name)")
    }
    #expect(try result.floats("x") == result.floats("x5"))
    let moves = zip(ours, ours.dropFirst())
    #expect(moves.allSatisfy { rule == "ifgsm" ? $1 > $0 : $1 < $0 }, "\(ours)")
  }

  @Test func `random moves as far as adam, elsewhere, and by the seed`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let start = try bench.golden.floats("x")
    func move(_ settings: [String]) throws -> [Float] {
      zip(try bench.output(settings).floats("x"), start).map { $0 - $1 }
    }
    let (adam, random) = (try move([]), try move(["icp.rule=random"]))
    #expect(try move(["icp.rule=random"]) == random)
    #expect(try move(["icp.rule=random", "training.seed=1"]) != random)
    let size = start.count / bench.golden.shape("x")[0]
    for first in stride(from: 0, to: start.count, by: size) {
      let (a, b) = (adam[first..<first + size], random[first..<first + size])
      let (distance, other) = (length(a), length(b))
      // Rounding of 768 float32 values near 1.
      #expect(abs(distance - other) < 1e-4 * distance)
      let cosine = zip(a, b).reduce(0) { $0 + Double($1.0 * $1.1) } / (distance * other)
      // Two directions in 768 dimensions: 0.036 is one standard deviation.
      #expect(abs(cosine) < 0.2)
    }
  }

  private func length(_ values: ArraySlice<Float>) -> Double {
    values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }

  @Test(arguments: ["icp.steps=0", "icp.rule=none"])
  func `without a step x stays, and the one loss is PyTorch's`(setting: String) throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let result = try bench.output([setting])
    #expect(result.tensors.map(\.name).sorted() == ["losses", "x"])
    #expect(try result.floats("x") == bench.golden.floats("x"))
    let loss = try result.floats("losses")
    let expected = try bench.golden.floats("adam.losses")[0]
    #expect(loss.count == 1 && abs(loss[0] - expected) <= 1e-4 * expected)
  }

  @Test func `x stays in the ball and in the range of pixels`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let start = try bench.golden.floats("x")
    let near = try bench.output(["icp.epsilon=0.003"]).floats("x")
    // Float32 rounding of x_0 + epsilon, for values below 8.
    #expect(zip(near, start).allSatisfy { abs($0 - $1) <= 0.003 + 1e-6 })
    #expect(near != start)
    let pixels = ["icp.clamp=pixels", "data.mean=[0.5, 0.5, 0.5]", "data.std=[0.5, 0.25, 0.5]"]
    let shown = try bench.output(pixels).floats("x")
    let plane = 16 * 16
    for (index, value) in shown.enumerated() { #expect(abs(value) <= (index / plane % 3 == 1 ? 2 : 1)) }
  }

  @Test func `what is read is never written over, links are written through, and a device stays`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    try bench.tiny.folder.write("mine", to: "notes")
    for (output, says) in [
      ("./in", "is the --input, which would be lost"), ("./weights", "is the --weights"),
      ("./tiny.yaml", "is the configuration"), ("./notes", "is not a safetensors file, and is not replaced"),
    ] {
      let before = try Data(contentsOf: URL(fileURLWithPath: bench.tiny.path(output)))
      try bench.perturb(to: output).expect(64, "\(output): \(says)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: bench.tiny.path(output))) == before)
    }
    try bench.perturb(to: "/dev/null").expect(0)
    try bench.perturb(to: "/dev/full").expect(74, "/dev/full")
    symlink("target", bench.tiny.path("link"))
    let expected = try bench.output().contents
    #expect(try bench.output(to: "link").contents == expected)
    #expect(try SafetensorsFile(path: bench.tiny.path("target"), followLinks: false).contents == expected)
  }

  @Test(.long) func `an image that the host's memory cannot hold is refused before it is taken`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    // 16 channels of it take 64 GiB at a time.
    let side = 32768
    guard ProcessInfo.processInfo.physicalMemory < 256 << 30, ProcessInfo.processInfo.physicalMemory > 14 << 30 else {
      print("NOTE: a host of this memory is not tried with too large an image")
      return
    }
    let header =
      #"{"x":{"dtype":"F32","shape":[1,3,\#(side / 8),\#(side)],"data_offsets":[0,\#(side / 8 * side * 12)]},"#
      + #""y":{"dtype":"I64","shape":[1],"data_offsets":[\#(side / 8 * side * 12),\#(side / 8 * side * 12 + 8)]}}"#
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    bytes.append(Data(header.utf8))
    try bytes.write(to: URL(fileURLWithPath: bench.tiny.path("large")))
    truncate(bench.tiny.path("large"), bytes.count + side / 8 * side * 12 + 8)
    try bench.perturb(input: "large").expect(64, "large: images of 4096 x 32768 need about ", "GiB in this network")
  }

  @Test func `weights and refinements that overflow are refused, and nothing is written`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let file = try SafetensorsFile(path: bench.tiny.path("weights"))
    let huge = try file.tensors.map { info -> NamedTensor in
      let values = try file.floats(info.name)
      let scale: Float = ["fc.weight", "layer3.0.conv2.weight"].contains(info.name) ? 3e37 : 1
      return NamedTensor(info.name, shape: info.shape, floats: values.map { $0 * scale })
    }
    try Data(SafetensorsWriter.encode(tensors: huge)).write(to: URL(fileURLWithPath: bench.tiny.path("weights")))
    try bench.perturb().expect(65, "weights: the loss of in is not finite: they are not usable for these images")
    try bench.golden.writeWeights(to: bench.tiny.path("weights"))
    try bench.perturb(["icp.rule=ifgsm", "icp.step_size=3e38"]).expect(
      77, "in: after ", "of the refinement the images are not finite, or their loss is not; lower icp.step_size")
    #expect(!FileManager.default.fileExists(atPath: bench.tiny.path("out")))
  }

  @Test func `pictures of the folder that was named never go through links`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let pictures = { (folder: String) in
      try bench.tiny.command(
        [
          "perturb", "tiny.yaml", "--weights", "weights", "--input", "in", "--output", "out", "--pictures", folder,
        ], ["data.mean=[0.5, 0.5, 0.5]", "data.std=[0.25, 0.25, 0.25]"])
    }
    try pictures("dir").expect(0)
    let mine = try Data(contentsOf: URL(fileURLWithPath: bench.tiny.path("dir/0000-xT.png")))
    try mine.write(to: URL(fileURLWithPath: bench.tiny.path("mine.png")))
    unlink(bench.tiny.path("dir/0000-x0.png"))
    symlink("../mine.png", bench.tiny.path("dir/0000-x0.png"))
    try pictures("dir").expect(64, "dir/0000-x0.png: is a symbolic link, where the command has a regular file")
    #expect(try Data(contentsOf: URL(fileURLWithPath: bench.tiny.path("mine.png"))) == mine)
    // A picture of ours may come again, one of the user's is his.
    try pictures("own").expect(0)
    try pictures("own").expect(0)
    let ours = [UInt8](try Data(contentsOf: URL(fileURLWithPath: bench.tiny.path("own/0000-xT.png"))))
    try bench.tiny.folder.write(
      ours.replacing(Array("icp perturb".utf8), with: Array("GIMP, 2.10!".utf8)), to: "own/0000-xT.png")
    try pictures("own").expect(64, "own/0000-xT.png: is a PNG picture of somebody else's, and is not replaced")
    try pictures("").expect(64, "--pictures: is empty; name a place with it")
  }

  @Test func `no data set is needed, and none is read`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let expected = try bench.output().contents
    #expect(try bench.output(["data.format=cifar10"]).contents == expected)
    #expect(try bench.output(["data.format=cifar10", "data.path=/nowhere"]).contents == expected)
  }

  @Test func `wrong input is refused by name, and leaves no output`() throws {
    let bench = try Bench(Golden(fixture: "resnet8"))
    let x = try bench.golden.floats("x")
    func write(_ name: String, _ tensors: [NamedTensor]) throws {
      try Data(SafetensorsWriter.encode(tensors: tensors)).write(to: URL(fileURLWithPath: bench.tiny.path(name)))
    }
    let images = NamedTensor("x", shape: [3, 3, 16, 16], floats: x)
    func labels(_ values: [Int64]) -> NamedTensor { NamedTensor("y", shape: [values.count], integers: values) }
    try write("high", [images, labels([0, 10, 1])])
    try write("negative", [images, labels([0, 1, -1])])
    try write("no-labels", [images])
    let infinite = NamedTensor("x", shape: images.shape, floats: x.dropLast() + [.infinity])
    try write("infinite", [infinite, labels([0, 1, 2])])
    try write("few-labels", [images, labels([0, 1])])
    try write("flat", [NamedTensor("x", shape: [3, 768], floats: x), labels([0, 1, 2])])
    try write("none", [NamedTensor("x", shape: [0, 3, 16, 16], floats: []), labels([])])
    try write("grey", [NamedTensor("x", shape: [9, 1, 16, 16], floats: x), labels(Array(0..<9))])
    for (name, says) in [
      ("high", "high: y[1] is 10, but the model has 10 classes"),
      ("negative", "negative: y[2] is -1, expected a label"),
      ("infinite", "infinite: value 2303 of x is inf, expected finite values"),
      ("no-labels", "no-labels: no tensor 'y'"), ("few-labels", "few-labels: y has shape [2], expected [3]"),
      ("flat", "flat: x has shape [3, 768], expected (N, C, H, W)"), ("none", "none: x has shape [0, 3, 16, 16]"),
      ("grey", "weights: conv1.weight has shape [16, 3, 3, 3], the model's has [16, 1, 3, 3]"),
      ("missing", "missing: open: No such file or directory"),
    ] {
      try bench.perturb(input: name).expect(65, says)
    }
    try bench.perturb(["icp.clamp=pixels"]).expect(64, "icp.clamp: pixels needs data.mean and data.std here")
    try bench.perturb(["icp.clamp=pixels", "data.mean=[0.5]", "data.std=[0.5]"])
      .expect(64, "data.mean and data.std have 1 entry, expected 3, one a channel of x")
    try bench.perturb(["model.kind=mlp"]).expect(65, "there is no fc1.weight, which the model has")
    try bench.perturb(to: "tiny.yaml/out").expect(74, "Not a directory")
    #expect(!FileManager.default.fileExists(atPath: bench.tiny.path("out")))
  }
}

extension Golden {
  /// The tensors `model.*` under PyTorch's plain names.
  func writeWeights(to path: String) throws {
    let names = file.tensors.map(\.name).filter { $0.hasPrefix("model.") && has($0) }
    let tensors = try names.map { try file.tensor($0).renamed(String($0.dropFirst("model.".count))) }
    try Data(SafetensorsWriter.encode(tensors: tensors)).write(to: URL(fileURLWithPath: path))
  }

  /// x and y, as perturb takes them.
  func writeImages(to path: String) throws {
    let tensors = try ["x", "y"].map { try file.tensor($0) }
    try Data(SafetensorsWriter.encode(tensors: tensors)).write(to: URL(fileURLWithPath: path))
  }
}
