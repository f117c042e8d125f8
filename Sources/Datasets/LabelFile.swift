import Files
import Formats
import Pictures

/// Labels that people gave, one for each training sample of the files, in their order.
///
/// As text: integers separated by blanks, commas or lines; or lines of two, the given label and the true one; or a
/// table whose first line names its columns (`given` or `label`, `true`, `index`), such as a run's labels.csv, which
/// may leave out samples that are not trained on. As `.npy`: an array of integers (N), (N, 1) or (N, 2). Where the true
/// labels are there they must be the data set's, or the file is for another one.
struct LabelFile {
  let path: String
  /// By the sample's number in the data set; nil where the file has none.
  private var labels: [Int32?]

  /// Throws FileError, naming the line or entry.
  init(path: String, of dataset: Dataset) throws(FileError) {
    let file = try MappedFile(path: path)
    let entries =
      file.bytes.first == 0x93
      ? try Self.array(path, samples: dataset.count) : try LabelText(file, samples: dataset.count).entries()
    self.path = path
    labels = [Int32?](repeating: nil, count: dataset.count)
    for number in 0..<entries.count {
      let entry = entries.read(number)
      guard (0..<dataset.count).contains(entry.sample) else {
        throw FileError(
          path: path, reason: "\(entry.place): index \(entry.sample), expected 0 to \(dataset.count - 1)")
      }
      guard labels[entry.sample] == nil else {
        throw FileError(path: path, reason: "\(entry.place): index \(entry.sample) occurs twice")
      }
      guard (0..<dataset.classes).contains(entry.given) else {
        throw FileError(
          path: path, reason: "\(entry.place): label \(entry.given), expected 0 to \(dataset.classes - 1)")
      }
      if let truth = entry.truth, truth != dataset.label(entry.sample) {
        throw FileError(
          path: path,
          reason: "\(entry.place): true label \(truth), but the data has \(dataset.label(entry.sample)) "
            + "(\(dataset.origin(of: entry.sample))): these labels are of other data, or in another order")
      }
      labels[entry.sample] = Int32(entry.given)
    }
  }

  /// One for each sample of `part`, which is a part of the data set.
  func labels(for part: Dataset) throws(FileError) -> [Int32] {
    var result: [Int32] = []
    result.reserveCapacity(part.count)
    for index in 0..<part.count {
      let position = part.position(of: index)
      guard let label = labels[position] else {
        throw FileError(
          path: path,
          reason:
            "has no label for training sample \(position) (\(part.origin(of: index))): it is of a run on fewer images")
      }
      result.append(label)
    }
    return result
  }

  struct Entry {
    let sample: Int
    let given: Int
    var truth: Int?
    /// In the file, as a message says it.
    let place: String
  }

  /// Entries by number, each read when it is asked for.
  struct Entries {
    let count: Int
    let read: (Int) -> Entry
  }

  private static func array(_ path: String, samples: Int) throws(FileError) -> Entries {
    let array = try NumpyFile(path: path)
    guard array.type.isInteger, [[samples], [samples, 1], [samples, 2]].contains(array.shape) else {
      throw FileError(
        path: path,
        reason:
          "an array of shape \(array.shape) of \(array.type.rawValue), expected integers of shape [\(samples)] or "
          + "[\(samples), 1] (a label a training sample) or [\(samples), 2] (label and true label)")
    }
    let columns = array.count / max(samples, 1)
    return Entries(count: samples) { sample in
      Entry(
        sample: sample, given: array.integer(columns * sample),
        truth: columns == 2 ? array.integer(columns * sample + 1) : nil, place: "entry \(sample)")
    }
  }
}
