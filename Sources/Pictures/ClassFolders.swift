import Files
import Runtime
import Formats

/// One folder a class, as torchvision's ImageFolder reads them: under `train/` and, where there are, `val/` and
/// `test/`, of which `test/` alone can be measured; or class folders alone. Classes are numbered in the order of their
/// names; pictures may lie in folders of their class's.
package enum ClassFolders: PictureSource {
  package static func recognises(_ path: String) -> String? {
    guard let names = try? FolderListing.entries(of: path), !names.isEmpty else { return nil }
    let folders = names.filter(\.isFolder).map(\.name)
    if let train = folders.first(where: { PictureListing.Part(named: $0) == .training }) {
      return hasClassFolders("\(path)/\(train)") ? "class folders in \(train)/" : nil
    }
    if let part = folders.first(where: { isPart($0, of: path) }) { return "class folders in \(part)/" }
    return hasClassFolders(path) ? "class folders" : nil
  }

  /// Whether a folder called `val` or `test` holds class folders, and is no class itself.
  private static func isPart(_ folder: String, of path: String) -> Bool {
    PictureListing.Part(named: folder) != nil && hasClassFolders("\(path)/\(folder)")
  }

  /// Whether one of the first folders holds a picture, by its name.
  private static func hasClassFolders(_ path: String) -> Bool {
    let folders = (try? FolderListing.entries(of: path))?.filter(\.isFolder) ?? []
    return folders.prefix(20).contains { folder in
      let inside = (try? FolderListing.entries(of: "\(path)/\(folder.name)")) ?? []
      return inside.contains {
        $0.isFolder ? isFolderOfPictures("\(path)/\(folder.name)/\($0.name)") : isPicture($0.name)
      }
    }
  }

  private static func isFolderOfPictures(_ path: String) -> Bool {
    (try? FolderListing.entries(of: path))?.contains { isPicture($0.name) } ?? false
  }

  package static func list(_ path: String) throws(FileError) -> PictureListing {
    var listing = PictureListing()
    let entries = try FolderListing.entries(of: path)
    listing.watched.append(path)
    var parts: [(folder: String, part: PictureListing.Part)] = []
    for entry in entries where entry.isFolder {
      guard let part = PictureListing.Part(named: entry.name) else { continue }
      if let other = parts.first(where: { $0.part == part }) {
        throw FileError(
          path: path, reason: "holds \(quoted(other.folder)) and \(quoted(entry.name)), which mean the same: keep one")
      }
      parts.append((entry.name, part))
    }
    // Training first: it names the classes.
    if let training = parts.first(where: { $0.part == .training }) {
      listing.classNames = try classes(in: "\(path)/\(training.folder)", &listing)
      for (folder, part) in parts { try add("\(path)/\(folder)", to: part, &listing) }
    } else if case let found = parts.filter({ isPart($0.folder, of: path) }), !found.isEmpty {
      if let other = entries.first(where: { entry in entry.isFolder && !found.contains { $0.folder == entry.name } }) {
        throw FileError(
          path: path,
          reason: "holds \(quoted(found[0].folder)) beside \(quoted(other.name)): training images belong into train/")
      }
      let names = try found.map { (found) throws(FileError) in try classes(in: "\(path)/\(found.folder)", &listing) }
      listing.classNames = Set(names.joined()).sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
      for (folder, part) in found { try add("\(path)/\(folder)", to: part, &listing) }
    } else {
      listing.classNames = try classes(in: path, &listing)
      try add(path, to: .training, &listing)
    }
    listing.classes = listing.classNames.count
    return listing
  }

  private static func classes(in path: String, _ listing: inout PictureListing) throws(FileError) -> [String] {
    let names = try FolderListing.entries(of: path).filter(\.isFolder).map(\.name)
    guard !names.isEmpty else { throw FileError(path: path, reason: "holds no folders, expected one a class") }
    return names
  }

  private static func add(
    _ path: String, to part: PictureListing.Part, _ listing: inout PictureListing
  ) throws(FileError) {
    let labels = Dictionary(uniqueKeysWithValues: listing.classNames.enumerated().map { ($0.element, $0.offset) })
    listing.watched.append(path)
    for entry in try FolderListing.entries(of: path) {
      guard entry.isFolder else {
        listing.problems.append("\(visible("\(path)/\(entry.name)")): lies in no class's folder")
        continue
      }
      guard let label = labels[entry.name] else {
        throw FileError(
          path: visible("\(path)/\(entry.name)"),
          reason: "is no class of the training images, which are \(listed(listing.classNames.map(quoted), most: 5))")
      }
      try add("\(path)/\(entry.name)", label: label, to: part, depth: 0, &listing)
    }
  }

  private static func add(
    _ path: String, label: Int, to part: PictureListing.Part, depth: Int, _ listing: inout PictureListing
  ) throws(FileError) {
    // Links can lead in a circle.
    guard depth < 16 else { throw FileError(path: path, reason: "lies more than 16 folders deep in its class") }
    listing.watched.append(path)
    listing.containers.append(path)
    let container = listing.containers.count - 1
    let entries = try FolderListing.entries(of: path)
    for entry in entries where !entry.isFolder {
      listing.add(.init(container: container, name: entry.name, label: label), to: part)
    }
    for entry in entries where entry.isFolder {
      try add("\(path)/\(entry.name)", label: label, to: part, depth: depth + 1, &listing)
    }
  }
}
