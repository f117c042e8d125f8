import Files
import Formats
import Foundation

/// Names in a folder, in the order of their bytes, which is Python's.
package enum FolderListing {
  package struct Entry {
    package let name: String
    package let isFolder: Bool
  }

  /// Without those that begin with a dot. Links count as what they lead to.
  package static func entries(of path: String) throws(FileError) -> [Entry] {
    guard let folder = opendir(path) else {
      throw FileError(path: path, reason: "cannot be listed: \(String(cString: strerror(errno)))")
    }
    defer { closedir(folder) }
    var entries: [Entry] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard !name.hasPrefix(".") else { continue }
      let type = Int(entry.pointee.d_type)
      let isFolder = type == DT_DIR || (type != DT_REG && System.isDirectory("\(path)/\(name)"))
      entries.append(Entry(name: name, isFolder: isFolder))
    }
    return entries.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
  }

  /// Paths of the pictures in a folder and below it, by their names' ends. Throws beyond 64 levels, as a loop of links
  /// would be.
  package static func pictures(below path: String, depth: Int = 0) throws(FileError) -> [String] {
    guard depth < 64 else { throw FileError(path: path, reason: "lies 64 folders deep: is there a loop of links?") }
    var found: [String] = []
    for entry in try entries(of: path) {
      let place = path.hasSuffix("/") ? path + entry.name : "\(path)/\(entry.name)"
      if entry.isFolder {
        found += try pictures(below: place, depth: depth + 1)
      } else if ClassFolders.isPicture(entry.name) {
        found.append(place)
      }
    }
    return found
  }
}

/// A path in a message: what terminals obey is left out, and what nobody would read.
package func visible(_ path: String) -> String {
  let scalars = path.unicodeScalars
  let shown = scalars.suffix(300).map { scalar in
    let category = scalar.properties.generalCategory
    return category == .control || category == .format || category == .lineSeparator ? "?" : String(scalar)
  }
  return (scalars.count > 300 ? "..." : "") + shown.joined()
}
