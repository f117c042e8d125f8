import Formats
import Foundation
import TestSupport
import Testing

/// Weights to start from, and the way back, by the program itself.
@Suite(.ranks, .serialized, .timeLimit(.minutes(3))) struct `Take it home` {
  @Test func `a new head is drawn as a fresh network's, said, and trained to the same bits at 1 and 3 ranks`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"], into: "first").expect(0)
    let start = ["model.weights=\(tiny.checkpointPath(2, of: "first"))", "data.classes=[1,3,5,7]"]
    let kept = try tiny.train(start + ["model.classes=4"], into: "kept")
    #expect(kept.status == 65)
    #expect(
      kept.standardError.contains(
        "fc.weight has shape [10, 64], the model's has [4, 64]; 'model.head: new' draws this layer afresh"),
      "\(kept.standardError)")
    // A rate of 0 leaves everything as it began.
    let still = start + ["model.head=new", "optimizer.learning_rate=0", "training.max_steps=1"]
    let said = try tiny.train(still, into: "still")
    try said.expect(0)
    #expect(
      said.standardError.contains("model.head: new: fc.weight and fc.bias for 4 classes drawn afresh"),
      "\(said.standardError)")
    try tiny.train(
      ["data.classes=[1,3,5,7]", "optimizer.learning_rate=0", "training.max_steps=1"], into: "fresh"
    ).expect(0)
    let began = try tiny.tensors(1, of: "still")
    #expect(try began["conv1.weight"] == tiny.tensors(2, of: "first")["conv1.weight"])
    #expect(try began["fc.weight"] == tiny.tensors(1, of: "fresh")["fc.weight"])

    let tuned = start + ["model.head=new", "training.max_steps=3"]
    try tiny.train(tuned, into: "at1").expect(0)
    try tiny.train(tuned, into: "at3", ranks: 3).expect(0)
    #expect(try tiny.tensors(3, of: "at1") == tiny.tensors(3, of: "at3"))
    // What measures takes all of them.
    try tiny.command(["evaluate", "at1/config.yaml", "--weights", tiny.checkpointPath(3, of: "at1")]).expect(0)
  }

  @Test func `a file's network takes a head of another size`() throws {
    let tiny = try `Networks from files`.run("squeeze")
    let settings = ["data.classes=[0,2]", "model.head=new", "training.epochs=1", "training.batch_size=4"]
    try tiny.train(settings).expect(0)
    let last = try #require(try tiny.checkpoints().last { $0.hasPrefix("step") })
    let checkpoint = tiny.path("run/checkpoints/\(last)")
    try tiny.command(["evaluate", "tiny.yaml", "--weights", checkpoint], settings).expect(0)
    try tiny.command(["export", checkpoint, "--onnx", "two.onnx"]).expect(0)
  }

  @Test func `an exported file measures as its checkpoint, trains on, and replaces nothing but its like`() throws {
    let tiny = try TinyRun()
    // One epoch and its evaluation, so that there is a best.
    try tiny.train(["training.max_steps=5"]).expect(0)
    let checkpoint = tiny.checkpointPath(5)
    for arguments in [[], ["--training"]] {
      let outcome = try tiny.command(["export", checkpoint, "--onnx", "out.onnx"] + arguments)
      try outcome.expect(0)
      #expect(outcome.standardOutput.hasPrefix("out.onnx: \(checkpoint) for "), "\(outcome.standardOutput)")
    }
    let file = try Data(contentsOf: URL(filePath: tiny.path("out.onnx")))
    for key in ["mean", "std", "size", "channels", "classes", "crop"] {
      #expect(file.range(of: Data("preprocessing.\(key)".utf8)) != nil, "\(key)")
    }
    let chosen = try tiny.command(["export", "run", "--checkpoint", "best", "--onnx", "best.onnx"])
    #expect(chosen.status == 0 && chosen.standardError.contains("the best"), "\(chosen.standardError)")
    #expect(try tiny.command(["export", "run", "--onnx", "last.onnx", "--training"]).status == 0)
    #expect(FileManager.default.contentsEqual(atPath: tiny.path("last.onnx"), andPath: tiny.path("out.onnx")))
    let isFile = ["model.kind=onnx", "model.path=out.onnx"]
    let measured = try [
      tiny.command(["evaluate", "tiny.yaml", "--weights", checkpoint]),
      tiny.command(["evaluate", "tiny.yaml", "--weights", "out.onnx"], isFile),
    ].map { outcome in
      try outcome.expect(0)
      return outcome.standardOutput
    }
    #expect(measured[0] == measured[1])
    try tiny.train(isFile + ["training.max_steps=2"], into: "on").expect(0)
    try tiny.command(["export", tiny.checkpointPath(2, of: "on"), "--onnx", "again.onnx"]).expect(0)

    try tiny.folder.write("mine", to: "notes.txt")
    for (place, status) in [("notes.txt", Int32(64)), ("/dev/null", 0), (checkpoint, 64), ("no/where.onnx", 74)] {
      let outcome = try tiny.command(["export", checkpoint, "--onnx", place])
      #expect(outcome.status == status, "\(place): \(outcome.standardError)")
    }
    #expect(try String(contentsOfFile: tiny.path("notes.txt"), encoding: .utf8) == "mine")
    #expect(try tiny.command(["export", "notes.txt", "--onnx", "x.onnx"]).status == 65)
  }

  @Test func `a checkpoint becomes a PyTorch module by itself, with its preprocessing`() throws {
    let python = ProcessInfo.processInfo.environment["ICP_PYTHON"] ?? "python3"
    guard
      (try? Program.run(executable: python, ["-c", "import torch, numpy, safetensors"], timeLimit: 60))?.status == 0
    else {
      print("SKIPPED: no Python with torch and safetensors (set ICP_PYTHON); no checkpoint became a module")
      return
    }
    let tiny = try TinyRun()
    let settings = ["training.max_steps=2", "optimizer.learning_rate=0.01", "training.ema=0.5"]
    try tiny.train(settings).expect(0)
    let outcome = try Program.run(
      executable: python, ["-c", Self.script, "\(PackageRoot.path)/python", tiny.checkpointPath(2), tiny.path("in")],
      timeLimit: 60)
    try #require(outcome.status == 0, "\(outcome.standardError)")
    let words = outcome.standardOutput.split(separator: "\n")
    for (word, kind) in zip(words, ["plain", "ema"]) {
      try tiny.command(
        ["perturb", "tiny.yaml", "--weights", tiny.checkpointPath(2), "--input", "in", "--output", "out"]
          + ["--weights-kind", kind], ["icp.steps=0"]
      ).expect(0)
      let ours = Double(try SafetensorsFile(path: tiny.path("out")).floats("losses")[0])
      #expect(abs(try #require(Double(word)) - ours) < 1e-4 * max(1, ours), "\(kind)")
    }
    #expect(words[0] != words[1])
    #expect(words[2] == "12 12 1 10")
  }

  private static let script = """
    import sys, torch
    from safetensors.torch import save_file
    sys.path.insert(0, sys.argv[1])
    import icp_trainer
    module, preprocessing = icp_trainer.load(sys.argv[2])
    torch.manual_seed(1)
    x, y = preprocessing(torch.rand(4, 1, 12, 12)), torch.tensor([0, 3, 7, 9])
    save_file({"x": x.contiguous(), "y": y}, sys.argv[3])
    with torch.no_grad():
        for network in module, icp_trainer.load(sys.argv[2], average=True)[0]:
            print(torch.nn.functional.cross_entropy(network(x), y).item())
    print(preprocessing.height, preprocessing.width, preprocessing.channels, len(preprocessing.classes))
    """
}
