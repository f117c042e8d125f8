import Datasets
import Evaluation
import Foundation
import Images
import Reporting
import Runtime

/// Test images on their way from x_0 to x_T, as pictures.
struct PictureBlock {
  struct Frame {
    /// t of x_t.
    let t: Int
    /// Data URIs; nil of images that are no pictures, or of an iterate that is not shown.
    let picture, change: String?
    let loss, lossExact, says, confidence: String
    let isRight: Bool
  }

  struct Card {
    let label, origin: String
    let frames: [Frame]
    let last: Int
    /// "1.234 > 0.567"
    let summary: String
  }

  let run: String
  let intro: String?
  var missing: [String] = []
  /// What came of the pictures that are shown.
  var outcome: String?
  var cards: [Card] = []
  /// T.
  var steps = 0
  var gain = ""
  /// Sides of a picture on the page.
  var side = 96
  var hasPictures = false
  /// Worth stepping through.
  var moves = false
}

extension PictureBlock {
  /// So many images are shown, half of them such that the network takes for something else.
  static let count = 12
  /// More iterates than these have no pictures, but their figures.
  private static let mostFrames = 21

  /// - Parameter bytes: what the pictures may take on the page.
  init(_ run: ReportedRun, bytes: Int) throws {
    self.init(run: run.directory, intro: Self.explanation(run))
    guard let images = run.images, let measurement = run.measurement else {
      missing.append(run.missing ?? "")
      return
    }
    let refinements = try images.refinements(of: Self.choice(measurement.predictions))
    steps = run.steps
    moves = run.steps > 0
    hasPictures = images.shape.isPicture
    if !hasPictures {
      missing.append(
        "These samples have \(counted(images.shape.channels, "channel")), so they are no pictures: only their figures are shown."
      )
    }
    let gain = images.normalization.gain(
      for: refinements.map { ($0.iterates.last!, $0.iterates[0]) }, channels: images.shape.channels)
    self.gain = gain.map { Table.grouped(Int($0)) } ?? "1"
    if run.steps == 0 {
      missing.append(
        "This run had no refinement, so the images are shown as they are: there is no x_T and no difference.")
    } else if gain == nil {
      missing.append("The refinement moves none of these images by anything that float32 can hold.")
    }
    outcome = run.steps > 0 ? Self.outcome(refinements) : nil
    // Smaller pictures, until they fit.
    var largest = max(images.shape.height, images.shape.width)
    while true {
      let shown = Shown(
        shape: images.shape, normalization: images.normalization, gain: gain ?? 1, largest: largest,
        frames: Self.shownFrames(run.steps))
      cards = refinements.map { Self.card($0, run, images, shown) }
      let size = cards.reduce(0) { sum, card in
        sum + card.frames.reduce(0) { $0 + ($1.picture?.utf8.count ?? 0) + ($1.change?.utf8.count ?? 0) }
      }
      guard size > bytes, largest > 16 else { break }
      largest = max(16, largest * 7 / 10)
    }
    if largest < max(images.shape.height, images.shape.width) {
      missing.append(
        "The images are \(images.shape.width) x \(images.shape.height) pixels, and are shown smaller so that the page stays small."
      )
    }
  }

  private static func explanation(_ run: ReportedRun) -> String? {
    guard run.steps > 0, run.images != nil else { return nil }
    return
      "Test images, half of them such as the network takes for another class. Each is moved from x_0 to x_\(run.steps) as in "
      + "training, down the loss of its true label, by the weights as they are now."
  }

  private static func outcome(_ refinements: [TestImages.Refinement]) -> String? {
    let pairs = refinements.map { ($0.predictions.first!, $0.predictions.last!) }
    guard let before = Statistics.mean(pairs.map(\.0.loss)), let after = Statistics.mean(pairs.map(\.1.loss)) else {
      return nil
    }
    return
      "Of these \(counted(pairs.count, "image")), \(pairs.count { $0.0.isRight }) were classified right at x_0, and "
      + "\(pairs.count { $0.1.isRight }) at x_T; their mean loss went from \(decimal(before, places: 3)) to "
      + "\(decimal(after, places: 3))."
  }

  /// At equal distances among those that are taken for another class, and among the others: where samples are in the
  /// order of their classes, these are of many classes.
  static func choice(_ predictions: [TestImages.Prediction]) -> [Int] {
    let (wrong, right) = (predictions.filter { !$0.isRight }, predictions.filter(\.isRight))
    let fromWrong = min(wrong.count, max(count / 2, count - right.count))
    func spread(_ list: [TestImages.Prediction], _ count: Int) -> [Int] {
      (0..<min(count, list.count)).map { list[$0 * list.count / min(count, list.count)].index }
    }
    return spread(wrong, fromWrong) + spread(right, count - fromWrong)
  }

  /// Of 0...steps, at equal distances with both ends.
  private static func shownFrames(_ steps: Int) -> Set<Int> {
    guard steps >= mostFrames else { return Set(0...steps) }
    return Set((0..<mostFrames).map { $0 * steps / (mostFrames - 1) })
  }

  private struct Shown {
    let shape: ImageShape
    let normalization: Normalization
    let gain: Double
    /// Pixels of a picture's longer side.
    let largest: Int
    let frames: Set<Int>

    func small(_ picture: Picture?) -> String? { picture.flatMap { PictureData.uri($0.within(largest)) } }
  }

  private static func card(
    _ refinement: TestImages.Refinement, _ run: ReportedRun, _ images: TestImages, _ shown: Shown
  ) -> Card {
    let start = refinement.iterates[0]
    let frames = refinement.iterates.indices.map { t -> Frame in
      let (x, prediction) = (refinement.iterates[t], refinement.predictions[t])
      let isShown = shown.frames.contains(t)
      return Frame(
        t: t, picture: isShown ? shown.small(shown.normalization.picture(of: x, shape: shown.shape)) : nil,
        change: isShown && run.steps > 0
          ? shown.small(
            shown.normalization.picture(ofDifference: x, from: start, gain: shown.gain, shape: shown.shape)) : nil,
        loss: decimal(prediction.loss, places: 3), lossExact: "\(prediction.loss)",
        says: prediction.predicted.map(run.name) ?? "nothing", confidence: percentage(prediction.confidence),
        isRight: prediction.isRight)
    }
    let label = refinement.predictions[0].label
    let (first, last) = (frames[0], frames[frames.count - 1])
    return Card(
      label: run.name(label), origin: images.origin(of: refinement.index), frames: frames,
      last: frames.count - 1,
      summary: run.steps == 0 ? "loss \(first.loss)" : "loss \(first.loss) → \(last.loss)")
  }

  static func percentage(_ fraction: Double) -> String {
    fraction.isFinite ? "\(decimal(fraction * 100, places: 0)) %" : "?"
  }
}

/// Pictures as a page has them within itself.
enum PictureData {
  /// Nil where memory is short.
  static func uri(_ picture: Picture) -> String? {
    picture.encodedAsPNG().map { "data:image/png;base64,\(Data($0).base64EncodedString())" }
  }
}
