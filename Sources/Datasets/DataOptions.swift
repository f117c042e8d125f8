import Foundation
import Kernels
import Pictures

/// What to load: the keys `data.*` of the configuration.
package struct DataOptions: Sendable {
  /// How many images of the (limited) training set are held out.
  package enum Validation: Equatable, Sendable {
    case none
    case count(Int)
    /// Of the (limited) training set, rounded down.
    case fraction(Double)
  }

  package var format: DataFormat
  /// The directory or file; glyphs need none.
  package var path: String?
  /// Other places for validation and test images.
  package var validationPath: String?
  package var testPath: String?
  /// The share of each class that is held out as a test set where the data has none; nil holds none out.
  package var testFraction: Double?
  /// Images are resized to size x size; nil keeps their own size.
  package var size: Int?
  /// The first so many training images in file order; nil takes all.
  package var limit: Int?
  package var testLimit: Int?
  package var validation: Validation
  /// Which of them.
  package var validationSplit = ValidationSplit.stratified
  /// Draws the glyphs; other formats do not use it.
  package var seed: Int
  /// The classes that are kept, of all images of the run; they become 0, 1, ... in this order. nil keeps all.
  package var classes: [Int]?
  /// How many training images of each class are used; nil takes all.
  package var samplesPerClass: Int?
  /// Decides which.
  package var subsetSeed = 0
  /// Of the training labels alone.
  package var labelNoise = LabelNoise()

  /// What becomes of pictures that cannot be read.
  package var badFiles = BadFiles.stop
  /// The folder in which the index and the decoded pictures are kept; nil keeps neither.
  package var cache: String?
  /// The channels that pictures are read with, 1 or 3; nil takes 3 where any is in colour.
  package var channels: Int?
  /// How pictures are measured, and seen where nothing is changed at random.
  package var evaluation = Evaluation()
  /// Whether random changes cut their part out of whole pictures, so that these are kept.
  package var keepsWholePictures = false
  /// How many threads decode pictures.
  package var decoderThreads = 1
  /// Indexes that are known, by their paths; others are made.
  package var indexes: [String: PictureIndex] = [:]
  /// Counts the pictures that are read for indexes and moments.
  package var progress: ReadingProgress?

  package struct Evaluation: Equatable, Sendable {
    /// The shorter side before the crop; nil takes `size`.
    package var resize: Int?
    package var crop = EvaluationCrop.center

    package init() {}
  }

  package init(
    format: DataFormat = .glyphs, path: String? = nil, size: Int? = nil, limit: Int? = nil,
    testLimit: Int? = nil, validation: Validation = .none, seed: Int = 0
  ) {
    self.format = format
    self.path = path
    self.size = size
    self.limit = limit
    self.testLimit = testLimit
    self.validation = validation
    self.seed = seed
  }
}
