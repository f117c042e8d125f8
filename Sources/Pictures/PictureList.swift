import Files
import Formats

/// A list of pictures, comma- or tab-separated: path, label and, where there is one, split (train, val or test), in
/// this order or as the first line names them. Relative paths start at the list's folder. Labels are numbers, or names,
/// which are numbered in the order of their bytes.
package enum PictureList: PictureSource {
  package static func recognises(_ path: String) -> String? {
    let isList = [".csv", ".tsv"].contains(where: path.lowercased().hasSuffix)
    return isList && System.isRegularFile(path) ? "a list of pictures" : nil
  }

  package static func list(_ path: String) throws(FileError) -> PictureListing {
    let file = try MappedFile(path: path)
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var listing = PictureListing()
    listing.watched.append(path)
    let separator = UInt8(ascii: path.lowercased().hasSuffix(".tsv") ? "\t" : ",")
    var rows: [(line: Int, fields: [String])] = []
    for (number, line) in file.bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let fields = self.fields(Array(line.last == 13 ? line.dropLast() : line), separator)
      if fields != [""] { rows.append((number + 1, fields)) }
    }
    let columns = Columns(rows.first?.fields ?? [])
    if columns.areNamed { rows.removeFirst() }
    guard !rows.isEmpty else { throw FileError(path: path, reason: "lists no pictures") }
    for (line, fields) in rows where max(columns.path, columns.label) >= fields.count {
      throw FileError(
        path: path,
        reason: "line \(line): \(fields.count) \(fields.count == 1 ? "field" : "fields"), expected a path and a label")
    }
    let labels = try numbers(rows.map { ($0.line, $0.fields[columns.label]) }, path, &listing)
    var containers: [String: Int] = [:]
    var splits: [String: (part: PictureListing.Part, line: Int)] = [:]
    for ((line, fields), label) in zip(rows, labels) {
      let name = fields[columns.path]
      let whole = name.hasPrefix("/") ? name : "\(folder)/\(name)"
      guard !name.isEmpty, let slash = whole.lastIndex(of: "/") else {
        throw FileError(path: path, reason: "line \(line): no path")
      }
      let container = String(whole[..<slash])
      let number =
        containers[container]
        ?? {
          listing.containers.append(container)
          containers[container] = listing.containers.count - 1
          return listing.containers.count - 1
        }()
      let split = columns.split.flatMap { $0 < fields.count ? fields[$0] : nil } ?? ""
      guard let part = split.isEmpty ? .training : PictureListing.Part(named: split) else {
        throw FileError(path: path, reason: "line \(line): split \(quoted(split)), expected train, val or test")
      }
      if let other = splits.updateValue((part, line), forKey: whole), other.part != part {
        throw FileError(
          path: path, reason: "line \(line): \(quoted(name)) is on line \(other.line) too, for another split")
      }
      listing.add(
        .init(container: number, name: String(whole[whole.index(after: slash)...]), label: label), to: part)
    }
    return listing
  }

  /// Which field is what: path, label, split, or as names in the first line say.
  private struct Columns {
    var path = 0
    var label = 1
    var split: Int? = 2
    var areNamed = false

    init(_ first: [String]) {
      let names = first.map { $0.lowercased() }
      func place(_ known: [String]) -> Int? { names.firstIndex { known.contains($0) } }
      guard let path = place(["path", "file", "filename", "file_name", "image", "filepath"]),
        let label = place(["label", "class", "target", "category"])
      else { return }
      self.path = path
      self.label = label
      split = place(["split", "set", "subset", "part"])
      areNamed = true
    }
  }

  private static func numbers(
    _ labels: [(line: Int, text: String)], _ path: String, _ listing: inout PictureListing
  ) throws(FileError) -> [Int] {
    if let empty = labels.first(where: { $0.text.isEmpty }) {
      throw FileError(path: path, reason: "line \(empty.line): no label")
    }
    let numbers = labels.map { Int($0.text) }
    if numbers.allSatisfy({ $0 != nil }) {
      for (number, label) in zip(numbers, labels) where !(0...PictureIndex.largestLabel ~= number!) {
        throw FileError(
          path: path,
          reason: "line \(label.line): label \(label.text), expected 0 to \(PictureIndex.largestLabel), or names")
      }
      listing.classes = numbers.map { $0! }.max()! + 1
      return numbers.map { $0! }
    }
    listing.classNames = Set(labels.map(\.text)).sorted {
      Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8))
    }
    listing.classes = listing.classNames.count
    let numberOf = Dictionary(uniqueKeysWithValues: listing.classNames.enumerated().map { ($0.element, $0.offset) })
    return labels.map { numberOf[$0.text]! }
  }

  /// The fields of a line; one in double quotes may hold separators, and a quote as two.
  static func fields(_ line: [UInt8], _ separator: UInt8) -> [String] {
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var index = 0
    while index < line.count {
      let byte = line[index]
      if byte == UInt8(ascii: "\"") {
        if isQuoted, index + 1 < line.count, line[index + 1] == byte {
          field.append(byte)
          index += 1
        } else {
          isQuoted.toggle()
        }
      } else if byte == separator, !isQuoted {
        fields.append(String(decoding: field, as: UTF8.self))
        field = []
      } else {
        field.append(byte)
      }
      index += 1
    }
    return fields + [String(decoding: field, as: UTF8.self)]
  }
}
