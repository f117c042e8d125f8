extension Picture {
  /// Pictures of one size in rows, on white. There is one at least, and rows are of one length.
  package init(sheet rows: [[Picture]]) {
    let gap = 2
    let (first, columns) = (rows[0][0], rows[0].count)
    let width = columns * (first.width + gap) + gap
    let height = rows.count * (first.height + gap) + gap
    let channels = first.channels
    self.init(width: width, height: height, channels: channels) { output in
      output.update(repeating: 255, count: width * height * channels)
      for (y, row) in rows.enumerated() {
        for (x, picture) in row.enumerated() {
          let corner = (gap + y * (first.height + gap)) * width + gap + x * (first.width + gap)
          picture.withPixels { pixels in
            for line in 0..<picture.height {
              (output + (corner + line * width) * channels).update(
                from: pixels + line * picture.width * channels, count: picture.width * channels)
            }
          }
        }
      }
    }
  }

  /// Smaller in proportion, where a side is longer than `largest` pixels.
  package func within(_ largest: Int) -> Picture {
    let longer = max(width, height)
    guard longer > largest else { return self }
    return resized(width: max(1, width * largest / longer), height: max(1, height * largest / longer))
  }
}
