import Files
import Formats
import Foundation
import Pictures
import Runtime

/// The directory that `data.path` names, and what can be said of it where it is not the one that was meant.
struct DataFolder {
  let path: String
  /// Sorted.
  let names: [String]

  init(_ path: String, for format: DataFormat) throws(FileError) {
    self.path = path
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw FileError(
        path: path,
        reason: "is not a directory that can be read, expected the \(format) files"
          + (Self.isFile(path) ? Self.fileHint(path) : ShellPath.hint(path)))
    }
  }

  /// "; it holds ..., ...", and what to do where that is known.
  func hint(for format: DataFormat) -> String {
    if names.isEmpty { return "; it is empty" }
    let isWanted = { (found: DataFormat) in format == .auto || found == format.kin }
    if let folder = folders.first(where: { Self.formats(in: $0.names).contains(where: isWanted) }) {
      return "; they are in \(path)/\(folder.name): set data.path to it"
    }
    if let other = Self.formats(in: names).first(where: { !isWanted($0) }) {
      return "; it holds files of \(other == .idx ? "idx" : "CIFAR"): is 'data.format' right?"
    }
    for (name, names) in [("", names)] + folders {
      guard let version = Self.otherVersion(names) else { continue }
      return
        "; it holds the \(version) version\(name.isEmpty ? "" : " (\(name))"), where the binary version is needed, which "
        + "launch/data fetches"
    }
    let held = "; it holds \(listed(names.map(quoted), most: 5))"
    if let archive = names.first(where: Self.isArchive) { return held + ": unpack \(archive)" }
    if format == .auto, let arrays = names.first(where: { $0.hasSuffix(".npz") }) {
      return held + ": name the file, \(path)/\(arrays)"
    }
    return held
  }

  /// The folders in this one, and in those, by their paths from here; a few, for messages.
  private var folders: [(name: String, names: [String])] {
    let near = Self.folders(in: path, names)
    return near
      + near.flatMap { folder in
        Self.folders(in: "\(path)/\(folder.name)", folder.names).map { ("\(folder.name)/\($0.name)", $0.names) }
      }
  }

  private static func folders(in path: String, _ names: [String]) -> [(name: String, names: [String])] {
    names.prefix(100).compactMap { name in
      (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")).map { (name, $0.sorted()) }
    }
  }

  /// What else CIFAR is published as.
  private static func otherVersion(_ names: [String]) -> String? {
    if names.contains(where: { $0.hasSuffix(".mat") }) { return "MATLAB" }
    let isPython =
      names.contains { ["data_batch_1", "test_batch", "batches.meta"].contains($0) }
      || Set(["train", "test", "meta"]).isSubset(of: names)
    return isPython ? "Python" : nil
  }

  private static func formats(in names: [String]) -> [DataFormat] {
    let isCIFAR = names.contains {
      CIFAR.trainingNumber($0) != nil || ["train.bin", "test_batch.bin", "test.bin"].contains($0)
    }
    let isIDX = names.contains { $0.hasPrefix("train-images-idx3-ubyte") || $0.hasPrefix("train-images.idx3-ubyte") }
    return (isCIFAR ? [.cifar10] : []) + (isIDX ? [.idx] : [])
  }

  private static func isFile(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
  }

  private static func isArchive(_ name: String) -> Bool {
    [".tar", ".tar.gz", ".tgz", ".zip", ".bin.gz"].contains(where: name.hasSuffix)
  }

  private static func fileHint(_ path: String) -> String {
    isArchive(path)
      ? "; it is an archive: unpack it, and name the folder" : "; it is a file: name the folder that it lies in"
  }
}

extension DataFormat {
  /// Formats whose files have the same names count as one.
  fileprivate var kin: DataFormat { self == .cifar100 ? .cifar10 : self }
}
