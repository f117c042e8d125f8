import Files
import Formats
import Pictures

enum CIFAR10Source: DataSource {
  static let format = DataFormat.cifar10

  static func recognises(_ path: String) -> String? { CIFAR.holds(format, path) ? "CIFAR-10's binary files" : nil }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    let loaded = try CIFAR.load(format, directory: path)
    return LoadedData(training: loaded.training, test: loaded.test)
  }

  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    try CIFAR.loadTest(format, directory: path)
  }
}

enum CIFAR100Source: DataSource {
  static let format = DataFormat.cifar100

  static func recognises(_ path: String) -> String? { CIFAR.holds(format, path) ? "CIFAR-100's binary files" : nil }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    let loaded = try CIFAR.load(format, directory: path)
    return LoadedData(training: loaded.training, test: loaded.test)
  }

  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    try CIFAR.loadTest(format, directory: path)
  }
}

extension CIFAR {
  /// Whether the directory has files of the format, which their names and the length of a record tell. Those of the
  /// test images suffice.
  fileprivate static func holds(_ format: DataFormat, _ path: String) -> Bool {
    let names = (try? FolderListing.entries(of: path).map(\.name)) ?? []
    guard
      let name = names.first(where: { trainingNumber($0) != nil || $0 == "train.bin" })
        ?? names.first(where: { ["test_batch.bin", "test.bin"].contains($0) }),
      let file = try? MappedFile(path: "\(path)/\(name)")
    else { return false }
    let sizes = (cifar10: file.bytes.count % 3073 == 0, cifar100: file.bytes.count % 3074 == 0)
    // Where both or none fit, CIFAR-10 has batches.
    guard sizes.cifar10 != sizes.cifar100 else { return (format == .cifar10) == name.contains("batch") }
    return format == .cifar10 ? sizes.cifar10 : sizes.cifar100
  }
}
