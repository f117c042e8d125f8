import Foundation
import Runtime

/// What reads files that may come from anybody. Each is run on one input, by libFuzzer (launch/fuzz) and by the test
/// that replays Tests/Corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A configuration file, and `--set` strings.
  case config
  /// The same, and the plan of a run made from it.
  case plan
  /// A safetensors file as checkpoint, as weights and as images for `icp perturb`.
  case checkpoint
  case idx
  case cifar
  case gzip
  /// Labels as text or as a .npy array.
  case labels
  /// A study's file, and `--set` strings.
  case sweep
  /// A picture's file among others.
  case jpeg, png
  /// An archive of pictures and labels.
  case tar
  /// An archive of arrays.
  case npz
  /// A network.
  case onnx

  package enum Outcome: Sendable, CustomStringConvertible {
    case accepted
    /// The message that a user would see.
    case refused(String)

    package var description: String {
      switch self {
      case .accepted: "accepted"
      case .refused(let message): "refused: \(message)"
      }
    }
  }

  /// Reads `input`, with its files in `folder`. What a reader throws is checked to be of the kind it promises, and its
  /// message to be one that a user can read; anything else traps, as a finding.
  package func run(_ input: [UInt8], in folder: Scratch) -> Outcome {
    do {
      switch self {
      case .config: _ = try ConfigurationInput(input, in: folder).read()
      case .plan: try ConfigurationInput(input, in: folder).plan()
      case .checkpoint: try CheckpointInput(input, in: folder).read()
      case .idx: try IDXInput(input, in: folder).read()
      case .cifar: try CIFARInput(input, in: folder).read()
      case .gzip: try GzipInput(input, in: folder).read()
      case .labels: try LabelInput(input, in: folder).read()
      case .sweep: try SweepInput(input, in: folder).read()
      case .jpeg, .png: try PictureInput(input, in: folder).read()
      case .tar: try TarInput(input, in: folder).read()
      case .npz: try ArchiveInput(input, in: folder).read()
      case .onnx: try NetworkInput(input, in: folder).read()
      }
      return .accepted
    } catch {
      let names = [.config, .plan, .sweep].contains(self) ? "" : folder.path
      let message = checkMessage(of: error, codes: expectedCodes, naming: names, isList: self == .onnx)
      return .refused(message.replacingOccurrences(of: folder.path + "/", with: ""))
    }
  }

  /// 64 for configurations, 65 for data, weights and checkpoints; a plan can fail by either.
  private var expectedCodes: Set<Int32> {
    switch self {
    case .config, .sweep: [64]
    case .plan: [64, 65]
    case .checkpoint, .idx, .cifar, .gzip, .labels, .jpeg, .png, .tar, .npz, .onnx: [65]
    }
  }

  /// What reading `input` may allocate: `largest` at once in one piece, `peak` in all. "Twice the file" is for the
  /// pieces; in all there are also the tables of what the file holds. The constants are what fixed buffers take.
  package func allowance(for input: [UInt8]) -> (largest: Int, peak: Int) {
    let kibibyte = 1024
    switch self {
    case .config:
      // At most 64 KiB long, so constants: a buffer for the file, and nodes of about 100 bytes for a byte or two of
      // text.
      return (16384 * kibibyte, 65536 * kibibyte)
    case .plan, .sweep:
      // Beside it what the configuration asks for: every layer of a network is a node, every run of a study a
      // configuration.
      return (65536 * kibibyte, 262144 * kibibyte)
    case .checkpoint:
      // Hash tables of the header grow to 64 bytes an entry of ten, so have their own limit (SafetensorsHeader).
      let table = min(32 * input.count, 2048 * kibibyte)
      return (max(2 * input.count, table) + 64 * kibibyte, 8 * input.count + table + 1024 * kibibyte)
    case .idx:
      // What an inflated file takes is by its header, which deflate's ratio bounds.
      let inflated = IDXInput.inflatedBytes(input)
      return (max(2 * input.count, inflated) + 320 * kibibyte, 2 * inflated + 8 * input.count + 1024 * kibibyte)
    case .cifar:
      let file = input.count + CIFARInput.largestRecord
      return (2 * file + 320 * kibibyte, 8 * file + 1024 * kibibyte)
    case .labels:
      // Fixed: the images that they are for, and no more numbers than are of use.
      return (2 * input.count + 320 * kibibyte, 8 * input.count + 1024 * kibibyte)
    case .jpeg, .png:
      // By what a file of that size can hold (ImageHeader): pixels, and a progressive JPEG's coefficients.
      let pixels = input.count * (self == .png ? 8256 : 8192)
      return (8 * pixels + 320 * kibibyte, 16 * pixels + 4096 * kibibyte)
    case .tar:
      let pixels = input.count * 8256
      return (8 * pixels + 320 * kibibyte, 24 * pixels + 4096 * kibibyte)
    case .npz:
      // What a member takes is by its entry, which deflate's ratio bounds.
      return (1032 * input.count + 320 * kibibyte, 4096 * input.count + 4096 * kibibyte)
    case .onnx:
      // Nodes, names and constants by the file; what a network that runs may have, twice over, and oneDNN's own.
      return (64 * input.count + 16384 * kibibyte, 256 * input.count + 131072 * kibibyte)
    case .gzip:
      return (2 * GzipInput.largestLimit + 320 * kibibyte, 4 * GzipInput.largestLimit + 1024 * kibibyte)
    }
  }
}

/// The message of an error that a user may see; traps, as a finding, where its kind or its text is not as promised.
///
/// `isList`: it has a line for each of many things, such as a network's nodes.
@discardableResult
func checkMessage(of error: any Error, codes: Set<Int32>, naming path: String, isList: Bool = false) -> String {
  let message = "\(error)"
  let code = ExitCode.of(error) ?? 0
  if !codes.contains(code) { finding("\(type(of: error)) with code \(code): \(message)") }
  if message.utf8.count > (isList ? 32768 : 4096) { finding("a message of \(message.utf8.count) bytes") }
  if message.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && !(isList && $0 == "\n") }) {
    finding("a control character in \(message.debugDescription)")
  }
  if !path.isEmpty, !message.contains(path) { finding("the message names no file: \(message)") }
  return message
}

/// Ends the program and says why, in an optimised build too.
package func finding(_ what: String) -> Never { fatalError("finding: \(what)") }

/// A folder for the files of one input after another, removed with the object.
package final class Scratch {
  package let path: String

  /// Under `TMPDIR`, which is best in memory.
  package init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("icp-parse-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: some Collection<UInt8>) -> String {
    let file = path(name)
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "\(file): \(String(cString: strerror(errno)))")
    defer { close(descriptor) }
    let written = bytes.withContiguousStorageIfAvailable { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    precondition(written == bytes.count, "\(file): \(String(cString: strerror(errno)))")
    return file
  }

  func makeFolder(_ name: String) {
    try! FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
  }

  func remove(_ name: String) { unlink(path(name)) }

  /// Makes `name` another name of `target`, which need not exist yet.
  func link(_ name: String, to target: String) { symlink(target, path(name)) }
}
