import Files
import Formats

/// Labels that people gave, one for each training sample of the files, in their order.
///
/// As text: integers separated by blanks or lines; or lines of two, the given label and the true one. As `.npy`: an array of
/// integers (N) or (N, 2). Where the true labels are there they must be the data set's, or the file is for another one.
struct LabelFile {
  let labels: [Int32]

  /// Throws DataError, naming the line or entry.
  init(path: String, of dataset: Dataset) throws(DataError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw DataError(error) }
    let values =
      file.bytes.first == 0x93
      ? try Self.array(path, samples: dataset.count) : try Self.text(file, samples: dataset.count)
    var labels: [Int32] = []
    labels.reserveCapacity(dataset.count)
    for sample in 0..<dataset.count {
      let entry = values.entry(sample)
      guard (0..<dataset.classes).contains(entry.given) else {
        throw DataError(
          path: path, reason: "\(entry.place): label \(entry.given), expected 0 to \(dataset.classes - 1)")
      }
      if let truth = entry.truth, truth != dataset.label(sample) {
        throw DataError(
          path: path,
          reason: "\(entry.place): true label \(truth), but the data has \(dataset.label(sample)) "
            + "(\(dataset.origin(of: sample))): these labels are of other data, or in another order")
      }
      labels.append(Int32(entry.given))
    }
    self.labels = labels
  }

  private struct Values {
    /// Of a sample, and its place in the file as a message says it.
    let entry: (Int) -> (given: Int, truth: Int?, place: String)
  }

  private static func array(_ path: String, samples: Int) throws(DataError) -> Values {
    let array: NumpyFile
    do { array = try NumpyFile(path: path) } catch { throw DataError(error) }
    guard array.type.isInteger, array.shape == [samples] || array.shape == [samples, 2] else {
      throw DataError(
        path: path,
        reason: "an array of shape \(array.shape) of \(array.type.rawValue), expected integers of shape [\(samples)] "
          + "(a label a training sample) or [\(samples), 2] (label and true label)")
    }
    let hasTruth = array.shape.count == 2
    return Values { sample in
      let at = hasTruth ? 2 * sample : sample
      return (array.integer(at), hasTruth ? array.integer(at + 1) : nil, "entry \(sample)")
    }
  }

  private static func text(_ file: MappedFile, samples: Int) throws(DataError) -> Values {
    var numbers: [Int32] = []
    /// Line of each number, from 1.
    var lines: [Int] = []
    var line = 1
    var at = 0
    let bytes = file.bytes
    while at < bytes.count, numbers.count <= 2 * samples {
      switch bytes[at] {
      case UInt8(ascii: "\n"):
        (line, at) = (line + 1, at + 1)
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
        at += 1
      default:
        let end = bytes[(at + 1)...].firstIndex { $0 <= UInt8(ascii: " ") } ?? bytes.count
        let word = String(decoding: bytes[at..<min(end, at + 24)], as: UTF8.self)
        guard word.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let number = Int32(word) else {
          throw DataError(path: file.path, reason: "line \(line): \(quoted(word)), expected a label")
        }
        numbers.append(number)
        lines.append(line)
        at = end
      }
    }
    if numbers.count == samples {
      return Values { (Int(numbers[$0]), nil, "line \(lines[$0])") }
    }
    guard numbers.count == 2 * samples, areInPairs(lines) else {
      let count = numbers.count > 2 * samples ? "more than \(2 * samples)" : "\(numbers.count)"
      throw DataError(
        path: file.path,
        reason: "\(count) integers in \(lines.last ?? 0) lines, expected \(samples) (a label a training sample) or "
          + "\(samples) lines of two (label and true label)")
    }
    return Values { (Int(numbers[2 * $0]), Int(numbers[2 * $0 + 1]), "line \(lines[2 * $0])") }
  }

  /// Whether every line that has numbers has two.
  private static func areInPairs(_ lines: [Int]) -> Bool {
    for second in stride(from: 1, to: lines.count, by: 2) {
      guard lines[second] == lines[second - 1] else { return false }
      if second > 1, lines[second - 2] == lines[second] { return false }
    }
    return true
  }
}
