import Configuration
import Datasets
import MPI
import Planning

extension Communicator {
  /// The indexes of all pictures that a configuration names: rank 0 lists and reads, the others get what it found. So
  /// no other rank lists a folder. None where the data is of another kind. `measuresTraining` false where nobody needs
  /// mean and deviation of the training images.
  package func pictureIndexes(
    _ configuration: RunConfiguration, measuresTraining: Bool = true
  ) throws -> [String: PictureIndex] {
    let found = try collectively {
      rank == 0 ? try DataOptions(configuration).pictureIndexes(measuresTraining: measuresTraining) : [:]
    }
    guard size > 1 else { return found }
    let places = try broadcast(Array(found.keys.sorted().joined(separator: "\n").utf8), from: 0)
    var indexes: [String: PictureIndex] = [:]
    for place in String(decoding: places, as: UTF8.self).split(separator: "\n").map(String.init) {
      let bytes = try broadcast(found[place]?.encoded ?? [], from: 0)
      indexes[place] = bytes.withUnsafeBytes { PictureIndex(encoded: $0) }
    }
    return indexes
  }
}
