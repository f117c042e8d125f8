import Files
import Formats
import Pictures
import Runtime

/// The text of a file of labels (LabelFile): numbers in lines, with the names of columns over them or not.
struct LabelText {
  private let path: String
  private let samples: Int
  private var numbers: [Int32] = []
  /// Line of each number, from 1.
  private var lines: [Int] = []
  /// Where the first line names them.
  private var columns: [String] = []

  /// Throws at the first word that is no label, naming its line.
  init(_ file: MappedFile, samples: Int) throws(FileError) {
    path = file.path
    self.samples = samples
    // The scanner holds an address alone.
    defer { withExtendedLifetime(file) {} }
    var scanner = Scanner(file.bytes)
    let names = scanner.names()
    columns = names.map { $0.lowercased() }
    if let unknown = names.first(where: { !["index", "true", "given", "label"].contains($0.lowercased()) }) {
      throw FileError(
        path: path,
        reason: "line \(scanner.line): \(quoted(String(unknown.prefix(24)))), expected a label"
          + FileSignature.hint(file.bytes))
    }
    while let word = scanner.word(), numbers.count <= limit {
      guard word.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let number = Int32(word) else {
        throw FileError(
          path: path, reason: "line \(scanner.line): \(quoted(word)), expected a label" + FileSignature.hint(file.bytes)
        )
      }
      numbers.append(number)
      lines.append(scanner.line)
    }
    if !columns.isEmpty { try checkTable() }
  }

  /// More numbers than that are too many.
  private var limit: Int { max(2, columns.count) * samples }

  /// Throws where there are more or fewer numbers than samples need.
  func entries() throws(FileError) -> LabelFile.Entries {
    let (width, given, truth, index) = try layout()
    return LabelFile.Entries(count: numbers.count / width) { [numbers, lines] entry in
      let start = entry * width
      return LabelFile.Entry(
        sample: index.map { Int(numbers[start + $0]) } ?? entry, given: Int(numbers[start + given]),
        truth: truth.map { Int(numbers[start + $0]) }, place: "line \(lines[start])")
    }
  }

  /// Numbers a sample, and which of them is what.
  private func layout() throws(FileError) -> (width: Int, given: Int, truth: Int?, index: Int?) {
    if !columns.isEmpty {
      return (
        columns.count, columns.firstIndex { $0 == "given" || $0 == "label" }!, columns.firstIndex(of: "true"),
        columns.firstIndex(of: "index")
      )
    }
    if numbers.count == samples { return (1, 0, nil, nil) }
    guard numbers.count == 2 * samples, areInPairs else {
      throw wrongCount(
        "\(samples) (a label a training sample) or \(counted(samples, "line")) of two (label and true label)")
    }
    return (2, 0, 1, nil)
  }

  private func checkTable() throws(FileError) {
    let labels = columns.count { $0 == "given" || $0 == "label" }
    guard labels == 1, Set(columns).count == columns.count else {
      throw FileError(
        path: path,
        reason: "columns \(columns.joined(separator: ", ")), expected one 'given' or 'label', and at most one of "
          + "'true' and of 'index'")
    }
    for (line, count) in Dictionary(grouping: lines, by: \.self).mapValues(\.count).sorted(by: { $0.key < $1.key })
    where count != columns.count {
      throw FileError(
        path: path,
        reason:
          "line \(line): \(counted(count, "number")), expected \(columns.count) (\(columns.joined(separator: ", ")))")
    }
    guard numbers.count <= columns.count * samples,
      columns.contains("index") || numbers.count == columns.count * samples
    else {
      throw wrongCount("\(counted(samples, "line")) of \(columns.count) (\(columns.joined(separator: ", ")))")
    }
  }

  private func wrongCount(_ expected: String) -> FileError {
    let count = numbers.count > limit ? "more than \(limit) integers" : counted(numbers.count, "integer")
    return FileError(path: path, reason: "\(count) in \(counted(lines.last ?? 0, "line")), expected \(expected)")
  }

  /// Whether every line that has numbers has two.
  private var areInPairs: Bool {
    for second in stride(from: 1, to: lines.count, by: 2) {
      guard lines[second] == lines[second - 1] else { return false }
      if second > 1, lines[second - 2] == lines[second] { return false }
    }
    return true
  }

  /// Goes through the file's words; blanks and commas part them.
  private struct Scanner {
    private let bytes: UnsafeRawBufferPointer
    private var at: Int
    /// Of the word read last, from 1.
    private(set) var line = 1

    init(_ bytes: UnsafeRawBufferPointer) {
      self.bytes = bytes
      at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The names of columns, where the first line that is not empty starts with a letter.
    mutating func names() -> [Substring] {
      skipBlanks()
      guard at < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[at] | 0x20) else { return [] }
      let end = bytes[at...].firstIndex { $0 == UInt8(ascii: "\n") } ?? bytes.count
      let text = String(decoding: bytes[at..<min(end, at + 200)], as: UTF8.self)
      at = end
      return text.split { $0.isWhitespace || $0 == "," }
    }

    /// The next one, its first 24 bytes; nil at the end.
    mutating func word() -> String? {
      skipBlanks()
      guard at < bytes.count else { return nil }
      let end = bytes[(at + 1)...].firstIndex(where: Self.parts) ?? bytes.count
      defer { at = end }
      return String(decoding: bytes[at..<min(end, at + 24)], as: UTF8.self)
    }

    private mutating func skipBlanks() {
      while at < bytes.count, [" ", "\t", "\r", "\n", ","].contains(Unicode.Scalar(bytes[at])) {
        if bytes[at] == UInt8(ascii: "\n") { line += 1 }
        at += 1
      }
    }

    private static func parts(_ byte: UInt8) -> Bool { byte <= UInt8(ascii: " ") || byte == UInt8(ascii: ",") }
  }
}
