import Files
import Formats
import Pictures

/// What a source gives: all its images, before limits, classes and size.
struct LoadedData: Sendable {
  var training: Dataset
  /// Where the source has one of its own.
  var validation: Dataset?
  var test: Dataset?
}

/// A format of data. Conforming is a file; being known is a line of `DataSources.all`.
protocol DataSource: Sendable {
  static var format: DataFormat { get }
  /// What `path` holds of this format, as a message says it; nil where it is nothing of it. Lists folders and reads
  /// first bytes, no more.
  static func recognises(_ path: String) -> String?
  /// Reads and checks what `data.path` names.
  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData
  /// The test images alone: no training file has to be there where the format keeps them apart.
  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset?
}

extension DataSource {
  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    try load(path, options).test
  }
}

enum DataSources {
  static let all: [any DataSource.Type] = [
    CIFAR10Source.self,
    CIFAR100Source.self,
    IDXSource.self,
    ImagesSource.self,
    NPZSource.self,
    NPYSource.self,
  ]

  static func of(_ format: DataFormat) -> (any DataSource.Type)? { all.first { $0.format == format } }
}

extension DataFormat {
  /// The one format of what lies at `path`. Throws where it is none, or more than one.
  package static func recognised(at path: String) throws(FileError) -> (format: DataFormat, what: String) {
    let found = DataSources.all.compactMap { source in source.recognises(path).map { (source.format, $0) } }
    guard let first = found.first else {
      let known = DataSources.all.map { $0.format.rawValue }.joined(separator: ", ")
      let isFile = System.isRegularFile(path)
      let isPattern = path.contains("{") && ShellPath.hint(path).isEmpty
      guard System.isDirectory(path) || isFile || isPattern else {
        throw FileError(path: path, reason: "no such file or folder" + ShellPath.hint(path))
      }
      let held =
        System.isDirectory(path)
        ? try DataFolder(path, for: .auto).hint(for: .auto) : isFile ? FileSignature.hint(ofFile: path) : ""
      throw FileError(path: path, reason: "is of no format that is known, which are \(known)\(held)")
    }
    guard found.count == 1 else {
      let listed = found.map { "\($0.1) ('data.format: \($0.0.rawValue)')" }.joined(separator: " and ")
      throw FileError(path: path, reason: "holds \(listed): say which in 'data.format'")
    }
    return first
  }
}
