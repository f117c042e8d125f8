import CImages

/// How a picture is turned before it is shown: EXIF's numbers 1 to 8.
struct Orientation: Equatable, Sendable {
  /// 1 leaves it as it is.
  let value: Int

  var swapsSides: Bool { value >= 5 }

  init(_ value: Int) { self.value = 1...8 ~= value ? value : 1 }

  /// As Pillow finds it: EXIF's tag, else XMP's, else none.
  init(of facts: ci_facts) {
    let exif = UnsafeRawBufferPointer(start: facts.exif, count: facts.exif == nil ? 0 : facts.exif_count)
    let xmp = UnsafeRawBufferPointer(start: facts.xmp, count: facts.xmp == nil ? 0 : facts.xmp_count)
    self.init(Self.inEXIF(exif) ?? Self.inXMP(xmp) ?? 1)
  }

  /// The tag 0x0112 of the first directory of a TIFF header; nil where there is none that can be read.
  static func inEXIF(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 8 else { return nil }
    let isLittle: Bool
    switch (bytes[0], bytes[1]) {
    case (0x49, 0x49): isLittle = true
    case (0x4D, 0x4D): isLittle = false
    default: return nil
    }
    func number(_ at: Int, _ count: Int) -> Int? {
      guard at >= 0, at <= bytes.count - count else { return nil }
      let digits = bytes[at..<at + count]
      return isLittle ? digits.reversed().reduce(0) { $0 << 8 | Int($1) } : digits.reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(2, 2) == 42, let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
    for entry in 0..<entries {
      let at = directory + 2 + 12 * entry
      guard let tag = number(at, 2) else { return nil }
      guard tag == 0x0112, number(at + 4, 4) == 1 else { continue }
      // Bytes, shorts and longs, signed or not.
      switch number(at + 2, 2) {
      case 1, 6: return number(at + 8, 1)
      case 3, 8: return number(at + 8, 2)
      case 4, 9: return number(at + 8, 4)
      default: return nil
      }
    }
    return nil
  }

  /// The digit after the first `tiff:Orientation="` or `tiff:Orientation>`.
  static func inXMP(_ bytes: UnsafeRawBufferPointer) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    var rest = bytes[...]
    while let place = rest.firstRange(of: name) {
      rest = rest[place.upperBound...]
      let isAttribute = rest.starts(with: Array("=\"".utf8))
      guard isAttribute || rest.first == UInt8(ascii: ">") else { continue }
      if let digit = rest.dropFirst(isAttribute ? 2 : 1).first, 48...57 ~= digit { return Int(digit) - 48 }
    }
    return nil
  }
}

extension Picture {
  /// Pillow's `ImageOps.exif_transpose`.
  func turned(_ orientation: Orientation) -> Picture {
    guard orientation.value > 1 else { return self }
    let (outputWidth, outputHeight) = orientation.swapsSides ? (height, width) : (width, height)
    let (w, h) = (width, height)
    return Picture(width: outputWidth, height: outputHeight, channels: channels) { output in
      withPixels { input in
        for y in 0..<outputHeight {
          for x in 0..<outputWidth {
            let (column, row) =
              switch orientation.value {
              case 2: (w - 1 - x, y)
              case 3: (w - 1 - x, h - 1 - y)
              case 4: (x, h - 1 - y)
              case 5: (y, x)
              case 6: (y, h - 1 - x)
              case 7: (w - 1 - y, h - 1 - x)
              default: (w - 1 - y, x)
              }
            let (source, target) = ((row * w + column) * channels, (y * outputWidth + x) * channels)
            for channel in 0..<channels { output[target + channel] = input[source + channel] }
          }
        }
      }
    }
  }
}
