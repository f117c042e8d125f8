import Foundation
import Kernels
import TestSupport
import Testing

/// What a step costs beside arithmetic, counted by the probe (Tests/Executable/AllocationProbe) on the thread that
/// computes. To see where a count comes from:
/// `.build/release/allocation-probe --backtraces | swift demangle`.
@Suite struct `A step after the first` {
  private struct Counts: Decodable {
    let allocations, locks, messages: [Int]
    static let kinds = ["cyclic", "logged", "plain"]
  }

  private func probe(
    _ settings: [String], environment: [String: String] = [:], ranks: Int? = nil
  ) throws -> [Substring] {
    // Half a second alone, but 16 s for ResNet-18 below AVX-512, which other work makes a minute; five mean a hang.
    let outcome = try Program.run(
      settings, program: Program.built("allocation-probe"), environment: environment, ranks: ranks,
      timeLimit: 300)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    return outcome.standardOutput.split(separator: "\n")
  }

  @Test(
    .long,
    arguments: [
      [], ["model.kind=resnet20", "data.size=32"], ["model.shortcut=pad"], ["model.kind=mlp"], ["icp.rule=random"],
      ["icp.clamp=pixels", "icp.epsilon=0.1"], ["distillation.target=running"], ["distillation.normalize=l2"],
      ["optimizer.kind=sgd", "training.gradient_reduction=float32"],
      ["icp.rule=none", "training.mixup=0.2", "optimizer.sam_rho=0.05"], ["training.cutmix=1"], ["training.ema=0.999"],
      ["icp.rule=none", "branches.taps=[layer1, layer2]", "optimizer.sam_rho=0.05"], ["icp.objective=task"],
      ["icp.objective=mixed", "training.mixup=0.5", "icp.fraction=0.5"], ["icp.objective=soft", "icp.label=predicted"],
      [
        "icp.reuse_student=true", "icp.fraction=0.5", "icp.select=margin", "distillation.target=student",
        "training.elr=1",
      ],
      ["icp.objective=soft", "icp.reuse_student=true", "distillation.teacher=ema", "training.ema=0.9"],
      ["icp.rule=none", "training.pskd=0.8"], ["icp.layer=layer2"],
      ["icp.layer=layer1", "distillation.target=running"],
      ["icp.preset=published-code"], ["model.kind=resnet18", "model.stem=small"],
      ["model.kind=wrn-16-4", "model.dropout=0.3"], ["icp.precision=auto"],
      ["icp.precision=auto", "training.precision=auto", "model.kind=resnet20", "data.size=32"],
      ["icp.precision=auto", "training.precision=auto", "model.kind=resnet18", "model.stem=small"],
      ["icp.precision=auto", "distillation.target=running", "model.shortcut=pad"],
    ])
  func `allocates nothing and takes no lock`(settings: [String]) throws {
    try expectNothing(settings, orGEMM: settings.contains("model.kind=resnet18"))
  }

  /// `orGEMM`: for the weights of 1x1 convolutions of stride 2 and of patches, oneDNN 2.6 has no kernel but its own
  /// matrix product below AVX-512, which takes its working memory anew each time: as often in every step, and no more
  /// can be asked.
  private func expectNothing(_ settings: [String], orGEMM: Bool = false) throws {
    let counts = try count(settings)
    let control = try #require(counts["control"])
    #expect(control.allocations == [1] && control.locks == [1], "the probe does not count")
    for kind in Counts.kinds {
      let steps = try #require(counts[kind])
      if orGEMM, KernelLibrary.instructionSet != "AVX-512" {
        print("NOTE: no AVX-512 here: \(steps.allocations) allocations in steps of \(settings) are oneDNN's")
        #expect(Set(steps.allocations).count == 1 && Set(steps.locks).count == 1, "\(kind) steps")
        continue
      }
      #expect(steps.allocations == [0, 0, 0], "\(kind) steps")
      #expect(steps.locks == [0, 0, 0], "\(kind) steps")
    }
  }

  /// Of each small network of an ONNX file, so of nearly every operator.
  @Test(.long, arguments: `Networks from files`.names)
  func `allocates nothing and takes no lock in a file's network`(name: String) throws {
    let folder = try TemporaryDirectory()
    try ColouredImages.write(to: folder.path, height: 16, width: 16)
    let file = "\(PackageRoot.path)/Tests/Fixtures/\(name).onnx"
    let settings = [
      "data.format=idx", "data.path=\(folder.path)", "data.limit=35", "data.size=native", "model.kind=onnx",
      "model.path=\(file)", "training.batch_size=7",
    ]
    try expectNothing(settings, orGEMM: name == "attention")
  }

  private func count(_ settings: [String], ranks: Int? = nil) throws -> [String: Counts] {
    let line = try #require(try probe(settings, ranks: ranks).last { $0.hasPrefix("{") })
    return try JSONDecoder().decode([String: Counts].self, from: Data(line.utf8))
  }

  /// An MLP of 1.2 million parameters, whose gradients travel in five buckets.
  private let buckets = ["model.kind=mlp", "model.hidden=[1030, 1030]"]

  @Test(.ranks, arguments: [0, 1, 5], [true, false])
  func `ranks of a host sum without a message however long the refinement is, and allocate nothing for it`(
    steps: Int, overlap: Bool
  ) throws {
    let counts = try count(buckets + ["icp.steps=\(steps)", "training.overlap=\(overlap)"], ranks: 2)
    for kind in Counts.kinds {
      let steps = try #require(counts[kind])
      #expect(steps.messages == [0, 0, 0], "\(kind) steps")
      #expect(steps.allocations == [0, 0, 0], "\(kind) steps")
      #expect(steps.locks == [0, 0, 0], "\(kind) steps")
    }
  }

  @Test func `reorders no weights`() throws {
    let lines = try probe([], environment: ["DNNL_VERBOSE": "1", "ONEDNN_VERBOSE": "1"])
    for kind in Counts.kinds {
      let start = try #require(lines.firstIndex(of: "counting \(kind)"))
      let end = try #require(lines.firstIndex(of: "counted \(kind)"))
      let executed = lines[start..<end].filter { $0.contains(",exec,cpu,") }
      #expect(executed.contains { $0.contains(",exec,cpu,convolution,") }, "oneDNN does not say what it runs")
      let reorders = executed.filter { $0.contains(",exec,cpu,reorder,") }
      #expect(reorders.isEmpty, "\(reorders.count) in \(kind) steps, such as \(reorders.first ?? "")")
    }
  }

  /// The linker exports them only where it is told to (Package.swift), and without them everything works, but
  /// allocates.
  @Test func `has oneDNN allocate through our operator new`() throws {
    let outcome = try Program.run(
      ["--version"], environment: ["LD_DEBUG": "bindings", "LD_BIND_NOW": "1"], timeLimit: 60)
    #expect(outcome.status == 0)
    let bindings = outcome.standardError.split(separator: "\n").filter { $0.contains("/libdnnl.so") }
    // oneDNN 3 deletes with a size.
    for symbols in [["_Znwm"], ["_ZdlPv", "_ZdlPvm"]] {
      let found = bindings.filter { line in symbols.contains { line.contains(": normal symbol `\($0)'") } }
      #expect(!found.isEmpty, "\(symbols)")
      #expect(found.allSatisfy { $0.contains(" to \(Program.icp) [0]: ") }, "\(found)")
    }
  }
}
