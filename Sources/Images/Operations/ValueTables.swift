/// Operations that look every byte up in a table, as Pillow's ImageOps.
extension Picture {
  /// Keeps the upper `bits` of each byte.
  func posterized(bits: Int) -> Picture {
    precondition(0...8 ~= bits, "\(bits) bits")
    let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - bits))
    return mapped { _, value in value & mask }
  }

  /// Inverts what is at least `threshold`.
  func solarized(from threshold: Double) -> Picture {
    mapped { _, value in Double(value) < threshold ? value : 255 - value }
  }

  /// Stretches each channel to 0...255.
  func withFullContrast() -> Picture {
    let ends = histograms.map { histogram in
      (low: histogram.firstIndex { $0 > 0 } ?? 0, high: histogram.lastIndex { $0 > 0 } ?? 255)
    }
    return mapped { channel, value in
      let (low, high) = ends[channel]
      guard high > low else { return value }
      let scale = 255 / Double(high - low)
      return UInt8(min(255, max(0, Double(value) * scale - Double(low) * scale)))
    }
  }

  /// Spreads each channel's values evenly.
  func equalized() -> Picture {
    let tables = histograms.flatMap { histogram -> [UInt8] in
      let identity = (0...255).map { UInt8($0) }
      let occurring = histogram.filter { $0 > 0 }
      let step = (occurring.reduce(0, +) - occurring.last!) / 255
      guard occurring.count > 1, step > 0 else { return identity }
      var below = step / 2
      return histogram.map { count in
        defer { below += count }
        return UInt8(min(255, below / step))
      }
    }
    var result = self
    result.apply(tables: tables)
    return result
  }

  private func mapped(_ value: (_ channel: Int, UInt8) -> UInt8) -> Picture {
    var result = self
    result.apply(tables: (0..<channels).flatMap { channel in (0...255).map { value(channel, UInt8($0)) } })
    return result
  }

  /// How often each value occurs, per channel.
  private var histograms: [[Int]] {
    (0..<channels).map { channel in
      var counts = [Int](repeating: 0, count: 256)
      for index in stride(from: channel, to: pixels.count, by: channels) { counts[Int(pixels[index])] += 1 }
      return counts
    }
  }
}
