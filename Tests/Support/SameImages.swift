import Formats
import Foundation
import Images

/// A tar archive of ustar headers.
package func tar(_ members: [(name: String, contents: [UInt8])]) -> [UInt8] {
  var archive: [UInt8] = []
  for (name, contents) in members {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ at: Int) { header.replaceSubrange(at..<at + text.utf8.count, with: text.utf8) }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, 0)
    put("0000644", 100)
    put(octal(contents.count, 11), 124)
    put(octal(0, 11), 136)
    put("        ", 148)
    put("0", 156)
    put("ustar", 257)
    put("00", 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6), 148)
    header[154] = 0
    archive += header + contents + [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
  }
  return archive + [UInt8](repeating: 0, count: 1024)
}

/// An array in NumPy's format, version 1.
package func npy(_ shape: [Int], _ type: String, _ bytes: [UInt8]) -> [UInt8] {
  let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
  var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
  header += String(repeating: " ", count: 64 - (10 + header.utf8.count + 1) % 64) + "\n"
  let length = header.utf8.count
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8) + bytes
}

/// A zip archive of stored members.
package func zipArchive(_ members: [(name: String, contents: [UInt8])]) -> [UInt8] {
  func number(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  var (archive, directory): ([UInt8], [UInt8]) = ([], [])
  for (name, contents) in members {
    let sum = Int(Checksum.crc32(contents))
    var common = number(0, 4) + number(0, 4) + number(sum, 4) + number(contents.count, 4)
    common += number(contents.count, 4) + number(name.utf8.count, 2) + number(0, 2)
    directory += number(0x0201_4B50, 4) + number(20, 2) + number(20, 2) + common
    directory += number(0, 6) + number(0, 4) + number(archive.count, 4) + Array(name.utf8)
    archive += number(0x0403_4B50, 4) + number(20, 2) + common + Array(name.utf8) + contents
  }
  var end = number(0x0605_4B50, 4) + number(0, 4) + number(members.count, 2) + number(members.count, 2)
  end += number(directory.count, 4) + number(archive.count, 4) + number(0, 2)
  return archive + directory + end
}

/// The same twelve training and four test images of 32 x 32 in three classes, as every format has them, in a folder.
package struct SameImages {
  package let folder = try! TemporaryDirectory()
  private(set) var training: [(label: Int, picture: Picture)] = []
  private(set) var test: [(label: Int, picture: Picture)] = []

  package init() {
    // Class by class, as folders have them.
    training = (0..<12).map { ($0 / 4, randomPicture(32, 32, seed: $0)) }
    test = (0..<4).map { (min($0, 2), randomPicture(32, 32, seed: 100 + $0)) }
  }

  private var parts: [(String, [(label: Int, picture: Picture)])] { [("train", training), ("test", test)] }

  /// CIFAR-10's binary files.
  package func binary() throws -> Place {
    try makeFolder("binary")
    for (part, images) in parts {
      let records = images.flatMap { [UInt8($0.label)] + planes($0.picture) }
      try write("binary/\(part).bin", records)
    }
    return Place(format: "cifar10", path: folder.path("binary"))
  }

  package func folders() throws -> Place {
    for (part, images) in parts {
      for (index, image) in images.enumerated() {
        try writePNG("folders/\(part)/class\(image.label)/\(100 + index).png", image.picture)
      }
    }
    return Place(format: "images", path: folder.path("folders"))
  }

  package func shards() throws -> Place {
    try makeFolder("shards")
    for (part, images) in parts {
      let members = images.enumerated().map { index, image in
        [
          (name: "\(part)/\(index).png", contents: image.picture.encodedAsPNG()!),
          (name: "\(part)/\(index).cls", contents: Array("\(image.label)\n".utf8)),
        ]
      }
      for shard in 0..<2 {
        let half = members[shard * members.count / 2..<(shard + 1) * members.count / 2]
        try write("shards/all-\(part)-00\(shard).tar", tar(half.flatMap(\.self)))
      }
    }
    return Place(format: "images", path: folder.path("shards"))
  }

  package func list() throws -> Place {
    var lines = ["label,path,split"]
    for (part, images) in parts {
      for (index, image) in images.enumerated() {
        try writePNG("list/files/\(part)\(index).png", image.picture)
        lines.append("class\(image.label),files/\(part)\(index).png,\(part)")
      }
    }
    try write("list/all.csv", Array(lines.joined(separator: "\r\n").utf8))
    return Place(format: "images", path: folder.path("list/all.csv"))
  }

  private var arrays: [(name: String, contents: [UInt8])] {
    parts.flatMap { part, images in
      [
        ("\(part)_images.npy", npy([images.count, 32, 32, 3], "|u1", images.flatMap(\.picture.pixels))),
        ("\(part)_labels.npy", npy([images.count, 1], "|u1", images.map { UInt8($0.label) })),
      ]
    }
  }

  package func npz() throws -> Place {
    Place(format: "npz", path: try write("all.npz", zipArchive(arrays)))
  }

  package func npyPairs() throws -> Place {
    try makeFolder("npy")
    for (name, contents) in arrays { try write("npy/\(name)", contents) }
    return Place(format: "npy", path: folder.path("npy"))
  }

  package func all() throws -> [(name: String, place: Place)] {
    [
      ("binary", try binary()), ("folders", try folders()), ("shards", try shards()), ("list", try list()),
      ("npz", try npz()), ("npy", try npyPairs()),
    ]
  }

  private func planes(_ picture: Picture) -> [UInt8] {
    (0..<3).flatMap { channel in (0..<1024).map { picture.pixels[3 * $0 + channel] } }
  }

  /// What `data.format` and `data.path` say.
  package struct Place {
    package let format: String
    package let path: String
  }

  private func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
  }

  @discardableResult
  private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
    return folder.path(name)
  }

  private func writePNG(_ name: String, _ picture: Picture) throws {
    try makeFolder(String(name[..<name.lastIndex(of: "/")!]))
    try write(name, picture.encodedAsPNG()!)
  }
}

/// Bytes that nothing predicts by accident.
private func randomPicture(_ width: Int, _ height: Int, seed: Int) -> Picture {
  var state = UInt64(seed) &* 2_654_435_761 &+ 1
  return Picture(
    width: width, height: height, channels: 3,
    pixels: (0..<width * height * 3).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(state >> 56)
    })
}
