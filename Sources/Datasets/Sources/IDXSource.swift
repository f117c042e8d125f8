import Files
import Pictures

enum IDXSource: DataSource {
  static let format = DataFormat.idx

  static func recognises(_ path: String) -> String? {
    let names = (try? FolderListing.entries(of: path).map(\.name)) ?? []
    let isThere = names.contains { name in
      ["train", "t10k"].contains { name.hasPrefix("\($0)-images-idx") || name.hasPrefix("\($0)-images.idx") }
    }
    return isThere ? "IDX files" : nil
  }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    let loaded = try IDX.load(directory: path)
    return LoadedData(training: loaded.training, test: loaded.test)
  }

  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    try IDX.loadTest(directory: path)
  }
}
