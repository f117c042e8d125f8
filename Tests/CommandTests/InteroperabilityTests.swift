import Formats
import Foundation
import TestSupport
import Testing

/// A checkpoint opens with the `safetensors` Python package, and its weights are a PyTorch ResNet-20's.
@Suite(.serialized, .timeLimit(.minutes(2))) struct InteroperabilityTests {
  @Test func `a checkpoint opens with the safetensors package`() throws {
    guard Self.python("numpy, safetensors") else { return }
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"]).expect(0)
    let script = """
      import sys
      from safetensors import safe_open
      with safe_open(sys.argv[1], "np") as file:
          metadata, names = file.metadata(), list(file.keys())
          print(len(names), file.get_tensor("conv1.weight").shape, file.get_tensor("conv1.weight").dtype)
          print(metadata["step"], metadata["epoch"], metadata["position"], metadata["seed"], metadata["format_version"])
          print(all(("checksum." + name) in metadata for name in names), "kind: resnet8" in metadata["config"])
          print(repr(float(file.get_tensor("fc.weight").sum(dtype="float64"))))
      """
    let outcome = try run(script, [tiny.checkpointPath(2)], in: tiny)
    try #require(outcome.status == 0, "\(outcome.standardError)")
    let lines = outcome.standardOutput.split(separator: "\n")
    let file = try SafetensorsFile(path: tiny.checkpointPath(2))
    #expect(lines[0] == "\(file.tensors.count) (16, 1, 3, 3) float32")
    #expect(lines[1] == "2 0 2 0 1")
    #expect(lines[2] == "True True")
    let sum = try file.floats("fc.weight").reduce(0.0) { $0 + Double($1) }
    // 640 values summed in double precision, in another order.
    #expect(abs(try #require(Double(lines[3])) - sum) < 1e-9)
  }

  /// The loss of a batch whose labels are all c is mean(log-sum-exp) - mean(logit c): over ten labels, every class
  /// counts.
  @Test(.long) func `weights load strictly into a PyTorch ResNet-20, and its losses are ours`() throws {
    guard Self.python("torch, numpy, safetensors") else { return }
    let tiny = try TinyRun()
    // Two steps at a large rate, so that weights and running statistics are not what they began with.
    let settings = ["model.kind=resnet20", "data.size=16", "icp.steps=1", "optimizer.learning_rate=0.01"]
    try tiny.train(settings + ["training.max_steps=2"]).expect(0)
    let outcome = try run(Self.resnet20, [tiny.checkpointPath(2), tiny.folder.path], in: tiny)
    try #require(outcome.status == 0, "\(outcome.standardError)")
    let expected = outcome.standardOutput.split(separator: "\n").compactMap { Double($0) }
    #expect(expected.count == 10 && Set(expected).count == 10)
    for (label, loss) in expected.enumerated() {
      try tiny.command(
        ["perturb", "tiny.yaml", "--weights", tiny.checkpointPath(2), "--input", "in\(label)", "--output", "out"],
        settings + ["icp.steps=0"]
      ).expect(0)
      let ours = Double(try SafetensorsFile(path: tiny.path("out")).floats("losses")[0])
      // Float32 through 20 layers, the tolerance for a network's outputs.
      #expect(abs(ours - loss) < 1e-4 * max(1, abs(loss)), "label \(label)")
    }
  }

  private static let resnet20 = """
    import sys, torch, torch.nn as nn, torch.nn.functional as F
    from safetensors.torch import load_file, save_file
    torch.set_num_threads(1)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.downsample = None
            if stride != 1 or inputs != outputs:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(h + (x if self.downsample is None else self.downsample(x)))

    class ResNet20(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 16, 3, 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(16)
            self.layer1 = nn.Sequential(*[Block(16, 16, 1) for _ in range(3)])
            self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
            self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
            self.fc = nn.Linear(64, 10)

        def forward(self, x):
            h = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
            return self.fc(h.mean(dim=(2, 3)))

    model = ResNet20()
    weights = {k: v for k, v in load_file(sys.argv[1]).items() if not k.startswith("optimizer.")}
    result = model.load_state_dict(weights, strict=False)
    assert not result.unexpected_keys, result.unexpected_keys
    assert all(k.endswith("num_batches_tracked") for k in result.missing_keys), result.missing_keys
    assert (weights["bn1.running_mean"] != 0).any()
    model.eval()
    torch.manual_seed(1)
    x = torch.randn(4, 1, 16, 16)
    with torch.no_grad():
        logits = model(x)
    for label in range(10):
        y = torch.full((4,), label, dtype=torch.int64)
        save_file({"x": x, "y": y}, f"{sys.argv[2]}/in{label}")
        print(F.cross_entropy(logits, y).item())
    """

  private static let interpreter = ProcessInfo.processInfo.environment["ICP_PYTHON"] ?? "python3"

  /// Whether Python can import these; says so where it cannot.
  private static func python(_ modules: String) -> Bool {
    let outcome = try? Program.run(executable: interpreter, ["-c", "import \(modules)"], timeLimit: 60)
    if outcome?.status == 0 { return true }
    print("NOTE: \(interpreter) cannot import \(modules): reading our files from Python is not tested here")
    return false
  }

  private func run(_ script: String, _ arguments: [String], in tiny: TinyRun) throws -> Program.Outcome {
    try Program.run(
      executable: Self.interpreter, ["-c", script] + arguments, timeLimit: 60, workingDirectory: tiny.folder.path)
  }
}
