import Checkpointing
import Files
import Formats
import Foundation
import TestSupport
import Testing

@Suite struct CheckpointFormatTests {
  private typealias Support = CheckpointSupport

  @Test func `what is saved loads, and equal snapshots give equal bytes`() throws {
    try Support.withStore { store, run in
      let snapshot = Support.snapshot(7)
      let first = try store.save(snapshot, step: 7)
      #expect(first.path == "\(run.checkpointsPath)/step-0000007.safetensors")
      let loaded = try CheckpointStore.load(path: first.path)
      #expect(loaded.tensors.sorted { $0.name < $1.name } == snapshot.tensors.sorted { $0.name < $1.name })
      #expect(
        loaded.metadata
          == snapshot.metadata.merging(["format_version": "1", "step": "7"]) { old, _ in old })
      let bytes = try Support.bytes(first.path)
      // A loaded snapshot saves to the same bytes: nothing is lost or added on the way.
      _ = try store.save(loaded, step: 7)
      #expect(try Support.bytes(first.path) == bytes)
      #expect(store.path(step: 123_456_789).hasSuffix("/step-123456789.safetensors"))
    }
  }

  @Test func `a checkpoint cut at any byte is refused`() throws {
    try Support.withStore { store, run in
      let path = try store.save(Support.snapshot(1), step: 1).path
      let bytes = try Support.bytes(path)
      for count in 0..<bytes.count {
        try Support.write(Array(bytes.prefix(count)), path)
        #expect(throws: FileError.self, "\(count) bytes") { try CheckpointStore.load(path: path) }
      }
    }
  }

  @Test func `a checkpoint with any one bit changed is refused`() throws {
    try Support.withStore { store, run in
      let path = try store.save(Support.snapshot(1), step: 1, metric: 0.5, higherIsBetter: true).path
      let bytes = try Support.bytes(path)
      for bit in 0..<bytes.count * 8 {
        var changed = bytes
        changed[bit / 8] ^= 1 << (bit % 8)
        #expect(throws: FileError.self, "bit \(bit)") { try CheckpointStore.decode(bytes: changed, path: path) }
      }
    }
  }

  @Test func `a damaged tensor is named`() throws {
    try Support.withStore { store, run in
      let path = try store.save(Support.snapshot(1), step: 1).path
      let file = try SafetensorsFile(path: path)
      var bytes = try Support.bytes(path)
      let tensor = try #require(file["fc.bias"])
      bytes[bytes.count - file.tensors.last!.range.upperBound + tensor.range.lowerBound] ^= 1
      try Support.write(bytes, path)
      let error = #expect(throws: FileError.self) { try CheckpointStore.load(path: path) }
      #expect(error?.description == "\(path): damaged: tensor 'fc.bias' does not match its checksum")
      #expect(error?.exitCode == 65)
      #expect(throws: FileError.self) { try WeightsFile(path: path) }
    }
  }

  /// RegNet's, an older exporter's, another library's; and the longest with what the optimiser keeps of it.
  @Test(arguments: [
    "trunk.block1-0.f.a.0.weight", "onnx::Conv_193", "/conv/W:0",
    "optimizer.exp_avg_sq." + String(repeating: "w", count: 200),
  ])
  func `parameters have the names that files of networks give them`(name: String) throws {
    try Support.withStore { store, run in
      var snapshot = Support.snapshot(1)
      snapshot.tensors.append(NamedTensor(name, shape: [2], floats: [1, 2]))
      let path = try store.save(snapshot, step: 1).path
      #expect(try CheckpointStore.load(path: path).tensors.contains { $0.name == name })
    }
  }

  @Test func `a file of weights alone is no checkpoint, but its weights read`() throws {
    try Support.withDirectory { directory in
      let path = "\(directory)/torch.safetensors"
      let tensors = [NamedTensor("fc.weight", shape: [1, 2], floats: [1, 2])]
      try Support.write(SafetensorsWriter.encode(tensors: tensors, metadata: ["format": "pt"]), path)
      let error = #expect(throws: FileError.self) { try CheckpointStore.load(path: path) }
      #expect(error?.reason == "not a checkpoint of this program: no format_version in its metadata")
      #expect(try WeightsFile(path: path).tensors == tensors)
    }
  }

  @Test func `a checkpoint's weights read without the optimiser's state`() throws {
    try Support.withStore { store, _ in
      let path = try store.save(Support.snapshot(3), step: 3).path
      let names = try WeightsFile(path: path).tensors.map(\.name)
      #expect(names.sorted() == ["fc.bias", "fc.weight"])
    }
  }

  @Test func `a later format version is refused by its number`() throws {
    try Support.withDirectory { directory in
      let path = "\(directory)/later.safetensors"
      try Support.write(SafetensorsWriter.encode(tensors: [], metadata: ["format_version": "2"]), path)
      let error = #expect(throws: FileError.self) { try CheckpointStore.load(path: path) }
      #expect(error?.reason == "format_version '2', but this program reads version 1")
    }
  }

  @Test func `Python verifies a checkpoint as the documentation says`() throws {
    let candidates = [ProcessInfo.processInfo.environment["ICP_PYTHON"], "python3"].compactMap(\.self)
    let modules = "import numpy, safetensors"
    guard let python = candidates.first(where: { Support.run([$0, "-c", modules])?.status == 0 }) else {
      print("SKIPPED: no Python with safetensors (set ICP_PYTHON); no checkpoint was opened with the package")
      return
    }
    let guide = URL(filePath: #filePath).appending(path: "../../../docs/CHECKPOINT.md").standardizedFileURL
    let parts = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```")
    let script = try #require(parts.first { $0.hasPrefix("python\n") }).dropFirst("python\n".count)
    try Support.withStore { store, _ in
      _ = try store.save(Support.snapshot(4), step: 4, metric: 0.25, higherIsBetter: false)
      let path = try store.save(Support.snapshot(5), step: 5).path
      let use =
        "\ntensors, metadata = read('\(path)')\n"
        + "assert tensors['fc.weight'].tolist() == [[5, 6, 7], [8, 9, 10]], tensors\n"
        + "assert metadata['step'] == '5' and metadata['best_metric'] == '0.25', metadata\nprint('good')\n"
      let good = try #require(Support.run([python, "-c", script + use]))
      #expect(good.output == "good\n")
      var bytes = try Support.bytes(path)
      bytes[bytes.count - 1] ^= 1
      try Support.write(bytes, path)
      #expect(try #require(Support.run([python, "-c", script + use])).status != 0)
    }
  }
}
