import Files
import Formats
import Images
import Runtime

package enum PictureSources {
  package static let all: [any PictureSource.Type] = [ClassFolders.self, TarShards.self, PictureList.self]

  /// The one way in which pictures lie at `path`. Throws where there is none, or more than one.
  package static func list(_ path: String) throws(FileError) -> PictureListing {
    let found = all.compactMap { source in source.recognises(path).map { (source, $0) } }
    guard let first = found.first else {
      throw FileError(
        path: path,
        reason:
          "holds no pictures: expected class folders (with or without train/, val/ and test/), tar shards, or a list "
          + "(.csv, .tsv) of paths and labels" + held(path))
    }
    guard found.count == 1 else {
      throw FileError(
        path: path,
        reason:
          "holds \(found.map(\.1).joined(separator: " and ")): name the one that is meant, by its folder, its file or a "
          + "pattern such as train-{000..003}.tar")
    }
    return try first.0.list(path)
  }

  /// "; it holds ...": what there is instead.
  private static func held(_ path: String) -> String {
    guard let names = try? FolderListing.entries(of: path).map(\.name) else {
      return System.isRegularFile(path) ? FileSignature.hint(ofFile: path) : ShellPath.hint(path)
    }
    return names.isEmpty ? "; it is empty" : "; it holds \(listed(names.map(quoted), most: 5))"
  }
}
