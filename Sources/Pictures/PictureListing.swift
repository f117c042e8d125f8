import Formats
import Foundation

/// Pictures and labels as folders, archives or a list name them, before any of them is read.
package struct PictureListing: Sendable {
  struct Item: Sendable {
    /// The folder that the file lies in, or the archive: its number in `containers`.
    let container: Int
    /// The file's name in its folder; of an archive's member, for messages.
    let name: String
    /// The member's first byte in its archive, and its size; a file's are 0 until it is read.
    var offset = 0
    var size = 0
    let label: Int
  }

  /// Whether containers are tar archives, or folders.
  var areArchives = false
  var containers: [String] = []
  var training: [Item] = []
  var validation: [Item] = []
  var test: [Item] = []
  /// In the order of the labels; empty where classes have numbers alone.
  var classNames: [String] = []
  var classes = 0
  /// Where a change, by size or time, means that there may be other pictures.
  var watched: [String] = []
  /// What is said of labels without pictures and pictures without labels.
  var problems: [String] = []

  var items: [Item] { training + validation + test }

  mutating func add(_ item: Item, to part: Part) {
    switch part {
    case .training: training.append(item)
    case .validation: validation.append(item)
    case .test: test.append(item)
    }
  }

  /// Which of the three a name stands for, as folders, archives and lists say it.
  package enum Part: CaseIterable, Sendable {
    case training, validation, test

    package var names: [String] {
      switch self {
      case .training: ["train", "training"]
      case .validation: ["val", "valid", "validation"]
      case .test: ["test"]
      }
    }

    init?(named name: String) {
      guard let part = Self.allCases.first(where: { $0.names.contains(name.lowercased()) }) else { return nil }
      self = part
    }

    /// By the one word of the name that stands for a part: "tiny-train-0001.tar".
    init?(inName name: String) {
      let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
      let parts = Set(words.compactMap { Self(named: $0) })
      guard parts.count == 1, let part = parts.first else { return nil }
      self = part
    }
  }
}
