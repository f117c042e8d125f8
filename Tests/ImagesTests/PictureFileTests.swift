import Foundation
import Testing

import Images

struct PictureFileTests {
  @Test(arguments: PictureFixtures.good)
  func `a file is read as Pillow reads it`(name: String) throws {
    let bytes = try PictureFixtures.bytes(name)
    for (kind, channels) in [("rgb", 3), ("grey", 1)] {
      let picture = try bytes.withUnsafeBytes { bytes in try Picture.decode(bytes, channels: channels) }
      let pillow = try PictureFixtures.picture("\(name).\(kind)")
      #expect((picture.width, picture.height) == (pillow.width, pillow.height), "\(kind)")
      #expect(picture == pillow, "\(kind): differs by \(picture.distance(to: pillow) ?? -1)")
    }
  }

  @Test(arguments: PictureFixtures.good)
  func `a header says what decoding gives`(name: String) throws {
    let bytes = try PictureFixtures.bytes(name)
    let header = try bytes.withUnsafeBytes { bytes in try ImageHeader(of: bytes) }
    let pillow = try PictureFixtures.picture("\(name).rgb")
    let grey = stride(from: 0, to: pillow.pixels.count, by: 3).allSatisfy { at in
      Set(pillow.pixels[at..<at + 3]).count == 1
    }
    #expect(header.format == (name.hasSuffix("png") || name == "a-png.jpg" ? .png : .jpeg))
    // EXIF after the pixels is no part of a header.
    if name != "orientation-5-at-the-end.png" {
      #expect((header.width, header.height) == (pillow.width, pillow.height))
    }
    #expect(header.channels == 3 || grey)
  }

  @Test(arguments: PictureFixtures.bad)
  func `a broken file is refused`(name: String) throws {
    let bytes = try PictureFixtures.bytes(name)
    let error = #expect(throws: ImageError.self) {
      try bytes.withUnsafeBytes { bytes in _ = try Picture.decode(bytes, channels: 3) }
    }
    let kinds: [(String, ImageError.Kind)] = [
      ("empty", .empty), ("text", .otherKind), ("gif", .otherKind), ("webp", .otherKind), ("huge", .tooLarge),
      ("large", .tooLarge), ("bytes", .truncated), ("cut.", .truncated), ("cut-progressive", .truncated),
      ("without-end", .truncated), ("header-only", .truncated), ("code", .damaged), ("cut-but-ended", .damaged),
      ("checksum", .damaged), ("12-bits", .unsupported), ("lossless", .unsupported), ("no-palette", .damaged),
    ]
    if let kind = kinds.first(where: { name.contains($0.0) })?.1 {
      #expect(error?.kind == kind, "\(error.map(\.reason) ?? "")")
    }
    #expect(error?.reason.isEmpty == false)
  }

  @Test(arguments: ["rgb", "grey"])
  func `a picture written as PNG is read back`(kind: String) throws {
    let picture = try PictureFixtures.picture("source.\(kind)")
    let file = try #require(picture.encodedAsPNG())
    #expect(try file.withUnsafeBytes { bytes in try Picture.decode(bytes, channels: picture.channels) } == picture)
  }

  @Test func `every cut of a file is refused, or all its pixels are there`() throws {
    for name in ["rgb-420.jpg", "progressive-grey.jpg", "rgba-8-interlaced.png", "palette-4.png"] {
      let bytes = try PictureFixtures.bytes(name)
      for length in 0..<bytes.count {
        bytes[..<length].withUnsafeBytes { part in
          _ = #expect(throws: ImageError.self, "\(name), \(length) bytes") {
            _ = try Picture.decode(part, channels: 3)
          }
        }
      }
    }
  }

  @Test func `what bytes look like is said`() throws {
    func reason(_ bytes: [UInt8]) -> String {
      do {
        _ = try bytes.withUnsafeBytes { try Picture.decode($0, channels: 3) }
        return "read"
      } catch { return "\(error)" }
    }
    #expect(reason(try PictureFixtures.bytes("bad-gif.jpg")) == "is a GIF, expected a JPEG or PNG picture")
    #expect(reason(try PictureFixtures.bytes("bad-text.jpg")) == "is text, expected a JPEG or PNG picture")
    #expect(reason(try PictureFixtures.bytes("bad-webp.png")) == "is a WebP, expected a JPEG or PNG picture")
    #expect(reason([0x89, 0x50]) == "ends after 2 bytes, expected a JPEG or PNG picture")
    #expect(reason([0, 1, 2]) == "is of no kind that is known, expected a JPEG or PNG picture")
  }
}
