import Datasets
import Files
import Formats
import Foundation
import Runtime

/// How images become a network's inputs, and what its outputs stand for. It belongs to a model as its weights do: every
/// checkpoint has it in its metadata, and whoever measures the weights goes by it. A foreign file may have any part of
/// it.
package struct Preprocessing: Equatable, Sendable {
  /// Of pixel values in 0..1, one a channel; both or neither.
  package private(set) var mean: [Double]?
  package private(set) var std: [Double]?
  /// Of the images that the network sees, in pixels.
  package private(set) var size: ImageSize?
  package private(set) var channels: Int?
  package private(set) var classes: Classes?
  /// What the outputs are called, in their order; nil where the data has no names.
  package private(set) var classNames: [String]?

  package struct ImageSize: Equatable, Sendable, CustomStringConvertible {
    package let height, width: Int
    /// `32`, or `28x20` (height, width).
    package var description: String { height == width ? "\(height)" : "\(height)x\(width)" }
    /// The side of square images.
    package var side: Int? { height == width ? height : nil }
  }

  package enum Classes: Equatable, Sendable, CustomStringConvertible {
    /// So many outputs, which are the data's classes from 0 on.
    case count(Int)
    /// The data's class that each output stands for, where `data.classes` chose some.
    case chosen([Int])

    package var description: String {
      switch self {
      case .count(let count): "\(count)"
      case .chosen(let labels): "[\(labels.map(String.init).joined(separator: ", "))]"
      }
    }
  }

  package init(_ normalization: Normalization, shape: ImageShape, classes: Classes, classNames: [String]? = nil) {
    self.classNames = classNames
    mean = normalization.mean
    std = normalization.std
    size = ImageSize(height: shape.height, width: shape.width)
    channels = shape.channels
    self.classes = classes
  }

  package var isKnown: Bool { mean != nil }

  package var normalization: Normalization? {
    guard let mean, let std else { return nil }
    return Normalization(mean: mean, std: std)
  }

  /// Of images in colour: the order in which every reader of ours gives channels.
  package static let channelOrder = "RGB"

  // MARK: Metadata

  /// Names of metadata, with their values as text.
  package var metadata: [String: String] {
    var texts: [String: String] = [:]
    texts["preprocessing.mean"] = mean.map(Self.text)
    texts["preprocessing.std"] = std.map(Self.text)
    texts["preprocessing.size"] = size.map { "\($0)" }
    texts["preprocessing.channels"] = channels.map { "\($0)" }
    texts["preprocessing.classes"] = classes.map { "\($0)" }
    texts["preprocessing.class_names"] = classNames.map { JSONText.of($0) }
    return texts
  }

  /// Shortest decimals that are the same doubles again.
  package static func text(_ values: [Double]) -> String {
    "[\(values.map(YAMLText.number).joined(separator: ", "))]"
  }

  /// Of a file that anyone may have written: each key is absent, or exactly of its form.
  package init(metadata: [String: String], path: String) throws(FileError) {
    func read<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) throws(FileError) -> Value? {
      guard let text = metadata["preprocessing.\(name)"] else { return nil }
      // Longer than any that is meant, and short enough to be read at once.
      guard text.utf8.count <= 1 << 20, let value = parse(text) else {
        throw FileError(
          path: path, reason: "metadata preprocessing.\(name) is \(quoted(text)), expected \(expected)")
      }
      return value
    }
    mean = try read("mean", "a list of numbers from 0 to 1, one a channel") {
      Self.list($0, Double.init(decimal:)).flatMap { $0.allSatisfy { 0...1 ~= $0 } ? $0 : nil }
    }
    std = try read("std", "a list of numbers > 0 and <= 1, one a channel") {
      Self.list($0, Double.init(decimal:)).flatMap { $0.allSatisfy { $0 > 0 && $0 <= 1 } ? $0 : nil }
    }
    size = try read("size", "pixels a side, or HEIGHTxWIDTH, each from 1 to 65536") { text in
      let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int(count: $0, to: 65536) }
      guard 1...2 ~= sides.count, let height = sides[0], let width = sides.last! else { return nil }
      return ImageSize(height: height, width: width)
    }
    channels = try read("channels", "an integer from 1 to 65536") { Int(count: $0[...], to: 65536) }
    classes = try read("classes", "an integer from 1 to 65536, or a list of two labels or more, none twice") { text in
      if let count = Int(count: text[...], to: 65536) { return .count(count) }
      guard let labels = Self.list(text, { $0 == "0" ? 0 : Int(count: $0[...], to: 65535) }), labels.count >= 2,
        Set(labels).count == labels.count
      else { return nil }
      return .chosen(labels)
    }
    classNames = try read("class_names", "a JSON list of names, none of them twice") { text in
      guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)),
        Set(names).count == names.count,
        !names.joined().unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
      else { return nil }
      return names
    }
    if let order = metadata["preprocessing.channel_order"], order != Self.channelOrder {
      throw FileError(
        path: path, reason: "metadata preprocessing.channel_order is \(quoted(order)), expected \(Self.channelOrder)")
    }
    let counts = [mean?.count, std?.count, channels].compactMap(\.self)
    guard (mean == nil) == (std == nil), Set(counts).count <= 1 else {
      throw FileError(
        path: path,
        reason:
          "metadata preprocessing.mean is \(mean.map(Self.text) ?? "absent"), .std \(std.map(Self.text) ?? "absent") and "
          + ".channels \(channels.map { "\($0)" } ?? "absent"), expected a mean and a std for each channel")
    }
  }

  /// `[a, b]`, not empty.
  private static func list<Value>(_ text: String, _ entry: (String) -> Value?) -> [Value]? {
    guard text.first == "[", text.last == "]", text.count > 2 else { return nil }
    let texts = text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
    let values = texts.compactMap { entry(String($0.drop { $0 == " " })) }
    return values.count == texts.count ? values : nil
  }
}

extension Double {
  /// A number in decimal digits that float32 keeps: neither `nan` nor `0x1p3`, which Swift would take too.
  fileprivate init?(decimal text: String) {
    let characters = "0123456789+-.eE".utf8
    guard text.utf8.allSatisfy(characters.contains), let value = Double(text), value.isKeptByFloat32 else { return nil }
    self = value
  }
}

extension Int {
  /// `[1-9][0-9]*`, up to `limit`.
  fileprivate init?(count text: Substring, to limit: Int) {
    guard text.utf8.allSatisfy(\.isDigit), text.first != "0", let value = Int(text), 1...limit ~= value else {
      return nil
    }
    self = value
  }
}
