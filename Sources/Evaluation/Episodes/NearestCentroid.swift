/// Recognises queries by the nearest class centroid, the mean of the class's labelled features (Snell et al. 2017,
/// without their training). All arithmetic is in double precision.
package struct NearestCentroid: Sendable {
  private let distance: EpisodeOptions.Distance
  private let width: Int

  /// `width`: values of a feature vector.
  package init(distance: EpisodeOptions.Distance, width: Int) { (self.distance, self.width) = (distance, width) }

  /// How many of an episode's queries come nearest to their own class. Of centroids equally near the first counts; a
  /// query whose features are not finite counts as wrong. `feature` gives a sample's `width` values.
  package func correct(in groups: [Episodes.Group], feature: (Int) -> ArraySlice<Float>) -> Int {
    let centroids = groups.map { centroid(of: $0.support.map { vector(feature($0)) }) }
    var correct = 0
    for (own, group) in groups.enumerated() {
      for query in group.queries {
        let x = vector(feature(query))
        var nearest: (distance: Double, group: Int?) = (.infinity, nil)
        for (index, centroid) in centroids.enumerated() {
          let distance = squaredDistance(x, centroid)
          if distance < nearest.distance { nearest = (distance, index) }
        }
        if nearest.group == own { correct += 1 }
      }
    }
    return correct
  }

  private func centroid(of vectors: [[Double]]) -> [Double] {
    let mean = (0..<width).map { index in vectors.reduce(0) { $0 + $1[index] } / Double(vectors.count) }
    return scaled(mean)
  }

  private func vector(_ feature: ArraySlice<Float>) -> [Double] { scaled(feature.map(Double.init)) }

  /// For the cosine, to length 1: of unit vectors, |x - c|^2 is 2 - 2 cos. Nothing points nowhere, and stays 0.
  private func scaled(_ vector: [Double]) -> [Double] {
    guard distance == .cosine else { return vector }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length == 0 ? vector : vector.map { $0 / length }
  }

  private func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in 0..<width { sum += (a[index] - b[index]) * (a[index] - b[index]) }
    return sum
  }
}
