import Files
import Images
import Pictures

/// JPEG and PNG pictures: class folders, tar shards, lists.
enum ImagesSource: DataSource {
  static let format = DataFormat.images

  static func recognises(_ path: String) -> String? {
    let found = PictureSources.all.compactMap { $0.recognises(path) }
    return found.isEmpty ? nil : "pictures (\(found.joined(separator: " and ")))"
  }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    let set = try pictures(path, options)
    guard let training = part(set.index.training, of: set) else {
      throw FileError(path: path, reason: "holds no pictures for training")
    }
    return LoadedData(
      training: training, validation: part(set.index.validation, of: set), test: part(set.index.test, of: set))
  }

  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    let set = try pictures(path, options)
    return part(set.index.test, of: set)
  }

  private static func pictures(_ path: String, _ options: DataOptions) throws(FileError) -> PictureSet {
    let known = options.indexes[path]
    let index = if let known { known } else { try PictureIndex.at(path, options) }
    return try PictureSet(
      index, view: try view(of: index, path, options), cacheFolder: options.cache,
      keepsWhole: options.keepsWholePictures, threads: options.decoderThreads)
  }

  private static func part(_ range: Range<Int>, of set: PictureSet) -> Dataset? {
    range.isEmpty ? nil : Dataset(pictures: set, part: range)
  }

  /// What the network reads of them: of `data.size`, or of their own where all have one.
  private static func view(
    of index: PictureIndex, _ path: String, _ options: DataOptions
  ) throws(FileError) -> PictureView {
    let channels = options.channels ?? index.channels
    let crops = options.evaluation.crop == .center
    if let size = options.size {
      return PictureView(
        shape: ImageShape(channels: channels, height: size, width: size),
        shorterSide: crops ? options.evaluation.resize ?? size : nil, crops: crops)
    }
    let first = index.entries[0]
    if let other = index.entries.firstIndex(where: { ($0.width, $0.height) != (first.width, first.height) }) {
      let entry = index.entries[other]
      throw FileError(
        path: path,
        reason:
          "pictures of several sizes, such as \(first.width) x \(first.height) and \(entry.width) x \(entry.height): "
          + "set data.size")
    }
    let shape = ImageShape(channels: channels, height: Int(first.height), width: Int(first.width))
    return PictureView(shape: shape, shorterSide: options.evaluation.resize, crops: crops)
  }
}

extension PictureIndex {
  /// The index of the pictures at `path`: as it was kept in `data.cache`, where nothing came or went since, else made
  /// anew and kept there.
  package static func at(_ path: String, _ options: DataOptions) throws(FileError) -> PictureIndex {
    let kept = options.cache.map { PictureIndexFile(folder: $0, path: path, badFiles: options.badFiles) }
    if let index = kept?.read(), index.isCurrent { return index }
    let index = try PictureIndex(
      PictureSources.list(path), path: path, badFiles: options.badFiles, threads: Parallel.cores,
      progress: options.progress)
    try kept?.write(index)
    return index
  }
}
