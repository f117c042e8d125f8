import Files
import Formats
import Pictures

extension DataOptions {
  /// The indexes of all places that hold pictures, by path, with the moments of the training images where none are
  /// given: what takes long, done once, and kept in `cache` where there is one. `measuresTraining` false needs no
  /// training images, and no moments.
  package func pictureIndexes(measuresTraining: Bool = true) throws(FileError) -> [String: PictureIndex] {
    var found: [String: PictureIndex] = [:]
    for place in [path, validationPath, testPath].compactMap(\.self) where found[place] == nil {
      let isMain = place == path
      let holdsPictures = isMain && format != .auto ? format == .images : ImagesSource.recognises(place) != nil
      if holdsPictures { found[place] = try PictureIndex.at(place, self) }
    }
    guard measuresTraining, let path, var index = found[path] else { return found }
    var known = self
    known.indexes = found
    let training = try DataSplits.load(known).training
    guard let key = training.momentsKey, index.head.moments[key] == nil else { return found }
    let moments = try Normalization.computed(on: training, progress: progress)
    index.head.moments[key] = .init(mean: moments.mean, std: moments.std)
    try cache.map { (folder) throws(FileError) in
      try PictureIndexFile(folder: folder, path: path, badFiles: badFiles).write(index)
    }
    found[path] = index
    return found
  }
}

extension Dataset {
  /// What mean and deviation of pictures depend on: how they are seen, and which they are. nil of other data.
  var momentsKey: String? {
    guard let view = pictureView else { return nil }
    let numbers = (0..<count).map { UInt32(position(of: $0)) }
    return "\(view.text) \(Checksum.hexadecimal(numbers.withUnsafeBytes { Checksum.crc32($0) }))"
  }

  /// Mean and deviation as the index knows them.
  var knownMoments: Normalization? {
    momentsKey.flatMap { pictureIndex?.head.moments[$0] }.map { Normalization(mean: $0.mean, std: $0.std) }
  }
}
