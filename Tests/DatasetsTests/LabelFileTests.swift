import Datasets
import Foundation
import Testing

/// Six images with the labels 0 1 2 3 0 1.
@Suite struct LabelFileTests {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    for (name, bytes) in idxFiles(training: 6, test: 3) { try folder.write(name, bytes) }
  }

  private func options(_ text: [UInt8]) throws -> DataOptions {
    var options = DataOptions(format: .idx, path: folder.path)
    options.labelNoise.kind = .file
    options.labelNoise.path = try folder.write("labels", text)
    return options
  }

  /// A .npy file of int64.
  private func array(_ shape: String, _ values: [Int64], type: String = "<i8") -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
      + values.withUnsafeBytes { Array($0) }
  }

  @Test(arguments: [
    "\u{FEFF}1\n1\n2\n0\n0\n3\n", "1,1,2,0,0,3", "1,0\n1,1\n2, 2\n0,3\n0,0\n3,1\n",
    "index,true,given\n0,0,1\n1,1,1\n2,2,2\n3,3,0\n4,0,0\n5,1,3\n",
    "\u{FEFF}Given, True\r\n1,0\n1,1\n2,2\n0,3\n0,0\n3,1\n",
    "given,index\n3,5\n0,4\n0,3\n2,2\n1,1\n1,0\n",
    "1\n1\n2\n0\n0\n3\n", "1 1 2 0 0 3", "\n1 1\t2\r\n\n0 0 3", "1 0\n1 1\n2 2\n0 3\n0 0\n\n3 1",
  ])
  func `text has a label a sample, or lines of label and true label`(text: String) throws {
    let training = try DataSplits.load(options(Array(text.utf8))).training
    #expect(training.labels == [1, 1, 2, 0, 0, 3])
    #expect((0..<6).map(training.trueLabel) == [0, 1, 2, 3, 0, 1])
    #expect(training.wrongLabels == 3)
  }

  @Test func `an array has a label a sample, or label and true label`() throws {
    for (type, size) in [("<u2", 2), ("<u4", 4), ("<u8", 8)] {
      let values: [UInt8] = [1, 1, 2, 0, 0, 3].flatMap { [$0] + [UInt8](repeating: 0, count: size - 1) }
      let bytes = array("(6, 1)", [], type: type) + values
      #expect(try DataSplits.load(options(bytes)).training.labels == [1, 1, 2, 0, 0, 3], "\(type)")
    }
    for bytes in [
      array("(6,)", [1, 1, 2, 0, 0, 3]), array("(6, 1)", [1, 1, 2, 0, 0, 3]),
      array("(6, 2)", [1, 0, 1, 1, 2, 2, 0, 3, 0, 0, 3, 1]),
    ] {
      #expect(try DataSplits.load(options(bytes)).training.labels == [1, 1, 2, 0, 0, 3])
    }
  }

  @Test func `labels go with their samples through limits, splits and subsets`() throws {
    var options = try options(Array("3 2 1 0 3 2".utf8))
    options.limit = 5
    options.validation = .count(1)
    let splits = try DataSplits.load(options)
    #expect(splits.training.labels == [3, 2, 1, 0])
    #expect(splits.validation?.labels == [0])
    options.limit = nil
    options.validation = .none
    options.samplesPerClass = 1
    let subset = try DataSplits.load(options).training
    for index in 0..<4 { #expect(subset.label(index) == [3, 2, 1, 0, 3, 2][subset.position(of: index)]) }
  }

  @Test(arguments: [
    ("0 1 2 3 0", "5 integers in 1 lines, expected 6 (a label a training sample) or 6 lines of two"),
    ("0\n1\n2\n3\n0\n1\n2\n", "7 integers in 7 lines, expected 6"),
    ("0 0 1 1 2 2 3 3 0 0 1 1", "12 integers in 1 lines, expected 6"),
    ("0 0 1\n1 2 2\n3 3\n0 0\n1\n1", "12 integers in 6 lines, expected 6"),
    (String(repeating: "0\n", count: 100), "more than 12 integers in 13 lines, expected 6"),
    ("", "0 integers in 0 lines, expected 6"),
    ("0\n1\n2\n4\n0\n1", "line 4: label 4, expected 0 to 3"),
    ("0\n1\n-2\n", "line 3: '-2', expected a label"), ("0\n1.0\n", "line 2: '1.0', expected a label"),
    ("0\n99999999999\n", "line 2: '99999999999', expected a label"),
    ("0 0\n1 1\n2 2\n3 2\n0 0\n1 1", "line 4: true label 2, but the data has 3"),
    ("index,true,given\n0,0,1\n0,0,1\n", "line 3: index 0 occurs twice"),
    ("index,true,given\n0,0,1\n6,0,1\n", "line 3: index 6, expected 0 to 5"),
    ("index,true,given\n0,0,1\n1,2,1\n", "line 3: true label 2, but the data has 1"),
    ("index,true,given\n0,0,1\n1,1\n", "line 3: 2 numbers, expected 3 (index, true, given)"),
    ("index,true,given\n0,0,1\n1,1,1\n", "has no label for training sample 2"),
    ("index,true\n0,0\n", "columns index, true, expected one 'given' or 'label'"),
    ("name,given\n0,0\n", "line 1: 'name', expected a label"),
    ("PK\u{3}\u{4}", "line 1: 'PK\\u{03}\\u{04}', expected a label; it is a zip archive"),
    ("0\n\u{1B}[31m\n", "line 2: '\\u{1B}[31m', expected a label"),
  ])
  func `a wrong text is refused, naming file and line`(text: String, message: String) throws {
    let refusal = loadingError(try options(Array(text.utf8)))
    #expect(refusal.hasPrefix("\(folder.path)/labels: \(message)"), "\(refusal)")
  }

  @Test func `a file for some of the images does where only these are trained on`() throws {
    var some = try options(Array("index,true,given\n0,0,3\n1,1,2\n2,2,2\n".utf8))
    some.limit = 3
    #expect(try DataSplits.load(some).training.labels == [3, 2, 2])
  }

  @Test func `a wrong array is refused, naming file and entry`() throws {
    func refusal(_ bytes: [UInt8]) throws -> String { loadingError(try options(bytes)) }
    #expect(
      try refusal(array("(3, 2)", [0, 1, 2, 3, 0, 1])).contains("an array of shape [3, 2] of i8, expected integers"))
    #expect(try refusal(array("(6,)", [0, 1, 2, 3, 0, 1], type: "<f8")).contains("shape [6] of f8, expected integers"))
    #expect(try refusal(array("(6,)", [0, 1, -1, 3, 0, 1])).hasSuffix("labels: entry 2: label -1, expected 0 to 3"))
    #expect(
      try refusal(array("(6, 2)", [0, 0, 1, 1, 2, 2, 3, 3, 0, 3, 1, 1]))
        .contains("entry 4: true label 3, but the data has 0"))
    #expect(try refusal(array("(6,)", [0])).contains("8 bytes after the header, expected 48"))
    var without = DataOptions(format: .idx, path: folder.path)
    without.labelNoise.kind = .file
    #expect(loadingError(without) == "data.label_noise.file: is not set, expected the file of labels")
    without.labelNoise.path = "\(folder.path)/none"
    #expect(loadingError(without) == "\(folder.path)/none: no such file")
  }
}
