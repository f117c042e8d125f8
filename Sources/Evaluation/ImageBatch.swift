import Files
import Formats
import Glibc
import Kernels
import Runtime

/// A batch of normalised images with labels, from a safetensors file.
package struct ImageBatch {
  let path: String
  /// (N, C, H, W), as in the file.
  let size: [Int]
  /// One sample, channels last.
  let shape: Shape
  let images: [Float]
  let labels: [Int32]

  package init(path: String) throws {
    // Its bytes, and its values in two orders.
    var status = stat()
    if stat(path, &status) == 0, Int(status.st_size) > HostMemory.part(3) {
      throw FileError(
        path: path, reason: "\(status.st_size) bytes, which take three times as much memory, and this machine has less")
    }
    let file = try SafetensorsFile(path: path)
    // Shapes first: converted, labels of one byte take eight.
    let size = file["x"]?.shape ?? []
    guard file["x"] == nil || size.count == 4 && size.allSatisfy({ $0 > 0 }) else {
      throw FileError(path: path, reason: "x has shape \(size), expected (N, C, H, W), none of them 0")
    }
    if let found = file["y"]?.shape, file["x"] != nil, found != [size[0]] {
      throw FileError(path: path, reason: "y has shape \(found), expected [\(size[0])], a label a sample")
    }
    let values = try file.floats("x")
    let classes = try file.integers("y")
    if let wrong = values.firstIndex(where: { !$0.isFinite }) {
      throw FileError(path: path, reason: "value \(wrong) of x is \(values[wrong]), expected finite values")
    }
    guard let wrong = classes.firstIndex(where: { $0 < 0 || $0 > Int64(Int32.max) }) else {
      self.path = path
      self.size = size
      shape = Shape(batch: 1, height: size[2], width: size[3], channels: size[1])
      images = Self.permuted(values, shape, toChannelsLast: true)
      labels = classes.map { Int32($0) }
      return
    }
    throw FileError(path: path, reason: "y[\(wrong)] is \(classes[wrong]), expected a label from 0")
  }

  package func checkLabels(below classes: Int) throws(FileError) {
    guard let wrong = labels.firstIndex(where: { $0 >= classes }) else { return }
    throw FileError(
      path: path, reason: "y[\(wrong)] is \(labels[wrong]), but the model has \(counted(classes, "class"))")
  }

  func channelsFirst(_ values: [Float]) -> [Float] { Self.permuted(values, shape, toChannelsLast: false) }

  private static func permuted(_ values: [Float], _ shape: Shape, toChannelsLast: Bool) -> [Float] {
    let positions = shape.height * shape.width
    var result = [Float](repeating: 0, count: values.count)
    for sample in 0..<values.count / shape.sampleCount {
      let start = sample * shape.sampleCount
      for position in 0..<positions {
        for channel in 0..<shape.channels {
          let last = start + position * shape.channels + channel
          let first = start + channel * positions + position
          if toChannelsLast { result[last] = values[first] } else { result[first] = values[last] }
        }
      }
    }
    return result
  }
}
